//! Clocks that people set.

use std::time::Duration;

use stepwell_node::{Input, Now, Output, Outputs};

use crate::harness::{World, start, who};

/// §4.7: a lease is counted by the clock that nobody sets: a jump of engine time, which follows the
/// wall clock, takes no run from a runner that is there, and time that really passed does.
#[test]
fn a_clock_that_is_set_takes_no_run_from_its_runner() {
    let mut world = World::new();
    let session = world.connect(&who(4));
    let run = world.start(start("flow"));
    let before = Now::from(world.now);
    let mut closed_at = |engine: Duration, monotonic: Duration| {
        let engine = before.engine.after(engine);
        let now = Now { engine, monotonic: before.monotonic + monotonic };
        let mut out = Outputs::default();
        world.node.handle(Input::Tick, now, &mut out);
        let closes = |one: &Output| matches!(one, Output::Close { session: closed, .. } if *closed == session);
        out.list.iter().any(closes)
    };
    let (hour, ttl) = (Duration::from_hours(1), Duration::from_secs(10));
    assert!(!closed_at(hour, Duration::from_secs(9)), "the clock was set");
    assert!(closed_at(hour, ttl), "the runner is silent");
    assert_eq!(world.status(run), "running");
}
