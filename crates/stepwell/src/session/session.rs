//! Connections, frames, pings, deadlines.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use stepwell_core::code::Code;
use stepwell_protocol::frame;
use stepwell_protocol::to_node::ToNode;
use stepwell_protocol::to_runner::{ToRunner, Welcome};

use super::handshake::{CREDIT_BYTES, Identity};
use super::runs::Runs;
use super::shared::{Blocking, Shared, Terms};
use crate::handler::Handlers;
use crate::machine::Run;
use crate::moment::{Clock, Moment};

/// How long the node may take to answer the handshake.
const WELCOME_WAIT: Duration = Duration::from_secs(10);

/// Refusals that another connection would meet again.
pub(crate) const FINAL: [&str; 4] = [
    Code::VersionSkew.as_str(),
    Code::RegistrationInvalid.as_str(),
    // A key that is unknown, expired or revoked, and one that is not for this.
    Code::Unauthenticated.as_str(),
    Code::NotPermitted.as_str(),
];

/// Why a connection cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The node ended the connection.
    Refused {
        /// The stable code, `SWnnnn`.
        code: String,
        /// What the node says.
        message: String,
        /// Connecting again is of no use.
        is_final: bool,
    },
    /// What came is not understood.
    Protocol(String),
    /// The node is silent for longer than a grant lasts.
    Silent,
}

impl Fault {
    /// Reads why the node closed the connection, where it would do so again: `SW1010: the key …`.
    pub(crate) fn of_close(reason: &str) -> Option<Self> {
        let (code, message) = reason.split_once(": ")?;
        let (code, message) = (code.to_owned(), message.to_owned());
        FINAL.contains(&&*code).then_some(Self::Refused { code, message, is_final: true })
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused { code, message, .. } => write!(f, "{code}: {message}"),
            Self::Protocol(why) => write!(f, "the server is not understood: {why}"),
            Self::Silent => f.write_str("the server is silent"),
        }
    }
}

/// A runner's conversation with a node, over one connection after another.
///
/// The driver brings frames in and out and says when time has passed. Runs come out as futures
/// ([`Session::take_runs`]), to be polled wherever code is to run.
pub struct Session {
    identity: Identity,
    shared: Arc<Shared>,
    runs: Runs,
    connection: Option<Connection>,
    draining: bool,
}

struct Connection {
    generation: u64,
    opened_at: Moment,
    heard_at: Moment,
    welcome: Option<Welcome>,
    /// The pings that were sent and not answered, with their instants.
    pings: Vec<(u64, Moment)>,
    next_ping: u64,
    ping_at: Moment,
    /// Bytes handled since the node was last told.
    handled_bytes: u64,
}

impl Session {
    pub(crate) fn new(
        identity: Identity,
        handlers: Handlers,
        clock: Arc<dyn Clock>,
        blocking: Arc<dyn Blocking>,
    ) -> Self {
        let (app, runner) = (identity.app.clone(), identity.runner.clone());
        let shared = Arc::new(Shared::new(app, runner, clock, blocking));
        let runs = Runs::new(handlers, shared.clone());
        Self { identity, shared, runs, connection: None, draining: false }
    }

    /// The same, with functions seen and stood in for by `watch`.
    #[cfg(feature = "test")]
    pub(crate) fn watched(
        (identity, handlers): (Identity, Handlers),
        clock: Arc<dyn Clock>,
        blocking: Arc<dyn Blocking>,
        watch: Arc<dyn super::shared::Watch>,
    ) -> Self {
        let (app, runner) = (identity.app.clone(), identity.runner.clone());
        let mut shared = Shared::new(app, runner, clock, blocking);
        shared.watch = Some(watch);
        let shared = Arc::new(shared);
        let runs = Runs::new(handlers, shared.clone());
        Self { identity, shared, runs, connection: None, draining: false }
    }

    /// Sets what is woken when there is a frame to send or an earlier deadline.
    pub fn set_waker(&self, waker: &Waker) {
        self.shared.link.set_waker(waker.clone());
        self.shared.timers.set_waker(waker.clone());
    }

    /// As [`Session::set_waker`], with a waker of its own for frames.
    pub(crate) fn set_wakers(&self, deadlines: &Waker, frames: &Waker) {
        self.shared.link.set_waker(frames.clone());
        self.shared.timers.set_waker(deadlines.clone());
    }

    /// Returns a way to the frames for those who send some of them.
    pub(crate) fn frames(&self) -> Frames {
        Frames(self.shared.clone())
    }

    /// A connection was made: the handshake begins.
    pub fn on_connected(&mut self, now: Moment) {
        let generation = self.shared.link.open();
        let hello = self.identity.hello(self.runs.resume());
        let hello = ToNode::Hello(hello);
        self.shared.link.write(generation, |outgoing| outgoing.push(&hello, 0));
        self.connection = Some(Connection {
            generation,
            opened_at: now,
            heard_at: now,
            welcome: None,
            pings: Vec::new(),
            next_ping: 1,
            ping_at: Moment::MAX,
            handled_bytes: 0,
        });
    }

    /// The connection is gone.
    pub fn on_disconnected(&mut self) {
        self.connection = None;
        self.shared.link.close();
        self.runs.on_disconnected();
    }

    /// Takes a frame of the node.
    ///
    /// # Errors
    /// [`Fault`] when the connection cannot go on; the driver then closes it.
    pub fn on_frame(&mut self, frame: &[u8], now: Moment) -> Result<(), Fault> {
        let messages: Vec<ToRunner<'_>> =
            frame::parse(frame).map_err(|error| Fault::Protocol(error.to_string()))?;
        for message in messages {
            self.on_message(message, now)?;
        }
        let Some(connection) = &mut self.connection else { return Ok(()) };
        connection.heard_at = now;
        // Every byte is given back; a node that did not pay for some of them keeps what it has.
        connection.handled_bytes += frame.len() as u64;
        if connection.handled_bytes >= CREDIT_BYTES / 4 {
            let bytes = std::mem::take(&mut connection.handled_bytes);
            self.send(&ToNode::Credit { bytes });
        }
        Ok(())
    }

    fn on_message(&mut self, message: ToRunner<'_>, now: Moment) -> Result<(), Fault> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        match message {
            ToRunner::Welcome(welcome) => self.on_welcome(welcome, now),
            ToRunner::Refused(refused) => {
                let is_final = FINAL.contains(&&*refused.code)
                    || (connection.welcome.is_none() && refused.code == Code::Protocol.as_str());
                let (code, message) = (refused.code.into_owned(), refused.message.into_owned());
                return Err(Fault::Refused { code, message, is_final });
            }
            ToRunner::Pong { k } => {
                let Some(at) = connection.pings.iter().find(|ping| ping.0 == k).map(|ping| ping.1)
                else {
                    return Ok(());
                };
                connection.pings.retain(|ping| ping.0 > k);
                if let Some(welcome) = &connection.welcome {
                    // §4.7: counted from when the ping was sent, by the runner's own clock.
                    self.shared.grant.extend(at.after(Duration::from_millis(welcome.ttl_ms)));
                }
            }
            ToRunner::Credit { bytes } => self.shared.link.add_credit(bytes),
            // The connection closes by itself; the runs are kept for the next one.
            ToRunner::Draining {} => {}
            about_run => {
                if connection.welcome.is_none() {
                    return Err(Fault::Protocol(
                        "the node speaks of a run before `welcome`".into(),
                    ));
                }
                self.runs.on_message(about_run, connection.generation, now)?;
            }
        }
        Ok(())
    }

    fn on_welcome(&mut self, welcome: Welcome, now: Moment) {
        let Some(connection) = &mut self.connection else { return };
        self.shared.link.set_credit(welcome.credit_bytes);
        self.runs.set_terms(Terms::of(&welcome));
        // The node counts from when the handshake came in, which was after it was sent.
        let until = connection.opened_at.after(Duration::from_millis(welcome.ttl_ms));
        self.shared.grant.extend(until);
        connection.ping_at = now;
        connection.welcome = Some(welcome);
        if self.draining {
            self.send(&ToNode::Drain {});
        }
        self.on_time(now);
    }

    fn send(&self, message: &ToNode<'_>) {
        if let Some(connection) = &self.connection {
            let generation = connection.generation;
            self.shared.link.write(generation, |outgoing| outgoing.push_control(message));
        }
    }

    /// Does what is due: pings, and deadlines of runs.
    pub fn on_time(&mut self, now: Moment) {
        for run in self.shared.timers.due(now) {
            run.on_time(now);
        }
        self.runs.sweep();
        let Some(connection) = &mut self.connection else { return };
        let Some(welcome) = &connection.welcome else { return };
        if connection.ping_at <= now {
            let k = connection.next_ping;
            connection.next_ping += 1;
            connection.pings.push((k, now));
            connection.ping_at = now.after(Duration::from_millis(welcome.ping_ms.max(1)));
            self.send(&ToNode::Ping { k });
        }
    }

    /// Returns when [`Session::on_time`] or [`Session::check`] is wanted next.
    pub fn next_deadline(&self) -> Option<Moment> {
        let runs = self.shared.timers.next();
        let own = self.connection.as_ref().map(|one| one.ping_at.min(one.silent_at()));
        match (runs, own) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// Looks whether the node is still there.
    ///
    /// # Errors
    /// [`Fault::Silent`] when nothing was heard for longer than a grant lasts.
    pub fn check(&self, now: Moment) -> Result<(), Fault> {
        match &self.connection {
            Some(connection) if connection.silent_at() <= now => Err(Fault::Silent),
            Some(_) | None => Ok(()),
        }
    }

    /// Takes the next frame to be sent, if there is one that the node is ready for.
    pub fn next_frame(&mut self) -> Option<Vec<u8>> {
        self.shared.link.next_frame()
    }

    /// Takes the runs that the node has given since the last call. Each is to be polled until it
    /// ends.
    pub fn take_runs(&mut self) -> Vec<Run> {
        self.runs.take_new()
    }

    /// Returns how many runs the runner holds.
    pub fn held(&mut self) -> usize {
        self.runs.sweep();
        self.runs.len()
    }

    /// Tells whether functions of steps are in progress.
    pub(crate) fn is_calling(&self) -> bool {
        self.runs.is_calling()
    }

    /// Returns ended steps of histories that code has not asked for.
    #[cfg(feature = "test")]
    pub(crate) fn unasked(&self) -> Vec<Arc<str>> {
        self.runs.unasked()
    }

    /// Stops: takes no more runs, and gives back those that it has, each as soon as none of its
    /// functions is in progress.
    pub fn drain(&mut self) {
        if !std::mem::replace(&mut self.draining, true) {
            self.send(&ToNode::Drain {});
            self.runs.drain();
        }
    }

    /// Drops every run, for a process that does not serve any more.
    pub fn close(&mut self) {
        self.on_disconnected();
        self.runs.close();
    }

    /// Tells whether the node has taken the runner on this connection.
    pub fn is_welcome(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.welcome.is_some())
    }
}

/// The frames to be sent.
pub(crate) struct Frames(Arc<Shared>);

impl Frames {
    /// As [`Session::next_frame`].
    pub(crate) fn next(&self) -> Option<Vec<u8>> {
        self.0.link.next_frame()
    }
}

impl Connection {
    fn silent_at(&self) -> Moment {
        let wait = self
            .welcome
            .as_ref()
            .map_or(WELCOME_WAIT, |welcome| Duration::from_millis(welcome.ttl_ms));
        self.heard_at.after(wait)
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Session");
        shown.field("identity", &self.identity).field("held", &self.runs.len());
        shown.finish_non_exhaustive()
    }
}
