//! The shape of plans.

use serde::{Deserialize, Serialize};

/// Names of the workflows that clients start. All play a plan; several names share runners, as in life.
pub const WORKFLOWS: [&str; 12] = [
    "chain", "branches", "naps", "flaky", "mixed", "letters", "family", "races", "once", "saga",
    "again", "loop",
];

/// Tells whether the handler of a workflow runs again when it fails (§6.5).
pub fn retries(workflow: &str) -> bool {
    workflow == "again"
}

/// What a run does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What events for its waits carry; those of no other plan carry it.
    pub token: String,
    /// Its parts, one after the other.
    pub parts: Vec<Part>,
    /// It fails after its last part, on purpose.
    pub fails: bool,
    /// What the run does that goes on with it, where one does.
    pub then: Option<Box<Self>>,
    /// The run that goes on with this plan; the code of that run says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// A part of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Part {
    /// A step with a function.
    Work(Work),
    /// A pause.
    Sleep {
        /// The step.
        id: String,
        /// How long, in milliseconds.
        ms: u64,
    },
    /// A pause until an instant.
    Until {
        /// The step.
        id: String,
        /// How far from the run's now, in milliseconds.
        ms: u64,
    },
    /// A step that does not apply.
    Skip {
        /// The step.
        id: String,
    },
    /// Branches side by side.
    Branches(Vec<Vec<Self>>),
    /// A wait for an event.
    Wait(Wait),
    /// An event that the run sends.
    Emit {
        /// The step.
        id: String,
        /// The waits of the same plan that it is for. Otherwise it starts a run.
        to: Option<String>,
    },
    /// Another run, whose end is waited for.
    Invoke {
        /// The step.
        id: String,
        /// Its workflow.
        workflow: String,
        /// What it does.
        plan: Box<Plan>,
    },
    /// Branches of which the first to end wins.
    Race {
        /// The step.
        id: String,
        /// The branches.
        branches: Vec<Vec<Self>>,
    },
}

/// A wait for an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wait {
    /// The step.
    pub id: String,
    /// What its event carries beside the token. Waits with the same stand one after the other, and each
    /// takes an event of its own.
    pub group: String,
    /// A client sends its event; otherwise the run does, or nobody.
    pub sent: bool,
    /// How long it waits at most, in milliseconds. Otherwise it waits until its event has come.
    pub ms: Option<u64>,
}

/// A step with a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Work {
    /// The step.
    pub id: String,
    /// How long the function takes, in milliseconds.
    pub ms: u64,
    /// How large its result is, in bytes.
    pub bytes: usize,
    /// How many attempts do not succeed.
    pub fails: u32,
    /// How they do not succeed, and what the function runs on.
    pub how: How,
    /// How often the function may start.
    pub starts: Starts,
    /// It is taken back where the run ends badly.
    pub undo: bool,
}

/// What a function does while it takes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum How {
    /// It waits, and fails with an error.
    Waits,
    /// It waits, and hangs in place of failing, until its time is out.
    Hangs,
    /// It blocks a thread of its own, and fails with an error.
    OwnThread,
    /// It blocks the thread that it is polled on.
    BlocksThread,
    /// It fails the first time that it is called, for good: the handler runs again.
    Stumbles,
    /// It starts at most once, and another function finds out what became of a lost start.
    Verified,
    /// It starts at most once, and nobody finds out what became of a lost start.
    Unverified,
}

/// How often a function may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Starts {
    /// Until its result is acknowledged.
    Any,
    /// Once: it says so, or nothing happens that would allow a second start.
    One,
    /// Again only after it was found out that it did nothing.
    AfterNotDone,
}

/// How a run ends that nobody cancels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Fate {
    /// It completes.
    Completes,
    /// It fails, on purpose.
    Fails,
    /// It completes, and another run goes on with it.
    GoesOn,
}

/// An event that a client sends for a wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The token of the wait's plan.
    pub token: String,
    /// The group of the wait.
    pub group: String,
}

impl Work {
    /// Returns a step whose function waits and returns a little.
    pub fn plain(id: &str, ms: u64) -> Self {
        let (how, starts) = (How::Waits, Starts::Any);
        Self { id: id.to_owned(), ms, bytes: 16, fails: 0, how, starts, undo: false }
    }

    /// Returns how many attempts the step may have. A lost attempt does not count (§4.4), so there is
    /// one to spare only where an attempt can be late for no fault of the engine.
    pub fn attempts_max(&self) -> u32 {
        match self.how {
            How::Hangs => self.fails + 4,
            // §4.5: at most 4 starts in all.
            How::Verified => 4,
            How::Waits | How::OwnThread | How::BlocksThread => self.fails + 1,
            How::Stumbles | How::Unverified => 1,
        }
    }
}

impl Plan {
    /// Returns what a run does that blocks a thread for so long.
    pub fn block(how: How, ms: u64) -> Self {
        let work = Work { how, starts: Starts::One, ..Work::plain("block", ms) };
        let (token, parts) = (String::new(), vec![Part::Work(work)]);
        Self { token, parts, fails: false, then: None, after: None }
    }

    /// Returns how the run ends.
    pub fn fate(&self) -> Fate {
        match (&self.then, self.fails) {
            (Some(_), _) => Fate::GoesOn,
            (None, true) => Fate::Fails,
            (None, false) => Fate::Completes,
        }
    }

    /// Returns how many steps are in the output of the run, at least.
    pub fn steps(&self) -> u32 {
        fn count(parts: &[Part]) -> u32 {
            let of = |part: &Part| match part {
                Part::Work(work) => u32::from(work.how != How::Unverified),
                Part::Wait(wait) => u32::from(wait.ms.is_none()),
                Part::Branches(branches) => branches.iter().map(|branch| count(branch)).sum(),
                // What is done in a branch that loses is nowhere.
                Part::Emit { .. } | Part::Invoke { .. } | Part::Race { .. } => 1,
                Part::Sleep { .. } | Part::Until { .. } | Part::Skip { .. } => 0,
            };
            parts.iter().map(of).sum()
        }
        match self.fate() {
            Fate::Completes => count(&self.parts),
            Fate::Fails | Fate::GoesOn => 0,
        }
    }

    /// Returns the events that a client has to send, those for children and for runs that go on with it
    /// included.
    pub fn letters(&self) -> Vec<Letter> {
        let mut letters = Vec::new();
        self.add_letters(&self.parts, &mut letters);
        if let Some(then) = &self.then {
            letters.extend(then.letters());
        }
        letters
    }

    fn add_letters(&self, parts: &[Part], letters: &mut Vec<Letter>) {
        for part in parts {
            match part {
                Part::Wait(wait) if wait.sent => {
                    let (token, group) = (self.token.clone(), wait.group.clone());
                    letters.push(Letter { token, group });
                }
                Part::Invoke { plan, .. } => letters.extend(plan.letters()),
                Part::Branches(branches) | Part::Race { branches, .. } => {
                    for branch in branches {
                        self.add_letters(branch, letters);
                    }
                }
                Part::Wait(_)
                | Part::Work(_)
                | Part::Sleep { .. }
                | Part::Until { .. }
                | Part::Skip { .. }
                | Part::Emit { .. } => {}
            }
        }
    }
}
