//! A run as people see it, and journals that are none.

use super::*;

impl World {
    /// Completes a step that began after so many ends.
    fn complete_after(&mut self, step: &str, after: u32) {
        let mut end = self.end_step(step);
        end.open.as_mut().unwrap().after = after;
        self.act(Act::EndStep(end)).unwrap();
    }

    fn edges(&self, step: &str) -> Vec<String> {
        let view = self.view();
        let step = view.steps.iter().find(|one| *one.id == *step).unwrap();
        step.after.iter().map(|id| (**id).into()).collect()
    }
}

/// §3.3: edges name what had been delivered when the step began, without what others imply.
#[test]
fn edges_are_reduced() {
    let mut world = World::held();
    world.complete_after("a", 0);
    world.complete_after("b", 1);
    world.complete_after("c", 1);
    world.complete_after("join", 3);
    world.complete_after("tail", 4);
    world.complete_after("side", 2);
    assert_eq!(world.edges("a"), none());
    assert_eq!(world.edges("b"), ["a"]);
    assert_eq!(world.edges("c"), ["a"]);
    assert_eq!(world.edges("join"), ["b", "c"]);
    assert_eq!(world.edges("tail"), ["join"]);
    assert_eq!(world.edges("side"), ["b"]);
}

/// §3.3: a dropped step was not delivered: it is no edge, and it hides none.
#[test]
fn a_dropped_step_is_no_edge() {
    let mut world = World::held();
    world.complete_after("a", 0);
    let mut open = world.opening(Kind::Run);
    open.after = 1;
    world.act(Act::Drop { step: "loser".into(), open: Some(open) }).unwrap();
    world.complete_after("b", 2);
    assert_eq!(world.edges("b"), ["a"]);
}

/// §3.5: lists order steps by start, then position.
#[test]
fn steps_are_listed_by_start_then_position() {
    let mut world = World::held();
    world.pass(seconds(5));
    world.complete("late").unwrap();
    let mut end = world.end_step("early");
    end.attempt.started_at = T0;
    world.act(Act::EndStep(end)).unwrap();
    world.complete("late too").unwrap();
    let view = world.view();
    let ids: Vec<_> = view.steps.iter().map(|step| &*step.id).collect();
    assert_eq!(ids, ["early", "late", "late too"]);
    let positions: Vec<_> = view.steps.iter().map(|step| step.position).collect();
    assert_eq!(positions, [1, 0, 2]);
}

/// §3.3: instants of a step: when it was asked for, began, ended; null in flight.
#[test]
fn steps_show_their_instants() {
    let mut world = World::held();
    world.sleep("nap", seconds(9)).unwrap();
    world.begin("work").unwrap();
    let view = world.view();
    for step in &view.steps {
        assert_eq!((step.scheduled_at, step.started_at, step.completed_at), (T0, Some(T0), None));
    }
    assert_eq!(view.steps[0].next_at, Some(T0.after(seconds(9))));
    drop(view);
    world.pass(seconds(9));
    world.fire();
    assert_eq!(world.view().steps[0].completed_at, Some(world.now));
}

/// §3.4: a step without a function records its input: a sleep its duration or its instant.
#[test]
fn structural_steps_show_their_input() {
    let mut world = World::held();
    let inputs = [
        (Kind::Sleep, r#"{"duration":"9s"}"#),
        (Kind::SleepUntil, r#"{"until":"2026-11-21T14:02:05.000000Z"}"#),
    ];
    for ((kind, input), step) in inputs.into_iter().zip(["nap", "then"]) {
        let input = raw(input);
        let open = Opening { input: Some(&input), ..world.opening(kind) };
        let until = T0.after(seconds(9));
        world.act(Act::Sleep(SleepStep { step: step.into(), until, open })).unwrap();
    }
    let view = world.view();
    let shown: Vec<_> =
        view.steps.iter().map(|step| (step.kind, step.input.unwrap().get())).collect();
    assert_eq!(shown, inputs);
}

/// What a runner ran when it gave the run back, or was blocked, runs no more.
#[test]
fn attempts_of_a_released_run_do_not_run() {
    let mut world = World::held();
    world.begin("a").unwrap();
    world.release().unwrap();
    let view = world.view();
    assert_eq!(
        (view.steps[0].status, view.steps[0].attempts[0].status),
        (StepStatus::Pending, "lost")
    );
    assert_eq!(view.activations[0].end, "released");
}

/// A view of each state, as the API gives it.
#[test]
fn views_are_shown_as_json() {
    let mut world = World::held();
    let (input, output) = (raw("{\"n\":1}"), raw("\"ok\""));
    let mut end = world.end_step("a");
    end.open.as_mut().unwrap().input = Some(&input);
    end.result = Ok(Some(&output));
    world.act(Act::EndStep(end)).unwrap();
    world.pass(seconds(1));
    world.fail("b", Bad::default()).unwrap();
    world.sleep("nap", seconds(60)).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&world.view()).unwrap());
}

fn damaged(journal: &[u8], why: &str) {
    let id = RunId::new(T0, 1);
    let error = Run::replay(id, journal).unwrap_err();
    assert!(format!("{error}").contains(why), "{error}");
    assert!(View::of(id, journal).is_err());
}

/// §4.9: bytes that are not the history of a run are told as such.
#[test]
fn journals_that_are_none_are_refused() {
    let good = World::held();
    let join = |parts: &[&str]| [good.journal.as_slice(), parts.concat().as_bytes()].concat();
    let open = r#""open":{"kind":"run","after":0,"at":1}"#;
    let ended = |open: &str| {
        format!(r#"{{"stepEnded":{{"step":"a","at":1,"status":"completed"{open}}}}},"#)
    };
    let with = ended(&format!(",{open}"));
    damaged(b"", "empty");
    damaged(b"{\"woken\":{\"at\":1}},", "begins with a start");
    damaged(&join(&["{\"woken\":"]), "not readable");
    damaged(&join(&["{\"surprise\":{}},"]), "not readable");
    damaged(&[good.journal.as_slice(), &good.journal].concat(), "starts once");
    damaged(&join(&[&ended("")]), "opens it");
    damaged(&join(&[&with, &with]), "once");
    let begin =
        format!(r#"{{"stepStarted":{{"step":"a","attempt":{{"n":1,"startedAt":1}},{open}}}}},"#);
    damaged(&join(&[&begin, &begin]), "is opened once");
    damaged(
        &join(&["{\"released\":{\"at\":1,\"seen\":0}},", "{\"released\":{\"at\":1,\"seen\":0}},"]),
        "no runner",
    );
    damaged(
        &join(&["{\"ended\":{\"at\":1,\"status\":\"failed\"}},", "{\"woken\":{\"at\":1}},"]),
        "has ended",
    );
    // Torn inside the comma between two records.
    let torn = [&good.journal[..good.journal.len() - 1], b"{\"woken\":{\"at\":1}},"].concat();
    damaged(&torn, "not readable");
    damaged(&good.journal[..good.journal.len() - 1], "not readable");
}
