//! The vectors of `spec/` that SDKs in every language run too.

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Spec<C> {
    cases: Vec<C>,
}

/// What a runner says, in the protocol's words where these are enough.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Message<'a> {
    PassMs(u64),
    Started {
        step: &'a str,
        n: u32,
    },
    #[serde(borrow)]
    Ended(Ended<'a>),
    Sleep {
        step: &'a str,
        #[serde(rename = "forMs")]
        for_ms: u64,
    },
    Skip {
        step: &'a str,
    },
    Dropped {
        step: &'a str,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Ended<'a> {
    step: &'a str,
    n: u32,
    #[serde(borrow, default, deserialize_with = "crate::payload::present")]
    output: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<Failure<'a>>,
    #[serde(default)]
    terminal: bool,
    #[serde(default)]
    timed_out: bool,
    max_attempts: Option<u32>,
}

impl World {
    fn say(&mut self, message: Message<'_>) {
        match message {
            Message::PassMs(ms) => {
                self.pass(Duration::from_millis(ms));
                self.fire();
            }
            Message::Started { step, n } => {
                let attempt = Attempt { n, started_at: self.now, overlapped: false };
                let open = Some(self.opening(Kind::Run));
                self.act(Act::StartStep(StartStep { step: step.into(), attempt, open })).unwrap();
            }
            Message::Ended(said) => {
                let mut end = self.end_step(said.step);
                end.attempt.n = said.n;
                end.policy = said
                    .max_attempts
                    .map(|max_attempts| Policy { max_attempts, ..Policy::default() });
                let (terminal, timed_out) = (said.terminal, said.timed_out);
                end.result = match said.error {
                    None => Ok(said.output),
                    Some(failure) => {
                        Err(AttemptError { failure, terminal, retry_at: None, timed_out })
                    }
                };
                self.act(Act::EndStep(end)).unwrap();
            }
            Message::Sleep { step, for_ms } => {
                self.sleep(step, Duration::from_millis(for_ms)).unwrap();
            }
            Message::Skip { step } => drop(self.skip(step).unwrap()),
            Message::Dropped { step } => drop(self.drop_step(step, Kind::Run).unwrap()),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettleOrder<'a> {
    name: &'a str,
    #[serde(borrow)]
    messages: Vec<Message<'a>>,
    ends: Vec<serde_json::Value>,
    positions: Vec<&'a str>,
}

fn ends(journal: &[u8]) -> Vec<serde_json::Value> {
    let records = record::decode(journal).map(Result::unwrap);
    let ends = records.filter_map(|record| match record {
        Record::StepEnded(end) => {
            let mut shown = serde_json::json!({ "step": end.step, "status": end.status });
            if let Some(output) = end.output {
                shown["output"] = serde_json::from_str(output.get()).unwrap();
            }
            if let Some(error) = end.error {
                shown["error"] = serde_json::to_value(&error).unwrap();
            }
            Some(shown)
        }
        _ => None,
    });
    ends.collect()
}

/// §5.4: ends of concurrent steps have one recorded order.
#[test]
fn settle_order_vectors_hold() {
    let spec: Spec<SettleOrder<'_>> =
        serde_json::from_str(include_str!("../../../../../spec/settle-order.json")).unwrap();
    for case in spec.cases {
        let mut world = World::held();
        for message in case.messages {
            world.say(message);
        }
        assert_eq!(ends(&world.journal), case.ends, "{}", case.name);
        let positions: Vec<_> = world.run.steps().iter().map(|step| &*step.id).collect();
        assert_eq!(positions, case.positions, "{}", case.name);
        // On replay they come in the same order: the fold of the journal has it.
        world.lose(true).unwrap();
        world.activate().unwrap();
        assert_eq!(ends(&world.journal), case.ends, "{}", case.name);
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Replay<'a> {
    name: &'a str,
    #[serde(borrow)]
    messages: Vec<Message<'a>>,
    then: &'a str,
    #[serde(default)]
    pass_ms: u64,
    ended: Vec<serde_json::Value>,
    open: Vec<serde_json::Value>,
    code: Vec<Vec<&'a str>>,
    delivered: Vec<&'a str>,
    changed: Vec<serde_json::Value>,
    calls: Vec<serde_json::Value>,
}

fn given(world: &World) -> (Vec<serde_json::Value>, Vec<serde_json::Value>) {
    let ended = world.ends().into_iter().map(|id| {
        let step = world.run.step(&id).unwrap();
        serde_json::json!({
            "step": id, "kind": step.kind, "status": step.status, "attempts": step.attempts,
        })
    });
    let open = world.run.steps().iter().filter(|step| !step.status.is_ended()).map(|step| {
        let mut shown = serde_json::json!({
            "step": *step.id, "kind": step.kind, "attempts": step.attempts,
        });
        if let Some(at) = step.wake {
            shown["dueInMs"] = u64::try_from(at.since(world.now).as_millis()).unwrap().into();
        }
        shown
    });
    (ended.collect(), open.collect())
}

/// What replay of a handler gives: ends delivered, changed orders, functions called.
#[derive(Default)]
struct Replayed<'a> {
    delivered: Vec<&'a str>,
    changed: Vec<serde_json::Value>,
    calls: Vec<serde_json::Value>,
}

fn replay<'a>(world: &World, code: &[Vec<&'a str>]) -> Replayed<'a> {
    let mut ends = world.ends();
    let mut replayed = Replayed::default();
    let mut asked: Vec<&'a str> = vec![];
    for stage in code {
        asked.extend(stage);
        let waits = |delivered: &[&str]| stage.iter().any(|step| !delivered.contains(step));
        while waits(&replayed.delivered) {
            let Some(at) = ends.iter().position(|end| asked.contains(&end.as_str())) else { break };
            if at > 0 {
                let change = serde_json::json!({ "expected": ends[0], "found": ends[at] });
                replayed.changed.push(change);
            }
            let end = ends.remove(at);
            replayed.delivered.push(asked.iter().copied().find(|step| *step == end).unwrap());
        }
        if waits(&replayed.delivered) {
            break;
        }
    }
    for step in asked.iter().filter(|step| !replayed.delivered.contains(step)) {
        let known = world.run.step(step);
        let due = known.is_none_or(|step| step.wake.is_none_or(|at| at <= world.now));
        if due && known.is_none_or(|step| step.kind == Kind::Run) {
            let n = known.map_or(0, |step| step.attempts) + 1;
            replayed.calls.push(serde_json::json!({ "step": step, "n": n }));
        }
    }
    replayed
}

/// §4.2: what a runner is given of a run is enough to go on with it.
#[test]
fn replay_vectors_hold() {
    let spec: Spec<Replay<'_>> =
        serde_json::from_str(include_str!("../../../../../spec/replay.json")).unwrap();
    for case in spec.cases {
        let mut world = World::held();
        for message in case.messages {
            world.say(message);
        }
        match case.then {
            "lost" => drop(world.lose(true).unwrap()),
            "released" => drop(world.release().unwrap()),
            other => panic!("{}: then {other}", case.name),
        }
        world.pass(Duration::from_millis(case.pass_ms));
        world.fire();
        world.activate().unwrap();
        assert_eq!(given(&world), (case.ended, case.open), "{}", case.name);
        let replayed = replay(&world, &case.code);
        assert_eq!(replayed.delivered, case.delivered, "{}", case.name);
        assert_eq!(replayed.changed, case.changed, "{}", case.name);
        assert_eq!(replayed.calls, case.calls, "{}", case.name);
    }
}
