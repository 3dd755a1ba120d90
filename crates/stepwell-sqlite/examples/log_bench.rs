//! How fast commits and folds are: `log_bench DIR [BATCH]`.
//!
//! Runs of ten steps begin and end, `BATCH` records a commit (default: 1, 64 and 512), for a few
//! seconds each, with the fold thread on. Prints one JSON object a line.

use std::error::Error;
use std::io::Write;
use std::time::{Duration, Instant};

use stepwell_core::status::{RunStatus, StepStatus};
use stepwell_core::time::Timestamp;
use stepwell_sqlite::{Embedded, Options};
use stepwell_store::Store;
use stepwell_store::batch::{Batch, RunWrite};
use stepwell_store::conformance::{Script, Start};

const TIME: Duration = Duration::from_secs(3);
const STEPS: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let folder = arguments.next().ok_or("usage: log_bench DIR [BATCH]")?;
    let sizes = match arguments.next() {
        Some(size) => vec![size.to_string_lossy().parse()?],
        None => vec![1, 64, 512],
    };
    let mut out = std::io::stdout().lock();
    for size in sizes {
        let path = std::path::Path::new(&folder).join(format!("batch-{size}"));
        let store = Embedded::open(&path, Options::default())?;
        store.spawn_fold()?;
        let line = measure(&store, size)?;
        writeln!(out, "{{\"batch\":{size},{line}}}")?;
    }
    Ok(())
}

fn measure(store: &Embedded, size: usize) -> Result<String, Box<dyn Error>> {
    let mut salt = 0;
    let (mut commits, mut records, mut refused) = (0_u64, 0_u64, 0_u64);
    let mut times: Vec<Duration> = Vec::new();
    let mut committing = Duration::ZERO;
    let begin = Instant::now();
    while committing < TIME && begin.elapsed() < TIME * 10 {
        // Batches are made beforehand: their making is not the store's work.
        for batch in batches(&mut salt, size) {
            records += batch.runs.len() as u64;
            commits += 1;
            let start = Instant::now();
            while store.commit(&batch).is_err() {
                refused += 1;
                std::thread::sleep(Duration::from_millis(1));
            }
            times.push(start.elapsed());
            committing += start.elapsed();
        }
    }
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).map_or(0, Duration::as_micros);
    let (p50, p99) = (at(50), at(99));
    let tail = store.health().tail_bytes;
    let start = Instant::now();
    store.fold_all()?;
    let drain = start.elapsed().as_millis();
    let rate = u128::from(records) * 1_000_000 / committing.as_micros().max(1);
    Ok(format!(
        "\"records_per_s\":{rate},\"commits\":{commits},\"p50_us\":{p50},\"p99_us\":{p99},\
         \"refused\":{refused},\"tail_bytes\":{tail},\"drain_ms\":{drain}"
    ))
}

/// Makes the batches of as many runs as fit a batch: they go step by step together.
fn batches(salt: &mut u64, size: usize) -> Vec<Batch> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let at = Timestamp::from_millis(0).after(now.unwrap_or_default());
    let mut scripts: Vec<Script> = (0..size)
        .map(|_| {
            *salt += 1;
            Script::new(at, *salt, Start::default())
        })
        .collect();
    let mut batches = Vec::new();
    for step in 0..=STEPS {
        for script in &mut scripts {
            match step {
                0 => drop(script.activate()),
                STEPS => drop(script.ended(RunStatus::Completed)),
                _ => drop(script.end(
                    &format!("step-{step}"),
                    StepStatus::Completed,
                    "{\"id\":\"ch_3PqJ2b\",\"amount\":4200}",
                )),
            }
        }
        let runs: Vec<RunWrite> = scripts.iter_mut().map(Script::write).collect();
        batches.push(Batch { at, runs, grows: step == 0, ..Batch::default() });
    }
    batches
}
