//! Events among many waits, and one event that wakes all of them (§8.8, §8.9).
//!
//! Every time is taken on this machine's one clock: the load writes into an event when it sends it, and
//! the code that waited compares as soon as it has the event.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use stepwell::{Client, RunId};

use super::args::Events;
use super::load;
use super::readback;
use super::report::{Line, percentile};
use super::stage::{APP, Stage};
use super::workload::Runtime;
use crate::cli::Fault;

/// The one name that all waits for single events have.
pub(super) const EVENT: &str = "bench";
/// The event that wakes everything.
pub(super) const HERD: &str = "herd";
/// Waits that stand there when the first events are sent, and how many of those are sent.
const FEW: u32 = 1_000;
const FEW_EVENTS: u32 = 2_000;
/// Events that come first after each set-up, and do not count.
const WARM_UP: u32 = 200;
/// The app of the runs that do other things, which has a runner of its own.
const OTHER_APP: &str = "others";
/// Runs that do other things while everything is woken, and their steps.
const OTHERS: u32 = 4;
const OTHER_STEPS: u32 = 10;
/// How long the others are measured before.
const BEFORE: Duration = Duration::from_secs(10);
/// A runner keeps a run for a second after its last activity; then the run is in the store only.
const LINGER: Duration = Duration::from_secs(2);
/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// What the runner saw of the herd.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Woken {
    pub(super) runs: u32,
    /// When the last of them had the event, in microseconds since 1970.
    pub(super) last_us: u64,
}

/// Returns the time in microseconds since 1970.
pub(super) fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// What a wait asks for: a key of its own at the top, deep inside, or beside one that many have.
pub(super) fn wanted(number: u32) -> Value {
    match number % 3 {
        0 => json!({ "order": number }),
        1 => json!({ "order": { "customer": { "number": number } } }),
        _ => json!({ "kind": "paid", "order": number }),
    }
}

/// The data of the event that one wait asks for, and no other.
fn data(number: u32) -> Value {
    let mut data = wanted(number);
    data["by"] = json!("card");
    data["at_us"] = json!(now_us());
    data
}

fn fault(error: impl std::fmt::Display) -> Fault {
    Fault::Machine(error.to_string())
}

/// Measures.
pub(super) fn measure(runtime: &Runtime, args: &Events) -> Result<Line, Fault> {
    let stage = Stage::set(runtime, &args.common)?;
    let client = Client::new(&stage.url).map_err(fault)?;
    let few = runtime.block_on(async {
        let runs = park(&stage, "awaiting", 0..FEW + FEW_EVENTS + WARM_UP).await?;
        one_by_one(&client, &runs, FEW_EVENTS).await
    })?;
    let rest = FEW + FEW_EVENTS + WARM_UP;
    let (many, used) = runtime.block_on(async {
        let runs = park(&stage, "awaiting", rest..rest + args.waits + args.sent).await?;
        let used = stage.server_used();
        Ok::<_, Fault>((one_by_one(&client, &runs, args.sent).await?, used))
    })?;
    let herd = runtime.block_on(herd(&stage, &client, args.waits))?;
    let tenth = many.len() / 10;
    let (first, last) = (sorted(many.get(..tenth)), sorted(many.get(many.len() - tenth..)));
    let (few, many) = (sorted(Some(&few)), sorted(Some(&many)));
    let p99 = |sorted: &[f64]| percentile(sorted, 0.99);
    let growth = |before: Option<f64>, after: Option<f64>| Some(after? / before?);
    Ok(Line {
        workload: "events",
        waits: Some(args.waits),
        event_p50_ms: percentile(&many, 0.5),
        event_p99_ms: p99(&many),
        event_few_p99_ms: p99(&few),
        event_growth: growth(p99(&few), p99(&many)),
        event_drift: growth(p99(&first), p99(&last)),
        wake_all_s: Some(herd.took.as_secs_f64()),
        others_p99_ms: p99(&herd.before),
        others_woken_p99_ms: p99(&herd.during),
        others_growth: growth(p99(&herd.before), p99(&herd.during)),
        server_cpu_s: stage.server_used().cpu_s,
        runner_cpu_s: stage.runner_used().cpu_s,
        server_rss_mb: used.rss_mb,
        fold_lag_ms: stage.health()?.fold_lag_ms,
        ..stage.line()?
    })
}

fn sorted(part: Option<&[f64]>) -> Vec<f64> {
    let mut sorted = part.unwrap_or_default().to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// Starts runs that wait, and returns once all of them wait, are folded, and are in the store only.
async fn park(
    stage: &Stage,
    workflow: &'static str,
    numbers: std::ops::Range<u32>,
) -> Result<Vec<(u32, RunId)>, Fault> {
    let waiting = || tokio::task::block_in_place(|| readback::count(&stage.url, "waiting"));
    let wanted = waiting()?.runs + numbers.len() as u64;
    let runs = load::start_numbered(&stage.url, workflow, numbers).await?;
    let begun = Instant::now();
    while waiting()?.runs < wanted {
        if begun.elapsed() > PATIENCE {
            return Err(Fault::Machine("not all runs came to wait".into()));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    tokio::time::sleep(LINGER).await;
    Ok(runs)
}

/// Sends an event for one wait after the other, and returns the milliseconds from the call that sends
/// it to the code that has it, in the order in which they were sent.
async fn one_by_one(
    client: &Client,
    runs: &[(u32, RunId)],
    events: u32,
) -> Result<Vec<f64>, Fault> {
    // All over the waits, each once: a prime number is no divisor of how many there are.
    let stride = if runs.len().is_multiple_of(7_919) { 7_907 } else { 7_919 };
    let mut took = Vec::new();
    for turn in 0..(events + WARM_UP) as usize {
        let Some((number, run)) = runs.get(turn * stride % runs.len()) else { break };
        client.send(EVENT, &data(*number)).await.map_err(fault)?;
        let us: u64 = client.run(*run).wait_for("30s").await.map_err(fault)?;
        took.push(u32::try_from(us).map_or(f64::INFINITY, f64::from) / 1e3);
    }
    Ok(took.split_off((WARM_UP as usize).min(took.len())))
}

/// What one event for everything did.
struct Herd {
    /// From the call that sends it until the last run had it.
    took: Duration,
    /// The steps of other runs, in milliseconds, sorted.
    before: Vec<f64>,
    during: Vec<f64>,
}

/// What the other runs are measured for.
const NOTHING: u8 = 0;
const IS_BEFORE: u8 = 1;
const IS_DURING: u8 = 2;
const IS_OVER: u8 = 3;

async fn herd(stage: &Stage, client: &Client, waits: u32) -> Result<Herd, Fault> {
    park(stage, "herd", 0..waits).await?;
    tokio::task::block_in_place(|| stage.add_runner(OTHER_APP))?;
    let phase = Arc::new(AtomicU8::new(NOTHING));
    let mut others = Vec::new();
    for _ in 0..OTHERS {
        others.push(tokio::spawn(other(client.clone(), phase.clone())));
    }
    tokio::time::sleep(LINGER).await;
    phase.store(IS_BEFORE, Ordering::Release);
    tokio::time::sleep(BEFORE).await;
    phase.store(IS_DURING, Ordering::Release);
    let begun = now_us();
    client.send(HERD, &()).await.map_err(fault)?;
    let patience = Instant::now();
    let woken = loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let woken: Woken = client.start("woken", &()).app(APP).wait().await.map_err(fault)?;
        if woken.runs >= waits {
            break woken;
        }
        if patience.elapsed() > PATIENCE {
            return Err(Fault::Machine(format!("{} of {waits} runs were woken", woken.runs)));
        }
    };
    phase.store(IS_OVER, Ordering::Release);
    let (mut before, mut during) = (Vec::new(), Vec::new());
    for other in others {
        let (one, two) = other.await.map_err(fault)??;
        before.extend(one);
        during.extend(two);
    }
    before.sort_by(f64::total_cmp);
    during.sort_by(f64::total_cmp);
    let took = Duration::from_micros(woken.last_us.saturating_sub(begun));
    Ok(Herd { took, before, during })
}

/// Runs of another workflow, one after the other: what their steps took, before and while the herd is
/// woken.
async fn other(client: Client, phase: Arc<AtomicU8>) -> Result<(Vec<f64>, Vec<f64>), Fault> {
    let (mut before, mut during) = (Vec::new(), Vec::new());
    loop {
        let at = phase.load(Ordering::Acquire);
        if at == IS_OVER {
            return Ok((before, during));
        }
        let steps: Vec<u32> =
            client.start("steps", &OTHER_STEPS).app(OTHER_APP).wait().await.map_err(fault)?;
        let steps = steps.into_iter().map(|us| f64::from(us) / 1e3);
        match at {
            IS_BEFORE => before.extend(steps),
            IS_DURING => during.extend(steps),
            _ => {}
        }
    }
}

/// Counts runs of the herd, in the runner.
#[derive(Debug, Default)]
pub(super) struct Tally {
    runs: AtomicU32,
    last_us: std::sync::atomic::AtomicU64,
}

impl Tally {
    /// Notes that one more has the event.
    pub(super) fn note(&self) {
        self.last_us.fetch_max(now_us(), Ordering::AcqRel);
        self.runs.fetch_add(1, Ordering::AcqRel);
    }

    /// Returns what was noted.
    pub(super) fn read(&self) -> Woken {
        let runs = self.runs.load(Ordering::Acquire);
        Woken { runs, last_us: self.last_us.load(Ordering::Acquire) }
    }
}
