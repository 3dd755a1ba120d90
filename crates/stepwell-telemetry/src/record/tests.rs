use std::cell::Cell;
use std::io::Write as _;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;
use crate::event::Said::{Error, Running, Skipped, Success};
use crate::row::Row;
use crate::tally;
use crate::testing::{at, bytes, calls, event, set};

fn shown(events: &[Event<'_>]) -> Vec<(String, Option<i64>, Option<i64>)> {
    let bytes = bytes(events);
    let record = Record::of(&set(&bytes));
    let seconds = |at: Timestamp| at.as_millis() / 1_000 - 1_795_390_000;
    let step = &record.steps[0];
    let shown = step.attempts.iter().map(|one| {
        let call = one.call.as_deref().unwrap_or("-").to_owned();
        (call, one.started.map(seconds), one.end.as_ref().map(|end| seconds(end.at)))
    });
    shown.collect()
}

/// §10.4: one attempt per call id, so that a job that is retried under one run shows attempts 1, 2, 3.
#[test]
fn each_call_is_an_attempt() {
    let events = calls(&[("charge", Error), ("charge", Error), ("charge", Success)]);
    let shown = shown(&events);
    assert_eq!(shown.len(), 3);
    assert_eq!(shown[2], ("c2".into(), Some(20), Some(21)));
}

/// §10.4: within a call an end is final.
#[test]
fn the_first_end_of_a_call_counts() {
    let events = [
        event("1", "s", "c", Running, 0),
        event("2", "s", "c", Success, 5),
        event("3", "s", "c", Error, 6),
    ];
    assert_eq!(shown(&events), [("c".into(), Some(0), Some(5))]);
    let bytes = bytes(&events);
    assert_eq!(Record::of(&set(&bytes)).steps[0].state(), State::Completed);
}

/// §10.4: without a call id `running` opens, an end closes the latest that is open and was opened by hand, and an end
/// with none open is an attempt without a duration.
#[test]
fn what_is_recorded_by_hand_is_paired_by_its_time() {
    let events = [
        event("1", "s", "", Running, 0),
        event("2", "s", "", Running, 1),
        event("3", "s", "", Success, 2),
        event("4", "s", "", Error, 3),
        event("5", "s", "", Success, 4),
        event("6", "s", "call", Running, 5),
        event("7", "s", "", Success, 6),
    ];
    let expected = [
        ("-".into(), Some(0), Some(3)),
        ("-".into(), Some(1), Some(2)),
        ("-".into(), None, Some(4)),
        ("call".into(), Some(5), None),
        ("-".into(), None, Some(6)),
    ];
    assert_eq!(shown(&events), expected);
}

/// §10.4: a repeated id changes nothing; of two events with one id, which counts does not depend on the order.
#[test]
fn an_id_counts_once() {
    let one = event("1", "s", "c", Running, 0);
    let other = event("1", "s", "c", Success, 9);
    let forth = shown(&[one.clone(), other.clone(), one.clone()]);
    assert_eq!(forth, shown(&[other, one]));
    assert_eq!(forth.len(), 1);
}

#[test]
fn a_step_that_is_left_out_later_is_skipped_and_one_that_is_called_later_is_not() {
    let state = |events: &[Event<'_>]| {
        let bytes = bytes(events);
        Record::of(&set(&bytes)).steps[0].state()
    };
    assert_eq!(state(&calls(&[("s", Skipped)])), State::Skipped);
    assert_eq!(state(&calls(&[("s", Success), ("s", Skipped)])), State::Skipped);
    assert_eq!(state(&calls(&[("s", Skipped), ("s", Success)])), State::Completed);
    assert_eq!(state(&calls(&[("s", Error), ("s", Skipped)])), State::Failed);
    assert_eq!(state(&calls(&[("s", Skipped), ("s", Running)])), State::Running);
}

#[test]
fn what_comes_in_excess_is_counted() {
    let events: Vec<_> = (0..crate::set::EVENTS_MAX + 5)
        .map(|n| event(&format!("{n}"), "s", &format!("{n}"), Running, 0))
        .collect();
    let bytes = bytes(&events);
    let set = set(&bytes);
    assert_eq!((set.len(), set.dropped()), (crate::set::EVENTS_MAX, 5));
    let mut written = Vec::new();
    set.write(&mut written);
    let read = Set::read(&written).expect("a set");
    assert_eq!((read.len(), read.dropped()), (set.len(), set.dropped()));
}

/// Events of a run: calls, and things that were recorded by hand, of few steps.
fn events() -> impl Strategy<Value = Vec<Event<'static>>> {
    let step = prop_oneof![Just("a"), Just("b"), Just("c")];
    let call = prop_oneof![3 => (0..6_u8).prop_map(|n| format!("c{n}")), 1 => Just(String::new())];
    let said = prop_oneof![Just(Running), Just(Success), Just(Error), Just(Skipped)];
    let one =
        (step, call, said, 0..30_i64, 0..40_u8).prop_map(|(step, call, said, seconds, id)| {
            let call = if said == Skipped { String::new() } else { call };
            event(&format!("e{id}"), step, &call, said, seconds)
        });
    proptest::collection::vec(one, 0..24)
}

/// A figure of a test, which a script reads.
fn tell(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").unwrap();
}

/// Delivers events by their place, in portions; what never comes so far comes last, in the opposite order.
fn deliver(bytes: &[Vec<u8>], arrivals: &[(usize, bool)]) -> Vec<u8> {
    let (mut kept, mut portion) = (Vec::new(), Vec::new());
    let flush = |portion: &mut Vec<usize>, kept: &mut Vec<u8>| {
        let known = std::mem::take(kept);
        let mut set = Set::read(&known).unwrap();
        set.add(portion.drain(..).filter_map(|at| bytes.get(at)).map(Vec::as_slice));
        set.write(kept);
    };
    for (event, is_last) in arrivals {
        portion.push(*event);
        if *is_last {
            flush(&mut portion, &mut kept);
        }
    }
    portion.extend((0..bytes.len()).rev());
    flush(&mut portion, &mut kept);
    kept
}

/// §10.4: 10,000 runs that are delivered shuffled, repeated and late, in portions of any size, come to the same
/// records, rows and counts as in order, to the byte.
#[test]
fn arrival_changes_nothing() {
    let runs = events().prop_flat_map(|events| {
        let len = events.len().max(1);
        let arrivals = proptest::collection::vec((0..len, any::<bool>()), len..3 * len);
        (Just(events), arrivals)
    });
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(10_000)
    });
    let (delivered, told) = (Cell::new(0_u64), Cell::new(0_u64));
    let outcome = runner.run(&runs, |(events, arrivals)| {
        let bytes = bytes(&events);
        let whole = set(&bytes);
        let kept = deliver(&bytes, &arrivals);
        let mut expected = Vec::new();
        whole.write(&mut expected);
        let settled = Set::read(&kept).unwrap();
        prop_assert_eq!(&kept, &expected);
        let (one, other) = (Record::of(&whole), Record::of(&settled));
        prop_assert_eq!(&one.steps, &other.steps);
        prop_assert_eq!(Row::of(&one, None), Row::of(&other, None));
        prop_assert_eq!(tally::counts(&one), tally::counts(&other));
        told.set(told.get() + events.len() as u64);
        delivered.set(delivered.get() + (arrivals.len() + events.len()) as u64);
        Ok(())
    });
    outcome.unwrap();
    let (delivered, told) = (delivered.get(), told.get());
    tell(&format!(
        "observed order: 10000 runs, {told} events delivered {delivered} times, shuffled, repeated, late: 0 differ"
    ));
}

#[test]
fn a_row_tells_how_the_run_is() {
    let events = calls(&[("a", Success), ("b", Error), ("c", Skipped), ("d", Running)]);
    let bytes = bytes(&events);
    let record = Record::of(&set(&bytes));
    let row = Row::of(&record, None).expect("a row");
    assert_eq!((row.first_at, row.last_at, row.open_at), (at(0), at(30), Some(at(30))));
    assert_eq!((row.steps, row.ended, row.failed, row.attempts), (4, 3, 1, 3));
    assert_eq!(&*row.strip, "cfsr");
    let broken = row.broken.expect("it broke");
    assert_eq!((&*broken.step, &*broken.name), ("b", "TimeoutError"));
    assert!(!row.is_through);
}
