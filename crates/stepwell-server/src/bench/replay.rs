//! Long runs that a new runner takes up: it replays all that they did (§3.1).

use std::time::{Duration, Instant};

use stepwell::{Client, RunId};

use super::args::Replay;
use super::load::Measured;
use super::readback;
use super::report::{Line, percentile};
use super::stage::Stage;
use super::workload::{Runtime, base, read_back};
use crate::cli::Fault;

/// What a long run waits for in the end.
pub(super) const EVENT: &str = "go-on";
/// A runner keeps a run for a second after its last activity; then it can be killed without having it.
const LINGER: Duration = Duration::from_secs(2);
/// How long the steps of a run may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// What the code of a run says of its replay.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Replayed {
    /// From its beginning to the last step before the wait, in microseconds.
    pub(super) us: u32,
    /// How many functions of steps were called.
    pub(super) called: u32,
}

/// Measures.
pub(super) fn measure(runtime: &Runtime, args: &Replay) -> Result<Line, Fault> {
    let stage = Stage::set(runtime, &args.common)?;
    let client = Client::new(&stage.url).map_err(fault)?;
    let (mut whole, mut code, mut called) = (Vec::new(), Vec::new(), 0);
    for _ in 0..args.runs {
        let run = runtime.block_on(async { client.start("replayed", &args.steps).await });
        let run = run.map_err(fault)?.id();
        await_wait(&stage)?;
        stage.restart_runner()?;
        let begun = Instant::now();
        let replayed = runtime.block_on(go_on(&client, run)).map_err(fault)?;
        whole.push(begun.elapsed().as_secs_f64() * 1e3);
        code.push(f64::from(replayed.us) / 1e3);
        called += replayed.called;
    }
    whole.sort_by(f64::total_cmp);
    code.sort_by(f64::total_cmp);
    let line = Line {
        workload: "replay",
        replay_ms: percentile(&whole, 0.5),
        replay_code_ms: percentile(&code, 0.5),
        ..base(&stage, &Measured::default())?
    };
    let line = read_back(&stage, line, args.runs.into(), args.steps + 1)?;
    let again = (called > 0).then(|| format!("{called} functions were called again"));
    Ok(Line { does_not_count: again.or(line.does_not_count), ..line })
}

/// Waits until the run has come to its wait, and is in the store only.
fn await_wait(stage: &Stage) -> Result<(), Fault> {
    let begun = Instant::now();
    while readback::count(&stage.url, "waiting")?.runs == 0 {
        if begun.elapsed() > PATIENCE {
            return Err(Fault::Machine("a run did not come to wait".into()));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    std::thread::sleep(LINGER);
    Ok(())
}

async fn go_on(client: &Client, run: RunId) -> stepwell::Result<Replayed> {
    client.send(EVENT, &()).run(run).await?;
    client.run(run).wait_for("30s").await
}

fn fault(error: impl std::fmt::Display) -> Fault {
    Fault::Machine(error.to_string())
}
