//! All of it in order, and the judgement.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::act::{Actor, RELEASED_MAX, TAKEN_MAX};
use super::draw::{Kind, Step, draw};
use super::options::Options;
use super::times::Times;
use super::town::Town;
use super::watch::{WATCHERS, watch};
use crate::dice::Dice;
use crate::drive::{
    Load, Pace, Places, await_quiet, find_panics, joined, judge_apart, judge_sabotage, places,
    read_all, stop_flag,
};
use crate::error::Error;
use crate::report::tell;

/// How long runs have to end once nothing is done to them any more.
const QUIET: Duration = Duration::from_mins(2);

/// The same where some never will.
const QUIET_AFTER_SABOTAGE: Duration = Duration::from_secs(15);

/// Runs the test. Tells whether everything is as it should be; its folder stays where it is not.
///
/// # Errors
/// [`Error`] when the test could not go on; its folder stays then as well.
pub fn drive(options: &Options) -> Result<bool, Error> {
    let seed = options.seed.unwrap_or_else(|| Dice::unknown().next());
    let folder = tempfile::Builder::new().prefix("stepwell-cluster-").tempdir();
    let folder = folder.map_err(Error::io("a folder is made"))?;
    let places = places(&options.stepwell, folder.path())?;
    tell(&format!("seed {seed}, folder {}", folder.path().display()));
    let steps = draw(options.faults, &mut Dice::of(seed).part(0));
    let judged = play(options, &places, (seed, &steps)).and_then(|in_time| {
        if options.forget {
            return judge_sabotage("a database that forgets runs", &places);
        }
        let of = |kind| steps.iter().filter(|step| step.kind == kind).count();
        let demands = [
            ("--faults", steps.len()),
            ("--server-kills", of(Kind::KillNode)),
            ("--runner-kills", of(Kind::KillRunner)),
            ("--runs", options.runs_min()),
        ];
        let (sound, text) = judge_apart(&demands, &places)?;
        let fault = find_panics(folder.path()).err();
        let fault = fault.map(|fault| tell(&format!("fault         {fault}")));
        Ok((sound && in_time && fault.is_none(), text))
    });
    if options.keep || !matches!(&judged, Ok((true, _))) {
        let folder = folder.keep();
        tell(&format!("the ledger and the logs are kept in {}", folder.display()));
    }
    let (passed, text) = judged?;
    tell(&text);
    Ok(passed)
}

/// Does everything, and reads every run back. Tells whether it all went on in time.
fn play(options: &Options, places: &Places, (seed, steps): (u64, &[Step])) -> Result<bool, Error> {
    let stop = stop_flag()?;
    let town = Town::open(options, places, Arc::clone(&stop))?;
    let (load, dice, over) = (Load::default(), Dice::of(seed), AtomicBool::new(false));
    let pace = Pace { clients: options.clients, rate: options.rate, honest: !options.forget };
    let mut actor = Actor::of(&town, options.forget);
    std::thread::scope(|scope| {
        let (load, over, town) = (&load, &over, &town);
        let client = |number| {
            let dice = dice.part(number);
            scope.spawn(move || load.client(&town.desk, pace, (number, dice)))
        };
        let mut all: Vec<_> = (1..=options.clients).map(client).collect();
        let watcher = |number| {
            let dice = dice.part(1_000 + number);
            scope.spawn(move || watch(town, load, (over, number, dice)))
        };
        let watchers = if options.forget { 0 } else { WATCHERS };
        all.extend((1..=watchers).map(watcher));
        let played = actor.play(steps);
        load.end();
        over.store(true, Ordering::Relaxed);
        all.into_iter().map(joined).fold(played, Result::and)
    })?;
    tell(&load.summary());
    let quiet = if options.forget { QUIET_AFTER_SABOTAGE } else { QUIET };
    await_quiet(&town.desk, quiet, || town.check())?;
    let first = read_all(&town.desk, &load.accepted())?;
    if !options.forget {
        // What was read once has to be there after another crash of everything, and be the same.
        actor.end_all()?;
        let second = read_all(&town.desk, &load.accepted())?;
        tell(&format!(
            "read back     {first} runs, all was ended at once, and {second} runs again"
        ));
    }
    town.close();
    Ok(in_time(options, &actor))
}

/// Tells how long it took until runs went on, and whether that was soon enough.
fn in_time(options: &Options, actor: &Actor<'_>) -> bool {
    let check = |what: &str, times: &Times, most: Duration| {
        let is_late = times.part(99).is_some_and(|time| time > most);
        let word = if is_late { format!(", TOO LONG: at most {most:?}") } else { String::new() };
        tell(&format!("{what} {times}{word}"));
        !is_late
    };
    let taken = check("takeover     ", &actor.taken, TAKEN_MAX) && actor.stuck == 0;
    let released = check("release      ", &actor.released, RELEASED_MAX);
    options.no_times || (taken && released)
}
