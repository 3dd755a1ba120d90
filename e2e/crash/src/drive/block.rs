//! A function that blocks its thread for long, on a server and runners that nothing is done to.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::load::Load;
use super::stage::{Cast, Places, Stage};
use crate::client::Failure;
use crate::error::Error;
use crate::plan::{How, Plan};
use crate::report::tell;

/// Both runners have one thread and one slot, so that the blocked function is all that they have. The
/// grant would lapse many times while it is blocked if somebody had to be free to renew it.
const CAST: Cast =
    Cast { app: "block", runners: 2, slots: 1, threads: 1, forget: None, ttl_ms: 2_000 };

/// How much longer than its function a run may take.
const SPARE: Duration = Duration::from_secs(30);

/// Blocks for so many seconds and notes what came of it.
pub(super) fn block(places: &Places, seconds: u64, stop: Arc<AtomicBool>) -> Result<(), Error> {
    let stage = Stage::open(places, &CAST, stop)?;
    let load = Load::default();
    let begun = Instant::now();
    let ways = [("on-the-runtime", How::BlocksThread), ("on-its-own-thread", How::OwnThread)];
    for (key, how) in ways {
        load.start(&stage.desk, ("chain", key), &Plan::block(how, seconds * 1_000))?;
    }
    let until = begun + Duration::from_secs(seconds) + SPARE;
    for run in load.accepted() {
        loop {
            stage.check()?;
            let read = match stage.desk.api.run(&run, Some(Duration::from_secs(1))) {
                Ok(read) => read,
                Err(Failure::Refused(error)) => return Err(error),
                Err(Failure::Away(_)) => None,
            };
            if let Some(read) = read.filter(|read| read.has_ended() || Instant::now() > until) {
                stage.desk.pen.note(read.into_fact()).map_err(Error::io("an end is noted"))?;
                break;
            }
            if Instant::now() > until {
                break;
            }
        }
    }
    let took = begun.elapsed();
    tell(&format!(
        "two functions blocked their threads for {seconds} s; all was done after {took:.1?}"
    ));
    Ok(())
}
