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
        "{:>6} {:>10} {:>10} {:>8} {:>8} | p50 ms of begin, give, step, end",
        "runs", "commits/s", "steps/s", "p50 ms", "p99 ms"
    )?;
    let mut salt = 0;
    for size in SIZES {
        // Prepares every statement, and fills what is cached.
        measure(&store, (size, &mut salt), Duration::from_millis(500))?;
        let told = measure(&store, (size, &mut salt), Duration::from_secs(seconds))?;
        let all = told.times.concat();
        let took: Duration = all.iter().sum();
        let each = |count: usize| per_second(count, took);
        write!(out, "{size:>6} {:>10.0} {:>10.0}", each(all.len()), each(told.steps))?;
        write!(out, " {:>8.2} {:>8.2} |", millis_at(&all, 50), millis_at(&all, 99))?;
        for times in &told.times {
            write!(out, " {:>7.2}", millis_at(times, 50))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn per_second(count: usize, time: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / time.as_secs_f64()
}

/// Returns what so many of a hundred took at most.
fn millis_at(times: &[Duration], part: usize) -> f64 {
    let mut times = times.to_vec();
    times.sort_unstable();
    times.get(times.len() * part / 100).copied().unwrap_or_default().as_secs_f64() * 1_000.0
}

/// What batches took, by what is in them.
#[derive(Default)]
struct Told {
    steps: usize,
    times: [Vec<Duration>; 4],
}

/// What a batch is about.
#[derive(Clone, Copy)]
enum Part {
    Begin,
    Give,
    Step,
    End,
}

fn measure(
    store: &Postgres,
    (size, salt): (usize, &mut u64),
    time: Duration,
) -> Result<Told, Box<dyn Error>> {
    let mut told = Told::default();
    let mut took = Duration::ZERO;
    while took < time {
        for (part, batch) in lives(size, salt) {
            let begun = Instant::now();
            store.commit(&batch)?;
            let one = begun.elapsed();
            took += one;
            if let Some(times) = told.times.get_mut(part as usize) {
                times.push(one);
            }
            told.steps += if matches!(part, Part::Step) { size } else { 0 };
        }
    }
    Ok(told)
}

/// Makes the batches of the lives of so many runs.
fn lives(size: usize, salt: &mut u64) -> Vec<(Part, Batch)> {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_micros();
    let at = Timestamp::from_micros(i64::try_from(now).unwrap_or(i64::MAX));
    let begin = |_| {
        *salt += 1;
        Script::new(at, *salt, Start::default())
    };
    let mut runs: Vec<Script> = (0..size).map(begin).collect();
    let output = format!("\"{}\"", "x".repeat(60));
    let mut batches = Vec::new();
    let mut put = |part: Part, runs: &mut [Script]| {
        let runs = runs.iter_mut().map(Script::write).collect();
        let grows = matches!(part, Part::Begin);
        batches.push((part, Batch { at, runs, grows, ..Batch::default() }));
    };
    put(Part::Begin, &mut runs);
    for run in &mut runs {
        run.activate();
    }
    put(Part::Give, &mut runs);
    for step in 0..STEPS {
        for run in &mut runs {
            run.end(&format!("step-{step}"), StepStatus::Completed, &output);
        }
        put(Part::Step, &mut runs);
    }
    for run in &mut runs {
        run.ended(RunStatus::Completed);
    }
    put(Part::End, &mut runs);
    batches
}
