//! Those who start, cancel and wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::operation::Operation;

use crate::clock::{MILLI, Micros, SECOND};
use crate::env::{Env, Event};
use crate::history::{Answer, Asked, Fact, Node, Request};
use crate::plan::Plan;
use crate::program::{Input, Profile, Saga, Topic};
use crate::rng::Rng;
use crate::server::{Item, Machine};

/// What a client is to do.
#[derive(Clone, Debug)]
enum Act {
    /// Ask this; whether to be answered at a run's end.
    Ask(Asked, bool),
    /// Cancel some run.
    Cancel,
    /// Do this to some run.
    Operate(Operation),
    /// Wait for some run.
    Wait,
    /// Resolve a step of some run that is blocked for it.
    Resolve,
    /// Make a new run of some run.
    Fork,
    /// Take in a copy of some run.
    Import,
}

/// A request without an answer.
#[derive(Clone, Debug)]
struct Pending {
    asked: Asked,
    wait: bool,
    tries: u32,
    /// The node that was asked.
    node: Node,
}

/// Those who start, cancel and wait.
#[derive(Debug)]
pub(super) struct Clients {
    acts: Vec<(Act, u32)>,
    pending: BTreeMap<Request, Pending>,
    /// Runs that clients know of.
    pub(super) runs: BTreeSet<RunId>,
    /// The inputs of those that they started.
    pub(super) inputs: BTreeMap<RunId, Input>,
    /// Runs that somebody wanted to be paused.
    paused: BTreeSet<RunId>,
    /// How many acts are still to come.
    planned: usize,
    last: u64,
    pub(super) rng: Rng,
}

/// The stream that clients draw from.
const STREAM: u64 = 5;

/// How often somebody looks for steps whose outcome is unknown.
const RESOLVES: u32 = 12;

/// How often a client tries again.
const TRIES_MAX: u32 = 6;

impl Clients {
    /// Makes clients and plans what they do.
    pub(super) fn new(seed: u64, env: &mut Env) -> Self {
        let rng = Rng::new(seed, STREAM);
        let runs = BTreeSet::new();
        let (acts, pending) = (Vec::new(), BTreeMap::new());
        let paused = BTreeSet::new();
        let inputs = BTreeMap::new();
        let mut clients = Self { acts, pending, runs, inputs, paused, planned: 0, last: 0, rng };
        let starts = env.plan.starts;
        for n in 0..starts {
            clients.plan_start(n, env);
        }
        let (cancels, waits) = (clients.rng.below(starts / 3), clients.rng.below(starts / 2));
        for _ in 0..cancels {
            let at = clients.rng.within(SECOND, env.plan.chaos);
            clients.plan(Act::Cancel, at, env);
        }
        for _ in 0..clients.rng.below(starts) {
            let at = clients.rng.within(SECOND, env.plan.chaos);
            let act = Operation::ALL[clients.rng.weighed(&[4, 1, 1, 6])];
            clients.plan(Act::Operate(act), at, env);
        }
        for n in 0..clients.rng.below(4 * starts) {
            let at = clients.rng.within(SECOND, env.plan.chaos);
            let (names, keys) = Topic::ALL;
            let topic = Topic { name: clients.rng.below(names), key: clients.rng.below(keys) };
            let asked = Asked::Send { id: format!("sent-{n}").into(), topic };
            clients.plan(Act::Ask(asked.clone(), false), at, env);
            if clients.rng.chance(200) {
                let later = clients.rng.spread(1, 10 * SECOND);
                clients.plan(Act::Ask(asked, false), at + later, env);
            }
        }
        for _ in 0..waits {
            let at = clients.rng.within(SECOND, env.plan.chaos);
            clients.plan(Act::Wait, at, env);
        }
        for _ in 0..clients.rng.below(starts / 2) {
            let at = clients.rng.within(SECOND, env.plan.chaos);
            clients.plan(Act::Fork, at, env);
        }
        for _ in 0..clients.rng.below(starts / 2) {
            let at = clients.rng.within(SECOND, env.plan.chaos);
            clients.plan(Act::Import, at, env);
        }
        clients.plan_resolves(env.plan.chaos, env);
        clients
    }

    /// Plans that somebody looks now and then for steps whose outcome is unknown.
    pub(super) fn plan_resolves(&mut self, within: Micros, env: &mut Env) {
        for _ in 0..RESOLVES {
            let at = self.rng.within(SECOND, within);
            self.plan(Act::Resolve, at, env);
        }
    }

    fn plan(&mut self, act: Act, delay: u64, env: &mut Env) {
        self.plan_again((act, 0), delay, env);
    }

    fn plan_again(&mut self, act: (Act, u32), delay: u64, env: &mut Env) {
        self.acts.push(act);
        self.planned += 1;
        env.after(delay, Event::ClientActs(self.acts.len() as u64 - 1));
    }

    fn plan_start(&mut self, n: u64, env: &mut Env) {
        let at = self.rng.within(10 * MILLI, env.plan.chaos * 9 / 10);
        let keyed = self.rng.chance(550);
        let key = keyed.then(|| {
            let few = self.rng.chance(200);
            Arc::from(format!("key-{}", if few { self.rng.below(4) } else { n }))
        });
        let number = self.rng.below(env.plan.workflows);
        let input = input(&mut self.rng, &env.plan, n);
        let workflow = workflow(number, &input);
        let asked = Asked::Start { workflow, key, input };
        let wait = self.rng.chance(250);
        self.plan(Act::Ask(asked.clone(), wait), at, env);
        if !keyed {
            return;
        }
        for _ in 0..self.rng.weighed(&[5, 3, 1]) {
            // At the same time, or much later.
            let later = if self.rng.chance(500) { 3 * MILLI } else { 20 * SECOND };
            let later = self.rng.spread(1, later);
            let (wait, other) = (self.rng.chance(200), self.rng.chance(150));
            let again = match (&asked, other) {
                (Asked::Start { workflow, key, input }, true) => {
                    let (workflow, key) = (Arc::clone(workflow), key.clone());
                    Asked::Start { workflow, key, input: Input { n: input.n + 1_000, ..*input } }
                }
                _ => asked.clone(),
            };
            self.plan(Act::Ask(again, wait), at + later, env);
        }
    }

    /// Plans some more starts, each of a run of its own, in the next seconds.
    pub(super) fn plan_more(&mut self, env: &mut Env) {
        for _ in 0..4 {
            let n = 10_000 + self.acts.len() as u64;
            let number = self.rng.below(env.plan.workflows);
            let input = input(&mut self.rng, &env.plan, n);
            let workflow = workflow(number, &input);
            let delay = self.rng.within(1, 3 * SECOND);
            let asked = Asked::Start { workflow, key: None, input };
            self.plan(Act::Ask(asked, false), delay, env);
        }
    }

    /// A client acts.
    pub(super) fn act(&mut self, number: u64, env: &mut Env) {
        let Some((act, tries)) = usize::try_from(number).ok().and_then(|n| self.acts.get(n)) else {
            return;
        };
        let tries = *tries;
        self.planned -= 1;
        match act.clone() {
            Act::Ask(asked, wait) => self.ask(Pending { asked, wait, tries, node: Node(0) }, env),
            Act::Cancel => {
                if let Some(run) = self.some_run() {
                    self.ask(
                        Pending { asked: Asked::Cancel(run), wait: false, tries, node: Node(0) },
                        env,
                    );
                }
            }
            Act::Operate(act) => {
                if act == Operation::Pause && !env.chaos {
                    return;
                }
                if let Some(run) = self.some_run() {
                    let asked = Asked::Operate(act, run);
                    self.ask(Pending { asked, wait: false, tries, node: Node(0) }, env);
                    if act == Operation::Pause {
                        self.paused.insert(run);
                        // Often before a runner has heard of it, at times much later.
                        let most = if self.rng.chance(300) { 30 * MILLI } else { 20 * SECOND };
                        let later = self.rng.spread(1, most);
                        let resume = Asked::Operate(Operation::Resume, run);
                        self.plan(Act::Ask(resume, false), later, env);
                    }
                }
            }
            Act::Wait => {
                if let Some(run) = self.some_run() {
                    self.ask(
                        Pending { asked: Asked::Wait(run), wait: true, tries, node: Node(0) },
                        env,
                    );
                }
            }
            act @ (Act::Resolve | Act::Fork | Act::Import) => {
                let asked = match act {
                    Act::Resolve => self.resolve(env),
                    Act::Fork => self.fork(),
                    _ => self.import(),
                };
                if let Some(asked) = asked {
                    self.ask(Pending { asked, wait: false, tries, node: Node(0) }, env);
                }
            }
        }
    }

    /// A client sends an event that it has heard a run waits for.
    pub(super) fn say_back(&mut self, topic: Topic, env: &mut Env) {
        let id = format!("back-{}", self.last).into();
        self.ask(
            Pending { asked: Asked::Send { id, topic }, wait: false, tries: 0, node: Node(0) },
            env,
        );
    }

    pub(super) fn some_run(&mut self) -> Option<RunId> {
        let place = self.rng.place(self.runs.len());
        self.runs.iter().nth(place).copied()
    }

    fn ask(&mut self, mut pending: Pending, env: &mut Env) {
        self.last += 1;
        let request = Request(self.last);
        let (asked, wait) = (pending.asked.clone(), pending.wait);
        env.line(format_args!("client asks {request:?}: {asked:?}"));
        env.fact(Fact::Asked { request, what: asked.clone() });
        let delay = env.plan.delay(&mut env.rng);
        pending.node = env.any_node();
        env.after(delay, Event::Asks(pending.node, request, Box::new(asked), wait));
        // Who asks at the end knows that nothing goes wrong, and waits.
        let least = if pending.tries < TRIES_MAX { SECOND } else { 15 * SECOND };
        let patience = self.rng.spread(least, 20 * SECOND);
        env.after(patience, Event::GivesUp(request));
        self.pending.insert(request, pending);
    }

    /// An answer reaches its client.
    pub(super) fn on_answer(&mut self, request: Request, answer: &Answer, env: &mut Env) {
        let Some(pending) = self.pending.remove(&request) else { return };
        match answer {
            Answer::Started { run, .. } | Answer::Ended { run, .. } => {
                self.runs.insert(*run);
                let input = match &pending.asked {
                    Asked::Start { input, .. } => Some(*input),
                    Asked::Fork(source, forked) => {
                        forked.input.or_else(|| self.inputs.get(source).copied())
                    }
                    _ => None,
                };
                let starts = matches!(answer, Answer::Started { .. });
                self.inputs.extend(input.filter(|_| starts).map(|input| (*run, input)));
            }
            // What will work later is tried again.
            Answer::Refused { code: "" | "SW1008" | "SW1009" | "SW2002" | "SW4004" } => {
                self.try_again(pending, env);
            }
            Answer::Refused { .. }
            | Answer::Acted(_)
            | Answer::Imported(_)
            | Answer::Sent { .. } => {}
        }
    }

    /// A client gives up waiting.
    pub(super) fn give_up(&mut self, request: Request, machines: &mut [Machine], env: &mut Env) {
        let Some(pending) = self.pending.remove(&request) else { return };
        env.fact(Fact::GaveUp { request });
        machines[pending.node.0].take(Item::GivesUp(request), env);
        self.try_again(pending, env);
    }

    fn try_again(&mut self, mut pending: Pending, env: &mut Env) {
        pending.tries += 1;
        // What is healed is resumed, and stays so.
        let pauses = matches!(pending.asked, Asked::Operate(Operation::Pause, _));
        if pending.tries < TRIES_MAX && !pauses {
            let pause = self.rng.spread(50 * MILLI, 4 * SECOND);
            let tries = pending.tries;
            self.plan_again((Act::Ask(pending.asked, pending.wait), tries), pause, env);
        }
    }

    /// Asks for the end of every run.
    pub(super) fn wait_for_all(&mut self, runs: &BTreeSet<RunId>, env: &mut Env) {
        for run in runs {
            self.ask(
                Pending { asked: Asked::Wait(*run), wait: true, tries: TRIES_MAX, node: Node(0) },
                env,
            );
        }
    }

    /// Lets every run go on that was to be paused.
    pub(super) fn resume_all(&mut self, env: &mut Env) {
        for run in std::mem::take(&mut self.paused) {
            let asked = Asked::Operate(Operation::Resume, run);
            // After whatever was asked before; what was not answered by then is asked again.
            let later = self.rng.within(5 * SECOND, 8 * SECOND);
            self.plan(Act::Ask(asked, false), later, env);
        }
    }

    /// Tells how many requests have no answer, or are still to be made.
    pub(super) fn waiting(&self) -> usize {
        self.pending.len() + self.planned
    }
}

/// Runs that are taken back have workflows of their own, which say how.
fn workflow(number: u64, input: &Input) -> Arc<str> {
    match input.profile {
        Profile::Saga => Saga::of(input.program).name().into(),
        _ => format!("workflow-{number}").into(),
    }
}

fn input(rng: &mut Rng, plan: &Plan, n: u64) -> Input {
    let profile = Profile::ALL[rng.weighed(&plan.profiles)];
    Input { program: rng.below(1 << 40), profile, n }
}
