//! What the node is told.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::value::RawValue;
use stepwell_core::clean_up::Compensable;
use stepwell_core::failure::Failure;
use stepwell_core::id::RunId;
use stepwell_core::record::OnTimeout;
use stepwell_core::status::Kind;
use stepwell_protocol::to_node::{
    ContinueAs, Dropped, Emit, Ended, Finished, Invoke, Line, Log, Opening, Since, Skip, Sleep,
    Started, ToNode, Wait,
};

use super::copy::{Attempt, Copy, Finish, Outcome, Part, Tell};
use super::runner::Script;
use crate::fault::Fault;
use crate::program::{Since as Awaits, Step, What};
use crate::runner::Port;

/// A frame is closed once it has this many bytes.
const FRAME_BYTES: usize = 16 * 1024;

fn raw(text: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(text.to_owned()).ok()
}

fn opening<'a>(step: &Step, part: &Part, now: u64, input: Option<&'a RawValue>) -> Opening<'a> {
    Opening {
        kind: step.kind(),
        after: part.after,
        ago_us: now.saturating_sub(part.asked_at),
        input,
        metadata: None,
        compensable: Compensable::No,
        // Programs with these are for the SDK's runners.
        once: None,
        branch: None,
    }
}

/// The error that a function of a program fails with.
pub(super) fn failure(timed_out: bool) -> Failure<'static> {
    if timed_out {
        Failure::new("StepTimeoutError", "it took too long")
    } else {
        Failure::new("Oops", "as planned")
    }
}

impl Script {
    /// Sends a message about a run now; sends it again at once where the seed says so.
    fn say(&mut self, message: &ToNode<'_>, kind: Option<Kind>, port: &mut Port<'_>) {
        self.push(message);
        let repeats = port.env.plan.repeats;
        if kind.is_some() && port.env.chaos && port.env.rng.chance(repeats) {
            self.push(message);
            Self::note_repeat(kind, port);
        }
    }

    /// Adds a message to what is sent next; a frame has at most a payload and some room.
    fn push(&mut self, message: &ToNode<'_>) {
        self.out.push(message);
        if self.out.len() > FRAME_BYTES {
            self.full.extend(self.out.take());
        }
    }

    pub(super) fn note_repeat(kind: Option<Kind>, port: &mut Port<'_>) {
        let mut kinds = crate::fault::Kinds::default();
        if let Some(kind) = kind {
            kinds.add(kind);
        }
        port.env.fault(Fault::FrameRepeated, kinds);
    }

    /// Tells what waits for an answer of a step, if the connection holds the run.
    pub(super) fn tell(&mut self, copy: &Copy, place: usize, port: &mut Port<'_>) {
        let (Some(a), Some(part)) = (copy.a, copy.parts.get(&place)) else { return };
        let Some(tell) = &part.tell else { return };
        let step = &copy.program.steps[place];
        let now = port.now();
        let id = Cow::Borrowed(&*step.id);
        let kind = Some(step.kind());
        match tell {
            Tell::Ended { n, started_at, ended_at, overlapped, outcome } => {
                let attempt = (*n, *started_at, *ended_at, *overlapped);
                self.tell_ended((a, step, part), attempt, outcome, port);
            }
            Tell::Sleep => {
                let open = opening(step, part, now, None);
                let (for_us, until_us) = match step.what {
                    What::Sleep(time) => (Some(time), None),
                    What::SleepUntil(time) => {
                        let time = i64::try_from(time).unwrap_or(i64::MAX);
                        (None, Some(copy.created_at_us.saturating_add(time)))
                    }
                    What::Run(_)
                    | What::Skip
                    | What::Race
                    | What::Invoke(_)
                    | What::Wait(_)
                    | What::Emit(_) => return,
                };
                self.say(&ToNode::Sleep(Sleep { a, step: id, for_us, until_us, open }), kind, port);
            }
            Tell::Skip => {
                let open = opening(step, part, now, None);
                self.say(&ToNode::Skip(Skip { a, step: id, open }), kind, port);
            }
            Tell::Wait => self.tell_wait((a, step, part), port),
            Tell::Emit => self.tell_emit((a, step, part), copy.held.run, port),
            Tell::Invoke => {
                let What::Invoke(invoked) = &step.what else { return };
                let recorded = invoked.recorded();
                let open = opening(step, part, now, recorded.as_deref());
                self.say(&ToNode::Invoke(Invoke { a, step: id, open }), kind, port);
            }
            Tell::Dropped => {
                let open = Some(opening(step, part, now, None));
                self.say(&ToNode::Dropped(Dropped { a, step: id, open }), kind, port);
            }
        }
    }

    fn tell_wait(&mut self, (a, step, part): (u32, &Step, &Part), port: &mut Port<'_>) {
        let What::Wait(awaited) = step.what else { return };
        let wanted = raw(&awaited.topic.wanted());
        let wait = Wait {
            a,
            step: Cow::Borrowed(&*step.id),
            event: awaited.topic.event().into(),
            wanted: wanted.as_deref(),
            for_us: Some(awaited.timeout),
            on_timeout: OnTimeout::Null,
            since: match awaited.since {
                Awaits::RunStart => Since::RunStart,
                Awaits::Parked => Since::Parked,
                Awaits::Back(us) => Since::BackUs(us),
            },
            open: opening(step, part, port.now(), None),
        };
        self.say(&ToNode::Wait(wait), Some(step.kind()), port);
    }

    fn tell_emit(&mut self, (a, step, part): (u32, &Step, &Part), run: RunId, port: &mut Port<'_>) {
        let What::Emit(topic) = step.what else { return };
        let data = raw(&topic.data(&format!("{run}/{}", step.id)));
        let emit = Emit {
            a,
            step: Cow::Borrowed(&*step.id),
            event: topic.event().into(),
            data: data.as_deref(),
            offer: None,
            app: None,
            run: None,
            open: opening(step, part, port.now(), None),
        };
        self.say(&ToNode::Emit(emit), Some(step.kind()), port);
    }

    fn tell_ended(
        &mut self,
        (a, step, part): (u32, &Step, &Part),
        (n, started_at, ended_at, overlapped): (u32, u64, u64, bool),
        outcome: &Outcome,
        port: &mut Port<'_>,
    ) {
        let now = port.now();
        let What::Run(function) = &step.what else { return };
        let output = match outcome {
            Outcome::Value(value) => value.as_ref().and_then(|text| raw(text)),
            Outcome::Error { .. } => None,
        };
        let mut ended = Ended {
            a,
            step: Cow::Borrowed(&*step.id),
            n,
            started_ago_us: now.saturating_sub(started_at),
            ended_ago_us: now.saturating_sub(ended_at),
            overlapped,
            output: output.as_deref(),
            error: None,
            terminal: false,
            timed_out: false,
            retry_in_ms: None,
            retry: None,
            total_timeout_ms: None,
            open: Some(opening(step, part, now, None)),
        };
        if let Outcome::Error { terminal, timed_out, retry_in_ms } = outcome {
            ended.error = Some(failure(*timed_out));
            ended.terminal = *terminal;
            ended.timed_out = *timed_out;
            ended.retry_in_ms = *retry_in_ms;
            ended.retry.clone_from(&function.policy);
            ended.total_timeout_ms = function.total_timeout_ms;
        }
        self.say(&ToNode::Ended(ended), Some(Kind::Run), port);
    }

    pub(super) fn tell_started(
        &mut self,
        copy: &Copy,
        place: usize,
        attempt: Attempt,
        port: &mut Port<'_>,
    ) {
        let (Some(a), Some(part)) = (copy.a, copy.parts.get(&place)) else { return };
        let step = &copy.program.steps[place];
        let now = port.now();
        let started = Started {
            a,
            step: Cow::Borrowed(&*step.id),
            n: attempt.n,
            ago_us: now.saturating_sub(attempt.started_at),
            overlapped: attempt.overlapped,
            open: Some(opening(step, part, now, None)),
        };
        self.say(&ToNode::Started(started), Some(Kind::Run), port);
    }

    /// Tells how the code ended, if the connection holds the run.
    pub(super) fn tell_finish(&mut self, copy: &mut Copy, port: &mut Port<'_>) {
        let (Some(a), Some(finish)) = (copy.a, &copy.finish) else { return };
        let output = match finish {
            Finish::Output(text) => raw(text),
            Finish::Failed(_) | Finish::Decided | Finish::Continued(_) => None,
        };
        let next = match finish {
            Finish::Continued(input) => Some(input.write()),
            Finish::Output(_) | Finish::Failed(_) | Finish::Decided => None,
        };
        let error = match finish {
            Finish::Failed(step) => {
                Some(Failure::new("StepError", format!("step {step} failed")).into_owned())
            }
            Finish::Output(_) | Finish::Decided | Finish::Continued(_) => None,
        };
        let continue_as = next.as_ref().map(|input| ContinueAs { input: input.as_deref() });
        copy.finish_told = true;
        let finished = Finished { a, output: output.as_deref(), error, continue_as };
        self.say(&ToNode::Finished(finished), None, port);
    }

    pub(super) fn tell_logs(&mut self, a: u32, step: &Arc<str>, count: u8) {
        let line = |number: u8| Line {
            ago_us: u64::from(number),
            level: Cow::Borrowed("info"),
            message: Cow::Owned(format!("line {number}")),
        };
        let lines = (0..count).map(line).collect();
        self.out.push(&ToNode::Log(Log { a, step: Some(Cow::Borrowed(step)), lines }));
    }
}
