//! What runners say of the runs that they hold.

use std::time::Duration;

use serde_json::value::RawValue;
use stepwell_core::code::Code;
use stepwell_core::id::RunId;
use stepwell_core::name;
use stepwell_core::record::{self, BlockCause, LogLine, Opening};
use stepwell_core::run::{
    Act, AttemptError, Command, EndRace, EndStep, Finish, Rejection, SleepStep, StartStep, Then,
    VerifyStep,
};
use stepwell_core::time::Timestamp;
use stepwell_protocol::frame;
use stepwell_protocol::to_node::{self, ToNode};
use stepwell_protocol::to_runner::{Refused, ToRunner};

use crate::input::SessionId;
use crate::node::Node;
use crate::output::{Output, Outputs};
use crate::session::send_now;

/// Levels of lines that code logs.
const LEVELS: [&str; 4] = ["debug", "info", "warn", "error"];

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
            message => return self.on_run_message(id, message),
        }
        Ok(())
    }

    fn held_run(&self, id: SessionId, a: u32) -> Option<RunId> {
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
        let (a, output, act) = act_of(message, now).map_err(|text| (Code::Protocol, text))?;
        // A message about a run that was taken from the runner meanwhile changes nothing (§4.7).
        let Some(run) = self.held_run(id, a) else {
            return Ok(());
        };
        let Some(held) = self.hot.live(run).and_then(|live| live.held) else {
            return Ok(());
        };
        let command = Command::Runner { epoch: held.epoch, act };
        match self.apply(run, command, output) {
            Ok(()) => Ok(()),
            Err(Rejection::KindChanged { step, expected, found }) => {
                let cause = BlockCause::KindChanged { step: (&*step).into(), expected, found };
                let command = Command::Runner { epoch: held.epoch, act: Act::Block(cause) };
                self.apply(run, command, None).unwrap_or_default();
                Ok(())
            }
            Err(
                error @ (Rejection::Unopened(_)
                | Rejection::ForeignKind { .. }
                | Rejection::Unbegun(_)
                | Rejection::AttemptMismatch { .. }),
            ) => {
                // The runner comes back without this run: it is lost to it, or the same message would
                // close every connection after this one, and nobody else would get any of its runs.
                self.disown(run, held.epoch);
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
        self.stats.losses += 1;
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

fn ago(now: Timestamp, us: u64) -> Timestamp {
    now.before(Duration::from_micros(us))
}

fn opening<'a>(open: &to_node::Opening<'a>, now: Timestamp) -> Opening<'a> {
    Opening {
        kind: open.kind,
        after: open.after,
        at: ago(now, open.ago_us),
        input: open.input,
        metadata: open.metadata,
        once: open.once,
        branch: open.branch.clone(),
        kept_from: None,
    }
}

type RunMessage<'a> = (u32, Option<&'a RawValue>, Act<'a>);

/// Turns a message about a run into what it says to the core.
fn act_of(message: ToNode<'_>, now: Timestamp) -> Result<RunMessage<'_>, String> {
    let step = |id: &str| name::check("a step id", id).map_err(|error| error.to_string());
    match message {
        ToNode::Started(m) => {
            step(&m.step)?;
            let attempt = record::Attempt {
                n: m.n,
                started_at: ago(now, m.ago_us),
                overlapped: m.overlapped,
            };
            let (step, open) = (m.step, m.open.map(|open| opening(&open, now)));
            Ok((m.a, None, Act::StartStep(StartStep { step, attempt, open })))
        }
        ToNode::Ended(m) => {
            step(&m.step)?;
            Ok((m.a, None, Act::EndStep(end_of(m, now))))
        }
        ToNode::Sleep(m) => {
            step(&m.step)?;
            let open = opening(&m.open, now);
            let until = match (m.for_us, m.until_us) {
                (Some(us), None) => open.at.after(Duration::from_micros(us)),
                (None, Some(us)) => Timestamp::from_micros(us),
                _ => return Err("`sleep` needs one of forUs and untilUs".into()),
            };
            Ok((m.a, None, Act::Sleep(SleepStep { step: m.step, until, open })))
        }
        ToNode::Skip(m) => {
            step(&m.step)?;
            Ok((m.a, None, Act::Skip { step: m.step, open: opening(&m.open, now) }))
        }
        ToNode::Dropped(m) => {
            step(&m.step)?;
            let open = m.open.map(|open| opening(&open, now));
            Ok((m.a, None, Act::Drop { step: m.step, open }))
        }
        ToNode::Log(m) => {
            let lines = m.lines.into_iter().map(|line| log_line(line, now));
            let lines = lines.collect::<Result<_, _>>()?;
            Ok((m.a, None, Act::Log { step: m.step, lines }))
        }
        ToNode::Order(to_node::Order { a, expected, found }) => {
            Ok((a, None, Act::NoteOrder { expected, found }))
        }
        ToNode::Block(m) => match m.cause {
            cause @ (BlockCause::KindChanged { .. } | BlockCause::OrderChanged { .. }) => {
                Ok((m.a, None, Act::Block(cause)))
            }
            _ => Err("a runner blocks a run for kindChanged or orderChanged only".into()),
        },
        ToNode::Released { a, seen, ready } => {
            let then = if ready { Then::GoOn } else { Then::Wait };
            Ok((a, None, Act::Release { seen, then }))
        }
        ToNode::Finished(m) => {
            let finish = match m.error {
                Some(error) => Finish::Failed(error),
                None => Finish::Completed(m.output),
            };
            Ok((m.a, m.output, Act::Finish(finish)))
        }
        m @ (ToNode::Verified(_) | ToNode::Race(_) | ToNode::Raced(_)) => branch_act_of(m, now),
        ToNode::Search(m) => Ok((m.a, None, Act::SetSearch(m.set))),
        ToNode::Hello(_)
        | ToNode::Ping { .. }
        | ToNode::Credit { .. }
        | ToNode::Drain {}
        | ToNode::Idle { .. }
        | ToNode::Busy { .. } => Err("this message is not about a run".into()),
    }
}

/// The same for races, and for what was found out about starts.
fn branch_act_of(message: ToNode<'_>, now: Timestamp) -> Result<RunMessage<'_>, String> {
    let step = |id: &str| name::check("a step id", id).map_err(|error| error.to_string());
    match message {
        ToNode::Verified(m) => {
            step(&m.step)?;
            let (step, n, verdict, output) = (m.step, m.n, m.verdict, m.output);
            Ok((m.a, None, Act::Verify(VerifyStep { step, n, verdict, output })))
        }
        ToNode::Race(m) => {
            step(&m.step)?;
            Ok((m.a, None, Act::StartRace { step: m.step, open: opening(&m.open, now) }))
        }
        ToNode::Raced(m) => {
            step(&m.step)?;
            let result = m.error.map_or(Ok(m.output), Err);
            let end = EndRace { step: m.step, at: ago(now, m.ago_us), result };
            Ok((m.a, None, Act::EndRace(end)))
        }
        _ => Err("this message is about no race and no start".into()),
    }
}

fn log_line(line: to_node::Line<'_>, now: Timestamp) -> Result<LogLine<'_>, String> {
    if !LEVELS.contains(&&*line.level) {
        let shown: String = line.level.chars().take(24).flat_map(char::escape_debug).collect();
        let accepted = LEVELS.join(", ");
        return Err(format!("a line of `log` has the level `{shown}`; accepted: {accepted}"));
    }
    Ok(LogLine { at: ago(now, line.ago_us), level: line.level, message: line.message })
}

fn end_of(m: to_node::Ended<'_>, now: Timestamp) -> EndStep<'_> {
    let attempt = record::Attempt {
        n: m.n,
        started_at: ago(now, m.started_ago_us),
        overlapped: m.overlapped,
    };
    let result = match m.error {
        None => Ok(m.output),
        Some(failure) => Err(AttemptError {
            failure,
            terminal: m.terminal,
            retry_at: m.retry_in_ms.map(|ms| now.after(Duration::from_millis(ms))),
            timed_out: m.timed_out,
        }),
    };
    EndStep {
        step: m.step,
        attempt,
        at: ago(now, m.ended_ago_us),
        result,
        policy: m.retry,
        total_timeout: m.total_timeout_ms.map(Duration::from_millis),
        open: m.open.map(|open| opening(&open, now)),
    }
}
