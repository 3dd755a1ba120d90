//! I4: after a failed write or sync of the log nothing is acknowledged until the store was opened
//! again.

use super::all::Found;
use super::story::Story;
use crate::history::Fact;

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    let mut failed = false;
    for (at, fact) in story.facts {
        match fact {
            Fact::DiskFailed => failed = true,
            Fact::Opened { .. } => failed = false,
            Fact::Durable { batch } if failed => {
                found.add(*at, format!("batch {batch} was durable after a write or sync failed"));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::all::run;
    use super::super::testing::World;
    use super::*;

    #[test]
    fn going_on_after_a_failed_sync_is_refused() {
        let mut world = World::whole();
        assert_eq!(run(check, &world.history), [""; 0]);
        let at = world.place(|fact| matches!(fact, Fact::Given { batch: 2, .. }));
        world.history.facts.insert(at, (0, Fact::DiskFailed));
        assert!(run(check, &world.history)[0].contains("batch 2"));
    }
}
