//! Journals of runs in every state, made of records as the engine writes them.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use stepwell_core::clean_up::{Compensable, EndOptions};
use stepwell_core::failure::Failure;
use stepwell_core::id::RunId;
use stepwell_core::record::{
    Activated, Attempt, AttemptFailed, BlockCause, Blocked, Ended, Ending, FromEvent, Opening,
    Parent, Record, Released, SearchSet, SleepStarted, Started, StepEnded, StepStarted, Woken,
};
use stepwell_core::run::Run;
use stepwell_core::search::Change;
use stepwell_core::status::{Kind, RunStatus, StepStatus};
use stepwell_core::summary::Summary;
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;

use crate::batch::RunWrite;

/// A run whose journal is written step by step.
#[derive(Clone, Debug)]
pub struct Script {
    id: RunId,
    journal: Vec<u8>,
    written: usize,
    epoch: u32,
    ended_steps: u32,
    opened: BTreeSet<String>,
    now: Timestamp,
    /// Given by the case: no step waits for an event yet.
    waits: Arc<[Wait]>,
}

/// What a scripted run starts with.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// The namespace.
    pub namespace: &'a str,
    /// The app.
    pub app: &'a str,
    /// The workflow.
    pub workflow: &'a str,
    /// The idempotency key.
    pub key: Option<&'a str>,
    /// When the run times out.
    pub deadline: Option<Timestamp>,
    /// The run that invoked it.
    pub parent: Option<RunId>,
    /// The id of the event that started it.
    pub event: Option<&'a str>,
}

impl Default for Start<'_> {
    fn default() -> Self {
        let (namespace, app, workflow) = ("default", "shop", "checkout");
        Self { namespace, app, workflow, key: None, deadline: None, parent: None, event: None }
    }
}

impl Script {
    /// Starts a run at an instant; `salt` makes its id another than that of other runs then.
    pub fn new(at: Timestamp, salt: u64, start: Start<'_>) -> Self {
        let entropy = u128::from(salt).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834);
        let mut script = Self {
            id: RunId::new(at, entropy),
            journal: Vec::new(),
            written: 0,
            epoch: 0,
            ended_steps: 0,
            opened: BTreeSet::new(),
            now: at,
            waits: Arc::default(),
        };
        script.push(&Record::Started(Started {
            at,
            namespace: start.namespace.into(),
            app: start.app.into(),
            workflow: start.workflow.into(),
            input: None,
            key: start.key.map(Cow::from),
            deadline: start.deadline,
            not_before: None,
            metadata: None,
            runner: None,
            ends: EndOptions::default(),
            forked_from: None,
            rerun_of: None,
            by: None,
            reason: None,
            parent: start.parent.map(|run| Parent { run, step: "ship".into() }),
            depth: 0,
            continues: None,
            inherited: None,
            event: start.event.map(|id| FromEvent { id: id.into(), name: "paid".into() }),
            search: Change::new(),
            traceparent: None,
        }));
        script
    }

    /// Returns the run's id.
    pub fn id(&self) -> RunId {
        self.id
    }

    /// Returns the whole journal.
    pub fn journal(&self) -> &[u8] {
        &self.journal
    }

    /// Returns what is new since the last call, as a write of a batch.
    ///
    /// # Panics
    /// When the journal is not that of a run.
    #[expect(clippy::expect_used, reason = "a script that is no journal is a mistake in a test")]
    pub fn write(&mut self) -> RunWrite {
        let run = Run::replay(self.id, &self.journal).expect("scripts are journals");
        let records = self.journal[self.written..].to_vec();
        self.written = self.journal.len();
        RunWrite { run: self.id, records, summary: Summary::of(&run), waits: self.waits.clone() }
    }

    /// Code sets search attributes: a JSON object.
    ///
    /// # Panics
    /// When it is none.
    #[expect(clippy::expect_used, reason = "a script that is no journal is a mistake in a test")]
    pub fn search(&mut self, set: &str) -> &mut Self {
        let search = serde_json::from_str(set).expect("a JSON object");
        let at = self.tick();
        self.push(&Record::SearchSet(SearchSet { at, search }));
        self
    }

    /// A runner gets the run.
    pub fn activate(&mut self) -> &mut Self {
        self.epoch += 1;
        let at = self.tick();
        let (epoch, nonce) = (self.epoch, 77);
        self.push(&Record::Activated(Activated {
            at,
            epoch,
            nonce,
            runner: "worker".into(),
            instance: "i-1".into(),
            version: Some("3".into()),
            build: None,
            alone: false,
            ends: EndOptions::default(),
        }))
    }

    /// A step's function begins.
    pub fn begin(&mut self, step: &str) -> &mut Self {
        let at = self.tick();
        let open = self.opening(step, Kind::Run, at);
        let attempt = attempt(at);
        self.push(&Record::StepStarted(StepStarted { step: step.into(), attempt, open }))
    }

    /// A step ends; if it did not begin before, in one record.
    pub fn end(&mut self, step: &str, status: StepStatus, output: &str) -> &mut Self {
        let at = self.tick();
        let open = self.opening(step, Kind::Run, at);
        let output = serde_json::value::RawValue::from_string(output.to_owned()).ok();
        let failed = matches!(status, StepStatus::Failed | StepStatus::TimedOut);
        self.push(&Record::StepEnded(StepEnded {
            step: step.into(),
            at,
            status,
            attempt: Some(attempt(at)),
            output: output.as_deref().filter(|_| !failed),
            error: failed.then(|| Failure::new("PaymentError", "card \"declined\"")),
            open,
            event: None,
        }));
        self.ended_steps += 1;
        self
    }

    /// An event ends a step that waited for it.
    pub fn hear(&mut self, step: &str, event: &str) -> &mut Self {
        let at = self.tick();
        let open = self.opening(step, Kind::WaitForEvent, at);
        self.ended_steps += 1;
        self.push(&Record::StepEnded(StepEnded {
            step: step.into(),
            at,
            status: StepStatus::Completed,
            attempt: None,
            output: None,
            error: None,
            open,
            event: Some(event.into()),
        }))
    }

    /// A pause begins, unless it did before.
    pub fn sleep(&mut self, step: &str, until: Timestamp) -> &mut Self {
        let at = self.tick();
        match self.opening(step, Kind::Sleep, at) {
            Some(open) => {
                let step = step.into();
                self.push(&Record::SleepStarted(SleepStarted { step, until, open }))
            }
            None => self,
        }
    }

    /// An attempt fails and waits for the next.
    pub fn fail(&mut self, step: &str, next_at: Timestamp) -> &mut Self {
        let at = self.tick();
        let open = self.opening(step, Kind::Run, at);
        self.push(&Record::AttemptFailed(AttemptFailed {
            step: step.into(),
            at,
            attempt: attempt(at),
            error: Failure::new("Error", "no answer"),
            timed_out: false,
            next_at,
            open,
        }))
    }

    /// The runner gives the run back.
    pub fn release(&mut self) -> &mut Self {
        let (at, seen) = (self.tick(), self.ended_steps);
        self.push(&Record::Released(Released { at, seen }))
    }

    /// The runner gives the run back before its code saw any step end.
    pub fn give_back(&mut self) -> &mut Self {
        let at = self.tick();
        self.push(&Record::Released(Released { at, seen: 0 }))
    }

    /// A backoff is over.
    pub fn wake(&mut self) -> &mut Self {
        let at = self.tick();
        self.push(&Record::Woken(Woken { at }))
    }

    /// The run is blocked.
    pub fn block(&mut self) -> &mut Self {
        let at = self.tick();
        let cause = BlockCause::CrashesRunner { times: 3 };
        self.push(&Record::Blocked(Blocked { at, cause, build: None, evicts: false }))
    }

    /// The end of the run is decided.
    pub fn ending(&mut self, status: RunStatus) -> &mut Self {
        let at = self.tick();
        let until = at.after(Duration::from_secs(30));
        self.push(&Record::Ending(Ending {
            at,
            until,
            status,
            reason: None,
            by: None,
            error: None,
        }))
    }

    /// The run ends.
    pub fn ended(&mut self, status: RunStatus) -> &mut Self {
        let at = self.tick();
        self.push(&Record::Ended(Ended {
            at,
            status,
            output: None,
            error: (status == RunStatus::Failed)
                .then(|| Failure::new("PaymentError", "card \"declined\"")),
            continued_as: None,
        }))
    }

    /// Says which waits the run has from now on.
    pub fn park(&mut self, waits: Vec<Wait>) -> &mut Self {
        self.waits = waits.into();
        self
    }

    /// Lets time pass.
    pub fn pass(&mut self, time: Duration) -> &mut Self {
        self.now = self.now.after(time);
        self
    }

    fn tick(&mut self) -> Timestamp {
        self.now = self.now.after(Duration::from_millis(1));
        self.now
    }

    fn opening(&mut self, step: &str, kind: Kind, at: Timestamp) -> Option<Opening<'static>> {
        let after = self.ended_steps;
        let new = self.opened.insert(step.into());
        new.then_some(Opening {
            kind,
            after,
            at,
            input: None,
            metadata: None,
            compensable: Compensable::No,
            once: None,
            branch: None,
            kept_from: None,
        })
    }

    fn push(&mut self, record: &Record<'_>) -> &mut Self {
        record.encode(&mut self.journal);
        self
    }
}

fn attempt(at: Timestamp) -> Attempt {
    Attempt { n: 1, started_at: at, overlapped: false }
}
