//! Lists against what is in them: every filter, page by page.

use std::sync::Arc;

use stepwell_core::time::Timestamp;
use stepwell_sqlite::observed::SqliteObserved;
use stepwell_telemetry::batch::{Batch, RunName};
use stepwell_telemetry::event::Said;
use stepwell_telemetry::keep::{After, Keep, ListedRun, RunsAsk, RunsPage};
use stepwell_telemetry::status::RunStatus;

use super::told::{BEGIN, Told, at, declared};

/// How many runs there are in the larger flow: more than are read one by one and sorted.
const MANY: u16 = 2_600;

/// When lists are asked for, in milliseconds: some runs are stuck then, some run, most ended.
const NOW_MS: u32 = 700_000;

/// A store with runs in all statuses: of three flows, one of which is declared, and of another namespace.
fn store() -> SqliteObserved {
    let store = SqliteObserved::in_memory().unwrap();
    store.declare("default", "refund", Some(&declared("refund", 30_000))).unwrap();
    let mut batch = Batch::new(BEGIN);
    let mut put = |namespace: &str, flow: &str, n: u16, said: &[Said], at_ms: u32| {
        for (id, said) in (0..).zip(said) {
            let told = Told { run: 0, id, step: 0, call: Some(0), said: *said, at_ms: at_ms + 5 };
            let run = &format!("req-{n:04}");
            batch.push(RunName { namespace, flow, run }, &told.event());
        }
    };
    for n in 0..MANY {
        let said: &[Said] = match n % 20 {
            0 => &[Said::Running, Said::Error],
            7 | 13 => &[Said::Running],
            9 => &[Said::Skipped],
            _ => &[Said::Running, Said::Success],
        };
        // Many at one instant, and the last ones a moment ago.
        put("default", "checkout", n, said, u32::from(n / 4) * 1_076);
        if n < 90 {
            put("default", "refund", n, said, u32::from(n) * 7_700);
            put("other", "checkout", n, said, u32::from(n));
        }
    }
    put("default", "rare", 3, &[Said::Success], 300);
    store.append(&batch).unwrap();
    store.stop();
    store
}

fn now() -> Timestamp {
    at(NOW_MS.into())
}

fn ask() -> RunsAsk {
    RunsAsk { namespace: "default".into(), limit: 100_000, ..RunsAsk::default() }
}

/// Reads a list to its end, so many runs at a time.
fn pages(store: &dyn Keep, ask: &RunsAsk, limit: usize) -> Vec<ListedRun> {
    let mut runs: Vec<ListedRun> = Vec::new();
    loop {
        let after = runs.last().map(|run| run.place).or(ask.after);
        let ask = RunsAsk { after, limit, ..ask.clone() };
        let RunsPage { runs: page, more, stale } = store.runs(&ask, now()).unwrap();
        assert!(!stale);
        assert!(if more { page.len() == limit } else { page.len() <= limit }, "{ask:?}");
        runs.extend(page);
        if !more {
            return runs;
        }
    }
}

fn names(runs: &[ListedRun]) -> Vec<(Arc<str>, Arc<str>)> {
    runs.iter().map(|run| (Arc::clone(&run.flow), Arc::clone(&run.run))).collect()
}

fn is_asked(ask: &RunsAsk, run: &ListedRun) -> bool {
    (ask.flows.is_empty() || ask.flows.contains(&run.flow))
        && (ask.status.is_empty() || ask.status.contains(&run.status))
        && ask.text.as_ref().is_none_or(|text| run.run.contains(&**text))
        && ask.from.is_none_or(|from| run.row.first_at >= from)
        && ask.to.is_none_or(|to| run.row.first_at < to)
}

/// §10.5: every filter, alone and together with others, lists what it says, newest first, and counts it.
#[test]
fn a_filter_lists_what_it_says() {
    let store = store();
    let all = pages(&store, &ask(), 100_000);
    assert_eq!(all.len(), usize::from(MANY) + 91);
    let places: Vec<After> = all.iter().map(|run| run.place).collect();
    assert!(places.is_sorted_by(|a, b| a > b), "newest first, each place once");
    for status in RunStatus::ALL {
        let count = all.iter().filter(|run| run.status == status).count();
        assert!(count >= 10, "{status:?}: {count}");
    }
    let flows = [vec![], vec!["refund"], vec!["checkout", "rare"], vec!["nothing"]];
    let statuses = [
        vec![],
        vec![RunStatus::Running],
        vec![RunStatus::Stuck],
        vec![RunStatus::Failed, RunStatus::Stuck],
        vec![RunStatus::Completed],
        vec![RunStatus::Completed, RunStatus::Running],
        RunStatus::ALL.to_vec(),
    ];
    let texts = [None, Some("req-"), Some("-000"), Some("77"), Some("%"), Some("none")];
    let spans = [(None, None), (Some(at(100_000)), Some(at(400_005)))];
    for flows in flows.iter().map(|some| some.iter().map(|flow| Arc::from(*flow)).collect()) {
        let ask = RunsAsk { flows, ..ask() };
        for status in &statuses {
            for text in texts.map(|text| text.map(str::to_owned)) {
                for (from, to) in spans {
                    let (status, text) = (status.clone(), text.clone());
                    let ask = RunsAsk { status, text, from, to, ..ask.clone() };
                    let wanted: Vec<ListedRun> =
                        all.iter().filter(|run| is_asked(&ask, run)).cloned().collect();
                    let found = store.runs(&ask, now()).unwrap();
                    assert_eq!(names(&found.runs), names(&wanted), "{ask:?}");
                    assert_eq!(found.runs, wanted, "{ask:?}");
                    let limit = wanted.len() / 3 + 1;
                    assert_eq!(names(&pages(&store, &ask, limit)), names(&wanted), "{ask:?}");
                    check_counts(&store, &ask, &wanted);
                }
            }
        }
    }
}

fn check_counts(store: &dyn Keep, ask: &RunsAsk, wanted: &[ListedRun]) {
    let most = 40;
    let counts = store.counts(ask, now(), most).unwrap();
    let asked = |status: &RunStatus| ask.status.is_empty() || ask.status.contains(status);
    let statuses: Vec<RunStatus> = counts.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, RunStatus::ALL.into_iter().filter(asked).collect::<Vec<_>>(), "{ask:?}");
    for (status, count) in counts {
        let all = wanted.iter().filter(|run| run.status == status).count() as u64;
        assert_eq!(count, all.min(most), "{status:?}: {ask:?}");
    }
}

/// A flow tells how many of its runs are open, and since when it has runs.
#[test]
fn flows_tell_of_their_runs() {
    let store = store();
    store.declare("default", "unused", Some(&declared("unused", 1))).unwrap();
    let flows = store.flows("default", now()).unwrap();
    let slugs: Vec<&str> = flows.iter().map(|flow| &*flow.flow).collect();
    assert_eq!(slugs, ["checkout", "rare", "refund", "unused"]);
    for flow in &flows {
        let ask = RunsAsk { flows: vec![Arc::clone(&flow.flow)], ..ask() };
        let runs = pages(&store, &ask, 100_000);
        let count = |status| runs.iter().filter(|run| run.status == status).count() as u64;
        assert_eq!(flow.running, count(RunStatus::Running), "{}", flow.flow);
        assert_eq!(flow.stuck, count(RunStatus::Stuck), "{}", flow.flow);
        assert_eq!(flow.first_at, runs.iter().map(|run| run.row.first_at).min());
        assert_eq!(flow.last_at, runs.iter().map(|run| run.row.last_at).max());
        let failed = runs.iter().filter(|run| run.row.failed > 0).count() as u64;
        assert_eq!(flow.day, (runs.len() as u64, failed), "{}", flow.flow);
    }
    assert_eq!(store.flows("other", now()).unwrap().len(), 1);
    assert!(store.flows("nobody", now()).unwrap().is_empty());
}

/// A durable run has beside it what has its name or its trace, and nothing of another namespace.
#[test]
fn runs_of_a_name_or_trace_are_found_beside() {
    let store = store();
    let found = store.beside("default", "req-0003", None).unwrap();
    let mut flows: Vec<&str> = found.iter().map(|run| &*run.flow).collect();
    flows.sort_unstable();
    assert_eq!(flows, ["checkout", "rare", "refund"]);
    // Every run of these is in trace 1.
    assert_eq!(store.beside("default", "nothing", Some(1)).unwrap().len(), 10);
    assert_eq!(store.beside("default", "req-0003", Some(1)).unwrap().len(), 10);
    assert!(store.beside("default", "nothing", Some(2)).unwrap().is_empty());
    assert!(store.beside("nobody", "req-0003", Some(1)).unwrap().is_empty());
}
