//! The thread of the connection: one connection after another.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::CONNECT;
use super::backoff::Backoff;
use super::socket;
use super::target::Target;
use super::turn::Turn;
use super::upgrade::{self, Socket, Unconnected};
use super::wire::Wire;
use crate::error::{Error, Result};
use crate::moment::{Clock, Moment, Monotonic};
use crate::session::{Fault, Session};

/// How a driver ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// As it was told to.
    Drained,
    /// The server does not take the runner, or not any more.
    Refused { code: Option<String>, message: String },
    /// It could not begin.
    Failed(String),
}

impl Ended {
    pub(super) fn into_result(end: Result<Self, oneshot::error::RecvError>) -> Result<()> {
        match end {
            Ok(Self::Drained) => Ok(()),
            Ok(Self::Refused { code: Some(code), message }) => Err(Error::refused(&code, message)),
            Ok(Self::Refused { code: None, message }) => Err(Error::connection(message)),
            Ok(Self::Failed(why)) => Err(Error::connection(why)),
            Err(_) => Err(Error::connection("the thread of the connection is gone".into())),
        }
    }
}

/// Moves a session.
pub(super) struct Driver {
    pub(super) session: Session,
    pub(super) clock: Arc<Monotonic>,
    pub(super) runtime: Handle,
    /// The nodes, one of which is connected to.
    pub(super) targets: Turn<Target>,
    /// Says when to stop, and is closed when nobody serves the app any more.
    pub(super) stopped: mpsc::Receiver<()>,
    pub(super) drain: Duration,
    /// Told when the server has registered the app for the first time.
    pub(super) welcome: Option<oneshot::Sender<()>>,
}

/// Why a connection ended.
pub(super) enum Lost {
    /// It broke, or the node closed it.
    Broken(String),
    /// It cannot go on.
    Fault(Fault),
    /// The runner is drained, or nobody serves the app any more.
    Over,
}

impl Driver {
    pub(super) fn run(mut self) -> Ended {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
        match runtime {
            Ok(runtime) => runtime.block_on(self.connect_again_and_again()),
            Err(error) => Ended::Failed(format!("no runtime for the connection: {error}")),
        }
    }

    async fn connect_again_and_again(&mut self) -> Ended {
        let mut backoff = Backoff::between(super::BACKOFF.0, super::BACKOFF.1);
        let mut told = false;
        let mut stop = Stop::None;
        let url_of = |target: &Target| target.url("ws", stepwell_protocol::PATH);
        for target in self.targets.all().iter().filter(|target| target.shows_key()) {
            let url = url_of(target);
            tracing::warn!(%url, "the key is sent unencrypted: everybody on the way can read it");
        }
        // How many were tried since one was welcome: a word on when to come again counts once all were.
        let mut tried = 0;
        let ended = loop {
            let Some((target, at)) = self.targets.now().map(|(one, at)| (one.clone(), at)) else {
                break Ended::Failed("there is no address of a server".into());
            };
            let url = url_of(&target);
            let connecting = tokio::time::timeout(CONNECT, upgrade::connect(target));
            let Some(connected) = self.meanwhile(connecting, &mut stop).await else {
                break Ended::Drained;
            };
            let (why, pause) = match connected {
                Ok(Ok(socket)) => {
                    (told, tried) = (false, 0);
                    match self.converse(socket, &mut stop, &mut backoff).await {
                        Lost::Over => break Ended::Drained,
                        Lost::Fault(Fault::Refused { code, message, is_final: true }) => {
                            break Ended::Refused { code: Some(code), message };
                        }
                        Lost::Fault(fault) => (fault.to_string(), Duration::ZERO),
                        Lost::Broken(why) => (why, Duration::ZERO),
                    }
                }
                Ok(Err(Unconnected::Refused { code, message })) => {
                    break Ended::Refused { code, message };
                }
                Ok(Err(Unconnected::Broken { why, pause })) => (why, pause),
                Err(_) => ("no answer".into(), Duration::ZERO),
            };
            if !std::mem::replace(&mut told, true) {
                tracing::warn!(%url, "no connection to the server, trying on: {why}");
            }
            self.targets.pass(at);
            tried += 1;
            let is_round = tried % self.targets.all().len().max(1) == 0;
            let pause = backoff.next().max(if is_round { pause } else { Duration::ZERO });
            if self.meanwhile(tokio::time::sleep(pause), &mut stop).await.is_none() {
                break Ended::Drained;
            }
        };
        if let Ended::Refused { .. } = ended {
            self.let_functions_end(&mut stop).await;
        }
        // What is left has nobody to talk to any more.
        self.session.close();
        ended
    }

    /// Whoever is refused later may have functions in progress. Without a connection no other begins;
    /// these are let end, since what they do may be hard to stop in its middle.
    async fn let_functions_end(&mut self, stop: &mut Stop) {
        if let Stop::None = stop {
            *stop = Stop::Refused(self.clock.now().after(self.drain));
        }
        self.meanwhile(std::future::pending::<()>(), stop).await;
    }

    async fn converse(&mut self, socket: Socket, stop: &mut Stop, backoff: &mut Backoff) -> Lost {
        self.session.on_connected(self.clock.now());
        let wire = Wire::new(socket, self.session.frames());
        let waker = Waker::from(wire.clone());
        let lost = socket::Conversation { driver: self, wire, waker, stop, backoff }.run().await;
        // The session's waker is the socket's, which holds the session's frames.
        self.session.set_waker(Waker::noop());
        self.session.on_disconnected();
        lost
    }

    /// Waits for something without a connection; deadlines of runs go on. Gives nothing where it is
    /// time to end.
    async fn meanwhile<F: Future>(&mut self, wait: F, stop: &mut Stop) -> Option<F::Output> {
        let mut wait = pin!(wait);
        let mut sleep = pin!(tokio::time::sleep(Duration::ZERO));
        poll_fn(|cx| {
            if let Poll::Ready(output) = wait.as_mut().poll(cx) {
                return Poll::Ready(Some(output));
            }
            self.session.set_waker(cx.waker());
            self.look_for_stop(stop, cx);
            loop {
                let now = self.clock.now();
                self.session.on_time(now);
                if stop.is_over(&mut self.session, now) {
                    return Poll::Ready(None);
                }
                let Some(left) = self.time_left(*stop) else { return Poll::Pending };
                sleep.as_mut().reset(Instant::now() + left);
                if sleep.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
            }
        })
        .await
    }

    /// Returns the time until the next deadline.
    pub(super) fn time_left(&mut self, stop: Stop) -> Option<Duration> {
        let next = match (self.session.next_deadline(), stop.deadline()) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        next.filter(|next| *next < Moment::MAX).map(|next| next.since(self.clock.now()))
    }

    /// Looks whether it is time to stop, and is woken when it is.
    pub(super) fn look_for_stop(&mut self, stop: &mut Stop, cx: &mut Context<'_>) {
        match self.stopped.poll_recv(cx) {
            // It ends already.
            Poll::Ready(Some(())) if matches!(stop, Stop::Refused(_)) => {}
            Poll::Ready(Some(())) => {
                *stop = Stop::Draining(self.clock.now().after(self.drain));
                self.session.drain();
            }
            Poll::Ready(None) if !matches!(stop, Stop::Draining(_)) => *stop = Stop::Abandoned,
            Poll::Ready(None) | Poll::Pending => {}
        }
    }
}

/// Whether the driver is to stop.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stop {
    None,
    /// It stops once it holds nothing, or at this instant.
    Draining(Moment),
    /// The server refuses the runner: it stops once no function is in progress, or at this instant.
    Refused(Moment),
    /// Nobody serves the app any more.
    Abandoned,
}

impl Stop {
    pub(super) fn is_over(self, session: &mut Session, now: Moment) -> bool {
        match self {
            Self::None => false,
            Self::Draining(until) => session.held() == 0 || now >= until,
            Self::Refused(until) => !session.is_calling() || now >= until,
            Self::Abandoned => true,
        }
    }

    pub(super) fn deadline(self) -> Option<Moment> {
        match self {
            Self::Draining(until) | Self::Refused(until) => Some(until),
            Self::None | Self::Abandoned => None,
        }
    }
}
