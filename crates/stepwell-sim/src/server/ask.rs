//! A life asks a database that others share: a statement takes its time, and what it does is done in
//! the middle of it.

use stepwell_node::Output;

use super::life::{Done, Halt, Life};
use crate::env::{Env, Event};

impl Life {
    /// Sends a statement; the node waits for its answer, or goes on meanwhile where the seed says so.
    pub(super) fn ask_database(
        &mut self,
        (number, output): (u32, Output),
        env: &mut Env,
    ) -> Result<(), Halt> {
        if let (Output::Commit(batch), Some(standing)) = (&output, &mut self.standing) {
            let monotonic = self.clocks.monotonic.at(env.now);
            standing.check_batch(batch.at, monotonic).map_err(Halt::Doubt)?;
        }
        if self.asked.is_empty() && self.done.is_none() {
            let delay = env.database_delay();
            env.after(delay, Event::StoreDone(self.machine, self.number));
        }
        self.asked.push_back((number, output));
        Ok(())
    }

    /// A statement reaches the database, or its answer the node.
    pub(super) fn database_moves(&mut self, env: &mut Env) -> Result<(), Halt> {
        if let Some(done) = self.done.take() {
            self.check_lease(env)?;
            self.tell_done(done, env)?;
            self.settle(env)?;
        } else if let Some((number, output)) = self.asked.pop_front() {
            let mut at = None;
            let database = env.database();
            if let (Output::Commit(batch), Some(standing)) = (&output, &self.standing) {
                at = Some(batch.at);
                let place = (standing.joined.member(), standing.joined.head() + 1);
                database.gives(place, number, batch);
            }
            let done = self.do_in_store((number, output), env);
            env.note_seen();
            self.done = Some(match done {
                Ok(done) => done,
                Err(Halt::Doubt(why)) => Done::Doubtful(why),
                Err(halt @ Halt::Ended) => return Err(halt),
            });
            // What is acknowledged at an instant is acknowledged once that has passed at the database.
            let delay = env.database_delay();
            let answered = self.clocks.monotonic.at(env.now + delay);
            let early = match (at, &self.standing, &self.done) {
                (Some(at), Some(standing), Some(Done::Committed(_))) => {
                    standing.left_until(at, answered)
                }
                _ => 0,
            };
            env.after(delay + early, Event::StoreDone(self.machine, self.number));
            return Ok(());
        }
        if !self.asked.is_empty() {
            let delay = env.database_delay();
            env.after(delay, Event::StoreDone(self.machine, self.number));
        }
        Ok(())
    }
}
