//! The form of a run with its steps: what `stepwell_core::view` writes. The tests of the server hold every answer
//! against it, so that a field that is here and not there, or the other way round, is found.

#![expect(dead_code, reason = "these stand for types of the core, and are never made")]

use utoipa::ToSchema;

use super::shapes::{Attribute, Failed, Id, Instant, Json, KindWord, Status, StepStatusWord};

/// A run with all that is recorded of it.
#[derive(ToSchema)]
#[schema(as = RunView, rename_all = "camelCase")]
pub(crate) struct Run {
    id: Id,
    namespace: String,
    app: String,
    workflow: String,
    status: Status,
    /// Its idempotency key.
    #[schema(required)]
    key: Option<String>,
    /// The name of the runner that it is pinned to.
    #[schema(required)]
    runner: Option<String>,
    /// The version that its first activation had.
    #[schema(required)]
    version: Option<String>,
    /// When its start was accepted.
    created_at: Instant,
    /// When a runner first got it.
    #[schema(required)]
    started_at: Option<Instant>,
    #[schema(required)]
    ended_at: Option<Instant>,
    /// When it times out.
    #[schema(required)]
    deadline: Option<Instant>,
    /// No runner got it before this instant: its start was delayed.
    #[schema(required)]
    not_before: Option<Instant>,
    input: Json,
    /// What its handler returned.
    output: Json,
    /// Why it did not complete.
    #[schema(required)]
    error: Option<Failed>,
    /// What its start said about it.
    metadata: Json,
    /// Its search attributes; left out where it has none.
    #[schema(value_type = std::collections::BTreeMap<String, Attribute>, required = false)]
    search: Json,
    /// By whom it is held back.
    #[schema(required)]
    paused: Option<Paused>,
    /// The run and step that it was forked from.
    #[schema(nullable = false)]
    forked_from: Option<StepOfRun>,
    /// The run that it is a repeat of.
    #[schema(nullable = false)]
    rerun_of: Option<Id>,
    /// Why it is blocked: `kind` says what for, the other fields are the particulars of it.
    #[schema(required)]
    blocked: Option<Blocked>,
    /// The same as a sentence.
    #[schema(required)]
    blocked_because: Option<String>,
    /// Which run of its handler this is or was the last, from 1.
    #[schema(minimum = 1)]
    generation: u32,
    /// When its handler runs again, while that is waited for.
    #[schema(required)]
    retry_at: Option<Instant>,
    /// Its clean-up, once one began.
    #[schema(required)]
    clean_up: Option<CleanUp>,
    /// Its steps, by start and then position.
    steps: Vec<Step>,
    /// Lines that its handler logged.
    logs: Vec<Line>,
    /// The runners that held it, in order.
    activations: Vec<Activation>,
    /// What else happened to it: acts of operators, blocks, changed orders.
    history: Vec<Note>,
    /// The size of its journal in bytes.
    journal_bytes: u64,
    /// The run and step that invoked it.
    #[schema(required)]
    parent: Option<StepOfRun>,
    /// The run that it goes on with.
    #[schema(required)]
    continued_from: Option<Id>,
    /// The run that goes on with it.
    #[schema(required)]
    continued_as: Option<Id>,
}

/// Who holds a run back.
#[derive(ToSchema)]
struct Paused {
    at: Instant,
    /// Who, as they said it.
    #[schema(required)]
    by: Option<String>,
    /// Why, as they said it.
    #[schema(required)]
    reason: Option<String>,
}

/// A step of a run.
#[derive(ToSchema)]
struct StepOfRun {
    run: Id,
    step: String,
}

/// Why a run is blocked.
#[derive(ToSchema)]
#[schema(as = BlockCause, rename_all = "camelCase")]
struct Blocked {
    /// `kindChanged`, `orderChanged`, `crashesRunner`, `journalFull`, `stepsFull`, `outcomeUnknown`, `engine` or
    /// `cleanUpLost`.
    kind: String,
    #[schema(nullable = false)]
    step: Option<String>,
    #[schema(nullable = false)]
    expected: Option<String>,
    #[schema(nullable = false)]
    found: Option<String>,
    /// How often it was lost while it had the runner to itself.
    #[schema(nullable = false)]
    times: Option<u32>,
    #[schema(nullable = false)]
    bytes: Option<u64>,
    #[schema(nullable = false)]
    limit: Option<u64>,
    #[schema(nullable = false)]
    message: Option<String>,
    #[schema(nullable = false)]
    steps: Option<Vec<String>>,
}

/// The clean-up of a run.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct CleanUp {
    /// The status that the run ends with.
    status: Status,
    /// When it stops, however far it came.
    until: Instant,
    /// What is taken back, in this order.
    compensations: Vec<Compensation>,
    /// Where the workflow's `onFailure` stands; null where it has none.
    #[schema(required)]
    on_failure: Option<StepStatusWord>,
    /// Steps that may have been done and are not taken back.
    uncertain: Vec<String>,
}

/// A step that is taken back.
#[derive(ToSchema)]
struct Compensation {
    step: String,
    /// Nobody knows whether it was done.
    unknown: bool,
    /// Where its compensation stands.
    status: StepStatusWord,
}

/// A step with all that is recorded of it.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct Step {
    id: String,
    kind: KindWord,
    status: StepStatusWord,
    /// The place of its first record among those of the run's steps; never changes.
    position: u32,
    input: Json,
    output: Json,
    #[schema(required)]
    error: Option<Failed>,
    /// Its attempts, lost ones included.
    attempts: Vec<Attempt>,
    /// Lines that its function logged.
    logs: Vec<Line>,
    metadata: Json,
    /// Its function starts at most once.
    #[schema(nullable = false)]
    once: Option<Once>,
    /// The branch of a race that it stands in.
    #[schema(nullable = false)]
    branch: Option<Branch>,
    /// The run in which it ended, where a fork kept its end.
    #[schema(nullable = false)]
    kept_from: Option<Id>,
    /// When the code asked for it.
    scheduled_at: Instant,
    /// When its first attempt or pause began.
    #[schema(required)]
    started_at: Option<Instant>,
    /// When it ended.
    #[schema(required)]
    completed_at: Option<Instant>,
    /// When it wakes or is tried again.
    #[schema(required)]
    next_at: Option<Instant>,
    /// The steps that it followed, without those that another one of them followed.
    after: Vec<String>,
    /// Under which run of the handler it began, from 1.
    #[schema(minimum = 1)]
    generation: u32,
    /// It was cancelled after its function began, and may have been done.
    uncertain: bool,
    /// It asked for earlier events than those from this instant on, which alone were kept.
    #[schema(nullable = false)]
    events_kept_from: Option<Instant>,
    /// The child that it invoked.
    #[schema(nullable = false)]
    child: Option<Child>,
}

/// What happens where nobody knows how a function ended that starts at most once.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct Once {
    /// `block` or `throw`.
    on_unknown: String,
}

/// A branch of a race.
#[derive(ToSchema)]
struct Branch {
    /// The id of the race.
    race: String,
    /// The name of the branch.
    name: String,
}

/// A child run; the first of its chain.
#[derive(ToSchema)]
struct Child {
    run: Id,
    app: String,
    workflow: String,
}

/// An attempt of a step's function.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct Attempt {
    /// Its number; a lost attempt and the one after it have the same.
    n: u32,
    /// `running`, `completed`, `failed`, `timed_out`, `cancelled` or `lost`; with `dialect` a word of that system, but
    /// for `lost`.
    status: String,
    started_at: Instant,
    #[schema(required)]
    ended_at: Option<Instant>,
    #[schema(required)]
    error: Option<Failed>,
    /// The name of the runner.
    runner: String,
    /// It began while the function of the attempt before still ran.
    overlapped: bool,
}

/// A line of a log.
#[derive(ToSchema)]
#[schema(as = LogLine)]
struct Line {
    at: Instant,
    level: String,
    message: String,
}

/// A runner that held the run.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct Activation {
    /// The fence.
    epoch: u32,
    /// The runner's name.
    runner: String,
    /// The runner's instance.
    instance: String,
    /// The workflow's version there.
    #[schema(required)]
    version: Option<String>,
    /// The runner's build.
    #[schema(required)]
    build: Option<String>,
    at: Instant,
    #[schema(required)]
    until: Option<Instant>,
    /// `held`, `released`, `lost`, `blocked`, `ended`, `finished` or `evicted`.
    end: String,
    /// The run had the runner to itself.
    alone: bool,
}

/// Something that happened to a run.
#[derive(ToSchema)]
struct Note {
    at: Instant,
    /// What happened, in a word such as `cancelled` or `paused`.
    what: String,
    /// Who did it, where that was said.
    #[schema(required)]
    by: Option<String>,
    /// More about it, as a sentence.
    #[schema(required)]
    detail: Option<String>,
}
