//! Random walks: many runs change at random, and everything is compared again and again.

use std::sync::Arc;
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::status::{RunStatus, StepStatus};
use stepwell_core::time::Timestamp;

use super::Case;
use crate::batch::Batch;
use crate::conformance::script::{Script, Start};
use crate::conformance::world::World;
use crate::event::{Did, EventRetention, EventWrite};
use crate::inbox::{Message, MessageId, MessageKind};

const WALKS: u64 = 12;
const COMMITS: u64 = 25;

pub(super) fn cases() -> Vec<Case> {
    (0..WALKS)
        .map(|seed| Case::new(format!("walk_{seed}"), move |world| walk(world, seed)))
        .collect()
}

/// Random numbers after splitmix64, the same for a seed on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (value ^ (value >> 31)) % bound
    }
}

fn walk(world: &mut World<'_>, seed: u64) {
    let mut random = Random(seed);
    let mut live: Vec<Script> = Vec::new();
    for number in 0..COMMITS {
        let mut changed = Vec::new();
        for _ in 0..random.below(4) {
            let key = format!("key-{}", random.below(1 << 40));
            let workflow = ["checkout", "refund"][usize::from(random.below(2) == 0)];
            let start = Start { workflow, key: Some(&key), ..Start::default() };
            changed.push(world.start_as(start));
        }
        let going_on = random.below(live.len() as u64 + 1);
        for _ in 0..going_on {
            let at = usize::try_from(random.below(live.len() as u64)).unwrap_or(0);
            let mut script = live.swap_remove(at);
            go_on(&mut script, &mut random, number);
            changed.push(script);
        }
        let at = world.tick();
        let runs = changed.iter_mut().map(Script::write).collect();
        let events = events(world, &mut random);
        let (messages, consumed) = inbox(world, &mut random);
        let grows = random.below(2) == 0;
        world.commit(&Batch { at, runs, events, messages, consumed, grows, ..Batch::default() });
        let ended = |run: &Script| world.model.runs[&run.id()].0.status.is_ended();
        live.extend(changed.into_iter().filter(|run| !ended(run)));
        match random.below(8) {
            0 => world.settle(),
            1 => world.reopen(),
            2 => {
                let limit = usize::try_from(random.below(5)).unwrap_or(0);
                let cutoff = world.now().before(Duration::from_secs(random.below(30)));
                world.purge(cutoff, limit);
                let known_from = cutoff.before(Duration::from_secs(random.below(30)));
                world.drop_events(EventRetention { kept_from: cutoff, known_from }, limit);
            }
            3 => world.check(),
            _ => {}
        }
    }
}

/// Events are sent, do something, and are routed at last.
fn events(world: &mut World<'_>, random: &mut Random) -> Vec<EventWrite> {
    let mut said = Vec::new();
    for place in world.model.unrouted() {
        match random.below(4) {
            0 => said.push(EventWrite::Routed(place.id)),
            1 => {
                let run = RunId::new(world.now(), u128::from(random.below(4)) << 100);
                let step = (random.below(2) == 0).then(|| "wait".into());
                said.push(EventWrite::Did(place.id, vec![Did { run, step }]));
            }
            _ => {}
        }
    }
    for _ in 0..random.below(3) {
        let name = ["paid", "sent"][usize::from(random.below(2) == 0)];
        let event = world.event(name, |_| {});
        said.push(EventWrite::Accepted(Arc::new(event)));
    }
    said
}

/// Runs tell each other something, and what they were told is heard.
fn inbox(world: &World<'_>, random: &mut Random) -> (Vec<Arc<Message>>, Vec<MessageId>) {
    let (mut sent, mut heard) = (Vec::new(), Vec::new());
    for id in world.model.inbox.keys() {
        if random.below(3) == 0 {
            heard.push(*id);
        }
    }
    for _ in 0..random.below(4) {
        let run = |number: u64| RunId::from_u128(u128::from(number) << 90);
        let kind = MessageKind::ALL[usize::from(random.below(2) == 0)];
        let id = MessageId { to: run(random.below(4)), from: run(random.below(4)), kind };
        let body = format!("{{\"n\":{}}}", random.below(1 << 40)).into();
        sent.push(Arc::new(Message { id, body }));
    }
    (sent, heard)
}

/// A run is activated, does something, and is given back, or ends.
fn go_on(run: &mut Script, random: &mut Random, number: u64) {
    let step = format!("step-{number}-{}", random.below(1 << 40));
    let due = Timestamp::from_millis(i64::try_from(random.below(1 << 41)).unwrap_or(0));
    run.pass(Duration::from_millis(random.below(5_000))).activate();
    match random.below(7) {
        0 => drop(run.end(&step, StepStatus::Completed, "{\"ok\":true}").release()),
        1 => drop(run.sleep(&step, due).release()),
        2 => drop(run.fail(&step, due).release()),
        3 => drop(run.begin(&step)),
        4 => drop(run.ended(RunStatus::Completed)),
        5 => drop(run.end(&step, StepStatus::Failed, "0").ended(RunStatus::Failed)),
        _ => drop(run.ending(RunStatus::Cancelled).ended(RunStatus::Cancelled)),
    }
}
