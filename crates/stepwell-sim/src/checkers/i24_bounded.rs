//! I24: memory holds what is in use: when nothing is, no run is in memory, and no more timers are
//! than there are runs that have not ended.

use super::all::Found;
use super::story::Story;
use crate::history::Fact;

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    for (at, fact) in story.facts {
        let Fact::Gauge { hot, timers, open } = fact else { continue };
        if *hot > 0 {
            found.add(*at, format!("{hot} runs are in memory, and nothing is in progress"));
        }
        if timers > open {
            found.add(*at, format!("{timers} timers are in memory for {open} runs"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::all::run;
    use super::super::testing::World;
    use super::*;

    #[test]
    fn memory_that_is_not_given_back_is_refused() {
        let mut world = World::whole();
        assert_eq!(run(check, &world.history), [""; 0]);
        world.add(Fact::Gauge { hot: 1, timers: 3, open: 2 });
        assert_eq!(run(check, &world.history).len(), 2);
    }
}
