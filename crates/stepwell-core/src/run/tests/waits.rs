//! §8, §2.4, §3.4: waits for events, and events that a run sends.

use alloc::sync::Arc;

use super::*;
use crate::matching::{Leaf, Match};
use crate::record::OnTimeout;
use crate::wait::Wait;

const UNKNOWN: Timestamp = Timestamp::from_millis(i64::MAX / 10_000);

#[derive(Clone, Copy)]
struct Ask {
    wanted: Option<&'static str>,
    timeout: Option<Duration>,
    since: Since,
    newest: Timestamp,
}

fn ask() -> Ask {
    Ask { wanted: None, timeout: None, since: Since::RunStart, newest: Timestamp::MIN }
}

impl World {
    fn wait(&mut self, step: &str, ask: Ask) -> Vec<String> {
        self.wait_or(step, ask, OnTimeout::Null)
    }

    fn wait_or(&mut self, step: &str, ask: Ask, on_timeout: OnTimeout<'_>) -> Vec<String> {
        let wanted = ask.wanted.map(raw);
        let wait = WaitStep {
            step: step.into(),
            event: "paid".into(),
            wanted: wanted.as_deref(),
            until: ask.timeout.map(|timeout| self.now.after(timeout)),
            on_timeout,
            since: ask.since,
            newest: ask.newest,
            open: self.opening(Kind::WaitForEvent),
        };
        self.act(Act::Wait(wait)).unwrap()
    }

    fn deliver(&mut self, step: &str, id: &str, accepted_at: Timestamp) -> Vec<String> {
        let data = raw("{\"n\":1}");
        let data = Some(&*data);
        let deliver = Deliver { step, id, event: "paid", data, accepted_at };
        self.apply(Command::Deliver(deliver)).unwrap()
    }

    fn time_out(&mut self, step: &str) -> Vec<String> {
        self.apply(Command::TimeOutWait { step }).unwrap()
    }

    fn waits(&self) -> Arc<[Wait]> {
        Wait::all_of(&self.run)
    }
}

/// §8.2, §4.6: what an event brings ends the wait once, with the event's data.
#[test]
fn an_event_ends_a_wait_once() {
    let mut world = World::held();
    assert_eq!(world.wait("w", ask()), none());
    assert_eq!(world.status("w"), StepStatus::Waiting);
    world.pass(seconds(1));
    let at = world.now;
    assert_eq!(world.deliver("w", "e1", at), ["give w completed {\"n\":1}"]);
    assert_eq!(world.deliver("w", "e1", at), none());
    assert_eq!(world.deliver("w", "e2", at), none());
    assert_eq!(world.ends(), ["w"]);
    assert!(world.waits().is_empty());
}

/// §8.8: a parked wait is filed under a leaf of its match, and not any more when it ended.
#[test]
fn a_parked_wait_has_a_row() {
    let mut world = World::held();
    world.wait("w", Ask { wanted: Some("{\"order\":{\"id\":7}}"), ..ask() });
    world.wait("v", ask());
    let waits = world.waits();
    let wanted = raw("{\"order\":{\"id\":7}}");
    assert_eq!(waits[0].leaf, Match::parse(&wanted).unwrap().leaf());
    assert_eq!((&*waits[0].step, &*waits[0].event, &*waits[0].app), ("w", "paid", "shop"));
    assert_eq!((waits[1].leaf, waits[1].from), (Leaf::NAME, T0));
    world.cancel().unwrap();
    assert!(world.waits().is_empty());
}

/// §8.4: an event from before the wait counts from its bound on, unless another wait took it.
#[test]
fn what_a_wait_took_stays_taken_for_later_ones() {
    let mut world = World::held();
    world.pass(seconds(10));
    assert_eq!(world.wait("a", Ask { newest: UNKNOWN, ..ask() }), ["look a"]);
    // The bound itself is within.
    assert_eq!(world.deliver("a", "early", T0), ["give a completed {\"n\":1}"]);
    world.wait("b", Ask { newest: UNKNOWN, ..ask() });
    assert_eq!(world.deliver("b", "early", T0), none());
    let before = T0.before(Duration::from_micros(1));
    assert_eq!(world.deliver("b", "older", before), none());
    assert_eq!(world.deliver("b", "other", T0), ["give b completed {\"n\":1}"]);
}

/// §8.4: a run that goes on as another counts events from the first start of the chain on, and what its
/// waits took, or what started the first run, stays taken.
#[test]
fn a_chain_of_runs_takes_an_event_once() {
    let event = Some(("origin", "paid"));
    let mut first = World::with(Start { event, ..start() }, Limits::default());
    first.activate().unwrap();
    first.pass(seconds(10));
    first.wait("a", Ask { newest: UNKNOWN, ..ask() });
    assert_eq!(first.deliver("a", "early", T0), ["give a completed {\"n\":1}"]);
    let mut inherited = first.run.bequest(first.now, &first.limits);
    inherited.since = T0.before(seconds(5));

    let origin = Origin { inherited: Some(inherited.clone().into()), ..Origin::default() };
    let mut next = World::with(Start { origin, ..start() }, Limits::default());
    next.activate().unwrap();
    next.pass(seconds(20));
    next.wait("a", Ask { newest: UNKNOWN, ..ask() });
    assert_eq!(next.deliver("a", "early", T0), none());
    assert_eq!(next.deliver("a", "origin", T0), none());
    assert_eq!(next.run.bequest(next.now, &next.limits), inherited);
    let at = T0.before(seconds(5));
    assert_eq!(next.deliver("a", "other", at), ["give a completed {\"n\":1}"]);
}

/// §8.4: what was taken before events are kept is not passed on: no wait can find it.
#[test]
fn a_chain_forgets_what_no_wait_finds() {
    let mut first = World::held();
    first.wait("a", ask());
    let at = first.now.after(Duration::from_micros(1));
    first.deliver("a", "e", at);
    let kept = first.limits.event_kept();
    let taken = |world: &World| world.run.bequest(world.now, &world.limits).taken.len();
    first.pass(kept);
    assert_eq!(taken(&first), 1);
    first.pass(Duration::from_micros(1));
    assert_eq!(taken(&first), 0);
}

/// §8.4: a wait that asks for events which are not kept any more says from when on it looked.
#[test]
fn a_wait_says_what_was_not_kept() {
    let mut world = World::held();
    let kept = world.limits.event_kept();
    world.pass(kept);
    world.wait("within", Ask { newest: UNKNOWN, ..ask() });
    world.pass(seconds(1));
    world.wait("beyond", Ask { newest: UNKNOWN, ..ask() });
    let oldest = T0.after(seconds(1));
    let shown: Vec<_> = world.view().steps.iter().map(|step| step.events_kept_from).collect();
    assert_eq!(shown, [None, Some(oldest)]);
    assert_eq!(world.deliver("beyond", "older", T0), none());
    assert_eq!(world.deliver("beyond", "kept", oldest), ["give beyond completed {\"n\":1}"]);
}

/// §8.5: an event that is accepted while they are parked resumes several waits of one run.
#[test]
fn one_event_resumes_all_waits_that_are_parked() {
    let mut world = World::held();
    world.wait("a", ask());
    world.wait("b", ask());
    let at = world.now.after(Duration::from_micros(1));
    assert_eq!(world.deliver("a", "e", at), ["give a completed {\"n\":1}"]);
    assert_eq!(world.deliver("b", "e", at), ["give b completed {\"n\":1}"]);
}

/// §8.4: `since: "parked"` counts what is accepted after the wait was parked.
#[test]
fn a_wait_since_it_was_parked_does_not_look_back() {
    let mut world = World::held();
    world.pass(seconds(1));
    let parked = Ask { since: Since::Parked, newest: UNKNOWN, ..ask() };
    assert_eq!(world.wait("w", parked), none());
    let at = world.now;
    assert_eq!(world.deliver("w", "e", at), none());
    let later = at.after(Duration::from_micros(1));
    assert_eq!(world.deliver("w", "e", later), ["give w completed {\"n\":1}"]);
}

/// §8.4: a duration back from when it was parked, whenever the run started.
#[test]
fn a_wait_looks_back_for_a_time() {
    let mut world = World::held();
    world.pass(seconds(100));
    let back = Ask { since: Since::Back(seconds(30)), newest: UNKNOWN, ..ask() };
    assert_eq!(world.wait("w", back), ["look w"]);
    let bound = world.now.before(seconds(30));
    assert_eq!(world.deliver("w", "e", bound.before(Duration::from_micros(1))), none());
    assert_eq!(world.deliver("w", "e", bound), ["give w completed {\"n\":1}"]);
}

/// §8.4: nobody looks where nothing was accepted since the bound; else the look is recorded, and
/// until then it is due.
#[test]
fn a_look_is_due_until_it_is_recorded() {
    let mut world = World::held();
    let quiet = Ask { newest: T0.before(Duration::from_micros(1)), ..ask() };
    assert_eq!(world.wait("a", quiet), none());
    assert_eq!(world.run.next_timer(), None);
    assert_eq!(world.wait("b", Ask { newest: T0, ..ask() }), ["look b"]);
    assert_eq!(world.run.next_timer(), Some(T0));
    assert_eq!(world.fire(), ["look b"]);
    assert_eq!(world.apply(Command::Looked { step: "b" }), Ok(none()));
    assert_eq!(world.run.next_timer(), None);
    assert_eq!(world.fire(), none());
    let records = world.records();
    world.apply(Command::Looked { step: "b" }).unwrap();
    assert_eq!(world.records(), records);
}

/// §8.3, §8.4: the event that started the run counts for none of its waits.
#[test]
fn the_event_that_started_the_run_never_counts() {
    let started = Start { event: Some(("e", "paid")), ..start() };
    let mut world = World::with(started, Limits::default());
    world.activate().unwrap();
    world.wait("w", Ask { newest: UNKNOWN, ..ask() });
    assert_eq!(world.deliver("w", "e", T0), none());
    assert_eq!(world.deliver("w", "other", T0), ["give w completed {\"n\":1}"]);
}

/// §8.6: what a time-out gives; before its time nothing does.
#[test]
fn a_wait_times_out_as_it_says() {
    let value = raw("[1]");
    let cases = [
        (OnTimeout::Null, "give w timed_out", StepStatus::TimedOut),
        (OnTimeout::Fail, "give w failed WaitTimeoutError", StepStatus::Failed),
        (OnTimeout::Value(&value), "give w timed_out [1]", StepStatus::TimedOut),
    ];
    for (on_timeout, effect, status) in cases {
        let mut world = World::held();
        world.wait_or("w", Ask { timeout: Some(seconds(5)), ..ask() }, on_timeout);
        let due = T0.after(seconds(5));
        assert_eq!(world.run.next_timer(), Some(due));
        world.now = due.before(Duration::from_micros(1));
        assert_eq!(world.fire(), none());
        assert_eq!(world.time_out("w"), none());
        world.now = due;
        assert_eq!(world.fire(), ["look w"]);
        assert_eq!(world.time_out("w"), [effect]);
        assert_eq!(world.status("w"), status);
        assert_eq!(world.time_out("w"), none());
    }
}

/// §3.2: a run that waits for an event is parked, and an event brings it back.
#[test]
fn a_run_that_waits_is_parked() {
    let mut world = World::held();
    world.wait("w", ask());
    world.release().unwrap();
    assert_eq!(world.run.status(), RunStatus::Waiting);
    world.pass(seconds(1));
    let at = world.now;
    world.deliver("w", "e", at);
    assert_eq!((world.run.status(), world.run.ready_since()), (RunStatus::Queued, Some(at)));
}

/// §9.6: events go on while a run is paused, and take effect at its resume; the same in one that is
/// blocked.
#[test]
fn events_reach_runs_that_are_held_back() {
    let mut world = World::held();
    world.wait("w", ask());
    world.release().unwrap();
    let pause = |act| Operate { act, by: None, reason: None };
    world.apply(Command::Operate(pause(Operation::Pause))).unwrap();
    world.pass(seconds(1));
    let at = world.now;
    world.deliver("w", "e", at);
    assert_eq!((world.run.status(), world.run.ready_since()), (RunStatus::Paused, None));
    world.apply(Command::Operate(pause(Operation::Resume))).unwrap();
    assert_eq!(world.run.ready_since(), Some(at));

    let mut world = World::held();
    world.wait("w", ask());
    world.act(Act::Block(record::BlockCause::Engine { message: "no".into() })).unwrap();
    world.pass(seconds(1));
    let at = world.now;
    world.deliver("w", "e", at);
    assert_eq!(world.status("w"), StepStatus::Completed);
    assert_eq!(world.run.status(), RunStatus::Blocked);
}

/// §7.2, §5.6: a wait is cancelled when the end is decided, and when the code drops it.
#[test]
fn a_wait_is_cancelled_with_its_run_or_its_code() {
    let mut world = World::held();
    world.wait("w", ask());
    world.act(Act::Drop { step: "w".into(), open: None }).unwrap();
    assert_eq!(world.status("w"), StepStatus::Cancelled);
    world.wait("v", ask());
    world.cancel().unwrap();
    assert_eq!(world.status("v"), StepStatus::Cancelled);
    let at = world.now.after(seconds(1));
    assert_eq!(world.deliver("v", "e", at), none());
}

/// §12: a match or a value that is over a limit fails the step at once.
#[test]
fn a_wait_over_a_limit_fails_at_once() {
    let mut world = World::held();
    let deep: &'static str = Box::leak(format!("{}1{}", "[".repeat(40), "]".repeat(40)).into());
    assert_eq!(world.wait("w", Ask { wanted: Some(deep), ..ask() }), ["give w failed LimitError"]);
    let large = raw(&format!("\"{}\"", "x".repeat(VALUE_BYTES_MAX)));
    let effects = world.wait_or("v", ask(), OnTimeout::Value(&large));
    assert_eq!(effects, ["give v failed LimitError"]);
}

/// §2, §4.6: an event is sent once, however often its message comes; a refused one fails its step.
#[test]
fn an_emit_is_recorded_once() {
    let mut world = World::held();
    let id = raw("\"evt_1\"");
    let emit = |world: &World| EmitStep {
        step: "e".into(),
        sent: Ok(&id),
        open: world.opening(Kind::Emit),
    };
    let first = emit(&world);
    assert_eq!(world.act(Act::Emit(first)).unwrap(), ["give e completed \"evt_1\""]);
    let again = emit(&world);
    assert_eq!(world.act(Act::Emit(again)).unwrap(), none());
    let sent = Err(Failure::new("LimitError", "no"));
    let open = world.opening(Kind::Emit);
    let refused = Act::Emit(EmitStep { step: "f".into(), sent, open });
    assert_eq!(world.act(refused).unwrap(), ["give f failed LimitError"]);
}
