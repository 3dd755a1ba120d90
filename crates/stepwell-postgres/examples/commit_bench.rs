//! How fast batches of steps become durable: commits and steps in a second, by the size of a batch.
//!
//! Each run begins, is given to a runner, has ten steps of about 220 bytes, and ends; a batch has one
//! thing of each of so many runs. The database is a cluster of the program's own with the settings that
//! PostgreSQL comes with, or the one that `DATABASE_URL` names.
//!
//! `cargo run --release -p stepwell-postgres --features testing --example commit_bench [SECONDS]`

use std::error::Error;
use std::io::Write as _;
use std::time::{Duration, Instant};

use stepwell_core::status::{RunStatus, StepStatus};
use stepwell_core::time::Timestamp;
use stepwell_postgres::testing::{Cluster, Durability};
use stepwell_postgres::{Options, Postgres};
use stepwell_store::Store;
use stepwell_store::batch::Batch;
use stepwell_store::conformance::{Script, Start};

/// How many runs a batch is about.
const SIZES: [usize; 5] = [1, 8, 64, 256, 512];
/// Steps of a run.
const STEPS: usize = 10;
/// Kept ready before the clock runs.
const ROUNDS_MAX: usize = 40;

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = std::env::args().nth(1).map_or(Ok(5), |text| text.parse::<u64>())?;
    let named = std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty());
    let cluster = match &named {
        Some(_) => None,
        None => Some(Cluster::start(Durability::Default)?),
    };
    let url = named.or_else(|| cluster.as_ref().map(Cluster::url)).unwrap_or_default();
    let schema = format!("bench_{}", std::process::id());
    let lease = Duration::from_mins(10);
    let options = Options { schema, lease, ..Options::new(url) };
    let store = Postgres::join(&options, "bench", u128::from(std::process::id()))?;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{:>6} {:>10} {:>10} {:>8} {:>8}",
        "runs", "commits/s", "steps/s", "p50 ms", "p99 ms"
    )?;
    let mut salt = 0;
    for size in SIZES {
        // Prepares every statement, and fills what is cached.
        measure(&store, (size, &mut salt), Duration::from_millis(500))?;
        let told = measure(&store, (size, &mut salt), Duration::from_secs(seconds))?;
        let Told { commits, steps, mut times, took } = told;
        times.sort_unstable();
        let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default();
        let each =
            |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / took.as_secs_f64();
        let millis = |time: Duration| time.as_secs_f64() * 1_000.0;
        writeln!(
            out,
            "{size:>6} {:>10.0} {:>10.0} {:>8.2} {:>8.2}",
            each(commits),
            each(steps),
            millis(at(50)),
            millis(at(99))
        )?;
    }
    Ok(())
}

#[derive(Default)]
struct Told {
    commits: usize,
    steps: usize,
    times: Vec<Duration>,
    took: Duration,
}

fn measure(
    store: &Postgres,
    (size, salt): (usize, &mut u64),
    time: Duration,
) -> Result<Told, Box<dyn Error>> {
    let mut told = Told::default();
    while told.took < time {
        let rounds = (20_000 / size).clamp(1, ROUNDS_MAX);
        for _ in 0..rounds {
            for (batch, steps) in lives(size, salt) {
                let begun = Instant::now();
                store.commit(&batch)?;
                let took = begun.elapsed();
                told.took += took;
                told.times.push(took);
                told.commits += 1;
                told.steps += steps;
            }
            if told.took >= time {
                break;
            }
        }
    }
    Ok(told)
}

/// Makes the batches of the lives of so many runs, each with how many steps it ends.
fn lives(size: usize, salt: &mut u64) -> Vec<(Batch, usize)> {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_micros();
    let at = Timestamp::from_micros(i64::try_from(now).unwrap_or(i64::MAX));
    let begin = |_| {
        *salt += 1;
        Script::new(at, *salt, Start::default())
    };
    let mut runs: Vec<Script> = (0..size).map(begin).collect();
    let output = format!("\"{}\"", "x".repeat(60));
    let mut batches = Vec::new();
    let mut put = |runs: &mut [Script], steps: usize, grows: bool| {
        let runs = runs.iter_mut().map(Script::write).collect();
        batches.push((Batch { at, runs, grows, ..Batch::default() }, steps));
    };
    put(&mut runs, 0, true);
    for run in &mut runs {
        run.activate();
    }
    put(&mut runs, 0, false);
    for step in 0..STEPS {
        for run in &mut runs {
            run.end(&format!("step-{step}"), StepStatus::Completed, &output);
        }
        put(&mut runs, size, false);
    }
    for run in &mut runs {
        run.ended(RunStatus::Completed);
    }
    put(&mut runs, 0, false);
    batches
}
