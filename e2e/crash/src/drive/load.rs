//! Clients: they start runs, and try again until each start is accepted.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::desk::{Desk, Pace};
use super::post::Post;
use crate::client::{Failure, Started};
use crate::dice::Dice;
use crate::error::Error;
use crate::ledger::What;
use crate::plan::{Part, Plan, WORKFLOWS};

/// How long a client tries to have a start accepted.
const INSIST: Duration = Duration::from_mins(1);

/// What clients did.
#[derive(Debug, Default)]
pub(crate) struct Load {
    over: AtomicBool,
    /// Runs with an accepted start.
    accepted: Mutex<BTreeSet<String>>,
    /// Requests without an answer.
    unanswered: AtomicU64,
    /// Starts that a request without an answer had made already.
    made_before: AtomicU64,
}

impl Load {
    /// Ends the load: clients finish the start that they are at.
    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Returns the runs with an accepted start.
    pub(crate) fn accepted(&self) -> BTreeSet<String> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns one of so many of the newest of them; `None` where there are none.
    pub(crate) fn one_of_the_newest(&self, count: usize, dice: &mut Dice) -> Option<String> {
        let accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = accepted.len().min(count).checked_sub(1)?;
        let at = usize::try_from(dice.within(0, newest as u64)).unwrap_or_default();
        accepted.iter().rev().nth(at).cloned()
    }

    /// Says what clients did.
    pub(crate) fn summary(&self) -> String {
        format!(
            "clients       {} requests without an answer, {} of them had started their run",
            self.unanswered.load(Ordering::Relaxed),
            self.made_before.load(Ordering::Relaxed)
        )
    }

    /// Is a client until the load ends.
    pub(crate) fn client(
        &self,
        desk: &Desk,
        pace: Pace,
        (number, mut dice): (u64, Dice),
    ) -> Result<(), Error> {
        let pause_ms = 1_000 * pace.clients / pace.rate.max(1);
        let mut next = Instant::now() + Duration::from_millis(dice.within(0, pause_ms));
        let mut post = Post::new(dice.part(1));
        for count in 0_u64.. {
            while !self.over.load(Ordering::Relaxed) && Instant::now() < next {
                post.send_due(desk)?;
                std::thread::sleep(Duration::from_millis(2));
            }
            post.send_due(desk)?;
            if self.over.load(Ordering::Relaxed) {
                break;
            }
            next += Duration::from_millis(dice.within(pause_ms / 2, pause_ms + pause_ms / 2));
            let which = usize::try_from(dice.next()).unwrap_or_default() % WORKFLOWS.len();
            let workflow = WORKFLOWS[which];
            let plan = Plan::draw(workflow, &mut dice);
            let key = format!("client-{number}-{count}");
            let run = self.start(desk, (workflow, &key), &plan)?;
            post.take(&plan);
            if dice.one_in(20) {
                post.say();
            }
            if dice.one_in(8) {
                // A repeat returns the first run (§4.8), whatever has crashed meanwhile.
                self.start(desk, (workflow, &key), &plan)?;
            }
            if pace.honest && dice.one_in(12) {
                conflict(desk, (workflow, &key), &plan)?;
            }
            if pace.honest && dice.one_in(15) {
                std::thread::sleep(Duration::from_millis(dice.within(0, 200)));
                cancel(desk, &run)?;
            }
            if dice.one_in(6) {
                read_end(desk, &run)?;
            }
        }
        post.send_all(desk)
    }

    /// Starts a run, and notes it once the answer was read.
    pub(crate) fn start(
        &self,
        desk: &Desk,
        (workflow, key): (&str, &str),
        plan: &Plan,
    ) -> Result<String, Error> {
        let tried = AtomicU64::new(0);
        let Started { id, created } = desk.api.insist("a start was due", INSIST, |api| {
            tried.fetch_add(1, Ordering::Relaxed);
            api.start(desk.app, workflow, key, plan)
        })?;
        let (key, run) = (key.to_owned(), id.clone());
        let fact = What::AckedStart { key, run, steps: plan.steps(), fate: plan.fate() };
        desk.pen.note(fact).map_err(Error::io("a start is noted"))?;
        let unanswered = tried.into_inner().saturating_sub(1);
        self.unanswered.fetch_add(unanswered, Ordering::Relaxed);
        let new = self.accepted.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
        if new && !created {
            self.made_before.fetch_add(1, Ordering::Relaxed);
        }
        Ok(id)
    }
}

/// Starts a run with a key that is taken and another input, which is a conflict (§4.8).
fn conflict(desk: &Desk, (workflow, key): (&str, &str), plan: &Plan) -> Result<(), Error> {
    let mut other = plan.clone();
    other.parts.push(Part::Skip { id: "other".into() });
    let what = format!("a start with the key {key} and another input");
    desk.api.insist(&what, INSIST, |api| match api.start(desk.app, workflow, key, &other) {
        Ok(_) => Err(Failure::Refused(Error::Accepted { what: what.clone() })),
        Err(Failure::Refused(Error::Refused { status: 409, .. })) => Ok(()),
        Err(failure) => Err(failure),
    })
}

/// Cancels a run, and notes it before it is asked and once the answer was read.
fn cancel(desk: &Desk, run: &str) -> Result<(), Error> {
    let run = run.to_owned();
    let asked = What::AskedCancel { run: run.clone() };
    desk.pen.note(asked).map_err(Error::io("a cancel is noted"))?;
    let status = desk.api.insist("a cancel was due", INSIST, |api| api.cancel(&run))?;
    let acked = What::AckedCancel { run, status };
    desk.pen.note(acked).map_err(Error::io("a cancel is noted"))?;
    Ok(())
}

/// Waits a while for the end of a run, and notes it if it came. A server that is killed meanwhile
/// gives no answer.
fn read_end(desk: &Desk, run: &str) -> Result<(), Error> {
    match desk.api.run(run, Some(Duration::from_millis(1_500))) {
        Ok(Some(read)) if read.has_ended() => {
            desk.pen.note(read.into_fact()).map_err(Error::io("an end is noted"))?;
            Ok(())
        }
        // A run that cannot be read now has to be there at the end of the test.
        Ok(_) | Err(Failure::Away(_)) => Ok(()),
        Err(Failure::Refused(error)) => Err(error),
    }
}
