//! A run in each state is where it must be, and nowhere else.

use std::time::Duration;

use stepwell_core::status::{RunStatus, StepStatus};
use stepwell_core::summary::Summary;
use stepwell_core::time::Timestamp;

use super::Case;
use crate::conformance::script::{Script, Start};
use crate::conformance::world::World;
use crate::rows::queue_of;

type Reach = fn(&mut Script);
type Ask = fn(&World<'_>, &Summary);

const LATER: Timestamp = Timestamp::from_millis(1_900_000_000_000);

/// How a run gets into each state that stores tell apart.
const STATES: [(&str, RunStatus, Reach); 14] = [
    ("queued", RunStatus::Queued, |_| {}),
    ("running", RunStatus::Running, |run| {
        run.activate();
    }),
    ("running_a_step", RunStatus::Running, |run| {
        run.activate().begin("charge");
    }),
    ("running_beside_a_sleep", RunStatus::Running, |run| {
        run.activate().sleep("pause", LATER);
    }),
    ("sleeping", RunStatus::Waiting, |run| {
        run.activate().sleep("pause", LATER).release();
    }),
    ("retrying", RunStatus::Waiting, |run| {
        run.activate().fail("charge", LATER).release();
    }),
    ("woken", RunStatus::Queued, |run| {
        run.activate().fail("charge", LATER).release().wake();
    }),
    ("released_with_work", RunStatus::Queued, |run| {
        run.activate().end("reserve", StepStatus::Completed, "1").give_back();
    }),
    ("blocked", RunStatus::Blocked, |run| {
        run.activate().block();
    }),
    ("compensating", RunStatus::Compensating, |run| {
        run.activate().begin("charge").ending(RunStatus::Cancelled);
    }),
    ("completed", RunStatus::Completed, |run| {
        run.activate().end("charge", StepStatus::Completed, "{\"id\":7}");
        run.ended(RunStatus::Completed);
    }),
    ("failed", RunStatus::Failed, |run| {
        run.activate().end("charge", StepStatus::Failed, "null").ended(RunStatus::Failed);
    }),
    ("cancelled", RunStatus::Cancelled, |run| {
        run.ending(RunStatus::Cancelled).ended(RunStatus::Cancelled);
    }),
    ("timed_out", RunStatus::TimedOut, |run| {
        run.ending(RunStatus::TimedOut).ended(RunStatus::TimedOut);
    }),
];

/// What is asked about a run in a state.
const QUESTIONS: [(&str, Ask); 6] = [
    ("loads", |world, row| {
        let journal = &world.model.runs[&row.id].1;
        assert_eq!(world.store().load(row.id).unwrap().as_ref(), Some(journal));
        assert_eq!(journal.len() as u64, row.journal_bytes);
    }),
    ("is_due_with_its_timer_only", |world, row| {
        let due = world.store().due(Timestamp::MAX, None, 9).unwrap();
        let expected: Vec<_> = row.timer_at.map(|at| (at, row.id)).into_iter().collect();
        assert_eq!(due, expected);
    }),
    ("is_ready_when_it_wants_a_runner_only", |world, row| {
        let ready = world.store().ready(&queue_of(row), None, 9).unwrap();
        let expected: Vec<_> = row.ready_since.map(|at| (at, row.id)).into_iter().collect();
        assert_eq!(ready, expected);
        assert_eq!(row.status == RunStatus::Queued, row.ready_since.is_some());
    }),
    ("is_active_when_held_only", |world, row| {
        let active = world.store().active(None, 9).unwrap();
        assert_eq!(active, row.active.then_some(row.id).into_iter().collect::<Vec<_>>());
    }),
    ("is_blocked_when_blocked_only", |world, row| {
        let blocked = world.store().blocked(&queue_of(row), None, 9).unwrap();
        let expected = (row.status == RunStatus::Blocked).then_some(row.id);
        assert_eq!(blocked, expected.into_iter().collect::<Vec<_>>());
    }),
    ("is_listed_under_its_status_only", |world, row| {
        for status in RunStatus::ALL {
            let found = world.list(&World::with_status(&[status]));
            let expected = (status == row.status).then_some(row.id);
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{status}");
        }
    }),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (state, status, reach) in STATES {
        for (question, ask) in QUESTIONS {
            cases.push(Case::new(format!("a_run_{state}_{question}"), move |world| {
                let script = world.put(Start::default(), reach);
                let row = world.model.runs[&script.id()].0.clone();
                assert_eq!(row.status, status);
                ask(world, &row);
            }));
        }
        // The same through the states before, one commit each: what indexes hold must be let go.
        cases.push(Case::new(format!("a_run_gets_{state}_commit_by_commit"), move |world| {
            let mut script = world.start();
            world.commit_run(&mut script);
            script.activate().pass(Duration::from_secs(1));
            world.commit_run(&mut script);
            world.check();
            script.sleep("first", world.now()).release();
            world.commit_run(&mut script);
            world.check();
            script.wake();
            reach(&mut script);
            world.commit_run(&mut script);
            assert_eq!(world.model.runs[&script.id()].0.status, status);
        }));
    }
    cases
}
