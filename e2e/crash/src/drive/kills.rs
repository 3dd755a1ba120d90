//! When what is killed.

use std::time::{Duration, Instant};

use super::options::Options;
use super::stage::Stage;
use crate::dice::Dice;
use crate::error::Error;
use crate::ledger::Target;
use crate::report::tell;

/// How often the kills so far are told.
const TOLD_EVERY: Duration = Duration::from_secs(15);

#[derive(Clone, Copy, Debug)]
struct Kill {
    after: Duration,
    target: Target,
    which: u64,
}

/// Draws instants that are independent of each other and of what the processes do: a process may be
/// killed while it recovers from the kill before.
fn schedule(options: &Options, dice: &mut Dice) -> Vec<Kill> {
    let span_ms = options.seconds.saturating_mul(1_000);
    let mut kills = Vec::new();
    for (target, count) in
        [(Target::Server, options.server_kills), (Target::Runner, options.runner_kills)]
    {
        for _ in 0..count {
            // The first moments have load already, and the last kill is under load.
            let after = Duration::from_millis(dice.within(span_ms / 50, span_ms - span_ms / 50));
            kills.push(Kill { after, target, which: dice.next() });
        }
    }
    kills.sort_by_key(|kill| kill.after);
    kills
}

/// Kills until the time is over.
pub(super) fn kill(stage: &Stage, options: &Options, dice: &mut Dice) -> Result<(), Error> {
    let begun = Instant::now();
    let mut told = Duration::ZERO;
    let (mut servers, mut runners) = (0, 0);
    for kill in schedule(options, dice) {
        stage.wait_until(begun + kill.after)?;
        stage.kill(kill.target, kill.which)?;
        match kill.target {
            Target::Server => servers += 1,
            Target::Runner => runners += 1,
        }
        if begun.elapsed() >= told + TOLD_EVERY {
            told = begun.elapsed();
            let seconds = told.as_secs();
            tell(&format!("{seconds:4} s: {servers} servers and {runners} runners killed"));
        }
    }
    stage.wait_until(begun + Duration::from_secs(options.seconds))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[test]
    fn there_are_as_many_kills_as_asked_for_and_the_seed_says_when() {
        let line = ["crash", "--stepwell", "x", "--seconds", "60", "--server-kills", "30"];
        let options = Options::parse_from(line);
        let draw = |seed| schedule(&options, &mut Dice::of(seed));
        let kills = draw(1);
        let servers = kills.iter().filter(|kill| kill.target == Target::Server).count();
        assert_eq!((servers, kills.len()), (30, 130));
        assert!(kills.is_sorted_by_key(|kill| kill.after));
        assert!(kills.iter().all(|kill| kill.after < Duration::from_mins(1)));
        let instants =
            |kills: &[Kill]| -> Vec<Duration> { kills.iter().map(|kill| kill.after).collect() };
        assert_eq!(instants(&kills), instants(&draw(1)));
        assert_ne!(instants(&kills), instants(&draw(2)));
    }
}
