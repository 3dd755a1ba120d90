//! Load at a steady rate for a long time, with runs that go again once they are old: what grows all the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use stepwell::Client;
use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, interval};

use super::args::Soak;
use super::load::Measured;
use super::report::Line;
use super::stage::Stage;
use super::storage::Sizes;
use super::used::Used;
use super::workload::{Runtime, as_f64, base, mean};
use crate::cli::Fault;

/// Steps of a run.
const STEPS: u32 = 10;
/// How long ended runs are kept.
const KEPT: &str = "3m";
/// Runs in flight at most: a server that is slower than the load is not buried under it.
const IN_FLIGHT_MAX: usize = 2_000;
/// How often it is looked.
const EVERY: Duration = Duration::from_secs(10);
/// What growth is told by.
const SPAN: Duration = Duration::from_mins(10);
/// What is looked at is the rest of the time, from here on: what is kept for a while has to be there first.
const SETTLED: f64 = 1.0 / 3.0;
/// A measurement that took less does not count.
const COUNTS_FROM: Duration = Duration::from_mins(30);

/// What was seen at one moment.
#[derive(Clone, Copy)]
struct Sample {
    at: Duration,
    runs: u64,
    used: Used,
    /// Processor time of the database, where that can be seen.
    database_cpu_s: Option<f64>,
    sizes: Sizes,
}

/// Measures.
pub(super) fn measure(runtime: &Runtime, args: &Soak) -> Result<Line, Fault> {
    let stage = Stage::set_with(runtime, &args.common, &["--measured-retention", KEPT])?;
    let done = Arc::new(AtomicU64::new(0));
    let load = runtime.spawn(start_steadily(stage.url.clone(), args.rate, Arc::clone(&done)));
    let (begun, whole) = (Instant::now(), Duration::from_mins(args.minutes));
    let mut samples = Vec::new();
    while begun.elapsed() < whole {
        std::thread::sleep(EVERY);
        if load.is_finished() {
            break;
        }
        let (database_cpu_s, sizes) = stage.database_used()?;
        samples.push(Sample {
            at: begun.elapsed(),
            runs: done.load(Ordering::Acquire),
            used: stage.server_used(),
            database_cpu_s,
            sizes,
        });
    }
    let took = begun.elapsed();
    load.abort();
    if let Ok(ended) = runtime.block_on(load) {
        ended?;
    }
    let settled: Vec<Sample> = samples
        .into_iter()
        .filter(|sample| sample.at.as_secs_f64() > whole.as_secs_f64() * SETTLED)
        .collect();
    let told = |of: fn(&Sample) -> f64| trend(&settled, of);
    let each = |of: fn(&Sample) -> Option<f64>| a_step(&settled, of);
    let (table, index) = (told(|one| one.sizes.tables_mb), told(|one| one.sizes.indexes_mb));
    let (server, database) = (each(|one| Some(one.used.cpu_s)), each(|one| one.database_cpu_s));
    let rss = told(|one| one.used.rss_mb);
    let runs = settled.first().zip(settled.last()).map(|(first, last)| {
        as_f64(last.runs - first.runs) / last.at.saturating_sub(first.at).as_secs_f64()
    });
    let short = took < COUNTS_FROM;
    Ok(Line {
        workload: "soak",
        runs_per_s: runs,
        steps_per_s: runs.map(|runs| runs * f64::from(STEPS)),
        tables_mb: table.map(|one| one.mean),
        tables_growth: table.map(|one| one.growth),
        indexes_mb: index.map(|one| one.mean),
        indexes_growth: index.map(|one| one.growth),
        cpu_us_a_step: server.map(|one| one.mean),
        cpu_growth: server.map(|one| one.growth),
        database_cpu_us_a_step: database.map(|one| one.mean),
        database_cpu_growth: database.map(|one| one.growth),
        rss_growth: rss.map(|one| one.growth),
        measured_s: Some(took.as_secs_f64()),
        does_not_count: short
            .then(|| format!("{:.0} min, less than 30", took.as_secs_f64() / 60.0)),
        ..base(&stage, &Measured::default())?
    })
}

/// Starts so many runs a second, whatever becomes of those before, and awaits each.
async fn start_steadily(url: String, rate: u32, done: Arc<AtomicU64>) -> Result<(), Fault> {
    let client = Client::new(&url).map_err(|error| Fault::Machine(error.to_string()))?;
    let room = Arc::new(Semaphore::new(IN_FLIGHT_MAX));
    let failed = Arc::new(std::sync::Mutex::new(None::<String>));
    let mut ticks = interval(Duration::from_secs(1) / rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        ticks.tick().await;
        if let Some(why) = failed.lock().ok().and_then(|mut failed| failed.take()) {
            return Err(Fault::Machine(why));
        }
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return Ok(()) };
        let (client, done, failed) = (client.clone(), Arc::clone(&done), Arc::clone(&failed));
        tokio::spawn(async move {
            match client.start("steps", &STEPS).wait::<Vec<u32>>().await {
                Ok(_) => {
                    done.fetch_add(1, Ordering::AcqRel);
                }
                Err(error) => {
                    if let Ok(mut failed) = failed.lock() {
                        *failed = Some(error.to_string());
                    }
                }
            }
            drop(place);
        });
    }
}

/// How something went over some time.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Trend {
    mean: f64,
    /// By how much of the mean it grows in [`SPAN`], along the straight line that fits best.
    growth: f64,
}

fn trend(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> Option<Trend> {
    let points: Vec<(f64, f64)> =
        samples.iter().map(|sample| (sample.at.as_secs_f64(), of(sample))).collect();
    fit(&points)
}

/// Microseconds of a processor a step, from each sample to the next.
fn a_step(samples: &[Sample], of: impl Fn(&Sample) -> Option<f64>) -> Option<Trend> {
    let mut points = Vec::new();
    for pair in samples.windows(2) {
        let [before, after] = pair else { continue };
        let steps = as_f64(after.runs - before.runs) * f64::from(STEPS);
        let used = of(after)? - of(before)?;
        if steps > 0.0 {
            points.push((after.at.as_secs_f64(), used * 1e6 / steps));
        }
    }
    fit(&points)
}

/// Lays a straight line through points, by least squares.
fn fit(points: &[(f64, f64)]) -> Option<Trend> {
    if points.len() < 3 {
        return None;
    }
    let (times, values): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
    let ((time, _), (value, _)) = (mean(&times), mean(&values));
    let along: f64 = points.iter().map(|(at, one)| (at - time) * (one - value)).sum();
    let across: f64 = times.iter().map(|at| (at - time).powi(2)).sum();
    Some(Trend { mean: value, growth: along / across * SPAN.as_secs_f64() / value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_told_by_ten_minutes() {
        let line = |slope: f64| -> Vec<(f64, f64)> {
            (0..120).map(|at| (f64::from(at) * 10.0, 100.0 + slope * f64::from(at))).collect()
        };
        let Some(flat) = fit(&line(0.0)) else { panic!("there are points enough") };
        assert!(flat.growth.abs() < 1e-9 && (flat.mean - 100.0).abs() < 1e-9, "{flat:?}");
        // From 100 to 112 in twenty minutes: 6 more in ten, of a mean of 106.
        let Some(up) = fit(&line(0.1)) else { panic!("there are points enough") };
        assert!((up.growth - 6.0 / 105.95).abs() < 1e-3, "{up:?}");
        assert_eq!(fit(&[(0.0, 1.0), (1.0, 1.0)]), None);
    }
}
