//! A machine whose node shares a database with others: it joins, renews its lease, frees what belongs to
//! nodes that are gone, and leaves.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use stepwell_node::{Node, Outputs, Restored};
use stepwell_store::memory::{During, Fate};
use stepwell_store::shared::Shared as _;
use stepwell_store::{Error, Store};

use super::inbox::Item;
use super::life::{Halt, Life};
use super::machine::Machine;
use super::standing::{Standing, Step};
use crate::clock::{Engine, MILLI, Micros, micros};
use crate::env::{Env, Event};
use crate::history::Fact;

/// How long a node waits before it tries again to renew its lease.
const RETRY: Micros = 100 * MILLI;

impl Machine {
    /// Joins the database.
    pub(super) fn join(&mut self, env: &mut Env) -> Result<Life, Error> {
        if env.now < env.database().down_until {
            return Err(Error::Unavailable("the database is not there".into()));
        }
        let nonce = self.rng.next();
        let name = format!("node-{}", self.node.0);
        let joined = env.database().memory.join(&name, nonce);
        env.note_seen();
        let monotonic = self.clocks.monotonic.at(env.now);
        let void_until = env.database.void_until;
        let floor = self.floor.max(joined.high_water()?).max(void_until.unwrap_or(self.floor));
        self.begun += 1;
        self.left_behind = false;
        let member = joined.member();
        env.line(format_args!("{:?} begins as {member:?}", self.node));
        env.fact(Fact::Joined { node: self.node, member, floor });
        let standing = Standing::new(Arc::clone(&joined), monotonic, floor);
        let mut config = self.config(Restored { void_until, held: false }, env);
        (config.shared, config.lease) = (true, standing.term());
        let life = self.begun;
        env.after(1, Event::Renews(self.node, life, Step::Asks));
        let look = env.plan.shared.look;
        env.after(look, Event::Keeps(self.node, life));
        let shown = self.bug.show(joined, self.begun > 1);
        let engine = Engine::new(monotonic, self.clocks.wall.at(env.now), floor);
        Ok(Life {
            machine: self.node,
            number: life,
            node: Node::new(config),
            store: Arc::clone(&shown),
            embedded: None,
            standing: Some(standing),
            shown,
            disk: self.disk.clone(),
            engine,
            clocks: self.clocks,
            held: false,
            sessions: BTreeSet::new(),
            requests: BTreeSet::new(),
            waits: BTreeSet::new(),
            out: Outputs::default(),
            queue: VecDeque::new(),
            again: false,
            lag: 0,
            store_until: 0,
            asked: VecDeque::new(),
            done: None,
            pipelined: env.plan.pipelined,
            dying: None,
            bug: self.bug.clone(),
        })
    }

    /// Returns what the life of this number has of the database, unless the process stands still: then the
    /// event is put off.
    fn standing(&mut self, life: u32, event: Event, env: &mut Env) -> Option<&mut Standing> {
        let there = self.life.as_mut().filter(|one| one.number == life)?;
        if let Some(until) = self.paused {
            env.at(until + 1, event);
            return None;
        }
        there.standing.as_mut()
    }

    /// The lease is renewed, step by step.
    pub(crate) fn on_renewal(&mut self, life: u32, step: Step, env: &mut Env) {
        let node = self.node;
        let monotonic = self.clocks.monotonic.at(env.now);
        if let Step::Reaches = step {
            // Whether the process stands still is all one to what it sent.
            env.database();
            let alive = self.life.as_mut().filter(|one| one.number == life);
            let Some(standing) = alive.and_then(|one| one.standing.as_mut()) else { return };
            standing.reaches();
            env.note_seen();
            let delay = env.database_delay();
            return env.after(delay, Event::Renews(node, life, Step::Answered));
        }
        let Some(standing) = self.standing(life, Event::Renews(node, life, step), env) else {
            return;
        };
        if let Step::Asks = step {
            standing.asks(monotonic);
            let delay = env.database_delay();
            return env.after(delay, Event::Renews(node, life, Step::Reaches));
        }
        let pause = micros(standing.term()) / 3;
        let answered = standing.answered(monotonic);
        match answered {
            Ok(renewed) => {
                let pause = if renewed { pause } else { RETRY };
                env.after(pause, Event::Renews(node, life, Step::Asks));
            }
            Err(why) => self.finish(Err(Halt::Doubt(why)), env),
        }
    }

    /// The node frees what belongs to nodes that are gone, and drops old answers.
    pub(crate) fn on_keeper(&mut self, life: u32, env: &mut Env) {
        let node = self.node;
        env.database();
        let grant = env.plan.limits.runner_ttl();
        let slice = env.plan.shared.slice;
        let kept = Duration::from_micros(env.plan.shared.answers_kept);
        let Some(standing) = self.standing(life, Event::Keeps(node, life), env) else { return };
        let freed = standing.joined.take_over(grant, slice);
        let until = standing.joined.lease().now.before(kept);
        let tidied = standing.joined.tidy(until, slice);
        env.note_seen();
        match (freed, tidied) {
            (Err(Error::Fenced), _) | (_, Err(Error::Fenced)) => {}
            (Ok(freed), _) if freed > 0 => {
                env.after(MILLI, Event::Keeps(node, life));
                self.take(Item::Hint, env);
            }
            _ => {
                let look = env.plan.shared.look;
                let pause = env.rng.within(look / 2, look * 3 / 2);
                env.after(pause, Event::Keeps(node, life));
            }
        }
    }

    /// Lets other nodes have what is this one's, at once.
    pub(super) fn leave(&mut self, env: &mut Env) {
        let Some(standing) = self.life.as_mut().and_then(|life| life.standing.as_mut()) else {
            return;
        };
        env.database();
        // Where that fails the others wait for the end of the lease.
        let _ = standing.joined.leave();
        env.note_seen();
    }

    /// Cuts the connections to the database in the middle of a statement. Tells whether there are any.
    pub(crate) fn cut_off(&mut self, during: During, fate: Fate) -> bool {
        let standing = self.life.as_ref().and_then(|life| life.standing.as_ref());
        standing.map(|standing| standing.joined.cut(during, fate)).is_some()
    }
}
