//! The workloads.

use std::time::Duration;

use super::all;
use super::args::{Bench, Common, Load, Parked, Sequential};
use super::events;
use super::lists;
use super::load::{self, Measured, Output, Plan};
use super::readback;
use super::replay;
use super::report::{Line, percentile};
use super::soak;
use super::stage::Stage;
use super::telemetry;
use super::used::Used;
use crate::cli::{Fault, print_json, print_line};

/// Steps of a run, by workload.
const SEQUENTIAL_STEPS: u32 = 100;
const THROUGHPUT_STEPS: u32 = 10;
const BRANCHES: u32 = 1_000;
const WARM_UP: Duration = Duration::from_secs(3);
/// A throughput that was measured for less does not count.
pub(super) const COUNTS_FROM: Duration = Duration::from_secs(30);
/// Samples of the fold's lag are averaged, since it rises and falls with each of its transactions.
const LAG_SAMPLES: u32 = 20;

pub(super) type Runtime = tokio::runtime::Runtime;

/// Measures a workload and prints its figures.
pub(crate) fn run(bench: &Bench) -> Result<(), Fault> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    if let Bench::All(args) = bench {
        return all::run(&runtime, args);
    }
    if let Some(workload) = bench.workload()
        && let Err(why) = workload.is_for(bench.common().store.kind())
    {
        return Err(Fault::Usage(why.into()));
    }
    let line = match bench {
        Bench::Lists(args) => {
            let (line, table) = lists::measure(&runtime, args)?;
            if !args.common.json {
                print_line(table)?;
            }
            line
        }
        _ => measure(&runtime, bench)?,
    };
    if bench.common().json {
        print_json(&line)?;
    } else {
        print_line(line.text())?;
    }
    match line.does_not_count {
        Some(why) => Err(Fault::Machine(why)),
        None => Ok(()),
    }
}

/// Measures one workload.
pub(super) fn measure(runtime: &Runtime, bench: &Bench) -> Result<Line, Fault> {
    match bench {
        Bench::Sequential(args) => sequential(runtime, args),
        Bench::Nodes(args) => nodes(runtime, args),
        Bench::Soak(args) => soak::measure(runtime, args),
        Bench::Throughput(args) => {
            let plan = plan("steps", THROUGHPUT_STEPS, args.in_flight.unwrap_or(512), args);
            loaded::<Vec<u32>>((runtime, &args.common, 1), "throughput", plan)
        }
        Bench::Noop(args) => {
            let plan = plan("noop", 0, args.in_flight.unwrap_or(64), args);
            loaded::<u32>((runtime, &args.common, 1), "noop", plan)
        }
        Bench::Fanout(args) => fanout(runtime, args),
        Bench::Parked(args) => parked(runtime, args),
        Bench::Events(args) => events::measure(runtime, args),
        Bench::Replay(args) => replay::measure(runtime, args),
        Bench::Lists(args) => lists::measure(runtime, args).map(|(line, _)| line),
        Bench::Telemetry(args) => telemetry::measure(runtime, args),
        Bench::Share(args) => telemetry::measure_share(runtime, args),
        Bench::All(_) => Err(Fault::Machine("`all` is no workload".into())),
    }
}

fn plan(workflow: &'static str, input: u32, in_flight: u32, args: &Load) -> Plan {
    let measure = Duration::from_secs(args.seconds);
    Plan { workflow, input, in_flight, warm_up: WARM_UP, measure }
}

fn sequential(runtime: &Runtime, args: &Sequential) -> Result<Line, Fault> {
    let stage = Stage::set(runtime, &args.common)?;
    let work = load::sequence::<Vec<u32>>(&stage.url, "steps", SEQUENTIAL_STEPS, args.runs);
    let (outputs, measured) = runtime.block_on(work)?;
    let mut steps: Vec<f64> = outputs.iter().flatten().map(|us| f64::from(*us) / 1e3).collect();
    steps.sort_by(f64::total_cmp);
    let line = Line {
        workload: "sequential",
        step_p50_ms: percentile(&steps, 0.5),
        step_p99_ms: percentile(&steps, 0.99),
        ..base(&stage, &measured)?
    };
    read_back(&stage, line, measured.started, SEQUENTIAL_STEPS)
}

fn fanout(runtime: &Runtime, args: &Sequential) -> Result<Line, Fault> {
    let stage = Stage::set(runtime, &args.common)?;
    let work = load::sequence::<u32>(&stage.url, "fanout", BRANCHES, args.runs);
    let (outputs, measured) = runtime.block_on(work)?;
    let mut took: Vec<f64> = outputs.iter().map(|us| f64::from(*us) / 1e3).collect();
    took.sort_by(f64::total_cmp);
    let line = Line {
        workload: "fanout",
        fanout_p50_ms: percentile(&took, 0.5),
        ..base(&stage, &measured)?
    };
    read_back(&stage, line, measured.started, BRANCHES)
}

fn loaded<O: Output>(
    (runtime, common, nodes): (&Runtime, &Common, u32),
    workload: &'static str,
    plan: Plan,
) -> Result<Line, Fault> {
    let stage = Stage::set_nodes(runtime, common, nodes)?;
    let mut at: Vec<Sample> = Vec::new();
    let work = load::run::<O>(stage.urls(), plan, || {
        at.push(Sample::take(&stage)?);
        Ok(())
    });
    let measured = runtime.block_on(work)?;
    let [before, after] = at.as_slice() else {
        return Err(Fault::Machine("the load ended before it was measured".into()));
    };
    let (lag_before, lag) = (before.fold_lag_ms, after.fold_lag_ms);
    let seconds = measured.took.as_secs_f64();
    let runs_per_s = as_f64(measured.runs) / seconds;
    let steps = if plan.workflow == "steps" { plan.input } else { 0 };
    let line = Line {
        workload,
        steps_per_s: (steps > 0).then(|| runs_per_s * f64::from(steps)),
        runs_per_s: Some(runs_per_s),
        step_p50_ms: percentile(&measured.step_ms, 0.5),
        step_p99_ms: percentile(&measured.step_ms, 0.99),
        // The samples of the lag take time of their own: it belongs to neither side.
        server_cpu_s: after.from.0.cpu_s - before.to.0.cpu_s,
        runner_cpu_s: after.from.1.cpu_s - before.to.1.cpu_s,
        server_rss_mb: after.from.0.rss_mb,
        fold_lag_ms: lag,
        fold_lag_before_ms: Some(lag_before),
        measured_s: Some(seconds),
        ..base(&stage, &measured)?
    };
    let line = read_back(&stage, line, measured.started, steps)?;
    let mut why: Vec<String> = line.does_not_count.iter().cloned().collect();
    if measured.took < COUNTS_FROM {
        why.push(format!("measured for {seconds:.0} s, less than 30 s"));
    }
    if lag > lag_before + before.scatter_ms.hypot(after.scatter_ms) {
        why.push(format!("the fold lags {lag:.0} ms, at the start it was {lag_before:.0} ms"));
    }
    Ok(Line { does_not_count: (!why.is_empty()).then(|| why.join("; ")), ..line })
}

/// Two nodes beside each other on a database, held against one.
fn nodes(runtime: &Runtime, args: &Load) -> Result<Line, Fault> {
    let plan = plan("steps", THROUGHPUT_STEPS, args.in_flight.unwrap_or(512), args);
    let measure = |nodes| loaded::<Vec<u32>>((runtime, &args.common, nodes), "nodes", plan);
    let (alone, both) = (measure(1)?, measure(2)?);
    let share = both.steps_per_s.zip(alone.steps_per_s).map(|(both, alone)| both / alone);
    let why = both.does_not_count.clone().or_else(|| alone.does_not_count.clone());
    Ok(Line { alone_steps_per_s: alone.steps_per_s, share, does_not_count: why, ..both })
}

fn parked(runtime: &Runtime, args: &Parked) -> Result<Line, Fault> {
    let stage = Stage::set(runtime, &args.common)?;
    let before = stage.server_used();
    let disk_before = stage.health()?.disk_bytes;
    runtime.block_on(load::start_all(&stage.url, "parked", args.runs))?;
    let mut stored = readback::count(&stage.url, "waiting")?;
    let mut patience = 600;
    while stored.runs < u64::from(args.runs) && patience > 0 {
        patience -= 1;
        std::thread::sleep(Duration::from_millis(100));
        stored = readback::count(&stage.url, "waiting")?;
    }
    let used = stage.server_used();
    let disk = stage.health()?.disk_bytes;
    let runs = f64::from(args.runs);
    let base = base(&stage, &Measured::default())?;
    let restart = stage.restart_server()?;
    let after = readback::count(&stage.url, "waiting")?;
    let missing = u64::from(args.runs).saturating_sub(after.runs.min(stored.runs));
    Ok(Line {
        workload: "parked",
        parked: Some(args.runs),
        server_rss_mb: used.rss_mb,
        rss_bytes_each: Some((used.rss_mb - before.rss_mb) * 1_048_576.0 / runs),
        disk_bytes_each: Some((as_f64(disk) - as_f64(disk_before)) / runs),
        restart_ms: Some(restart.as_secs_f64() * 1e3),
        restarted_rss_mb: Some(stage.server_used().rss_mb),
        runs_read_back: Some(after.runs),
        does_not_count: (missing > 0).then(|| format!("{missing} runs are not there as waiting")),
        ..base
    })
}

/// Returns what every workload measures.
pub(super) fn base(stage: &Stage, measured: &Measured) -> Result<Line, Fault> {
    Ok(Line {
        run_p50_ms: percentile(&measured.run_ms, 0.5),
        run_p99_ms: percentile(&measured.run_ms, 0.99),
        server_cpu_s: stage.server_used().cpu_s,
        runner_cpu_s: stage.runner_used().cpu_s,
        server_rss_mb: stage.server_used().rss_mb,
        fold_lag_ms: stage.health()?.fold_lag_ms,
        ..stage.line()?
    })
}

/// Reads every run back: as many as were started, each with all of its steps.
pub(super) fn read_back(
    stage: &Stage,
    mut line: Line,
    started: u64,
    steps: u32,
) -> Result<Line, Fault> {
    let stored = readback::count(&stage.url, "completed")?;
    let wanted = started * u64::from(steps);
    let complete = stored.runs == started && stored.steps == wanted;
    line.runs_read_back = Some(stored.runs);
    line.does_not_count = (!complete).then(|| {
        format!(
            "{} of {started} runs and {} of {wanted} steps were read back",
            stored.runs, stored.steps
        )
    });
    Ok(line)
}

/// The fold's lag, averaged over some time, and what server and runner had used before and after.
struct Sample {
    from: (Used, Used),
    fold_lag_ms: f64,
    /// What the mean of so few samples is uncertain by: twice its standard error. The lag of a fold
    /// that keeps up goes up and down by half a second, and two equal lags would differ by chance.
    scatter_ms: f64,
    to: (Used, Used),
}

impl Sample {
    fn take(stage: &Stage) -> Result<Self, Fault> {
        let used = || (stage.server_used(), stage.runner_used());
        let from = used();
        let mut lags = Vec::new();
        for _ in 0..LAG_SAMPLES {
            lags.push(stage.health()?.fold_lag_ms);
            std::thread::sleep(Duration::from_millis(100));
        }
        let (fold_lag_ms, scatter_ms) = mean(&lags);
        Ok(Self { from, fold_lag_ms, scatter_ms, to: used() })
    }
}

/// Returns the mean of some samples, and what it is uncertain by: twice its standard error.
pub(super) fn mean(samples: &[f64]) -> (f64, f64) {
    let count = as_f64(samples.len() as u64);
    let mean = samples.iter().sum::<f64>() / count;
    let squares: f64 = samples.iter().map(|sample| (sample - mean).powi(2)).sum();
    (mean, 2.0 * (squares / (count - 1.0) / count).sqrt())
}

#[expect(clippy::cast_precision_loss, reason = "counts and bytes far below 2^52")]
pub(super) fn as_f64(count: u64) -> f64 {
    count as f64
}
