//! What can be asked for.

use crate::planted::Bug;

/// How the simulator is used.
pub(super) const USAGE: &str = "\
usage: stepwell-sim --seed N [--trace]
       stepwell-sim --seeds N [--from S] [--jobs J] [--keep-going]
       stepwell-sim --hunt [--seeds N] [--from S] [--jobs J]

  --seed N       simulates one seed and prints the hash of its trace
  --trace        prints all that happens
  --seeds N      simulates so many seeds, and prints which faults met which kinds of steps
  --from S       begins at this seed (default 1)
  --nodes N      has N nodes on a database that they share, 2 to 9; one on a disk of its own otherwise
  --jobs J       uses so many threads (default 1)
  --keep-going   does not stop at the first violation
  --planted B    plants bug B (a build with the feature `planted`)
  --hunt         plants each bug in turn, and tells how many seeds it takes to see it (such a build)";

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Args {
    pub(super) seed: Option<u64>,
    pub(super) trace: bool,
    pub(super) seeds: u64,
    pub(super) from: u64,
    pub(super) threads: u64,
    pub(super) nodes: usize,
    pub(super) keep_going: bool,
    pub(super) hunt: bool,
    pub(super) bug: Bug,
}

impl Args {
    /// Reads arguments, without the program's name.
    ///
    /// # Errors
    /// A text that says which argument is wrong and what is accepted.
    pub(super) fn read(args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut found = Self { from: 1, threads: 1, nodes: 1, ..Self::default() };
        let mut args = args;
        while let Some(arg) = args.next() {
            let mut number = || {
                let text = args.next().ok_or_else(|| format!("{arg} needs a number"))?;
                text.parse::<u64>().map_err(|_| format!("`{text}` is not a number for {arg}"))
            };
            match &*arg {
                "--seed" => found.seed = Some(number()?),
                "--seeds" => found.seeds = number()?,
                "--from" | "--first" => found.from = number()?,
                "--jobs" => found.threads = number()?.clamp(1, 64),
                "--nodes" => found.nodes = usize::try_from(number()?.clamp(1, 9)).unwrap_or(1),
                "--planted" => found.bug = bug(number()?)?,
                "--trace" => found.trace = true,
                "--keep-going" => found.keep_going = true,
                "--hunt" => found.hunt = hunts()?,
                _ => return Err(format!("`{arg}` is not known")),
            }
        }
        if found.seed.is_none() && found.seeds == 0 && !found.hunt {
            return Err("one of --seed, --seeds and --hunt is needed".into());
        }
        Ok(found)
    }
}

#[cfg(feature = "planted")]
fn bug(number: u64) -> Result<Bug, String> {
    let most = Bug::ALL.len();
    let bug = usize::try_from(number).ok().and_then(Bug::number);
    bug.ok_or_else(|| format!("there is no bug {number}; accepted: 1 to {most}"))
}

#[cfg(feature = "planted")]
#[expect(clippy::unnecessary_wraps, reason = "a build without bugs cannot look for them")]
fn hunts() -> Result<bool, String> {
    Ok(true)
}

#[cfg(not(feature = "planted"))]
fn bug(_: u64) -> Result<Bug, String> {
    Err("--planted needs a build with `--features planted`".into())
}

#[cfg(not(feature = "planted"))]
fn hunts() -> Result<bool, String> {
    Err("--hunt needs a build with `--features planted`".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Args, String> {
        Args::read(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn arguments_are_read() {
        let args = read("--seeds 10 --from 5 --jobs 2").unwrap();
        assert_eq!((args.seeds, args.from, args.threads), (10, 5, 2));
        assert_eq!(read("--seed 7 --trace").unwrap().seed, Some(7));
    }

    #[test]
    fn wrong_arguments_are_named() {
        for (text, said) in [
            ("", "is needed"),
            ("--seed", "needs a number"),
            ("--seed x", "`x` is not a number"),
            ("--sed 1", "`--sed` is not known"),
        ] {
            assert!(read(text).unwrap_err().contains(said), "{text}");
        }
    }
}
