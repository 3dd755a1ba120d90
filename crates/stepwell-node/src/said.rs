//! What messages about runs say to the core.

use std::time::Duration;

use serde_json::value::RawValue;
use stepwell_core::record::{self, BlockCause, LogLine, Opening};
use stepwell_core::run::{
    Act, AttemptError, EndRace, EndStep, Finish, SleepStep, StartStep, Then, VerifyStep,
};
use stepwell_core::status::Kind;
use stepwell_core::step_id;
use stepwell_core::time::Timestamp;
use stepwell_protocol::to_node::{self, ToNode};

/// Levels of lines that code logs.
const LEVELS: [&str; 4] = ["debug", "info", "warn", "error"];

fn ago(now: Timestamp, us: u64) -> Timestamp {
    now.before(Duration::from_micros(us))
}

pub(crate) fn opening<'a>(open: &to_node::Opening<'a>, now: Timestamp) -> Opening<'a> {
    Opening {
        kind: open.kind,
        after: open.after,
        at: ago(now, open.ago_us),
        input: open.input,
        metadata: open.metadata,
        compensable: open.compensable,
        once: open.once,
        branch: open.branch.clone(),
        kept_from: None,
    }
}

/// Checks the id of a step that code names, or of one of a clean-up (§2.5).
fn check_step_id(id: &str) -> Result<(), String> {
    let made = [Kind::Compensate, Kind::OnFailure, Kind::NamedWait];
    let kind = made.into_iter().find(|kind| step_id::is_of_space(*kind, id)).unwrap_or(Kind::Run);
    step_id::check(kind, id).map_err(|error| error.to_string())
}

fn first(open: Option<to_node::Opening<'_>>, now: Timestamp) -> Option<Opening<'_>> {
    open.map(|open| opening(&open, now))
}

pub(crate) type RunMessage<'a> = (u32, Option<&'a RawValue>, Act<'a>);

/// Turns a message about a run into what it says to the core.
pub(crate) fn act_of(message: ToNode<'_>, now: Timestamp) -> Result<RunMessage<'_>, String> {
    match message {
        ToNode::Started(m) => {
            check_step_id(&m.step)?;
            let (n, started_at) = (m.n, ago(now, m.ago_us));
            let attempt = record::Attempt { n, started_at, overlapped: m.overlapped };
            let start = StartStep { step: m.step, attempt, open: first(m.open, now) };
            Ok((m.a, None, Act::StartStep(start)))
        }
        ToNode::Ended(m) => {
            check_step_id(&m.step)?;
            Ok((m.a, None, Act::EndStep(end_of(m, now))))
        }
        ToNode::Sleep(m) => Ok((m.a, None, Act::Sleep(sleep_of(m, now)?))),
        ToNode::Skip(m) => {
            check_step_id(&m.step)?;
            Ok((m.a, None, Act::Skip { step: m.step, open: opening(&m.open, now) }))
        }
        ToNode::Dropped(m) => {
            check_step_id(&m.step)?;
            Ok((m.a, None, Act::Drop { step: m.step, open: first(m.open, now) }))
        }
        ToNode::Log(m) => {
            let lines = m.lines.into_iter().map(|line| log_line(line, now));
            let lines = lines.collect::<Result<_, _>>()?;
            Ok((m.a, None, Act::Log { step: m.step, lines }))
        }
        ToNode::Order(m) => {
            Ok((m.a, None, Act::NoteOrder { expected: m.expected, found: m.found }))
        }
        ToNode::Block(m) => Ok((m.a, None, Act::Block(cause_of(m.cause)?))),
        ToNode::Released { a, seen, ready } => {
            let then = if ready { Then::GoOn } else { Then::Wait };
            Ok((a, None, Act::Release { seen, then }))
        }
        ToNode::Finished(m) => {
            let finish = m.error.map_or(Finish::Completed(m.output), Finish::Failed);
            Ok((m.a, m.output, Act::Finish(finish)))
        }
        ToNode::Verified(m) => {
            check_step_id(&m.step)?;
            let (step, n, verdict, output) = (m.step, m.n, m.verdict, m.output);
            Ok((m.a, None, Act::Verify(VerifyStep { step, n, verdict, output })))
        }
        ToNode::Race(m) => {
            check_step_id(&m.step)?;
            Ok((m.a, None, Act::StartRace { step: m.step, open: opening(&m.open, now) }))
        }
        ToNode::Raced(m) => {
            check_step_id(&m.step)?;
            let result = m.error.map_or(Ok(m.output), Err);
            let end = EndRace { step: m.step, at: ago(now, m.ago_us), result };
            Ok((m.a, None, Act::EndRace(end)))
        }
        ToNode::Search(m) => Ok((m.a, None, Act::SetSearch(m.set))),
        ToNode::Hello(_)
        | ToNode::Invoke(_)
        | ToNode::Wait(_)
        | ToNode::Emit(_)
        | ToNode::Ping { .. }
        | ToNode::Credit { .. }
        | ToNode::Drain {}
        | ToNode::Idle { .. }
        | ToNode::Busy { .. } => Err("this message is not about a run".into()),
    }
}

fn sleep_of(m: to_node::Sleep<'_>, now: Timestamp) -> Result<SleepStep<'_>, String> {
    check_step_id(&m.step)?;
    let open = opening(&m.open, now);
    let until = match (m.for_us, m.until_us) {
        (Some(us), None) => open.at.after(Duration::from_micros(us)),
        (None, Some(us)) => Timestamp::from_micros(us),
        _ => return Err("`sleep` needs one of forUs and untilUs".into()),
    };
    Ok(SleepStep { step: m.step, until, open })
}

fn cause_of(cause: BlockCause<'_>) -> Result<BlockCause<'_>, String> {
    match cause {
        cause @ (BlockCause::KindChanged { .. }
        | BlockCause::OrderChanged { .. }
        | BlockCause::CleanUpLost { .. }) => Ok(cause),
        _ => Err("a runner blocks a run for cleanUpLost, kindChanged or orderChanged only".into()),
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
        open: first(m.open, now),
    }
}
