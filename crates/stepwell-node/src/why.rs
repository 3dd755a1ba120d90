//! Why a run is not moving: one answer for the API, the command line and people (§9.7).
//!
//! It is made from what is recorded of the run and from who is connected; whoever shows a run asks for
//! it here.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;
use stepwell_core::id::RunId;
use stepwell_core::status::{Kind, RunStatus, StepStatus};
use stepwell_core::step_id;
use stepwell_core::view::{CleanUpView, StepView, View};

use crate::output::RunnerInfo;

/// What keeps a run from moving, or what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// It has ended.
    Ended,
    /// A runner holds it and its code or a function is in progress.
    Running,
    /// It wants a runner and will get one as soon as it is its turn.
    Queued,
    /// No runner of its app is connected.
    NoRunner,
    /// No connected runner of its app has its workflow.
    NoWorkflow,
    /// The runner that it is pinned to is not connected.
    NoPinnedRunner,
    /// Every runner that has its workflow is stopping.
    RunnersStop,
    /// Every slot of the runners that have its workflow is taken.
    NoSlot,
    /// Its start is delayed.
    Delayed,
    /// It sleeps.
    Sleeping,
    /// It waits out a backoff.
    BackingOff,
    /// It waits for a child.
    Child,
    /// It is parked, and nothing that is recorded says what for.
    Parked,
    /// A person holds it back.
    Paused,
    /// It needs a deploy or a person.
    Blocked,
    /// Its end is decided, and what is in flight gets time to return.
    Ending,
    /// A runner takes back what was done (§7.3).
    CleaningUp,
    /// Its handler failed and is run again (§6.5).
    HandlerRetries,
    /// It waits for an event.
    WaitingForEvent,
    /// The store was restored from a backup, and nobody has let its runs go.
    Held,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 20] = [
        Self::Ended,
        Self::Running,
        Self::Queued,
        Self::NoRunner,
        Self::NoWorkflow,
        Self::NoPinnedRunner,
        Self::RunnersStop,
        Self::NoSlot,
        Self::Delayed,
        Self::Sleeping,
        Self::BackingOff,
        Self::Child,
        Self::Parked,
        Self::Paused,
        Self::Blocked,
        Self::Ending,
        Self::CleaningUp,
        Self::HandlerRetries,
        Self::WaitingForEvent,
        Self::Held,
    ];

    /// Returns the word in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Running => "running",
            Self::Queued => "queued",
            Self::NoRunner => "no_runner",
            Self::NoWorkflow => "no_workflow",
            Self::NoPinnedRunner => "no_pinned_runner",
            Self::RunnersStop => "runners_stop",
            Self::NoSlot => "no_slot",
            Self::Delayed => "delayed",
            Self::Sleeping => "sleeping",
            Self::BackingOff => "backing_off",
            Self::Child => "child",
            Self::Parked => "parked",
            Self::Paused => "paused",
            Self::Blocked => "blocked",
            Self::Ending => "ending",
            Self::CleaningUp => "cleaning_up",
            Self::HandlerRetries => "handler_retries",
            Self::WaitingForEvent => "waiting_for_event",
            Self::Held => "held",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a run is not moving, or what it is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// The cause, for programs.
    pub cause: Cause,
    /// The same with its particulars, as a sentence for people.
    pub text: String,
}

impl Why {
    fn new(cause: Cause, text: impl Into<String>) -> Self {
        Self { cause, text: text.into() }
    }
}

/// How many runs of the same workflow want a runner for longer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Behind {
    /// How many were counted.
    pub runs: usize,
    /// There are more than were counted.
    pub or_more: bool,
}

/// Says why a run is not moving, or what it is doing. `runners` are those of its namespace, and
/// `behind` is looked at for queued runs only.
pub fn why(view: &View<'_>, runners: &[RunnerInfo], behind: Behind) -> Why {
    match view.status {
        RunStatus::Completed | RunStatus::Failed | RunStatus::Cancelled | RunStatus::TimedOut => {
            Why::new(Cause::Ended, format!("it has ended: {}", view.status))
        }
        RunStatus::Blocked => {
            let cause = view.blocked_because.as_deref().unwrap_or("its cause is not recorded");
            Why::new(Cause::Blocked, format!("blocked: {cause}"))
        }
        RunStatus::Compensating => match (&view.clean_up, children(view).next()) {
            (Some(clean_up), _) => cleaning_up(view, clean_up, runners),
            (None, Some(child))
                if view.activations.last().is_none_or(|held| held.until.is_some()) =>
            {
                Why::new(Cause::Ending, format!("its end is decided; {}", waits_for(child)))
            }
            (None, _) => Why::new(
                Cause::Ending,
                "its end is decided; functions in flight get time to return",
            ),
        },
        RunStatus::Paused => Why::new(Cause::Paused, paused(view)),
        RunStatus::Running => Why::new(Cause::Running, running(view)),
        RunStatus::Waiting => waiting(view),
        RunStatus::Queued => queued(view, runners, behind),
    }
}

/// Says that a run is held back with all others of a store that was restored from a backup, whatever else
/// keeps it from moving. A run that has ended is not.
pub fn held_back(why: Why, backup: &str) -> Why {
    let Why { cause, text } = why;
    if cause == Cause::Ended {
        return Why { cause, text };
    }
    Why::new(
        Cause::Held,
        format!(
            "dispatch is off: this server was restored from backup {backup}, and `stepwell resume` lets \
             its runs go; apart from that: {text}"
        ),
    )
}

/// §7.6: what a clean-up does, or waits for.
fn cleaning_up(view: &View<'_>, clean_up: &CleanUpView, runners: &[RunnerInfo]) -> Why {
    let prefix = format!("it ends {} once it is cleaned up", clean_up.status);
    let held = view.activations.last().is_some_and(|held| held.until.is_none());
    let Why { cause, text } = if held {
        Why::new(Cause::CleaningUp, running(view))
    } else if view.steps.iter().any(|step| step.status == StepStatus::Retrying) {
        waiting(view)
    } else {
        queued(view, runners, Behind::default())
    };
    Why { cause, text: format!("{prefix}; {text}") }
}

fn paused(view: &View<'_>) -> String {
    let Some(paused) = &view.paused else { return "paused".to_owned() };
    let by = paused.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let why = paused.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    format!("paused{by} since {}{why}", paused.at)
}

fn running(view: &View<'_>) -> String {
    let holder = view.activations.last().map_or("?", |held| &held.runner);
    let mut steps = view.steps.iter().filter(|step| step.status == StepStatus::Running);
    match (steps.next(), steps.count()) {
        (None, _) => format!("its code runs on runner `{holder}`"),
        (Some(step), 0) => format!("step `{}` runs on runner `{holder}`", step.id),
        (Some(step), more) => {
            format!("step `{}` and {more} more run on runner `{holder}`", step.id)
        }
    }
}

fn waiting(view: &View<'_>) -> Why {
    let parked = view.steps.iter().filter(|step| {
        let status = step.status;
        matches!(status, StepStatus::Sleeping | StepStatus::Retrying) || is_wait(step)
    });
    // What has no end of its own comes last.
    let first = parked.clone().min_by_key(|step| (step.next_at.is_none(), step.next_at));
    let Some(first) = first else {
        if let Some(until) = view.retry_at {
            let n = view.generation;
            let text = format!("its handler failed; it runs for time {n} at {until}");
            return Why::new(Cause::HandlerRetries, text);
        }
        if let Some(child) = children(view).next() {
            let others = others(children(view).count() - 1);
            return Why::new(Cause::Child, format!("{}{others}", waits_for(child)));
        }
        let delayed = view.not_before.filter(|_| view.activations.is_empty());
        return delayed.map_or_else(
            || Why::new(Cause::Parked, "parked"),
            |until| Why::new(Cause::Delayed, format!("its start is delayed until {until}")),
        );
    };
    let others = others(parked.count() + children(view).count() - 1);
    let Why { cause, text } = parked_in(first);
    Why { cause, text: format!("{text}{others}") }
}

fn others(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => ", and 1 more step waits".to_owned(),
        more => format!(", and {more} more steps wait"),
    }
}

/// The steps that wait for a child.
fn children<'a>(view: &'a View<'_>) -> impl Iterator<Item = &'a StepView<'a>> {
    view.steps.iter().filter(|step| step.status == StepStatus::Waiting && step.child.is_some())
}

fn waits_for(step: &StepView<'_>) -> String {
    let Some(child) = &step.child else { return format!("step `{}` waits", step.id) };
    format!("waiting in step `{}` for child {} of `{}`", step.id, child.run, child.workflow)
}

/// Returns the child that a run waits for first: why that one is not moving is why this one is not.
pub fn awaited_child(view: &View<'_>) -> Option<RunId> {
    let moves = matches!(view.status, RunStatus::Waiting | RunStatus::Compensating);
    children(view).next().filter(|_| moves)?.child.as_ref().map(|child| child.run)
}

fn is_wait(step: &StepView<'_>) -> bool {
    let event = matches!(step.kind, Kind::WaitForEvent | Kind::NamedWait);
    event && step.status == StepStatus::Waiting
}

/// What a wait records of itself (§3.4).
#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(rename = "match", borrow)]
    wanted: Option<&'a RawValue>,
}

/// Which event, which match, until when (§9.7).
fn waits_for_event(step: &StepView<'_>) -> Why {
    let asked = step.input.and_then(|raw| serde_json::from_str::<Asked<'_>>(raw.get()).ok());
    let event = asked.as_ref().map_or("?", |asked| &*asked.event);
    let wanted = asked.as_ref().and_then(|asked| asked.wanted);
    let wanted = wanted.map(|raw| format!(" that has {raw}")).unwrap_or_default();
    let until = step
        .next_at
        .map_or_else(|| "as long as the run may".to_owned(), |until| format!("until {until}"));
    let id = step_id::shown(&step.id);
    let text = format!("waiting in step `{id}` for an event `{event}`{wanted}, {until}");
    Why::new(Cause::WaitingForEvent, text)
}

fn parked_in(step: &StepView<'_>) -> Why {
    if is_wait(step) {
        return waits_for_event(step);
    }
    let until = step.next_at.map_or_else(|| "an unknown instant".to_owned(), |at| at.to_string());
    if step.status == StepStatus::Retrying {
        let ended = step.attempts.iter().filter(|attempt| attempt.status != "lost").count();
        let (n, id) = (ended + 1, &step.id);
        let text = format!("backing off: attempt {n} of step `{id}` is due at {until}");
        return Why::new(Cause::BackingOff, text);
    }
    Why::new(Cause::Sleeping, format!("sleeping in step `{}` until {until}", step.id))
}

fn queued(view: &View<'_>, runners: &[RunnerInfo], behind: Behind) -> Why {
    let (app, workflow) = (&*view.app, &*view.workflow);
    let has_it = |one: &&RunnerInfo| {
        one.workflows.iter().any(|known| match known.strip_prefix(workflow) {
            Some(rest) => rest.is_empty() || rest.starts_with('@'),
            None => false,
        })
    };
    let of_app: Vec<_> = runners.iter().filter(|one| *one.app == *app).collect();
    if of_app.is_empty() {
        return Why::new(Cause::NoRunner, format!("no runner of app `{app}` is connected"));
    }
    let able: Vec<_> = of_app.into_iter().filter(has_it).collect();
    if able.is_empty() {
        let text = format!("no connected runner of app `{app}` has workflow `{workflow}`");
        return Why::new(Cause::NoWorkflow, text);
    }
    let pinned = |one: &&RunnerInfo| view.runner.as_ref().is_none_or(|name| *name == one.name);
    let able: Vec<_> = able.into_iter().filter(pinned).collect();
    if able.is_empty() {
        let name = view.runner.as_deref().unwrap_or_default();
        let text = format!("it is pinned to runner `{name}`, which is not connected");
        return Why::new(Cause::NoPinnedRunner, text);
    }
    let taking: Vec<_> = able.iter().filter(|one| !one.draining).collect();
    if taking.is_empty() {
        let text = format!("every runner of app `{app}` that has it is stopping");
        return Why::new(Cause::RunnersStop, text);
    }
    let slots: u32 = taking.iter().map(|one| one.slots).sum();
    let busy: u32 = taking.iter().map(|one| one.busy).sum();
    let queue = match behind {
        Behind { runs, or_more: true } => format!(", behind {runs} or more runs"),
        Behind { runs: 0, .. } => String::new(),
        Behind { runs: 1, .. } => ", behind 1 run".to_owned(),
        Behind { runs, .. } => format!(", behind {runs} runs"),
    };
    if busy >= slots {
        let text = format!("all {slots} slots of its runners are taken{queue}");
        return Why::new(Cause::NoSlot, text);
    }
    Why::new(Cause::Queued, format!("it wants a runner{queue}"))
}
