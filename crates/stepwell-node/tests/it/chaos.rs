//! Everything at once: programs, cancels, keys, refusals, runners that go, come back and die, nodes
//! that restart, and a store whose answers come late and in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use stepwell_core::code::Code;
use stepwell_core::id::RunId;
use stepwell_core::view::View;
use stepwell_node::{About, Input, Reply, RequestId, Signed, StartRequest};
use stepwell_store::Error;

use crate::bots::{Bot, run_until};
use crate::harness::{Chance, World, json, start, who};

/// What was started, as its asker knows it.
struct Begun {
    program: Value,
    key: Option<String>,
    /// It has code that kills its process.
    crashes: bool,
}

#[derive(Default)]
struct Ledger {
    begun: BTreeMap<RequestId, Begun>,
    /// Acknowledged runs, and the request that they answer.
    acked: BTreeMap<RunId, RequestId>,
    keys: BTreeMap<String, RunId>,
    cancelled: BTreeSet<RunId>,
    waits: BTreeSet<RequestId>,
}

fn program(chance: &mut Chance) -> (Value, bool) {
    let mut crashes = false;
    let mut stages = Vec::new();
    let mut next = 0;
    for _ in 0..=chance.below(4) {
        let mut stage = Vec::new();
        for _ in 0..=chance.below(3) {
            next += 1;
            let id = format!("s{next}");
            stage.push(match chance.below(40) {
                0 => {
                    crashes = true;
                    json!({ "crash": { "id": id } })
                }
                1..8 => {
                    let ms = chance.pick(&[0, 1, 500, 5_000, 70_000]);
                    json!({ "sleep": { "id": id, "ms": ms } })
                }
                8..11 => json!({ "skip": { "id": id } }),
                _ => {
                    let ms = chance.pick(&[0, 0, 0, 20, 80, 400, 3_000]);
                    let fails = chance.pick(&[0, 0, 0, 0, 1, 2, 5]);
                    json!({ "run": { "id": id, "ms": ms, "fails": fails } })
                }
            });
        }
        stages.push(stage);
    }
    (json!(stages), crashes)
}

struct Chaos {
    world: World,
    bots: Vec<Bot>,
    chance: Chance,
    ledger: Ledger,
}

impl Chaos {
    fn new(seed: u64) -> Self {
        let mut world = World::new();
        world.config.limits.grace_ms = 5_000;
        world = World::with(world.config);
        world.chaos = Some(Chance(seed ^ 0xabcd));
        let mut chance = Chance(seed);
        let bots = ["worker", "worker", "gpu"].iter().enumerate().map(|(n, name)| {
            let mut who = who(u32::try_from(1 + chance.below(4)).unwrap());
            (who.name, who.instance, who.credit) = (name, format!("bot{n}"), 1 << 30);
            Bot::new(who)
        });
        let bots = bots.collect();
        let mut chaos = Self { world, bots, chance, ledger: Ledger::default() };
        for bot in &mut chaos.bots {
            bot.connect(&mut chaos.world);
        }
        chaos.run(1_000);
        chaos
    }

    fn run(&mut self, ms: u64) {
        let until = self.world.now.after(Duration::from_millis(ms));
        run_until(&mut self.world, &mut self.bots, until);
        for (request, reply) in self.world.take_replies() {
            self.answered(request, reply);
        }
    }

    fn answered(&mut self, request: RequestId, reply: Reply) {
        self.ledger.waits.remove(&request);
        let run = match reply {
            Reply::Started { run, .. } => run,
            Reply::Ended(ended) => ended.run,
            Reply::Error(error) => {
                assert_ne!(error.code, Code::Quarantined, "nothing is damaged: {}", error.detail);
                return;
            }
            Reply::Acted { .. }
            | Reply::Imported { .. }
            | Reply::Runners(_)
            | Reply::Sent(_)
            | Reply::Contended => return,
        };
        if let Some(begun) = self.ledger.begun.get(&request) {
            if let Some(key) = &begun.key {
                let first = *self.ledger.keys.entry(key.clone()).or_insert(run);
                assert_eq!(first, run, "§4.8: a key starts one run");
            }
            self.ledger.acked.entry(run).or_insert(request);
        }
    }

    fn start_some(&mut self) {
        for _ in 0..=self.chance.below(4) {
            let key = self.chance.one_in(4).then(|| format!("k{}", self.chance.below(6)));
            // A key has one input for good.
            let (program, crashes) = match &key {
                Some(key) => {
                    program(&mut Chance(key.len() as u64 * 77 + u64::from(key.as_bytes()[1])))
                }
                None => program(&mut self.chance),
            };
            let timeout = self
                .chance
                .one_in(6)
                .then(|| Duration::from_millis(self.chance.pick(&[0, 3, 900, 20_000, 100_000])));
            let runner = self.chance.one_in(6).then(|| "gpu".to_owned());
            let request = RequestId(self.world.id());
            let wait = self.chance.one_in(3);
            let start = StartRequest {
                input: Some(json(&program.to_string())),
                key: key.clone(),
                timeout,
                runner,
                wait,
                ..start("flow")
            };
            self.ledger.begun.insert(request, Begun { program, key, crashes });
            if wait {
                self.ledger.waits.insert(request);
            }
            self.world.tell(Input::Start { request, start: Box::new(start) });
        }
        self.world.settle();
    }

    fn about_some(&mut self) -> Option<About> {
        let count = self.ledger.acked.len();
        let run = (count > 0).then(|| self.chance.below(count))?;
        let run = *self.ledger.acked.keys().nth(run)?;
        Some(self.world.about(run))
    }

    fn act(&mut self) {
        let bot = self.chance.below(self.bots.len());
        match self.chance.below(24) {
            0..7 => self.start_some(),
            7 => {
                if let Some(about) = self.about_some() {
                    self.ledger.cancelled.insert(about.run);
                    self.world.tell(Input::Cancel { about, signed: Signed::default() });
                }
            }
            8 => {
                if let Some(about) = self.about_some() {
                    self.ledger.waits.insert(about.request);
                    self.world.tell(Input::Wait { about });
                }
            }
            9 => {
                let waits: Vec<_> = self.ledger.waits.iter().copied().collect();
                if !waits.is_empty() {
                    let request = self.chance.pick(&waits);
                    self.ledger.waits.remove(&request);
                    self.world.tell(Input::Forget { request });
                }
            }
            10 => self.bots[bot].disconnect(&mut self.world),
            11..14 => self.bots[bot].connect(&mut self.world),
            14 => {
                self.bots[bot].die(&mut self.world);
                self.bots[bot].connect(&mut self.world);
            }
            15 => self.restart(),
            16 => {
                let refused = Error::DiskFull { free: 1, reserve: 2 };
                self.world.refuse_growth = self.chance.one_in(2).then_some(refused);
            }
            17 => self.run(12_000),
            18 => self.bots[bot].who.build = Some(self.chance.pick(&["b1", "b2", "b3"])),
            _ => {
                let ms = self.chance.pick(&[0, 1, 30, 200, 1_100, 4_000]);
                self.run(ms);
            }
        }
        self.world.settle();
    }

    fn restart(&mut self) {
        self.world.restart();
        self.ledger.waits.clear();
        for bot in &mut self.bots {
            // Their connections went with the node.
            bot.session = None;
            if self.chance.one_in(2) {
                bot.connect(&mut self.world);
            }
        }
    }

    /// Everybody comes back, and time passes until all is done.
    fn finish(&mut self) {
        self.world.refuse_growth = None;
        for bot in &mut self.bots {
            // Other builds would try what is blocked again, for ever.
            bot.who.build = Some("last");
            bot.connect(&mut self.world);
        }
        for _ in 0..80 {
            for bot in &mut self.bots {
                if bot.session.is_none() {
                    bot.connect(&mut self.world);
                }
            }
            self.run(10_000);
        }
        for bot in &mut self.bots {
            assert_eq!(bot.holds(), 0, "a runner still holds a run");
        }
        self.world.calm();
        for (request, reply) in self.world.take_replies() {
            self.answered(request, reply);
        }
    }

    fn check(&mut self) {
        self.world.assert_at_rest();
        assert!(self.world.restarts.is_empty(), "{:?}", self.world.restarts);
        for (run, request) in &self.ledger.acked {
            let begun = &self.ledger.begun[request];
            let journal = self.world.journal(*run);
            let view = View::of(*run, &journal).unwrap();
            match view.status.as_str() {
                "completed" => check_steps(&view, &begun.program),
                "cancelled" => assert!(self.ledger.cancelled.contains(run), "{run}"),
                "timed_out" => {
                    assert!(view.deadline.is_some_and(|at| Some(at) <= view.ended_at), "{run}");
                }
                "blocked" => assert!(begun.crashes, "{run}: {:?}", view.blocked_because),
                other => panic!("{run} is {other}:\n{}", String::from_utf8_lossy(&journal)),
            }
        }
        let blocked = |request: &&RequestId| {
            self.ledger.begun.get(*request).is_none_or(|begun| begun.crashes)
        };
        let unanswered: Vec<_> = self.ledger.waits.iter().filter(|one| !blocked(one)).collect();
        assert!(unanswered.is_empty(), "waits without an answer: {unanswered:?}");
    }
}

/// Every step of the program ended as it had to, once.
fn check_steps(view: &View<'_>, program: &Value) {
    let mut count = 0;
    for op in program.as_array().unwrap().iter().flat_map(|stage| stage.as_array().unwrap()) {
        let (kind, body) = op.as_object().unwrap().iter().next().unwrap();
        let id = body["id"].as_str().unwrap();
        let step = view.steps.iter().find(|step| *step.id == *id).unwrap();
        let ended = |status: &str| step.attempts.iter().filter(|one| one.status == status).count();
        match kind.as_str() {
            "run" => {
                let fails = body["fails"].as_u64().unwrap();
                let (status, failed) =
                    if fails >= 4 { ("failed", 4) } else { ("completed", fails) };
                assert_eq!(step.status.as_str(), status, "{} {id}", view.id);
                assert_eq!(ended("failed") as u64, failed, "{} {id}", view.id);
                assert_eq!(ended("completed"), usize::from(fails < 4), "{} {id}", view.id);
            }
            "skip" => assert_eq!(step.status.as_str(), "skipped"),
            _ => assert_eq!(step.status.as_str(), "completed"),
        }
        count += 1;
    }
    assert_eq!(view.steps.len(), count);
}

fn play(seed: u64) -> (u64, u32) {
    let mut chaos = Chaos::new(seed);
    let actions = 40 + chaos.chance.below(60);
    for _ in 0..actions {
        chaos.act();
    }
    chaos.finish();
    chaos.check();
    let calls = chaos.bots.iter().map(|bot| bot.calls).sum();
    (calls, chaos.bots.iter().map(|bot| bot.died).sum())
}

/// §4.1, §4.2, §4.7, §4.8, §4.9: whatever happens, every acknowledged run comes to its end, each of
/// its results is saved once, and nothing is left behind.
#[test]
fn every_acknowledged_run_comes_to_its_end() {
    let (mut calls, mut died) = (0, 0);
    let asked = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let first = asked("SEED");
    let seeds = first.map_or(0..120, |seed| seed..seed + asked("SEEDS").unwrap_or(1));
    for seed in seeds {
        let played = std::panic::catch_unwind(|| play(seed));
        let Ok((called, deaths)) = played else { panic!("seed {seed}: run it with SEED={seed}") };
        calls += called;
        died += deaths;
    }
    assert!(calls > 0 && (first.is_some() || died > 100), "{calls} calls, {died} deaths");
}
