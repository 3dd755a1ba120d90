//! Shows that the judge accepts what is right and refuses each kind of violation.

use super::*;
use crate::ledger::{Fact, Fault, Origin, Sheet, Stamp, What, parse};

fn refuse(kind: &str) -> Verdict {
    let plant = PLANTS.iter().find(|plant| plant.kind == kind).unwrap();
    let (mut sheets, mut demands) = (sample(), Demands::default());
    plant.put(&mut sheets, &mut demands).unwrap();
    judge(&sheets, &demands)
}

#[test]
fn a_sound_ledger_is_accepted() {
    let verdict = judge(
        &sample(),
        &Demands { server_kills: 1, runner_kills: 2, runs: 8, ..Demands::default() },
    );
    assert_eq!(verdict.findings, []);
    assert_eq!(verdict.to_string(), "4 kills, 8 runs, 0 lost, 0 changed, 0 repeated");
    let figures = verdict.figures;
    assert_eq!((figures.starts, figures.again, figures.failed), (13, 1, 1));
    assert_eq!((figures.results, figures.replayed, figures.torn), (12, 1, 1));
    assert_eq!((figures.accepted, figures.cancels, figures.reads), (6, 1, 9));
}

#[test]
fn each_kind_of_violation_is_refused() {
    let kinds: Vec<&str> = PLANTS.iter().map(|plant| plant.kind).collect();
    assert_eq!(kinds, Finding::KINDS);
    for kind in kinds {
        let verdict = refuse(kind);
        let found: Vec<&str> = verdict.findings.iter().map(Finding::kind).collect();
        assert!(found.contains(&kind), "{kind}: {found:?}");
    }
}

#[test]
fn what_is_planted_is_all_that_is_found() {
    for plant in &PLANTS {
        let mut found: Vec<&str> = refuse(plant.kind).findings.iter().map(Finding::kind).collect();
        found.dedup();
        let follows: &[&str] = match plant.kind {
            // What no function returned, what nobody reads, and what began twice, is more than one.
            "two results" => &["two results", "invented"],
            "two runs" => &["two runs", "start gone"],
            "after end" => &["after end", "attempt gone"],
            // Who failed should have been told so.
            "two ends" => &["two ends", "not taken back", "not completed"],
            "cancel gone" => {
                &["cancel gone", "undone for nothing", "attempt gone", "steps missing"]
            }
            "result gone" => &["attempt gone", "result gone"],
            // The other wait is no step of the run.
            "event twice" => &["event twice", "result gone"],
            // The function that another runner began is of no step.
            "stale grant" => &["attempt gone", "stale grant"],
            "foreign fact" | "clock went back" | "after death" => continue,
            kind => {
                assert_eq!(found, [kind]);
                continue;
            }
        };
        assert_eq!(found, follows, "{}", plant.kind);
    }
}

#[test]
fn findings_count_in_the_last_line() {
    for (kind, line) in [
        ("start gone", "4 kills, 8 runs, 1 lost, 0 changed, 0 repeated"),
        ("other than acked", "4 kills, 8 runs, 0 lost, 1 changed, 0 repeated"),
        ("after result", "4 kills, 8 runs, 0 lost, 0 changed, 1 repeated"),
        ("stale read", "4 faults, 8 runs, 0 lost, 0 changed, 0 repeated, 1 stale"),
    ] {
        assert_eq!(refuse(kind).to_string(), line);
    }
}

#[test]
fn a_blocked_run_is_told_with_its_reason() {
    let texts: Vec<String> =
        refuse("not completed").findings.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["run run_1 is blocked: crashes its runner"]);
}

#[test]
fn a_run_that_was_never_acknowledged_may_be_missing_and_may_not_be_half_there() {
    // The client was killed before it read the answer: the run may exist or not.
    let without = |wanted: fn(&What) -> bool| -> Vec<Sheet> {
        let mut sheets = sample();
        for sheet in &mut sheets {
            sheet.facts.retain(|fact| !wanted(&fact.what));
        }
        sheets
    };
    let unacknowledged = without(|what| matches!(what, What::AckedStart { .. }));
    assert_eq!(judge(&unacknowledged, &Demands::default()).findings, []);
    let unread = without(|what| matches!(what, What::RunEnd { .. } | What::AckedStart { .. }));
    assert_eq!(judge(&unread, &Demands::default()).count(Class::Lost), 8);
}

#[test]
fn a_run_that_is_cancelled_though_nobody_asked_is_lost() {
    let mut sheets = sample();
    for sheet in &mut sheets {
        sheet.facts.retain(|fact| !matches!(fact.what, What::AskedCancel { .. }));
    }
    let verdict = judge(&sheets, &Demands::default());
    let kinds: Vec<&str> = verdict.findings.iter().map(Finding::kind).collect();
    assert_eq!(kinds, ["not completed"]);
}

#[test]
fn a_result_that_vanishes_between_two_reads_is_lost() {
    let mut sheets = sample();
    let ends = sheets.iter_mut().flat_map(|sheet| &mut sheet.facts);
    let mut ends: Vec<_> = ends.filter(|fact| matches!(fact.what, What::RunEnd { .. })).collect();
    if let What::RunEnd { steps, .. } = &mut ends[2].what {
        steps.remove("pick");
    }
    let verdict = judge(&sheets, &Demands::default());
    let kinds: Vec<&str> = verdict.findings.iter().map(Finding::kind).collect();
    assert_eq!(kinds, ["two ends", "attempt gone", "result gone"]);
}

#[test]
fn an_empty_ledger_proves_nothing() {
    let demands = Demands { server_kills: 1, runner_kills: 1, runs: 1, ..Demands::default() };
    assert_eq!(judge(&[], &demands).count(Class::Unsound), 3);
    assert_eq!(judge(&[parse("p", b"")], &demands).count(Class::Unsound), 3);
}

#[test]
fn what_did_not_happen_is_demanded() {
    let demands = Demands { runner_kills: 2, all_kinds: true, ..Demands::default() };
    let verdict = judge(&sample(), &demands);
    let missing: Vec<String> = verdict.findings.iter().map(ToString::to_string).collect();
    let wanted = ["sleepUntil", "skip", "race", "handlers that ran again"];
    assert_eq!(missing, wanted.map(|what| format!("0 {what}, fewer than 1")));
}

#[test]
fn a_child_may_be_cancelled_where_its_parent_or_the_step_is() {
    let cancel_child = |changes: fn(&mut What)| -> Vec<&'static str> {
        let mut sheets = sample();
        for fact in sheets.iter_mut().flat_map(|sheet| &mut sheet.facts) {
            match &mut fact.what {
                What::RunEnd { run, status, output, .. } if run == "run_7" => {
                    *status = "cancelled".into();
                    output.clear();
                }
                what => changes(what),
            }
        }
        let verdict = judge(&sheets, &Demands::default());
        verdict.findings.iter().map(Finding::kind).collect()
    };
    assert!(cancel_child(|_| ()).contains(&"not completed"));
    let allowed = cancel_child(|what| {
        if let What::RunEnd { run, steps, .. } = what
            && run == "run_5"
            && let Some(read) = steps.get_mut("child")
        {
            read.status = "cancelled".into();
        }
    });
    assert!(!allowed.contains(&"not completed"), "{allowed:?}");
}

#[test]
fn a_run_may_be_cancelled_before_its_code_is_called() {
    let kinds = |came_after: Option<Origin>| -> Vec<&'static str> {
        let mut sheets = sample();
        for sheet in &mut sheets {
            sheet
                .facts
                .retain(|fact| !matches!(&fact.what, What::Born { run, .. } if run == "run_7"));
        }
        for fact in sheets.iter_mut().flat_map(|sheet| &mut sheet.facts) {
            if let What::RunEnd { run, origin, status, .. } = &mut fact.what
                && run == "run_7"
            {
                *status = "cancelled".into();
                origin.clone_from(&came_after);
            }
        }
        let verdict = judge(&sheets, &Demands::default());
        verdict.findings.iter().map(Finding::kind).collect()
    };
    let found = kinds(Some(Origin::After { run: "run_6".into() }));
    assert!(!found.contains(&"not born"), "{found:?}");
    let found = kinds(None);
    assert!(found.contains(&"not born"), "{found:?}");
}

#[test]
fn what_is_stale_is_told_apart_from_what_was_only_late() {
    let judged = |mono_ns, asked_ns, status: Option<&str>| -> Vec<&'static str> {
        let mut sheets = sample();
        let what = What::Seen {
            run: "run_1".into(),
            asked_ns,
            status: status.map(ToOwned::to_owned),
            steps: [].into(),
        };
        let fact = Fact { at: Stamp { wall_us: 0, mono_ns }, process: "watch".into(), what };
        sheets.push(Sheet { name: "watch".into(), facts: vec![fact], ..Sheet::default() });
        judge(&sheets, &Demands::default()).findings.iter().map(Finding::kind).collect()
    };
    // Asked before anything was known, it may be answered with anything, however late.
    assert_eq!(judged(u64::MAX, 0, Some("running")), [""; 0]);
    assert_eq!(judged(u64::MAX, 0, None), [""; 0]);
    assert_eq!(judged(u64::MAX, u64::MAX - 1, None), ["stale read"]);
    // The end, and two steps with results and one without.
    assert_eq!(judged(u64::MAX, u64::MAX - 1, Some("running")), ["stale read"; 4]);
}

#[test]
fn faults_are_counted_beside_kills() {
    let mut sheets = sample();
    let what = What::Fault { fault: Fault::Pause, victim: "node-1".into() };
    let at = Stamp { wall_us: 0, mono_ns: 1 };
    let facts = vec![Fact { at, process: "faults".into(), what }];
    sheets.push(Sheet { name: "faults".into(), facts, ..Sheet::default() });
    let verdict = judge(&sheets, &Demands { faults: 5, ..Demands::default() });
    assert_eq!(verdict.to_string(), "5 faults, 8 runs, 0 lost, 0 changed, 0 repeated, 0 stale");
    assert!(verdict.is_sound());
    assert!(!judge(&sheets, &Demands { faults: 6, ..Demands::default() }).is_sound());
}
