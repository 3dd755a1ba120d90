use super::*;
use crate::event::Event;
use crate::event::Said::{Error, Running, Skipped, Success};
use crate::flow::{DeclaredStep, Flow};
use crate::record::Record;
use crate::testing::{at, bytes, calls, event, set};

fn declared() -> Flow {
    let keys = ["fetch", "parse", "dedupe", "write", "audit", "publish", "notify"];
    let edges = [
        ("fetch", "parse"),
        ("parse", "dedupe"),
        ("dedupe", "write"),
        ("dedupe", "audit"),
        ("write", "publish"),
        ("publish", "notify"),
    ];
    let step = |key: &str| DeclaredStep { key: key.into(), name: key.into() };
    Flow {
        slug: "import".into(),
        name: "Import".into(),
        steps: keys.iter().map(|key| step(key)).collect(),
        edges: edges.iter().map(|(from, to)| ((*from).into(), (*to).into())).collect(),
        patience: crate::status::Patience::default(),
    }
}

fn shown(events: &[Event<'_>], flow: Option<&Flow>, seconds: i64) -> RunView {
    let bytes = bytes(events);
    let record = Record::of(&set(&bytes));
    run("import", "r", &record, flow, at(seconds)).expect("a view")
}

fn statuses(view: &RunView) -> Vec<(&str, &str)> {
    view.steps.iter().map(|step| (step.key.as_str(), step.status)).collect()
}

const DAY: i64 = 86_400;

/// §10.5: in an ended run a declared step that was neither reached nor left out is missing, one behind a failed step is
/// not reached, and one that nobody declared is shown as such.
#[test]
fn missing_skipped_and_not_reached_are_told_apart() {
    let events = calls(&[
        ("fetch", Success),
        ("parse", Success),
        ("write", Success),
        ("write", Error),
        ("audit", Skipped),
        ("map-sku", Success),
    ]);
    let view = shown(&events, Some(&declared()), DAY);
    let expected = [
        ("fetch", "completed"),
        ("parse", "completed"),
        ("dedupe", "missing"),
        ("write", "failed"),
        ("audit", "skipped"),
        ("publish", "not_reached"),
        ("notify", "not_reached"),
        ("map-sku", "completed"),
    ];
    assert_eq!(statuses(&view), expected);
    assert_eq!(view.status, "failed");
    assert_eq!(
        view.why,
        "Failed in `write`: its last call threw TimeoutError: no answer. `dedupe` is missing: declared, neither called \
         nor skipped. Counted as ended after 1m without events."
    );
    assert!(!view.steps[7].declared);
    assert_eq!(view.steps[5].why, "behind `write`, which failed");
    assert_eq!(view.steps[3].attempts_total, 2);
    assert_eq!(view.first_failed.as_deref(), Some("write"));
}

/// §10.5: before the end nothing is missing.
#[test]
fn before_the_end_steps_are_not_reached() {
    let view = shown(&calls(&[("fetch", Success), ("write", Running)]), Some(&declared()), 15);
    assert_eq!(view.status, "running");
    assert_eq!(view.why, "Running: `write` has been open for 5s.");
    assert_eq!(statuses(&view)[2], ("dedupe", "not_reached"));
    assert_eq!((view.ended_at, view.duration_ms), (None, None));
}

/// §10.5: an attempt that has been open for longer than `stuckAfter` makes the run stuck, which wins over ended.
#[test]
fn what_is_open_for_too_long_is_stuck() {
    let mut flow = declared();
    let events = calls(&[("fetch", Running)]);
    let status = |flow: &Flow, seconds| shown(&events, Some(flow), seconds).status;
    assert_eq!((status(&flow, 600), status(&flow, 601)), ("running", "stuck"));
    flow.patience.stuck_after = std::time::Duration::from_secs(5);
    assert_eq!((status(&flow, 5), status(&flow, 6)), ("running", "stuck"));
    let view = shown(&events, Some(&flow), 845);
    assert_eq!(view.why, "Stuck: `fetch` has been open for 14m5s; expected within 5s.");
    assert_eq!(view.steps[0].status, "stuck");

    // All terminal steps have ended, and something else is open.
    let ended = calls(&[("audit", Success), ("notify", Success), ("parse", Running)]);
    let status = |seconds| shown(&ended, Some(&declared()), seconds).status;
    assert_eq!((status(21), status(DAY)), ("completed", "stuck"));
}

/// §10.5: a run ends with its terminal steps, at once, or by quiet; a later event opens it again.
#[test]
fn a_run_ends_by_its_terminal_steps_or_by_quiet() {
    let flow = declared();
    let through = calls(&[("audit", Skipped), ("notify", Success)]);
    assert_eq!(shown(&through, Some(&flow), 11).status, "completed");
    assert_eq!(shown(&through, None, 11).status, "running");
    assert_eq!(shown(&through, None, 70).status, "running");
    assert_eq!(shown(&through, None, 71).status, "completed");
    let later = calls(&[("audit", Skipped), ("notify", Success), ("notify", Running)]);
    assert_eq!(shown(&later, Some(&flow), 21).status, "running");
}

/// §10.4: what is recorded from another process joins the run.
#[test]
fn processes_join_one_run() {
    let mut events = calls(&[("fetch", Success)]);
    let mut other = event("x", "audit", "", Success, 5);
    other.process = Some("mail/2".into());
    other.metadata = Some(r#"{"n":1}"#.into());
    other.run_metadata = Some(r#"{"region":"eu"}"#.into());
    events.push(other);
    let view = shown(&events, None, DAY);
    assert_eq!(view.processes, ["mail/2", "shop/1"]);
    let json = serde_json::to_value(&view).expect("JSON");
    assert_eq!(json["metadata"]["region"], "eu");
    assert_eq!(json["steps"][1]["attempts"][0]["metadata"]["n"], 1);
    assert_eq!(json["steps"][1]["durationMs"], serde_json::Value::Null);
}

/// A run is learned from as it went: what follows what, and no loops.
#[test]
fn a_flow_is_learned_from_its_runs() {
    let runs = [
        calls(&[("a", Success), ("b", Success), ("d", Success)]),
        calls(&[("a", Success), ("c", Success), ("d", Success)]),
        calls(&[("a", Success), ("b", Error), ("b", Success), ("d", Success)]),
    ];
    let runs: Vec<_> = runs.iter().map(|run| bytes(run)).collect();
    let records: Vec<_> = runs.iter().map(|run| Record::of(&set(run))).collect();
    let flow = crate::learn::learn("f", &records);
    let keys: Vec<_> = flow.steps.iter().map(|step| &*step.key).collect();
    assert_eq!(keys, ["a", "b", "c", "d"]);
    let edges: Vec<_> = flow.edges.iter().map(|(from, to)| format!("{from}{to}")).collect();
    assert_eq!(edges, ["ab", "ac", "bd", "cd"]);
    assert_eq!(crate::file::read_entry("f", &crate::file::entry(&flow)), Ok(flow));
}
