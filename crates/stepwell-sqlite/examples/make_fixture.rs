//! Makes a small data folder of the current format: `make_fixture DIR`.
//!
//! The folder has runs in every state, some folded into tables and some in the log only, and one
//! registered workflow. A folder of each released format is kept under `fixtures/`.

use std::error::Error;
use std::time::Duration;

use stepwell_core::status::{RunStatus, StepStatus};
use stepwell_core::time::Timestamp;
use stepwell_sqlite::{Embedded, Options};
use stepwell_store::Store;
use stepwell_store::batch::{Batch, Workflow};
use stepwell_store::conformance::{Script, Start};

/// When everything in the folder happened: 2026-11-21T12:00:00Z and the seconds after.
const BEGIN: Timestamp = Timestamp::from_millis(1_795_262_400_000);

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("usage: make_fixture DIR")?;
    let options =
        Options { segment_bytes: 8 << 10, store_id: Some(0x5_7e11_f1c7), ..Options::default() };
    let store = Embedded::open(folder, options)?;
    let at = |second| BEGIN.after(Duration::from_secs(second));
    let workflow = Workflow {
        namespace: "default".into(),
        app: "shop".into(),
        name: "checkout".into(),
        options: "{\"timeout\":\"1d\"}".into(),
        first_at: at(0),
        changed_at: at(0),
    };
    store.commit(&Batch { at: at(0), workflows: vec![workflow], ..Batch::default() })?;
    let mut runs: Vec<Script> = (0..6)
        .map(|n| {
            let key = format!("order-{n}");
            let start = Start { key: Some(&key), ..Start::default() };
            Script::new(at(n), n, start)
        })
        .collect();
    commit(&store, at(6), &mut runs)?;
    store.fold_all()?;
    let [_, running, sleeping, completed, failed, blocked] = &mut runs[..] else {
        return Err("there are six runs".into());
    };
    running.activate().begin("charge");
    sleeping.activate().end("reserve", StepStatus::Completed, "{\"items\":3}");
    sleeping.sleep("cool-down", at(86_400)).release();
    completed.activate().end("reserve", StepStatus::Completed, "{\"items\":1}");
    completed.end("charge", StepStatus::Completed, "\"ch_1\"").ended(RunStatus::Completed);
    failed.activate().end("charge", StepStatus::Failed, "null").ended(RunStatus::Failed);
    blocked.activate().block();
    commit(&store, at(7), &mut runs)?;
    store.fold_all()?;
    // What follows stays in the log.
    runs[1].end("charge", StepStatus::Completed, "\"ch_2\"");
    commit(&store, at(8), &mut runs[1..2])?;
    let mut last = vec![Script::new(at(9), 9, Start::default())];
    commit(&store, at(9), &mut last)?;
    Ok(())
}

fn commit(store: &Embedded, at: Timestamp, runs: &mut [Script]) -> Result<(), Box<dyn Error>> {
    let runs = runs.iter_mut().map(Script::write).filter(|write| !write.records.is_empty());
    store.commit(&Batch { at, runs: runs.collect(), ..Batch::default() })?;
    Ok(())
}
