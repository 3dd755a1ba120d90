//! Those who resolve steps whose outcome is unknown, and make new runs of others.

use std::sync::Arc;

use stepwell_core::id::RunId;

use super::clients::Clients;
use crate::env::Env;
use crate::history::{Asked, Forked, Known, Place};
use crate::program::{Input, Program, What};

impl Clients {
    /// Says how some step ended whose outcome is unknown, if there is one.
    pub(super) fn resolve(&mut self, env: &Env) -> Option<Asked> {
        let place = self.rng.place(env.ledger.unknown().len());
        let (run, step) = env.ledger.unknown().iter().nth(place)?;
        let known = match self.rng.weighed(&[2, 1, 3]) {
            0 => Known::Completed(self.rng.below(1 << 20)),
            1 => Known::Failed,
            _ => Known::NotDone,
        };
        Some(Asked::Resolve { run: *run, step: Arc::clone(step), known })
    }

    /// Takes in a copy of some run. Most have an id of their own; some have that of another copy, or are
    /// of a run of which there is a copy.
    pub(super) fn import(&mut self) -> Option<Asked> {
        let source = self.some_run()?;
        let of = if self.rng.chance(100) { self.some_run()? } else { source };
        let number = u128::from(self.rng.chance(150)) + 1;
        let copy = RunId::from_u128(of.as_u128() ^ number);
        Some(Asked::Import { copy, source, end: self.rng.chance(700) })
    }

    /// Makes a new run of some run that a client started.
    pub(super) fn fork(&mut self) -> Option<Asked> {
        let run = self.some_run()?;
        let input = *self.inputs.get(&run)?;
        let steps = &Program::of(&input).steps;
        let place = self.rng.place(steps.len());
        let from = match self.rng.weighed(&[2, 6, 2]) {
            0 => Place::Start,
            1 => Place::Step(Arc::clone(&steps[place].id)),
            _ => Place::Failure,
        };
        let mut outputs = Vec::new();
        if matches!(from, Place::Step(_)) && self.rng.chance(500) {
            let kept = steps[..place].iter().filter(|step| matches!(step.what, What::Run(_)));
            let kept: Vec<_> = kept.collect();
            if !kept.is_empty() {
                let step = Arc::clone(&self.rng.pick(&kept).id);
                outputs.push((step, self.rng.below(1 << 20)));
            }
        }
        // It does the same, and says of itself that it is another one.
        let input = self.rng.chance(300).then(|| Input { n: input.n + 50_000, ..input });
        Some(Asked::Fork(run, Forked { from, input, outputs }))
    }
}
