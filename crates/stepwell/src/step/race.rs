//! Branches of which the first to settle wins.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use stepwell_core::name;
use stepwell_core::status::Kind;

use super::plan::Plan;
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::json;
use crate::machine::{End, Lane, Outcome, Racing, Turn, value_of};

/// Which branch of a race won, and what it gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Won<T> {
    /// The name of the branch.
    pub winner: String,
    /// What it returned.
    pub value: T,
}

type BranchFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

struct Branch<'a, T> {
    name: Arc<str>,
    start: Option<Box<dyn FnOnce(Ctx) -> BranchFuture<'a, T> + Send + 'a>>,
    /// Absent before it began, and once it settled.
    future: Option<BranchFuture<'a, T>>,
}

/// A race of branches; made by [`Ctx::race`].
///
/// Await it to get the winner. The first branch that settles wins durably: its value is given, or its
/// error thrown. Everything that the others have open is cancelled with that, and their code is
/// dropped.
#[must_use = "a step does nothing unless awaited"]
pub struct RaceStep<'a, T> {
    plan: Plan,
    branches: Vec<Branch<'a, T>>,
    /// A branch settled that ends the race: nothing goes on in the others.
    settled: bool,
}

// Branches have boxes of their own; nothing else is ever pinned.
impl<T> Unpin for RaceStep<'_, T> {}

impl<'a, T: Serialize + DeserializeOwned> RaceStep<'a, T> {
    pub(crate) fn new(ctx: Ctx, id: &str) -> Self {
        Self { plan: Plan::new(ctx, id, Kind::Race), branches: Vec::new(), settled: false }
    }

    /// Adds a branch. Its steps are made with the [`Ctx`] that it is given: by that the engine knows
    /// what to cancel when another branch wins.
    pub fn branch<F, Fut>(mut self, name: &str, branch: F) -> Self
    where
        F: FnOnce(Ctx) -> Fut + Send + 'a,
        Fut: Future<Output = Result<T>> + Send + 'a,
    {
        let twice = self.branches.iter().any(|one| *one.name == *name);
        self.plan.set(|id, _| {
            name::check("a branch", name).map_err(|why| Error::argument(why.to_string()))?;
            if twice {
                return Err(Error::argument(format!("race `{id}` has two branches `{name}`")));
            }
            Ok(())
        });
        self.branches.push(Branch {
            name: Arc::from(name),
            start: Some(Box::new(move |ctx| Box::pin(branch(ctx)))),
            future: None,
        });
        self
    }

    /// Sets what is shown with the step (§2.1).
    pub fn metadata(mut self, metadata: impl Serialize) -> Self {
        self.plan.set_metadata(metadata);
        self
    }

    /// Records the names of the branches (§3.4) as the race is asked for.
    fn describe(&mut self) {
        #[derive(Serialize)]
        struct Branches<'a> {
            branches: Vec<&'a str>,
        }
        let branches = self.branches.iter().map(|branch| &*branch.name).collect::<Vec<_>>();
        if branches.is_empty() {
            self.plan.set(|id, _| {
                Err(Error::argument(format!("race `{id}` has no branch; give it one or more")))
            });
        }
        self.plan.set_input(Branches { branches });
    }

    /// Polls the branches in their order, until one settles that ends the race.
    fn poll_branches(&mut self, cx: &mut Context<'_>) {
        let (cell, place) = (self.plan.ctx.cell().clone(), self.plan.place());
        for branch in &mut self.branches {
            let racing = cell.racing(place);
            if matches!(racing, Racing::Over) {
                return;
            }
            if let Some(start) = branch.start.take() {
                let lane = Lane { race: self.plan.id.clone(), name: branch.name.clone() };
                branch.future = Some(start(self.plan.ctx.in_lane(lane)));
            }
            let Some(future) = &mut branch.future else { continue };
            let Poll::Ready(result) = future.as_mut().poll(cx) else { continue };
            branch.future = None;
            match racing {
                Racing::Open => {
                    let max = self.plan.ctx.payload_bytes_max();
                    let outcome = won(&self.plan.id, &branch.name, result, max);
                    if let Some(place) = place {
                        cell.on_won(place, outcome);
                    }
                    self.settled = true;
                }
                Racing::Recorded(Some(winner)) => self.settled = *winner == *branch.name,
                Racing::Recorded(None) => self.settled = result.is_err(),
                Racing::Unjudged | Racing::Over => {}
            }
            if self.settled {
                return;
            }
        }
    }

    fn end(&self, end: &End) -> Result<Won<T>> {
        let id = &self.plan.id;
        if let Some(failure) = end.error.as_deref() {
            return Err(Error::race(id, failure));
        }
        self.plan.result(end)?;
        let Some((winner, value)) = value_of(end.output.as_deref()) else {
            let text = format!("the recorded end of race `{id}` names no winner");
            return Err(Error::serialization(text, None));
        };
        let value = json::decode(|| format!("the result of race `{id}`"), value.as_deref())?;
        Ok(Won { winner, value })
    }
}

/// What is recorded of a branch that settled first.
fn won<T: Serialize>(id: &str, winner: &str, result: Result<T>, bytes_max: usize) -> Outcome {
    #[derive(Serialize)]
    struct Recorded<'a> {
        winner: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<&'a RawValue>,
    }
    let recorded = result.and_then(|value| {
        let what = || format!("the value of branch `{winner}` of race `{id}`");
        let value = json::encode(what, &value)?;
        let recorded = Recorded { winner, value: value.as_deref() };
        let output = serde_json::value::to_raw_value(&recorded)?;
        json::within(what, Some(&output), bytes_max)?;
        Ok(output)
    });
    match recorded {
        Ok(output) => Outcome::Returned(Some(output)),
        Err(error) => Outcome::of_error(&error),
    }
}

impl<T: Serialize + DeserializeOwned> Future for RaceStep<'_, T> {
    type Output = Result<Won<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.branches.iter().all(|branch| branch.start.is_some()) && this.plan.place().is_none()
        {
            this.describe();
        }
        let turn = match this.plan.turn(cx, 0) {
            Ok(turn) => turn,
            Err(error) => return Poll::Ready(Err(error)),
        };
        // §7.5: a handler that only replays goes through the branches even where it is given the
        // race's end as soon as it asks.
        if !this.settled {
            this.poll_branches(cx);
        }
        match turn {
            Turn::Ready(end) => {
                // §5.5: the losers are dropped; what they had open is cancelled already.
                this.branches.clear();
                this.plan.over();
                Poll::Ready(this.end(&end))
            }
            Turn::Begin(_) | Turn::Verify(_) | Turn::Poll | Turn::Stop | Turn::Pending => {
                Poll::Pending
            }
        }
    }
}

impl<T> fmt::Debug for RaceStep<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RaceStep").field("id", &self.plan.id).finish_non_exhaustive()
    }
}
