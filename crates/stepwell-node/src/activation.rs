//! What a runner is given with a run: its start, the ends of its steps, and what is open.

use std::borrow::Cow;

use serde_json::value::RawValue;
use stepwell_core::clean_up::Compensation;
use stepwell_core::failure::Failure;
use stepwell_core::limits::CHUNK_BYTES;
use stepwell_core::record::{self, Record, StepEnded};
use stepwell_core::run::{Run, is_kept};
use stepwell_core::time::Timestamp;
use stepwell_protocol::to_runner::{
    self, Activate, CleanUp, EndedStep, History, OpenStep, ToRunner,
};

/// Most bytes that an ended step takes beside its id, payload and error.
const ENDED_BYTES: usize = 128;

/// Builds the messages that give a run to its runner under handle `a`: `activate`, and `history`
/// where the run's steps do not fit one chunk. `journal` is that of `run`.
pub fn messages<'a>(run: &'a Run, a: u32, journal: &'a [u8], now: Timestamp) -> Vec<ToRunner<'a>> {
    let mut input = None;
    let mut metadata = None;
    let mut origin = None;
    let mut chunks: Vec<Vec<EndedStep<'a>>> = vec![Vec::new()];
    if let Some(Ok(Record::Started(started))) = record::decode(journal).next() {
        (input, metadata, origin) = (started.input, started.metadata, started.event);
    }
    let mut bytes = raw_bytes(input) + raw_bytes(metadata);
    for ended in kept_ends(journal) {
        let kept_from = ended.open.as_ref().and_then(|open| open.kept_from);
        let error = ended.error.as_ref().map_or(0, failure_bytes);
        // A quote in an id takes two bytes.
        let size = ENDED_BYTES + 2 * ended.step.len() + raw_bytes(ended.output) + error;
        if bytes + size > CHUNK_BYTES && bytes > 0 {
            chunks.push(Vec::new());
            bytes = 0;
        }
        bytes += size;
        if let Some(chunk) = chunks.last_mut() {
            chunk.push(EndedStep { kept_from, ..ended_step(run, ended) });
        }
    }
    let last = chunks.len() - 1;
    let mut chunks = chunks.into_iter();
    let ended = chunks.next().unwrap_or_default();
    let first = first_message(run, a, (input, metadata), ended, now);
    let first = Activate { more: last > 0, event: origin, ..first };
    let rest = chunks
        .enumerate()
        .map(|(index, ended)| ToRunner::History(History { a, ended, more: index + 1 < last }));
    std::iter::once(ToRunner::Activate(Box::new(first))).chain(rest).collect()
}

/// Returns the ends of steps that the code is given, in their order: those that still count (§6.5).
pub(crate) fn kept_ends(journal: &[u8]) -> Vec<StepEnded<'_>> {
    let mut ends: Vec<StepEnded<'_>> = Vec::new();
    for record in record::decode(journal) {
        match record {
            Ok(Record::StepEnded(ended)) => ends.push(ended),
            Ok(Record::Retried(_)) => ends.retain(|ended| is_kept(ended.status)),
            _ => {}
        }
    }
    ends
}

fn clean_up(run: &Run) -> Option<CleanUp<'_>> {
    let (decided, plan) = (run.decided()?, run.plan()?);
    let left = plan
        .left()
        .iter()
        .map(|one| Compensation { step: Cow::Borrowed(&*one.step), unknown: one.unknown });
    Some(CleanUp {
        status: decided.status,
        error: decided.failure(),
        compensate: left.collect(),
        on_failure: plan.tells(),
        uncertain: plan.uncertain.iter().map(|step| Cow::Borrowed(&**step)).collect(),
    })
}

fn first_message<'a>(
    run: &'a Run,
    a: u32,
    (input, metadata): (Option<&'a RawValue>, Option<&'a RawValue>),
    ended: Vec<EndedStep<'a>>,
    now: Timestamp,
) -> Activate<'a> {
    let open = run.steps().iter().filter(|step| !step.is_ended()).map(|step| OpenStep {
        step: Cow::Borrowed(&*step.id),
        kind: step.kind,
        attempts: step.attempts,
        once: step.once.is_some(),
        unknown: step.is_in_doubt(),
        due_in_us: step.wake.map(|at| micros(at, now)),
        first_started_ago_us: step.first_started.map(|at| micros(now, at)),
    });
    Activate {
        a,
        run: run.id(),
        epoch: run.epoch(),
        nonce: run.activation().map_or(0, |activation| activation.nonce),
        namespace: Cow::Borrowed(&**run.namespace()),
        workflow: Cow::Borrowed(&**run.workflow()),
        input,
        key: run.key().map(|key| Cow::Borrowed(&**key)),
        metadata,
        parent: run
            .parent()
            .map(|parent| to_runner::Parent { run: parent.run, step: Cow::Borrowed(&parent.step) }),
        search: run.search().clone(),
        created_at_us: run.created_at().as_micros(),
        started_version: run.started_version().map(|version| Cow::Borrowed(&**version)),
        event: None,
        ended,
        open: open.collect(),
        more: false,
        clean_up: clean_up(run),
    }
}

fn ended_step<'a>(run: &Run, ended: StepEnded<'a>) -> EndedStep<'a> {
    let step = run.step(&ended.step);
    EndedStep {
        kind: step.map_or(stepwell_core::status::Kind::Run, |step| step.kind),
        attempts: step.map_or(0, |step| step.attempts),
        status: ended.status,
        at_us: ended.at.as_micros(),
        output: ended.output,
        error: ended.error,
        kept_from: None,
        kept: step.is_some_and(|step| step.generation < run.generation()),
        step: ended.step,
    }
}

fn raw_bytes(raw: Option<&RawValue>) -> usize {
    raw.map_or(0, |raw| raw.get().len())
}

fn failure_bytes(failure: &Failure<'_>) -> usize {
    // Texts of errors may need escapes, so only the JSON tells. Few steps fail.
    serde_json::to_vec(failure).map_or(0, |json| json.len())
}

fn micros(later: Timestamp, earlier: Timestamp) -> u64 {
    u64::try_from(later.since(earlier).as_micros()).unwrap_or(u64::MAX)
}
