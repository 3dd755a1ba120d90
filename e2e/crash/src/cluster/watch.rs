//! Clients that read runs all the time, each time from another node, and note what they see.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::town::Town;
use crate::client::{Api, Failure};
use crate::dice::Dice;
use crate::drive::Load;
use crate::error::Error;
use crate::ledger::{Pen, Stamp, What};

/// How many there are.
pub(super) const WATCHERS: u64 = 3;

/// Between two reads of one of them.
const PAUSE: Duration = Duration::from_millis(60);

/// Of how many of the newest runs one is read.
const NEWEST: usize = 150;

/// Reads until the load ends. A node that stands still answers late: what it answers has to be true all the same.
pub(super) fn watch(
    town: &Town,
    load: &Load,
    (over, number, mut dice): (&AtomicBool, u64, Dice),
) -> Result<(), Error> {
    let pen = Pen::begin(&town.ledger(), &format!("watcher-{number}"));
    let pen = pen.map_err(Error::io("the ledger is begun"))?;
    let api = Api::at(town.addresses());
    while !over.load(Ordering::Relaxed) {
        std::thread::sleep(PAUSE);
        let Some(run) = load.one_of_the_newest(NEWEST, &mut dice) else { continue };
        let asked = Stamp::now();
        match api.run(&run, None) {
            Ok(Some(read)) => {
                let what = read.into_sight(asked);
                pen.note(what).map_err(Error::io("a sight is noted"))?;
            }
            Ok(None) => {
                let (asked_ns, steps) = (asked.mono_ns, [].into());
                let what = What::Seen { run, asked_ns, status: None, steps };
                pen.note(what).map_err(Error::io("a sight is noted"))?;
            }
            Err(Failure::Away(_)) => {}
            Err(Failure::Refused(error)) => return Err(error),
        }
    }
    Ok(())
}
