//! The runner's side: workflows whose steps do nothing, so that what is measured is the engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use futures_util::future::try_join_all;
use serde::Deserialize;
use stepwell::{App, Ctx, Error, Result};

use super::args::BenchRunner;
use super::events::{self, Tally, Woken};
use super::replay::{self, Replayed};
use crate::cli::Fault;

/// Runs that the runner has in progress at most.
const SLOTS: u32 = 4_096;

/// Steps after each other; returns the microseconds that each of them took.
async fn steps(ctx: Ctx, count: u32) -> Result<Vec<u32>> {
    let mut took = Vec::with_capacity(count as usize);
    let mut value = 0_u64;
    for number in 0..count {
        let begun = Instant::now();
        value = ctx.run(format!("step-{number}"), || async { Ok(value + 1) }).await?;
        took.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    Ok(took)
}

async fn noop(_ctx: Ctx, input: u32) -> Result<u32> {
    Ok(input)
}

/// Steps beside each other; returns the microseconds from the first to the last of them.
async fn fanout(ctx: Ctx, count: u32) -> Result<u32> {
    let begun = Instant::now();
    let branches = (0..count).map(|number| {
        let ctx = ctx.clone();
        async move { ctx.run(format!("branch-{number}"), || async { Ok(number) }).await }
    });
    let values = try_join_all(branches).await?;
    let took = begun.elapsed();
    debug_assert_eq!(values.len(), count as usize, "every branch gave its value");
    Ok(u32::try_from(took.as_micros()).unwrap_or(u32::MAX))
}

async fn parked(ctx: Ctx, _input: u32) -> Result<()> {
    ctx.sleep("park", "1h").await
}

/// Steps after each other, and a wait; returns what the last replay of the steps took.
async fn replayed(ctx: Ctx, count: u32) -> Result<Replayed> {
    let begun = Instant::now();
    let called = AtomicU32::new(0);
    for number in 0..count {
        let function = || async {
            called.fetch_add(1, Ordering::AcqRel);
            Ok(number)
        };
        ctx.run(format!("step-{number}"), function).await?;
    }
    let us = u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX);
    let _: Option<()> = ctx.wait_for_event("wait", replay::EVENT).await?;
    Ok(Replayed { us, called: called.load(Ordering::Acquire) })
}

/// Waits for the event that nobody else waits for; returns the microseconds from its sending to here.
async fn awaiting(ctx: Ctx, number: u32) -> Result<u64> {
    let wanted = events::wanted(number);
    let event: Option<Stamped> = ctx.wait_for_event("wait", events::EVENT).matching(wanted).await?;
    let sent_us = event.map_or(0, |event| event.at_us);
    Ok(events::now_us().saturating_sub(sent_us))
}

/// Waits with all the others for one event.
async fn herd(ctx: Ctx, tally: Arc<Tally>) -> Result<()> {
    let _: Option<()> = ctx.wait_for_event("wait", events::HERD).await?;
    tally.note();
    Ok(())
}

/// An event that knows when it was sent.
#[derive(Deserialize)]
struct Stamped {
    at_us: u64,
}

/// Serves the bench's workflows until the process is told to stop.
pub(crate) fn serve(args: &BenchRunner) -> std::result::Result<(), Fault> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let tally = Arc::new(Tally::default());
    let noted = tally.clone();
    let app = App::new(args.app.clone())
        .workflow("steps", steps)
        .workflow("noop", noop)
        .workflow("fanout", fanout)
        .workflow("parked", parked)
        .workflow("replayed", replayed)
        .workflow("awaiting", awaiting)
        .workflow("herd", move |ctx: Ctx, _: u32| herd(ctx, noted.clone()))
        .workflow("woken", move |_: Ctx, (): ()| {
            let tally = tally.clone();
            async move { Ok::<Woken, Error>(tally.read()) }
        })
        .slots(SLOTS);
    // The bench holds the other end of the standard input: this ends however the bench does.
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        drop(end);
    });
    let ended = async { drop(ended.await) };
    let served = runtime.block_on(async {
        app.serve(args.url.clone()).with_graceful_shutdown(ended).drain_timeout("1s").await
    });
    served.map_err(|error| Fault::Machine(error.to_string()))
}
