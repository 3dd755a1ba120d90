//! Runs as a store holds them after some time: written into a folder without a server.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use stepwell_core::clean_up::{Compensable, EndOptions};
use stepwell_core::failure::Failure;
use stepwell_core::id::RunId;
use stepwell_core::record::{
    Activated, Ended, Opening, Parent, Record, Released, SleepStarted, Started,
};
use stepwell_core::run::Run;
use stepwell_core::search::Change;
use stepwell_core::status::{Kind, RunStatus};
use stepwell_core::summary::Summary;
use stepwell_core::time::Timestamp;
use stepwell_sqlite::{Embedded, Options};
use stepwell_store::batch::{Batch, RunWrite};
use stepwell_store::{Error, Store};

use crate::cli::Fault;

/// Runs of one commit.
const BATCH: u32 = 1_000;
/// Runs that go into tables at once.
const FOLDED: u32 = 50_000;
/// Children of one run.
const CHILDREN: u32 = 1_000;
/// How long ago the first run began.
const SPAN: Duration = Duration::from_mins(100);

/// What there is to be found by name.
pub(super) struct Filled {
    /// The run that has children.
    pub(super) parent: RunId,
    /// When the first run began.
    pub(super) from: Timestamp,
    /// When the last one began.
    pub(super) to: Timestamp,
}

/// Writes runs of several apps, workflows, statuses and attributes.
///
/// # Errors
/// The folder cannot be written.
pub(super) fn fill(folder: &Path, runs: u32) -> Result<Filled, Fault> {
    let fault = |error: Error| Fault::Machine(error.to_string());
    let store = Embedded::open(folder, Options::default()).map_err(fault)?;
    let to = Timestamp::from_micros(0).after(std::time::UNIX_EPOCH.elapsed().unwrap_or_default());
    let from = to.before(SPAN);
    let parent = RunId::new(from, u128::MAX);
    let filled = Filled { parent, from, to };
    let mut batch = Batch { at: from, grows: true, ..Batch::default() };
    for number in 0..runs {
        let at = from.after(SPAN / runs.max(1) * number);
        batch.runs.push(write(&filled, at, (number, runs))?);
        batch.at = at;
        if number % BATCH == BATCH - 1 || number + 1 == runs {
            store.commit(&batch).map_err(fault)?;
            batch.runs.clear();
        }
        if number % FOLDED == FOLDED - 1 {
            store.fold_all().map_err(fault)?;
        }
    }
    store.fold_all().map_err(fault)?;
    Ok(filled)
}

/// The app and the workflow of a run: one app is rare, and long ago.
fn place(number: u32, runs: u32) -> (&'static str, &'static str) {
    if number < runs / 20 && number.is_multiple_of(50) {
        return ("rare", "legacy");
    }
    match number % 100 {
        0..40 => ("shop", "checkout"),
        40..60 => ("shop", "refund"),
        60..70 => ("shop", "ship"),
        70..90 => ("finance", "invoice"),
        90..95 => ("finance", "checkout"),
        _ => ("mail", "send"),
    }
}

/// The status of a run: `mail` never fails, and cancels are long ago.
fn status(number: u32, runs: u32) -> RunStatus {
    match (number / 100) % 100 {
        0..8 if number % 100 < 95 => RunStatus::Failed,
        8..17 => RunStatus::Waiting,
        17 if number < runs / 2 => RunStatus::Cancelled,
        18 => RunStatus::TimedOut,
        19 => RunStatus::Queued,
        _ => RunStatus::Completed,
    }
}

/// Attributes: of `odd` and `tier` each has half of the runs, and no run both.
fn attributes(number: u32) -> Change {
    let country = ["DE", "DE", "DE", "FR", "FR", "AT", "CH", "IT"];
    let country = country.get((number % 8) as usize).copied().unwrap_or_default();
    let amount = f64::from(number.wrapping_mul(7_919) % 100_000) / 100.0;
    let half = if number.is_multiple_of(2) { ("tier", "\"gold\"") } else { ("odd", "true") };
    let text =
        format!(r#"{{"country": "{country}", "amount": {amount}, "{}": {}}}"#, half.0, half.1);
    serde_json::from_str(&text).unwrap_or_default()
}

fn write(filled: &Filled, at: Timestamp, (number, runs): (u32, u32)) -> Result<RunWrite, Fault> {
    let (app, workflow) = place(number, runs);
    let key = format!("order-{number}");
    let entropy = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834);
    let id = if number == 0 { filled.parent } else { RunId::new(at, entropy) };
    let child = number > 0 && number.is_multiple_of((runs / CHILDREN).max(1));
    let mut journal = Vec::new();
    Record::Started(Started {
        at,
        namespace: "default".into(),
        app: app.into(),
        workflow: workflow.into(),
        input: None,
        key: number.is_multiple_of(2).then(|| key.as_str().into()),
        deadline: None,
        not_before: None,
        metadata: None,
        runner: None,
        ends: EndOptions::default(),
        forked_from: None,
        rerun_of: None,
        by: None,
        reason: None,
        parent: child.then(|| Parent { run: filled.parent, step: "ship".into() }),
        depth: 0,
        continues: None,
        inherited: None,
        event: None,
        search: attributes(number),
        traceparent: None,
    })
    .encode(&mut journal);
    go_on(&mut journal, at, status(number, runs));
    let run = Run::replay(id, &journal).map_err(|error| Fault::Machine(error.to_string()))?;
    let summary = Summary::of(&run);
    Ok(RunWrite { run: id, records: journal, summary, waits: Arc::default() })
}

/// Brings a run to a status.
fn go_on(journal: &mut Vec<u8>, at: Timestamp, status: RunStatus) {
    if status == RunStatus::Queued {
        return;
    }
    let at = at.after(Duration::from_millis(5));
    Record::Activated(Activated {
        at,
        epoch: 1,
        nonce: 7,
        runner: "bench".into(),
        instance: "i-1".into(),
        version: Some("1".into()),
        build: None,
        alone: false,
        ends: EndOptions::default(),
    })
    .encode(journal);
    if status == RunStatus::Waiting {
        let open = Opening {
            kind: Kind::Sleep,
            after: 0,
            at,
            input: None,
            metadata: None,
            compensable: Compensable::No,
            once: None,
            branch: None,
            kept_from: None,
        };
        let until = at.after(Duration::from_hours(240));
        Record::SleepStarted(SleepStarted { step: "nap".into(), until, open }).encode(journal);
        Record::Released(Released { at, seen: 0 }).encode(journal);
        return;
    }
    let failed = status == RunStatus::Failed;
    Record::Ended(Ended {
        at: at.after(Duration::from_millis(30)),
        status,
        output: None,
        error: failed.then(|| Failure::new("PaymentError", "the card was declined")),
        continued_as: None,
    })
    .encode(journal);
}
