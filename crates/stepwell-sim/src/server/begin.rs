//! A process begins: it opens the store, and makes a node for it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use stepwell_node::{Config, Input, Node, Outputs, Restored};
use stepwell_sqlite::{Embedded, Options};
use stepwell_store::backup::InFolder as _;
use stepwell_store::{Error, Store as _};

use super::life::{Life, note_failure};
use super::machine::{Machine, RESERVE};
use super::read;
use crate::clock::{Engine, MILLI, SECOND};
use crate::disk::{Loss, SimDisk};
use crate::env::{Env, Event};
use crate::history::Fact;

/// The id of the store of every simulation; those that are made of its backups have the next ones.
const FIRST_STORE: u128 = 77;

impl Machine {
    /// Begins a process, or opens the store again in the one that is there.
    pub(crate) fn begin(&mut self, env: &mut Env) {
        if self.life.is_some() {
            return;
        }
        let begun = if env.plan.nodes > 1 { self.join(env) } else { self.open_store(env) };
        match begun {
            Ok(life) => self.go(life, env),
            Err(error) => {
                env.line(format_args!("the store does not open: {error}"));
                note_failure(&self.disk, env);
                if self.disk.has_ended() {
                    return self.crash(Loss::None, None, env);
                }
                if matches!(error, Error::Corrupt(_) | Error::Format { .. }) {
                    env.fact(Fact::Damaged(error.to_string()));
                }
                let pause = self.rng.spread(50 * MILLI, SECOND);
                env.after(pause, Event::NodeBegins(self.node));
            }
        }
    }

    fn open_store(&mut self, env: &mut Env) -> Result<Life, Error> {
        let slice = 1 + self.rng.spread(1_000, 1 << 20);
        let options = Options { fold_slice: slice, ..self.options(env) };
        let store = Arc::new(Embedded::open_on(self.disk.clone(), self.place.clone(), options)?);
        let high_water = store.high_water()?;
        let floor = self.bug.floor(self.floor.max(high_water));
        let engine =
            Engine::new(self.clocks.monotonic.at(env.now), self.clocks.wall.at(env.now), floor);
        note_failure(&self.disk, env);
        self.begun += 1;
        env.line(format_args!("the node begins ({})", self.begun));
        env.fact(Fact::Opened { high_water });
        let restored = Self::restored(&store, env);
        let read = read::everything(&*store, env.ledger.all(), self.rng.chance(300))?;
        env.ledger.found(&read);
        env.fact(Fact::Read(Box::new(read)));
        let lag = self.disk.take_latency();
        env.stands_still(lag);
        let shown: Arc<dyn stepwell_store::Store> = store.clone();
        let shown = self.bug.show(shown, self.begun > 1);
        Ok(Life {
            machine: self.node,
            number: self.begun,
            node: Node::new(self.config(restored, env)),
            store: store.clone(),
            embedded: Some(store),
            standing: None,
            shown,
            disk: self.disk.clone(),
            engine,
            clocks: self.clocks,
            held: restored.held,
            sessions: BTreeSet::new(),
            requests: BTreeSet::new(),
            waits: BTreeSet::new(),
            out: Outputs::default(),
            queue: VecDeque::new(),
            again: false,
            lag,
            store_until: 0,
            asked: VecDeque::new(),
            done: None,
            pipelined: env.plan.pipelined,
            dying: None,
            bug: self.bug.clone(),
        })
    }

    pub(super) fn config(&mut self, restored: Restored, env: &Env) -> Config {
        let mut seed = [0; 32];
        for byte in &mut seed {
            *byte = u8::try_from(self.rng.below(256)).unwrap_or(0);
        }
        Config {
            limits: env.plan.limits.clone(),
            ping_ms: env.plan.ping_ms,
            credit_bytes: self.rng.spread(64 << 10, 8 << 20),
            version: "0".into(),
            seed,
            restored,
            ..Config::default()
        }
    }

    fn go(&mut self, mut life: Life, env: &mut Env) {
        let begun = life.shown.workflows().map_err(|error| Life::failed(&life.disk, &error));
        let begun = begun.and_then(|workflows| {
            life.tell(Input::Opened { workflows }, env);
            life.settle(env)
        });
        self.life = Some(life);
        self.finish(begun, env);
    }

    /// Returns how the store is opened and, the first time, made.
    pub(super) fn options(&self, env: &Env) -> Options {
        let store_id = Some(FIRST_STORE + self.restores);
        Options { disk_reserve: RESERVE, store_id, ..env.plan.store() }
    }

    /// Tells a node what its store was made of, as a server does.
    fn restored(store: &Embedded<SimDisk>, env: &mut Env) -> Restored {
        let Some(restored) = store.restored() else { return Restored::default() };
        if restored.held {
            env.fact(Fact::HeldBack);
        }
        Restored { void_until: Some(restored.until), held: restored.held }
    }
}
