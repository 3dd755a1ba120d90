//! Starting runs and timing them.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use stepwell::{Client, RunId};

use crate::cli::Fault;

/// What a load measured between the end of its warming up and its own end.
#[derive(Debug, Default)]
pub(super) struct Measured {
    /// How long was measured.
    pub(super) took: Duration,
    /// Runs that ended in that time.
    pub(super) runs: u64,
    /// Runs started in all, with those before and after.
    pub(super) started: u64,
    /// From start to end, in milliseconds, sorted.
    pub(super) run_ms: Vec<f64>,
    /// From the code's call of a step to its answer, in milliseconds, sorted.
    pub(super) step_ms: Vec<f64>,
}

/// What a run says of its steps: the microseconds that each took.
pub(super) trait Output: DeserializeOwned + Send + 'static {
    fn step_us(&self) -> &[u32];
}

impl Output for Vec<u32> {
    fn step_us(&self) -> &[u32] {
        self
    }
}

impl Output for u32 {
    fn step_us(&self) -> &[u32] {
        &[]
    }
}

/// What a load does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) workflow: &'static str,
    pub(super) input: u32,
    pub(super) in_flight: u32,
    pub(super) warm_up: Duration,
    pub(super) measure: Duration,
}

struct Shared {
    measuring: AtomicBool,
    stop: AtomicBool,
    started: AtomicU64,
}

/// Keeps so many runs in flight, each started and awaited by a request of its own, at one of the servers in turn. `at` is called
/// when measuring begins and when it ends.
pub(super) async fn run<O: Output>(
    urls: &[String],
    plan: Plan,
    mut at: impl FnMut() -> Result<(), Fault>,
) -> Result<Measured, Fault> {
    let shared = Arc::new(Shared {
        measuring: AtomicBool::new(false),
        stop: AtomicBool::new(false),
        started: AtomicU64::new(0),
    });
    let client = |url: &String| Client::new(url);
    let clients: Result<Vec<Client>, _> = urls.iter().map(client).collect();
    let clients = clients.map_err(|error| Fault::Machine(error.to_string()))?;
    let mut loops = Vec::new();
    for client in clients.iter().cycle().take(plan.in_flight as usize) {
        loops.push(tokio::spawn(one_after_the_other::<O>(client.clone(), plan, shared.clone())));
    }
    tokio::time::sleep(plan.warm_up).await;
    tokio::task::block_in_place(&mut at)?;
    let begun = Instant::now();
    shared.measuring.store(true, Ordering::Release);
    tokio::time::sleep(plan.measure).await;
    shared.measuring.store(false, Ordering::Release);
    let mut measured = Measured { took: begun.elapsed(), ..Measured::default() };
    tokio::task::block_in_place(&mut at)?;
    shared.stop.store(true, Ordering::Release);
    for handle in loops {
        let part = handle.await.map_err(|error| Fault::Machine(error.to_string()))??;
        measured.runs += part.runs;
        measured.run_ms.extend(part.run_ms);
        measured.step_ms.extend(part.step_ms);
    }
    measured.started = shared.started.load(Ordering::Acquire);
    measured.run_ms.sort_by(f64::total_cmp);
    measured.step_ms.sort_by(f64::total_cmp);
    Ok(measured)
}

async fn one_after_the_other<O: Output>(
    client: Client,
    plan: Plan,
    shared: Arc<Shared>,
) -> Result<Measured, Fault> {
    let mut measured = Measured::default();
    while !shared.stop.load(Ordering::Acquire) {
        let begun = Instant::now();
        shared.started.fetch_add(1, Ordering::AcqRel);
        let ended = client.start(plan.workflow, &plan.input).wait::<O>().await;
        let output = ended.map_err(|error| Fault::Machine(error.to_string()))?;
        if shared.measuring.load(Ordering::Acquire) {
            measured.runs += 1;
            measured.run_ms.push(begun.elapsed().as_secs_f64() * 1e3);
            measured.step_ms.extend(output.step_us().iter().map(|us| f64::from(*us) / 1e3));
        }
    }
    Ok(measured)
}

/// Runs one run after the other and returns the output of each, without those for warming up.
pub(super) async fn sequence<O: DeserializeOwned>(
    url: &str,
    workflow: &str,
    input: u32,
    runs: u32,
) -> Result<(Vec<O>, Measured), Fault> {
    let client = Client::new(url).map_err(|error| Fault::Machine(error.to_string()))?;
    let (mut outputs, mut measured) = (Vec::new(), Measured::default());
    for number in 0..runs * 2 {
        let begun = Instant::now();
        let ended = client.start(workflow, &input).wait::<O>().await;
        let output = ended.map_err(|error| Fault::Machine(error.to_string()))?;
        measured.started += 1;
        if number >= runs {
            measured.runs += 1;
            measured.took += begun.elapsed();
            measured.run_ms.push(begun.elapsed().as_secs_f64() * 1e3);
            outputs.push(output);
        }
    }
    measured.run_ms.sort_by(f64::total_cmp);
    Ok((outputs, measured))
}

/// Starts a run for each number and does not wait for their ends.
pub(super) async fn start_numbered(
    url: &str,
    workflow: &'static str,
    numbers: Range<u32>,
) -> Result<Vec<(u32, RunId)>, Fault> {
    const AT_ONCE: u32 = 64;
    let client = Client::new(url).map_err(|error| Fault::Machine(error.to_string()))?;
    let next = Arc::new(AtomicU32::new(numbers.start));
    let mut loops = Vec::new();
    for _ in 0..AT_ONCE {
        let (client, next, end) = (client.clone(), next.clone(), numbers.end);
        loops.push(tokio::spawn(async move {
            let mut runs = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::AcqRel);
                if number >= end {
                    return Ok::<_, stepwell::Error>(runs);
                }
                runs.push((number, client.start(workflow, &number).await?.id()));
            }
        }));
    }
    let mut runs = Vec::new();
    for handle in loops {
        let part = handle.await.map_err(|error| Fault::Machine(error.to_string()))?;
        runs.extend(part.map_err(|error| Fault::Machine(error.to_string()))?);
    }
    runs.sort_unstable();
    Ok(runs)
}

/// Starts so many runs and does not wait for their ends.
pub(super) async fn start_all(url: &str, workflow: &'static str, runs: u32) -> Result<(), Fault> {
    const AT_ONCE: u32 = 64;
    let client = Client::new(url).map_err(|error| Fault::Machine(error.to_string()))?;
    let next = Arc::new(AtomicU64::new(0));
    let mut loops = Vec::new();
    for _ in 0..AT_ONCE {
        let (client, next) = (client.clone(), next.clone());
        loops.push(tokio::spawn(async move {
            while next.fetch_add(1, Ordering::AcqRel) < u64::from(runs) {
                client.start(workflow, &0_u32).await?;
            }
            Ok::<(), stepwell::Error>(())
        }));
    }
    for handle in loops {
        let ended = handle.await.map_err(|error| Fault::Machine(error.to_string()))?;
        ended.map_err(|error| Fault::Machine(error.to_string()))?;
    }
    Ok(())
}
