//! Why a run is not moving: one answer for the API, the command line and people (§9.7).

use stepwell_core::status::{RunStatus, StepStatus};
use stepwell_core::view::{StepView, View};
use stepwell_node::RunnerInfo;

/// How many runs of the same workflow want a runner for longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Behind {
    /// How many were counted.
    pub(super) runs: usize,
    /// There are more than were counted.
    pub(super) or_more: bool,
}

/// Says why a run that has not ended is not moving, or what it is doing.
pub(super) fn why(
    view: &View<'_>,
    runners: &[RunnerInfo],
    behind: Option<Behind>,
) -> Option<String> {
    match view.status {
        RunStatus::Completed | RunStatus::Failed | RunStatus::Cancelled | RunStatus::TimedOut => {
            None
        }
        RunStatus::Blocked => {
            let cause = view.blocked_because.as_deref().unwrap_or("its cause is not recorded");
            Some(format!("blocked: {cause}"))
        }
        RunStatus::Compensating => {
            Some("its end is decided; functions in flight get time to return".to_owned())
        }
        RunStatus::Running => Some(running(view)),
        RunStatus::Waiting => Some(waiting(view)),
        RunStatus::Queued => Some(queued(view, runners, behind)),
    }
}

fn running(view: &View<'_>) -> String {
    let holder = view.activations.last().map_or("?", |held| &held.runner);
    let mut steps = view.steps.iter().filter(|step| step.status == StepStatus::Running);
    match (steps.next(), steps.count()) {
        (None, _) => format!("its code runs on runner `{holder}`"),
        (Some(step), 0) => format!("step `{}` runs on runner `{holder}`", step.id),
        (Some(step), more) => {
            format!("step `{}` and {more} more run on runner `{holder}`", step.id)
        }
    }
}

fn waiting(view: &View<'_>) -> String {
    let parked = view
        .steps
        .iter()
        .filter(|step| matches!(step.status, StepStatus::Sleeping | StepStatus::Retrying));
    let Some(first) = parked.clone().min_by_key(|step| step.next_at) else {
        return "parked".to_owned();
    };
    let more = parked.count() - 1;
    let others = if more == 0 { String::new() } else { format!(", and {more} more steps wait") };
    format!("{}{others}", parked_in(first))
}

fn parked_in(step: &StepView<'_>) -> String {
    let until = step.next_at.map_or_else(|| "an unknown instant".to_owned(), |at| at.to_string());
    match step.status {
        StepStatus::Retrying => {
            let ended = step.attempts.iter().filter(|attempt| attempt.status != "lost").count();
            format!("backing off: attempt {} of step `{}` is due at {until}", ended + 1, step.id)
        }
        _ => format!("sleeping in step `{}` until {until}", step.id),
    }
}

fn queued(view: &View<'_>, runners: &[RunnerInfo], behind: Option<Behind>) -> String {
    let (app, workflow) = (&*view.app, &*view.workflow);
    let has_it = |one: &&RunnerInfo| {
        one.workflows.iter().any(|known| match known.strip_prefix(workflow) {
            Some(rest) => rest.is_empty() || rest.starts_with('@'),
            None => false,
        })
    };
    let of_app: Vec<_> = runners.iter().filter(|one| *one.app == *app).collect();
    if of_app.is_empty() {
        return format!("no runner of app `{app}` is connected");
    }
    let able: Vec<_> = of_app.into_iter().filter(has_it).collect();
    if able.is_empty() {
        return format!("no connected runner of app `{app}` has workflow `{workflow}`");
    }
    let pinned = |one: &&RunnerInfo| view.runner.as_ref().is_none_or(|name| *name == one.name);
    let able: Vec<_> = able.into_iter().filter(pinned).collect();
    if able.is_empty() {
        let name = view.runner.as_deref().unwrap_or_default();
        return format!("it is pinned to runner `{name}`, which is not connected");
    }
    if able.iter().all(|one| one.draining) {
        return format!("every runner of app `{app}` that has it is stopping");
    }
    let taking: Vec<_> = able.iter().filter(|one| !one.draining).collect();
    let slots: u32 = taking.iter().map(|one| one.slots).sum();
    let busy: u32 = taking.iter().map(|one| one.busy).sum();
    let queue = match behind {
        Some(Behind { runs, or_more: true }) => format!(", behind {runs} or more runs"),
        Some(Behind { runs: 1, .. }) => ", behind 1 run".to_owned(),
        Some(Behind { runs, .. }) if runs > 0 => format!(", behind {runs} runs"),
        _ => String::new(),
    };
    if busy >= slots {
        return format!("all {slots} slots of its runners are taken{queue}");
    }
    format!("it wants a runner{queue}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use stepwell_core::failure::Failure;
    use stepwell_core::id::RunId;
    use stepwell_core::record::{Activated, Released};
    use stepwell_core::record::{Attempt, AttemptFailed, Opening, Record, SleepStarted, Started};
    use stepwell_core::status::Kind;
    use stepwell_core::time::Timestamp;

    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    fn journal(pinned: Option<&str>, more: &[Record<'_>]) -> Vec<u8> {
        let started = Started {
            at: at(0),
            namespace: "default".into(),
            app: "shop".into(),
            workflow: "pay".into(),
            input: None,
            key: None,
            deadline: None,
            metadata: None,
            runner: pinned.map(Into::into),
        };
        let mut journal = Vec::new();
        Record::Started(started).encode(&mut journal);
        for record in more {
            record.encode(&mut journal);
        }
        journal
    }

    fn activated() -> Record<'static> {
        Record::Activated(Activated {
            at: at(1),
            epoch: 1,
            nonce: 1,
            runner: "blue".into(),
            instance: "i".into(),
            version: None,
            build: None,
            alone: false,
        })
    }

    fn opening(kind: Kind) -> Opening<'static> {
        Opening { kind, after: 0, at: at(2), input: None, metadata: None }
    }

    fn runner(name: &str, workflow: &str, busy: u32) -> RunnerInfo {
        RunnerInfo {
            app: "shop".into(),
            name: name.into(),
            instance: "i".into(),
            sdk: "rust/0".into(),
            build: None,
            connected_at: at(0),
            seen_at: at(0),
            slots: 2,
            busy,
            held: busy,
            draining: false,
            workflows: vec![Arc::from(workflow)],
        }
    }

    #[track_caller]
    fn check(journal: &[u8], runners: &[RunnerInfo], behind: usize, expected: &str) {
        let view = View::of(RunId::new(at(0), 1), journal).unwrap();
        let behind = Some(Behind { runs: behind, or_more: false });
        assert_eq!(why(&view, runners, behind).as_deref(), Some(expected));
    }

    /// §9.7: a queued run says what is missing before it can go on.
    #[test]
    fn a_queued_run_says_what_it_lacks() {
        let free = journal(None, &[]);
        check(&free, &[], 0, "no runner of app `shop` is connected");
        let other = [runner("blue", "payout@2", 0)];
        check(&free, &other, 0, "no connected runner of app `shop` has workflow `pay`");
        let full = [runner("blue", "pay@2", 2)];
        check(&free, &full, 3, "all 2 slots of its runners are taken, behind 3 runs");
        let pinned = journal(Some("green"), &[]);
        check(&pinned, &full, 0, "it is pinned to runner `green`, which is not connected");
        check(&free, &[runner("blue", "pay", 0)], 0, "it wants a runner");
    }

    /// §9.7: a parked run says until when and in which step.
    #[test]
    fn a_parked_run_says_until_when() {
        let sleep = Record::SleepStarted(SleepStarted {
            step: "nap".into(),
            until: at(60_000),
            open: opening(Kind::Sleep),
        });
        let released = Record::Released(Released { at: at(3), seen: 0 });
        let parked = journal(None, &[activated(), sleep, released]);
        check(&parked, &[], 0, "sleeping in step `nap` until 1970-01-01T00:01:00.000000Z");
    }

    /// §9.7: a run in a backoff says which attempt is due when.
    #[test]
    fn a_backing_off_run_says_what_is_next() {
        let failed = Record::AttemptFailed(AttemptFailed {
            step: "charge".into(),
            at: at(5),
            attempt: Attempt { n: 1, started_at: at(2), overlapped: false },
            error: Failure::new("Error", "no"),
            timed_out: false,
            next_at: at(1_000),
            open: Some(opening(Kind::Run)),
        });
        let released = Record::Released(Released { at: at(6), seen: 0 });
        let parked = journal(None, &[activated(), failed, released]);
        let expected =
            "backing off: attempt 2 of step `charge` is due at 1970-01-01T00:00:01.000000Z";
        check(&parked, &[], 0, expected);
    }
}
