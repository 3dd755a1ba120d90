//! Looking for every planted bug: how many seeds each takes until a checker sees it.

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::args::Args;
use super::seeds::{say, simulate};
use crate::planted::{Bug, Known};

/// Most seeds that a bug gets where nobody says so.
const SEEDS: u64 = 800;

/// What was seen of a bug.
struct Seen {
    invariant: &'static str,
    what: String,
    /// How many seeds it took.
    seeds: u64,
}

/// Plants one bug after the other and tells how each was seen. Fails where one was not.
pub(super) fn hunt(args: &Args) -> ExitCode {
    let begun = Instant::now();
    let most = if args.seeds == 0 { SEEDS } else { args.seeds };
    let next = AtomicUsize::new(0);
    let found: Mutex<Vec<Option<Seen>>> = Mutex::new(Bug::ALL.iter().map(|_| None).collect());
    let work = || {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(known) = Bug::ALL.get(place) else { return };
            let seen = look_for(place + 1, known, args.from, most);
            tell(place + 1, known, seen.as_ref(), most);
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found[place] = seen;
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..args.threads {
            scope.spawn(work);
        }
        work();
    });
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (named, others) = found.split_at(Bug::NAMED);
    let count = |some: &[Option<Seen>]| some.iter().flatten().count();
    say("");
    for (known, seen) in Bug::ALL.iter().zip(&found) {
        let row = seen.as_ref().map_or_else(
            || "not caught".into(),
            |seen| format!("{:<10}{:>4} seeds", seen.invariant, seen.seeds),
        );
        say(&format!("{:<50}{row}", known.what));
    }
    say(&format!("{} of {} others caught", count(others), others.len()));
    say(&format!(
        "{} of {} planted bugs caught, {} s",
        count(named),
        named.len(),
        begun.elapsed().as_secs()
    ));
    if found.iter().all(Option::is_some) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn look_for(number: usize, known: &Known, from: u64, most: u64) -> Option<Seen> {
    let bug = Bug::number(number)?;
    (0..most).find_map(|seeds| {
        let seed = from.saturating_add(seeds);
        let broken = |bug: &Bug| {
            let mut violations = simulate(seed, known.nodes, bug, false).violations.into_iter();
            violations.find(|one| known.breaks.contains(&one.invariant))
        };
        let seen = broken(&bug)?;
        // What is broken without the bug too does not show it.
        let shows = broken(&Bug::default()).is_none();
        shows.then(|| Seen { invariant: seen.invariant, what: seen.what, seeds: seeds + 1 })
    })
}

fn tell(number: usize, known: &Known, seen: Option<&Seen>, most: u64) {
    let what = known.what;
    say(&match seen {
        Some(Seen { invariant, what: how, seeds }) => {
            format!("bug {number}, {what}: seen as {invariant} after {seeds} seeds: {how}")
        }
        None => format!("bug {number}, {what}: not seen in {most} seeds"),
    });
}
