//! Messages about steps, put together from their state.

use stepwell_core::once::Verdict;
use stepwell_core::record::Branch;
use stepwell_core::status::Kind;
use stepwell_protocol::to_node::{
    self, ContinueAs, Ended, Finished, Opening, Raced, Sleep, Verified,
};

use super::line::Line;
use super::state::{Core, Outcome, Step, Until};
use crate::duration::{to_micros, to_millis};
use crate::moment::Moment;

pub(super) fn opening(step: &Step, now: Moment) -> Opening<'_> {
    let details = step.details.as_deref();
    Opening {
        kind: step.kind,
        after: step.after,
        ago_us: now.micros_since(step.asked_at),
        input: details.and_then(|details| details.input.as_deref()),
        metadata: details.and_then(|details| details.metadata.as_deref()),
        compensable: details.map(|details| details.compensable).unwrap_or_default(),
        once: step.options().and_then(|options| options.once).map(|once| once.says),
        branch: step
            .lane()
            .map(|lane| Branch { race: (&*lane.race).into(), name: (&*lane.name).into() }),
    }
}

pub(super) fn sleep(step: &Step, a: u32, now: Moment) -> Option<Sleep<'_>> {
    let (for_us, until_us) = match step.details.as_deref()?.until? {
        Until::For(duration) => (Some(to_micros(duration)), None),
        Until::At(micros) => (None, Some(micros)),
    };
    debug_assert!(matches!(step.kind, Kind::Sleep | Kind::SleepUntil));
    Some(Sleep { a, step: (&*step.id).into(), for_us, until_us, open: opening(step, now) })
}

pub(super) fn ended(step: &Step, a: u32, now: Moment) -> Option<Ended<'_>> {
    let attempt = step.attempt.as_ref()?;
    let mut ended = Ended {
        a,
        step: (&*step.id).into(),
        n: attempt.n,
        started_ago_us: now.micros_since(attempt.started_at),
        ended_ago_us: now.micros_since(attempt.ended_at),
        overlapped: attempt.overlapped,
        output: None,
        error: None,
        terminal: false,
        timed_out: false,
        retry_in_ms: None,
        retry: None,
        total_timeout_ms: None,
        open: (!step.opened).then(|| opening(step, now)),
    };
    match attempt.outcome.as_ref()? {
        Outcome::Returned(output) => ended.output = output.as_deref(),
        Outcome::Continued(_) => {}
        Outcome::Failed(failed) => {
            let options = step.options();
            ended.error = Some(failed.failure.clone());
            ended.terminal = failed.terminal;
            ended.timed_out = failed.timed_out;
            ended.retry_in_ms = failed.retry_in_ms;
            ended.retry = options.and_then(|options| options.retry.clone());
            ended.total_timeout_ms = options.and_then(|options| options.total).map(to_millis);
        }
    }
    Some(ended)
}

pub(super) fn verified(step: &Step, a: u32) -> Option<Verified<'_>> {
    let verdict = step.once.verdict?;
    let output = match step.attempt.as_ref().and_then(|attempt| attempt.outcome.as_ref()) {
        Some(Outcome::Returned(output)) => output.as_deref(),
        Some(Outcome::Failed(_) | Outcome::Continued(_)) | None => None,
    };
    // What was never begun is the start that comes next.
    let n = step.attempts + u32::from(verdict == Verdict::NotBegun);
    Some(Verified { a, step: (&*step.id).into(), n, verdict, output })
}

pub(super) fn raced(step: &Step, a: u32, now: Moment) -> Option<Raced<'_>> {
    let attempt = step.attempt.as_ref()?;
    let ago_us = now.micros_since(attempt.ended_at);
    let mut raced = Raced { a, step: (&*step.id).into(), ago_us, output: None, error: None };
    match attempt.outcome.as_ref()? {
        Outcome::Returned(output) => raced.output = output.as_deref(),
        Outcome::Failed(failed) => raced.error = Some(failed.failure.clone()),
        // Handlers alone end so.
        Outcome::Continued(_) => {}
    }
    Some(raced)
}

pub(super) fn finished(core: &Core, a: u32) -> Finished<'_> {
    let nothing = Finished { a, output: None, error: None, continue_as: None };
    match &core.finish {
        Some(Outcome::Returned(output)) => Finished { output: output.as_deref(), ..nothing },
        Some(Outcome::Failed(failed)) => {
            Finished { error: Some(failed.failure.clone()), ..nothing }
        }
        Some(Outcome::Continued(input)) => {
            let input = input.as_deref();
            Finished { continue_as: Some(ContinueAs { input }), ..nothing }
        }
        None => nothing,
    }
}

pub(super) fn lines(lines: &[Line], now: Moment) -> Vec<to_node::Line<'_>> {
    let mut messages = Vec::with_capacity(lines.len());
    for Line { at, level, message, .. } in lines {
        messages.push(to_node::Line {
            ago_us: now.micros_since(*at),
            level: level.as_str().into(),
            message: message.as_str().into(),
        });
    }
    messages
}

/// Returns how many bytes a step's opening has beyond its frame.
pub(super) fn details_bytes(step: &Step) -> usize {
    let Some(details) = step.details.as_deref() else { return 0 };
    let payloads = [details.input.as_deref(), details.metadata.as_deref()];
    payloads.iter().flatten().map(|raw| raw.get().len()).sum()
}

pub(super) fn output_bytes(step: &Step) -> usize {
    match step.attempt.as_ref().and_then(|attempt| attempt.outcome.as_ref()) {
        Some(Outcome::Returned(Some(output))) => output.get().len(),
        Some(Outcome::Failed(failed)) => failed.failure.message.len(),
        Some(Outcome::Returned(None) | Outcome::Continued(_)) | None => 0,
    }
}
