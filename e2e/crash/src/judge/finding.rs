//! What can be wrong with a ledger.

use std::fmt;

use crate::ledger::Hash;

/// What a finding counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Something that was acknowledged is not there.
    Lost,
    /// Something that was acknowledged is not the same.
    Changed,
    /// Something was done again after it was acknowledged.
    Repeated,
    /// Something counted that came from the past: of a node that had lost its lease, or a runner whose grant was over.
    Stale,
    /// The ledger itself cannot be trusted, or proves too little.
    Unsound,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lost => "lost",
            Self::Changed => "changed",
            Self::Repeated => "repeated",
            Self::Stale => "stale",
            Self::Unsound => "unsound",
        })
    }
}

/// A violation, with where it is.
#[expect(missing_docs, reason = "the text of each finding says what its fields are")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// An accepted start led to a run that nobody can read.
    #[error("run {run} of the accepted start {key} cannot be read")]
    StartGone { run: String, key: String },
    /// A run did not complete.
    #[error("run {run} is {status}: {why}")]
    NotCompleted { run: String, status: String, why: String },
    /// A function ran for a run that was not durable.
    #[error("functions ran for run {run}, which cannot be read")]
    RunUnknown { run: String },
    /// A result that the code was given is not in the run.
    #[error("run {run}: step {step} has status {found}, though the code was given its result")]
    ResultGone { run: String, step: String, found: String },
    /// A run completed without all of its steps.
    #[error("run {run}: {found} of {wanted} steps are in its output")]
    StepsMissing { run: String, found: usize, wanted: u32 },
    /// A later attempt began, and the ends of those before it are not recorded.
    #[error("run {run}: attempt {started} of step {step} began, and {recorded} are recorded")]
    AttemptGone { run: String, step: String, started: u32, recorded: u32 },
    /// A cancel was accepted, and the run went on to another end.
    #[error("run {run} is {status}, though a cancel was accepted while it was {told}")]
    CancelGone { run: String, status: String, told: String },
    /// Nothing began that should have.
    #[error("{origin} started no run")]
    NotBorn { origin: String },
    /// A step that can be taken back was not, or the run was not told that it ends badly.
    #[error("run {run} is {status}, and step {step} is not taken back")]
    NotTakenBack { run: String, step: String, status: String },
    /// The code was given two results of one step.
    #[error("run {run}: the code was given {one} for step {step}, and {other} as well")]
    TwoResults { run: String, step: String, one: Hash, other: Hash },
    /// A step is read with another result than the code was given.
    #[error("run {run}: the code was given {acked} for step {step}, and {read} is read")]
    OtherThanAcked { run: String, step: String, acked: Hash, read: Hash },
    /// The output of a run was made of another result than the code was given.
    #[error("run {run}: the code was given {acked} for step {step}, and its output says {said}")]
    OutputDisagrees { run: String, step: String, acked: Hash, said: Hash },
    /// A result that no function had returned by then.
    #[error(
        "run {run}: the code was given {value} for step {step}, which no function had returned"
    )]
    Invented { run: String, step: String, value: Hash },
    /// A run ended with a result that its code never had.
    #[error("run {run}: step {step} has a result that the code was never given")]
    NeverGiven { run: String, step: String },
    /// Two reads of a run that had ended differ.
    #[error("run {run} was read as {one} and as {other}, after its end")]
    TwoEnds { run: String, one: String, other: String },
    /// A wait took an event that nobody had sent.
    #[error("run {run}: step {step} was given {value}, which nobody had sent")]
    EventInvented { run: String, step: String, value: Hash },
    /// The code was given another result of a child than the child returned.
    #[error("run {run}: the code was given {value} for step {step}, and {child}")]
    ChildDisagrees { run: String, step: String, value: Hash, child: String },
    /// A step was taken back with another result than its own.
    #[error("run {run}: step {step} was taken back with {value}, which is not its result")]
    TakenBackOtherwise { run: String, step: String, value: Hash },
    /// A run that ends badly was told of other steps than completed.
    #[error("run {run} was told that it ends badly with {told} completed, and {read} are read")]
    ToldOtherwise { run: String, told: String, read: String },
    /// A function began again after its result was given to the code.
    #[error("run {run}: {process} began step {step} {late_us} us after its result was given")]
    AfterResult { run: String, step: String, process: String, late_us: u64 },
    /// A function began after the run had ended.
    #[error("run {run}: {process} began step {step} {late_us} us after the run was read as ended")]
    AfterEnd { run: String, step: String, process: String, late_us: u64 },
    /// One key, one event, one step or one run started two runs.
    #[error("{by} started run {one} and run {other}")]
    TwoRuns { by: String, one: String, other: String },
    /// A function began twice, though nothing had happened that would allow it.
    #[error("run {run}: step {step} began {starts} times, though its runner lived all the time")]
    MoreThanOnce { run: String, step: String, starts: usize },
    /// An attempt beyond the last.
    #[error("run {run}: attempt {attempt} of step {step}, which may have {attempts_max}")]
    TooManyAttempts { run: String, step: String, attempt: u32, attempts_max: u32 },
    /// One event woke two waits that stood one after the other.
    #[error("the event with {value} was given to {one} and to {other}")]
    EventTwice { value: Hash, one: String, other: String },
    /// A function began again though nobody had found that it did nothing.
    #[error("run {run}: {process} began step {step} again, and nobody found that it was not done")]
    NoVerdict { run: String, step: String, process: String },
    /// A step was taken back after one that completed before it, or after all had been.
    #[error("run {run}: step {step} was taken back after {after}")]
    OutOfOrder { run: String, step: String, after: String },
    /// A step was taken back though nothing was to be taken back.
    #[error("run {run} is {status}, and step {step}, which is {found}, was taken back")]
    UndoneForNothing { run: String, step: String, status: String, found: String },
    /// A line that is no fact.
    #[error("sheet {sheet}, line {line}: {why}")]
    Unreadable { sheet: String, line: usize, why: String },
    /// A torn end of a sheet whose process was not killed.
    #[error("sheet {sheet} ends in the middle of a fact, though its process was not killed")]
    Torn { sheet: String },
    /// A fact in the sheet of another process.
    #[error("sheet {sheet} has a fact of process {process}")]
    ForeignFact { sheet: String, process: String },
    /// The end of a function that did not begin.
    #[error("run {run}: {process} ended step {step}, attempt {attempt}, and never began it")]
    EndWithoutStart { run: String, step: String, process: String, attempt: u32 },
    /// A process wrote after it was killed.
    #[error("{process} wrote a fact after it was killed")]
    AfterDeath { process: String },
    /// The clock of a process went back.
    #[error("sheet {sheet}: the monotonic clock went back at fact {at}")]
    ClockWentBack { sheet: String, at: usize },
    /// Too little happened for the ledger to prove anything.
    #[error("{found} {what}, fewer than {wanted}")]
    TooFew { what: &'static str, found: usize, wanted: usize },
    /// A step was seen with another result than was known of it.
    #[error("run {run}: step {step} was known with {known}, and was seen with {seen}")]
    SeenOtherwise { run: String, step: String, known: Hash, seen: Hash },
    /// Who asked after something was known got an answer from before that.
    #[error("run {run} was asked for when it was known that {known}, and {seen}")]
    StaleRead { run: String, known: String, seen: String },
    /// A function's result was taken though another runner had the run by then.
    #[error("run {run}: step {step} has the result of {process}, and {other} had the run by then")]
    StaleGrant { run: String, step: String, process: String, other: String },
}

impl Finding {
    /// Every kind of finding, as [`Finding::kind`] names it.
    pub const KINDS: [&str; 38] = [
        "start gone",
        "not completed",
        "run unknown",
        "result gone",
        "steps missing",
        "attempt gone",
        "cancel gone",
        "not born",
        "not taken back",
        "two results",
        "other than acked",
        "output disagrees",
        "invented",
        "never given",
        "two ends",
        "event invented",
        "child disagrees",
        "taken back otherwise",
        "told otherwise",
        "after result",
        "after end",
        "two runs",
        "more than once",
        "too many attempts",
        "event twice",
        "no verdict",
        "out of order",
        "undone for nothing",
        "unreadable",
        "torn",
        "foreign fact",
        "end without start",
        "after death",
        "clock went back",
        "too few",
        "seen otherwise",
        "stale read",
        "stale grant",
    ];

    /// Returns what the finding counts as, and the name of its kind.
    const fn about(&self) -> (Class, usize) {
        match self {
            Self::StartGone { .. } => (Class::Lost, 0),
            Self::NotCompleted { .. } => (Class::Lost, 1),
            Self::RunUnknown { .. } => (Class::Lost, 2),
            Self::ResultGone { .. } => (Class::Lost, 3),
            Self::StepsMissing { .. } => (Class::Lost, 4),
            Self::AttemptGone { .. } => (Class::Lost, 5),
            Self::CancelGone { .. } => (Class::Lost, 6),
            Self::NotBorn { .. } => (Class::Lost, 7),
            Self::NotTakenBack { .. } => (Class::Lost, 8),
            Self::TwoResults { .. } => (Class::Changed, 9),
            Self::OtherThanAcked { .. } => (Class::Changed, 10),
            Self::OutputDisagrees { .. } => (Class::Changed, 11),
            Self::Invented { .. } => (Class::Changed, 12),
            Self::NeverGiven { .. } => (Class::Changed, 13),
            Self::TwoEnds { .. } => (Class::Changed, 14),
            Self::EventInvented { .. } => (Class::Changed, 15),
            Self::ChildDisagrees { .. } => (Class::Changed, 16),
            Self::TakenBackOtherwise { .. } => (Class::Changed, 17),
            Self::ToldOtherwise { .. } => (Class::Changed, 18),
            Self::AfterResult { .. } => (Class::Repeated, 19),
            Self::AfterEnd { .. } => (Class::Repeated, 20),
            Self::TwoRuns { .. } => (Class::Repeated, 21),
            Self::MoreThanOnce { .. } => (Class::Repeated, 22),
            Self::TooManyAttempts { .. } => (Class::Repeated, 23),
            Self::EventTwice { .. } => (Class::Repeated, 24),
            Self::NoVerdict { .. } => (Class::Repeated, 25),
            Self::OutOfOrder { .. } => (Class::Repeated, 26),
            Self::UndoneForNothing { .. } => (Class::Repeated, 27),
            Self::Unreadable { .. } => (Class::Unsound, 28),
            Self::Torn { .. } => (Class::Unsound, 29),
            Self::ForeignFact { .. } => (Class::Unsound, 30),
            Self::EndWithoutStart { .. } => (Class::Unsound, 31),
            Self::AfterDeath { .. } => (Class::Unsound, 32),
            Self::ClockWentBack { .. } => (Class::Unsound, 33),
            Self::TooFew { .. } => (Class::Unsound, 34),
            Self::SeenOtherwise { .. } => (Class::Changed, 35),
            Self::StaleRead { .. } => (Class::Stale, 36),
            Self::StaleGrant { .. } => (Class::Stale, 37),
        }
    }

    /// Returns what the finding counts as.
    pub const fn class(&self) -> Class {
        self.about().0
    }

    /// Returns the name of its kind, one of [`Finding::KINDS`].
    pub fn kind(&self) -> &'static str {
        Self::KINDS.get(self.about().1).copied().unwrap_or_default()
    }
}
