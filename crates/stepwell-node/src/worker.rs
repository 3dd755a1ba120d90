//! What runners say of the runs that they hold.

use stepwell_core::code::Code;
use stepwell_core::id::RunId;
use stepwell_core::record::BlockCause;
use stepwell_core::run::{Act, Command, Rejection};
use stepwell_protocol::frame;
use stepwell_protocol::to_node::{self, ToNode};
use stepwell_protocol::to_runner::{Refused, ToRunner};

use crate::input::SessionId;
use crate::node::Node;
use crate::output::{Output, Outputs};
use crate::said::{RunMessage, act_of};
use crate::session::send_now;

/// Why a connection is ended: the code and the text that the runner is told.
pub(crate) type Refusal = (Code, String);

impl Node {
    pub(crate) fn on_frame(&mut self, session: SessionId, bytes: &[u8], out: &mut Outputs) {
        if self.sessions.get(session).is_none() {
            return;
        }
        if let Err((code, message)) = self.read_frame(session, bytes, out) {
            self.stats.messages_refused += 1;
            let refused = Refused { code: code.as_str().into(), message: message.as_str().into() };
            send_now(session, &ToRunner::Refused(refused), out);
            self.on_disconnected(session);
            out.list.push(Output::Close { session, reason: format!("{code}: {message}") });
        }
    }

    fn read_frame(
        &mut self,
        session: SessionId,
        bytes: &[u8],
        out: &mut Outputs,
    ) -> Result<(), Refusal> {
        let limit = self.config.limits.frame_bytes_max();
        if bytes.len() > limit {
            let text = format!("a frame has {} bytes; accepted: at most {limit}", bytes.len());
            return Err((Code::FrameTooLarge, text));
        }
        let messages: Vec<ToNode<'_>> =
            frame::parse(bytes).map_err(|error| (Code::Protocol, error.to_string()))?;
        for message in messages {
            self.stats.messages += 1;
            self.on_message(session, message, out)?;
        }
        self.give_credit(session, bytes.len() as u64, out);
        Ok(())
    }

    /// Gives credit back in portions, so that it costs a message now and then only.
    fn give_credit(&mut self, id: SessionId, bytes: u64, out: &mut Outputs) {
        let portion = self.config.credit_bytes / 8;
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        session.owed += bytes;
        if session.owed >= portion {
            let bytes = std::mem::take(&mut session.owed);
            send_now(id, &ToRunner::Credit { bytes }, out);
        }
    }

    fn on_message(
        &mut self,
        id: SessionId,
        message: ToNode<'_>,
        out: &mut Outputs,
    ) -> Result<(), Refusal> {
        let ready = self.sessions.get(id).is_some_and(|session| session.ready);
        match message {
            ToNode::Hello(hello) if !ready => return self.on_hello(id, &hello, out),
            ToNode::Hello(_) => return Err((Code::Protocol, "`hello` is said once".into())),
            _ if !ready => {
                return Err((Code::Protocol, "the first message has to be `hello`".into()));
            }
            ToNode::Ping { k } => {
                let (now, monotonic) = (self.now, self.monotonic);
                if let Some(session) = self.sessions.get_mut(id) {
                    session.pinged_at = now;
                    session.heard = monotonic;
                }
                send_now(id, &ToRunner::Pong { k }, out);
            }
            ToNode::Credit { bytes } => {
                if let Some(session) = self.sessions.get_mut(id) {
                    session.earn(bytes);
                }
                self.dispatch.wake();
            }
            ToNode::Drain {} => {
                if let Some(session) = self.sessions.get_mut(id) {
                    session.draining = true;
                }
            }
            ToNode::Idle { a } => self.on_idle(id, a),
            ToNode::Busy { a } => {
                if let Some(run) = self.held_run(id, a) {
                    self.set_busy(run);
                }
            }
            ToNode::Invoke(invoke) => return self.on_invoke(id, &invoke, out),
            ToNode::Finished(to_node::Finished { a, continue_as: Some(with), .. }) => {
                let Some(held) = self.held_under(id, a) else { return Ok(()) };
                return self.on_continue_as(held, &with, out);
            }
            message => return self.on_run_message(id, message),
        }
        Ok(())
    }

    /// Returns a run that a connection holds, and the fence.
    pub(crate) fn held_under(&mut self, id: SessionId, a: u32) -> Option<(RunId, u32)> {
        let run = self.held_run(id, a)?;
        let held = self.hot.live(run)?.held?;
        Some((run, held.epoch))
    }

    pub(crate) fn held_run(&self, id: SessionId, a: u32) -> Option<RunId> {
        self.sessions.get(id)?.held.get(&a).copied()
    }

    /// A run that waits for the engine takes no slot.
    fn on_idle(&mut self, id: SessionId, a: u32) {
        let Some(run) = self.held_run(id, a) else {
            return;
        };
        let Some(held) = self.hot.live(run).and_then(|live| live.held.as_mut()) else {
            return;
        };
        if std::mem::replace(&mut held.idle, true) {
            return;
        }
        if let Some(session) = self.sessions.get_mut(id) {
            session.used = session.used.saturating_sub(1);
        }
        self.dispatch.wake();
    }

    fn on_run_message(&mut self, id: SessionId, message: ToNode<'_>) -> Result<(), Refusal> {
        let now = self.now;
        let protocol = |text| (Code::Protocol, text);
        let message = match message {
            ToNode::Wait(wait) => {
                let (a, act) = (wait.a, self.wait_of(id, wait).map_err(protocol)?);
                return self.on_act(id, (a, None, act));
            }
            ToNode::Emit(emit) => return self.on_emit(id, &emit),
            other => other,
        };
        let said = act_of(message, now).map_err(protocol)?;
        self.on_act(id, said)
    }

    pub(crate) fn on_act(
        &mut self,
        id: SessionId,
        (a, output, act): RunMessage<'_>,
    ) -> Result<(), Refusal> {
        // A message about a run that was taken from the runner meanwhile changes nothing (§4.7).
        let Some((run, epoch)) = self.held_under(id, a) else {
            return Ok(());
        };
        let applied = self.apply(run, Command::Runner { epoch, act }, output);
        self.answer_rejection(run, epoch, applied)
    }

    /// Says what becomes of a run, and of its runner, whose message did not fit.
    pub(crate) fn answer_rejection(
        &mut self,
        run: RunId,
        epoch: u32,
        applied: Result<(), Rejection>,
    ) -> Result<(), Refusal> {
        match applied {
            Ok(()) => Ok(()),
            Err(Rejection::KindChanged { step, expected, found }) => {
                let cause = BlockCause::KindChanged { step: (&*step).into(), expected, found };
                let command = Command::Runner { epoch, act: Act::Block(cause) };
                self.apply(run, command, None).unwrap_or_default();
                Ok(())
            }
            Err(
                error @ (Rejection::Unopened(_)
                | Rejection::ForeignKind { .. }
                | Rejection::NotNext(_)
                | Rejection::Unbegun(_)
                | Rejection::AttemptMismatch { .. }),
            ) => {
                // The runner comes back without this run: it is lost to it, or the same message would
                // close every connection after this one, and nobody else would get any of its runs.
                self.disown(run, epoch);
                Err((Code::Protocol, format!("{run}: {error}")))
            }
            Err(_) => {
                self.stats.messages_refused += 1;
                Ok(())
            }
        }
    }

    /// A runner's copy of a run does not fit its journal: the run is lost to it, which counts.
    pub(crate) fn disown(&mut self, run: RunId, epoch: u32) {
        self.count_loss(run);
        self.apply(run, Command::Lose { epoch, counted: true }, None).unwrap_or_default();
    }

    /// Sends a run with its history, in chunks, once its activation is durable. Returns its bytes.
    pub(crate) fn send_activation(&mut self, id: RunId, journal: &[u8]) -> usize {
        let Some(live) = self.hot.live(id) else {
            return 0;
        };
        let Some(held) = live.held else { return 0 };
        let Some(session) = held.session else {
            return 0;
        };
        let chunks = crate::activation::messages(&live.run, held.a, journal, self.now);
        let effects = self.commits.effects(id);
        chunks.iter().map(|message| effects.send(session, message)).sum()
    }
}
