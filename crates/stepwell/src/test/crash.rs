//! Every crash point of a scenario, and the report.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use serde_json::value::RawValue;

use super::harness::Test;
use super::view::TestRun;
use super::watch::{CrashAt, Place, Trap};
use crate::app::App;
use crate::error::{Error, Result};

/// Time that runs get after a crash to come as far as they came without one.
const REST: Duration = Duration::from_mins(1);

/// How much of it passes at once.
const REST_STEP: Duration = Duration::from_secs(5);

/// What [`crash_everywhere`] did; shown, it is a line.
#[derive(Clone, Debug)]
pub struct Report {
    points: Vec<String>,
}

impl Report {
    /// Returns at how many moments a process was killed.
    pub fn crash_points(&self) -> usize {
        self.points.len()
    }

    /// Returns each of those moments, as text.
    pub fn points(&self) -> impl Iterator<Item = &str> {
        self.points.iter().map(String::as_str)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} crash points, the same outcome at each", self.points.len())
    }
}

/// Why a scenario does not come out the same wherever its process dies. Shown, it says where that was
/// and what differs.
pub struct Failure {
    point: Option<String>,
    passed: usize,
    why: Vec<String>,
}

impl Failure {
    fn new(point: Option<&Trap>, place: Option<&Place>, passed: usize, why: Vec<String>) -> Self {
        let point = point.zip(place).map(|(trap, place)| format!("{place}: {}", trap.at));
        Self { point, passed, why }
    }

    /// Returns where the process was killed; absent where the scenario fails without that.
    pub fn point(&self) -> Option<&str> {
        self.point.as_deref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.point {
            None => writeln!(f, "the scenario fails without any crash:")?,
            Some(point) => {
                writeln!(f, "not the same outcome where the process is killed at {point}")?;
                writeln!(f, "({} crash points before this one were good):", self.passed)?;
            }
        }
        for (at, why) in self.why.iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            write!(f, "  {why}")?;
        }
        Ok(())
    }
}

/// As it is shown: for `unwrap`.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failure {}

/// Runs a scenario once to learn its steps, then again for each attempt of each step and each
/// [`CrashAt`]: the process is killed there, another one takes over, and the outcome has to be the same.
///
/// The outcome is the status and output of every run that the scenario starts, and the status and
/// result of each of their steps. No function may be called again whose result was saved. `app` makes
/// the app for each time that the scenario runs, with the world outside as it is at the beginning;
/// `scenario` starts runs and lets time pass. It may look at them, and what it then finds wrong counts
/// as a failure, whether it returns an error or panics.
///
/// Runs that have not come as far as without the crash get another minute of virtual time. Ids of runs
/// are compared by the runs' numbers. Outcomes that hold the time of day differ by themselves.
///
/// ```
/// use std::time::Duration;
///
/// use stepwell::test::crash_everywhere;
/// use stepwell::{App, Ctx, Result};
///
/// async fn order(ctx: Ctx, cents: u32) -> Result<String> {
///     let receipt: u32 = ctx.run("charge", || async { Ok(cents) }).await?;
///     ctx.sleep("a day", "1 day").await?;
///     ctx.run("ship", || async { Ok(format!("shipped for {receipt}")) }).await
/// }
///
/// let report = crash_everywhere(
///     || App::new("shop").workflow("order", order),
///     |test| {
///         let run = test.start("order", 500)?;
///         test.advance(Duration::from_hours(24));
///         assert_eq!(run.output::<String>()?, "shipped for 500");
///         Ok(())
///     },
/// );
/// // Two steps with functions, each at four moments; a sleep at two.
/// assert_eq!(report.unwrap().crash_points(), 10);
/// ```
///
/// # Errors
/// [`Failure`] at the first crash point where the outcome differs.
pub fn crash_everywhere(
    app: impl Fn() -> App,
    scenario: impl Fn(&mut Test) -> Result<()>,
) -> Result<Report, Failure> {
    let fails = |why| Failure::new(None, None, 0, why);
    let (wanted, Met { mut places, mut open_ended }) =
        play(&app, &scenario, None).map_err(fails)?;
    let mut points = Vec::new();
    let mut at = 0;
    // A crash may lead to steps that are not met without one: they are crash points as well.
    while let Some(place) = places.get(at).cloned() {
        at += 1;
        for moment in CrashAt::ALL {
            let no_function = place.attempt == 0;
            if no_function && matches!(moment, CrashAt::BeforeFunction | CrashAt::BeforeSend) {
                continue;
            }
            // Nobody is told the end of what goes on, or was given up before its process came back.
            if moment == CrashAt::AfterAcknowledgement && open_ended.contains(&place) {
                continue;
            }
            let trap = Trap {
                at: moment,
                step: place.step.clone(),
                run: Some(place.run),
                attempt: Some(place.attempt),
            };
            let fails = |why| Failure::new(Some(&trap), Some(&place), points.len(), why);
            let again = Again { trap: &trap, wanted: &wanted };
            let (_, met) = play(&app, &scenario, Some(again)).map_err(fails)?;
            points.push(format!("{place}: {moment}"));
            let is_new = |one: &Place| !places.contains(one);
            let new: Vec<Place> = met.places.into_iter().filter(is_new).collect();
            open_ended.extend(met.open_ended.into_iter().filter(|one| new.contains(one)));
            places.extend(new);
        }
    }
    Ok(Report { points })
}

/// What a scenario came by.
struct Met {
    places: Vec<Place>,
    /// Those that no process was told the end of.
    open_ended: Vec<Place>,
}

/// Another time, with a crash.
#[derive(Clone, Copy)]
struct Again<'a> {
    trap: &'a Trap,
    wanted: &'a [Outcome],
}

/// What becomes of a run.
#[derive(Debug, PartialEq)]
struct Outcome {
    ended: bool,
    /// Status and output, or the error.
    end: String,
    steps: BTreeMap<String, String>,
}

impl Outcome {
    fn of(run: &TestRun) -> Result<Self> {
        let status = run.status()?;
        let output = match run.output::<Option<Box<RawValue>>>() {
            Ok(output) => output.map_or_else(|| "null".to_owned(), |raw| raw.get().to_owned()),
            Err(error) if status.is_ended() => error.to_string(),
            Err(_) => "no output yet".to_owned(),
        };
        let steps = run.steps()?.into_iter().map(|step| {
            let end = step.error.as_deref().unwrap_or_else(|| step.output_text());
            (step.id.clone(), format!("{} {end}", step.status))
        });
        let end = format!("{status} {output}");
        Ok(Self { ended: status.is_ended(), end, steps: steps.collect() })
    }

    /// Names runs by their number: ids of children and of what events start are made of the time.
    fn without_ids(mut self, runs: &[TestRun]) -> Self {
        let texts = self.steps.values_mut().chain([&mut self.end]);
        for text in texts.filter(|text| text.contains("run_")) {
            for (at, run) in runs.iter().enumerate() {
                *text = text.replace(&run.id().to_string(), &format!("run {}", at + 1));
            }
        }
        self
    }

    /// Says what differs in another one.
    fn differs(&self, at: usize, other: &Self) -> Vec<String> {
        let mut why = Vec::new();
        if self.end != other.end {
            why.push(format!(
                "run {}: {} without the crash, {} with it",
                at + 1,
                self.end,
                other.end
            ));
        }
        let ids =
            self.steps.keys().chain(other.steps.keys().filter(|id| !self.steps.contains_key(*id)));
        for id in ids {
            let (one, two) = (self.steps.get(id), other.steps.get(id));
            if one != two {
                let [one, two] = [one, two].map(|end| end.map_or("no such step", String::as_str));
                why.push(format!(
                    "run {}, step `{id}`: {one} without the crash, {two} with it",
                    at + 1
                ));
            }
        }
        why
    }
}

/// Runs the scenario; gives the outcomes of its runs, and the places at which it could crash.
fn play(
    app: &impl Fn() -> App,
    scenario: &impl Fn(&mut Test) -> Result<()>,
    again: Option<Again<'_>>,
) -> Result<(Vec<Outcome>, Met), Vec<String>> {
    let said = |error: Error| vec![error.to_string()];
    let mut test = Test::new(app()).map_err(said)?;
    if let Some(again) = again {
        test.watcher().trap(again.trap.clone());
    }
    let result = catch_unwind(AssertUnwindSafe(|| scenario(&mut test)));
    let early = match result {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(panic) => Some(Error::panic(&*panic).to_string()),
    };
    if early.is_none()
        && let Some(again) = again
    {
        rest(&mut test, again.wanted).map_err(said)?;
    }
    let repeated = test.watcher().repeated();
    let missed = test.watcher().missed();
    let (places, open_ended) = (test.watcher().places(), test.watcher().open_ended());
    let runs = test.runs();
    let outcomes: Result<Vec<Outcome>> =
        runs.iter().map(|run| Ok(Outcome::of(run)?.without_ids(&runs))).collect();
    test.abandon();
    let mut why: Vec<String> = early.into_iter().chain(repeated).collect();
    let outcomes = outcomes.map_err(said)?;
    if let Some(again) = again {
        let (wanted, found) = (again.wanted, &outcomes);
        if wanted.len() != found.len() {
            why.push(format!("{} runs without the crash, {} with it", wanted.len(), found.len()));
        }
        let pairs = wanted.iter().zip(found).enumerate();
        why.extend(pairs.flat_map(|(at, (wanted, found))| wanted.differs(at, found)));
    }
    // What was not met is mostly a consequence of what was found already.
    if why.is_empty() {
        why.extend(missed);
    }
    if why.is_empty() { Ok((outcomes, Met { places, open_ended })) } else { Err(why) }
}

/// Gives runs the time to come as far as they came without a crash.
fn rest(test: &mut Test, wanted: &[Outcome]) -> Result<()> {
    let mut rested = Duration::ZERO;
    while rested < REST {
        let mut behind = false;
        for (run, wanted) in test.runs().iter().zip(wanted) {
            behind |= wanted.ended && !run.status()?.is_ended();
        }
        if !behind {
            return Ok(());
        }
        test.advance(REST_STEP);
        rested += REST_STEP;
    }
    Ok(())
}
