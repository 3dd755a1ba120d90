//! Reads what the node sends, and notes it.

use std::sync::Arc;

use stepwell_core::status::StepStatus;
use stepwell_core::time::Timestamp;
use stepwell_node::{EndedRun, Reply, SessionId};
use stepwell_protocol::frame;
use stepwell_protocol::to_runner::{EndedStep, ToRunner};

use crate::clock::Micros;
use crate::env::Env;
use crate::history::{Answer, End, Fact, Held, Process};

fn ends(ended: &[EndedStep<'_>]) -> Vec<End> {
    let end = |one: &EndedStep<'_>| End {
        step: Arc::from(&*one.step),
        status: one.status,
        output: one.output.map(|raw| Arc::from(raw.get())),
    };
    ended.iter().map(end).collect()
}

/// Notes the messages of a frame that leaves the node.
pub(super) fn sees(session: SessionId, bytes: &[u8], env: &mut Env, lag: Micros) {
    let Some(to) = env.net.process(session) else { return };
    if env.trace.is_on() {
        env.line(format_args!("node > {to:?} {}", String::from_utf8_lossy(bytes)));
    }
    let messages: Vec<ToRunner<'_>> = match frame::parse(bytes) {
        Ok(messages) => messages,
        Err(error) => {
            return env.fact_later(lag, Fact::Refused { to, why: format!("a bad frame: {error}") });
        }
    };
    for message in messages {
        sees_one((session, to, lag), message, env);
    }
}

fn sees_one((session, to, lag): (SessionId, Process, Micros), m: ToRunner<'_>, env: &mut Env) {
    match m {
        ToRunner::Activate(given) => {
            let held = Held { run: given.run, epoch: given.epoch, nonce: given.nonce };
            env.handles.insert((session, given.a), held);
            env.last_given.insert(given.run, held);
            let ended = ends(&given.ended);
            for end in &ended {
                env.flight.end(held.run, &end.step);
            }
            env.fact_later(lag, Fact::Gave { to, held, ended, more: given.more });
        }
        ToRunner::History(history) => {
            if let Some(held) = env.handles.get(&(session, history.a)).copied() {
                let (ended, more) = (ends(&history.ended), history.more);
                env.fact_later(lag, Fact::GaveMore { to, held, ended, more });
            }
        }
        ToRunner::Resumed(resumed) => {
            let none = Held { run: resumed.run, epoch: 0, nonce: 0 };
            let held = env.last_given.get(&resumed.run).copied().unwrap_or(none);
            env.handles.insert((session, resumed.a), held);
            env.fact_later(lag, Fact::Resumed { to, held });
        }
        ToRunner::Settled(settled) => {
            let Some(held) = env.handles.get(&(session, settled.a)).copied() else { return };
            env.flight.end(held.run, &settled.step);
            let status = settled.status.unwrap_or(StepStatus::Completed);
            let end = End { step: Arc::from(&*settled.step), status, output: None };
            let at = Timestamp::from_micros(settled.at_us);
            env.fact_later(lag, Fact::Settled { to, held, end, at });
        }
        ToRunner::Evict { a } | ToRunner::Done { a } => {
            if let Some(held) = env.handles.get(&(session, a)).copied() {
                env.flight.end_run(held.run);
            }
        }
        ToRunner::Refused(refused) => {
            let why = format!("{}: {}", refused.code, refused.message);
            env.fact_later(lag, Fact::Refused { to, why });
        }
        ToRunner::Welcome(_)
        | ToRunner::Pong { .. }
        | ToRunner::Credit { .. }
        | ToRunner::Draining {}
        | ToRunner::Gone { .. }
        | ToRunner::Retry(_)
        | ToRunner::Begin(_)
        | ToRunner::Pause { .. }
        | ToRunner::Unpause { .. }
        | ToRunner::End { .. } => {}
    }
}

/// Makes what is noted of a reply.
pub(super) fn answer_of(reply: Reply) -> Option<Answer> {
    Some(match reply {
        Reply::Started { run, created } => Answer::Started { run, created },
        Reply::Ended(ended) => {
            let EndedRun { run, status, output, error, .. } = *ended;
            Answer::Ended {
                run,
                status,
                output: output.map(|raw| Arc::from(raw.get())),
                error: error.map(|error| error.name.into_owned()),
            }
        }
        Reply::Imported { taken, .. } => Answer::Imported(taken),
        Reply::Acted { status } => Answer::Acted(status),
        Reply::Contended => Answer::Refused { code: "" },
        Reply::Error(error) => Answer::Refused { code: error.code.as_str() },
        Reply::Sent(sent) => Answer::Sent { id: sent.id },
        Reply::Runners(_) => return None,
    })
}
