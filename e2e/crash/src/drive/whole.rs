//! All of it in order, and the judgement.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use super::desk::Pace;
use super::load::Load;
use super::options::Options;
use super::stage::{Cast, Places, Stage};
use super::{back, block, kills, logs};
use crate::dice::Dice;
use crate::error::Error;
use crate::judge::{self, Class, Demands};
use crate::ledger::{Target, load};
use crate::report::tell;

/// Short, so that a run is soon with another runner: there is a kill almost every second.
const TTL_MS: u64 = 1_000;

/// How long runs have to end once nothing is killed any more.
const QUIET: Duration = Duration::from_mins(1);

/// The same where some never will.
const QUIET_AFTER_SABOTAGE: Duration = Duration::from_secs(10);

/// Runs the test. Tells whether the ledger is as it should be, which is sound, but for sabotage; its
/// folder stays where it is not.
///
/// # Errors
/// [`Error`] when the test could not go on; its folder stays then as well.
pub fn drive(options: &Options) -> Result<bool, Error> {
    let seed = options.seed.unwrap_or_else(|| Dice::unknown().next());
    let folder = tempfile::Builder::new().prefix("stepwell-crash-").tempdir();
    let folder = folder.map_err(Error::io("a folder is made"))?;
    let places = places(&options.stepwell, folder.path())?;
    tell(&format!("seed {seed}, folder {}", folder.path().display()));
    let played = play(options, &places, seed);
    let judged = played.and_then(|()| match options.forget {
        None => {
            let demands = [
                ("--server-kills", options.server_kills),
                ("--runner-kills", options.runner_kills),
                ("--runs", options.runs_min()),
            ];
            let (sound, text) = judge_apart(&demands, &places)?;
            let fault = logs::check(folder.path()).err();
            let fault = fault.map(|fault| tell(&format!("fault         {fault}")));
            Ok((sound && fault.is_none(), text))
        }
        Some(bytes) => {
            let who = format!("a server that forgets the last {bytes} bytes of its log");
            judge_sabotage(&who, &places)
        }
    });
    if options.keep || !matches!(&judged, Ok((true, _))) {
        let folder = folder.keep();
        tell(&format!("the ledger, the logs and the data are kept in {}", folder.display()));
    }
    let (passed, text) = judged?;
    tell(&text);
    Ok(passed)
}

/// Says where things are, with the binary `stepwell` and the folder of the test.
pub(crate) fn places(stepwell: &Path, folder: &Path) -> Result<Places, Error> {
    let runner = sibling("crash-runner")?;
    let places = Places { stepwell: stepwell.to_owned(), runner, folder: folder.to_owned() };
    std::fs::create_dir(places.ledger()).map_err(Error::io("a folder for the ledger is made"))?;
    Ok(places)
}

/// Another binary of this package stands beside this one.
fn sibling(name: &str) -> Result<PathBuf, Error> {
    let own =
        std::env::current_exe().map_err(Error::io("the path of this program is asked for"))?;
    Ok(own.with_file_name(name))
}

/// Returns what a signal that stops the test sets.
pub(crate) fn stop_flag() -> Result<Arc<AtomicBool>, Error> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        let registered = signal_hook::flag::register(signal, stop.clone());
        registered.map_err(Error::io("a signal is listened to"))?;
    }
    Ok(stop)
}

fn play(options: &Options, places: &Places, seed: u64) -> Result<(), Error> {
    let stop = stop_flag()?;
    let (runners, forget) = (options.runners, options.forget);
    let cast = Cast { app: "crash", runners, slots: 64, threads: 2, forget, ttl_ms: TTL_MS };
    let stage = Stage::open(places, &cast, stop.clone())?;
    std::thread::scope(|scope| {
        let blocking = (options.blocking_seconds > 0)
            .then(|| scope.spawn(|| block::block(places, options.blocking_seconds, stop.clone())));
        let done = kill_under_load(options, &stage, seed);
        if done.is_err() {
            stop.store(true, Ordering::Relaxed);
        }
        let blocked = blocking.map_or(Ok(()), joined);
        done.and(blocked)
    })
}

fn kill_under_load(options: &Options, stage: &Stage, seed: u64) -> Result<(), Error> {
    let load = Load::default();
    let dice = Dice::of(seed);
    let honest = options.forget.is_none();
    let pace = Pace { clients: options.clients, rate: options.rate, honest };
    std::thread::scope(|scope| {
        let client = |number| {
            let dice = dice.part(number);
            let load = &load;
            scope.spawn(move || load.client(&stage.desk, pace, (number, dice)))
        };
        let clients: Vec<_> = (1..=options.clients).map(client).collect();
        let killed = kills::kill(stage, options, &mut dice.part(0));
        load.end();
        clients.into_iter().map(joined).fold(killed, Result::and)
    })?;
    tell(&load.summary());
    let quiet = if honest { QUIET } else { QUIET_AFTER_SABOTAGE };
    back::await_quiet(&stage.desk, quiet, || stage.check())?;
    let first = back::read_all(&stage.desk, &load.accepted())?;
    if honest {
        // What was read once has to be there after another crash, and be the same.
        stage.kill(Target::Server, 0)?;
        let second = back::read_all(&stage.desk, &load.accepted())?;
        tell(&format!(
            "read back     {first} runs, the server was killed, and {second} runs again"
        ));
    }
    stage.close()?;
    tell(&format!("data folder   {}", stage.examine()?.replace('\n', "; ")));
    Ok(())
}

/// Waits for a thread. A panic in it is one here.
pub(crate) fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Has the ledger judged by a program of its own, which is then shown to refuse this very ledger with
/// each kind of violation put in.
pub(crate) fn judge_apart(
    demands: &[(&str, usize)],
    places: &Places,
) -> Result<(bool, String), Error> {
    let run = |more: &[&str]| -> Result<(bool, String), Error> {
        let mut command = Command::new(sibling("crash-judge")?);
        for (flag, count) in demands {
            command.arg(flag).arg(count.to_string());
        }
        let output = command.arg("--all-kinds").args(more).arg(places.ledger()).output();
        let output = output.map_err(Error::io("the judge is started"))?;
        let text = [output.stdout, output.stderr].concat();
        Ok((output.status.success(), String::from_utf8_lossy(&text).trim_end().to_owned()))
    };
    let (sound, text) = run(&[])?;
    if !sound {
        return Ok((false, text));
    }
    let (refuses, shown) = run(&["--self-test"])?;
    tell(&format!(
        "this ledger, with violations put in: {}",
        shown.lines().last().unwrap_or_default()
    ));
    if !refuses {
        return Ok((false, format!("{shown}\n{text}")));
    }
    Ok((true, text))
}

/// The ledger of somebody who forgets must not be sound.
pub(crate) fn judge_sabotage(who: &str, places: &Places) -> Result<(bool, String), Error> {
    let sheets = load(&[places.ledger()]).map_err(Error::io("the ledger is read"))?;
    let verdict = judge::judge(&sheets, &Demands::default());
    let wrong = [Class::Lost, Class::Changed, Class::Repeated].map(|class| verdict.count(class));
    let found_out = wrong.iter().sum::<usize>() > 0;
    let word = if found_out { "is found out" } else { "WAS NOT FOUND OUT" };
    Ok((found_out, format!("{who} {word}: {verdict}")))
}
