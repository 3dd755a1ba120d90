//! I5: no fault of the simulation damages what was durable, so nothing may be found damaged.

use super::all::Found;
use super::story::Story;
use crate::history::Fact;

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    for (at, fact) in story.facts {
        match fact {
            Fact::Damaged(why) => found.add(*at, format!("the store does not open: {why}")),
            Fact::Read(read) => {
                for (run, why) in &read.unreadable {
                    found.add(*at, format!("{run} cannot be read: {why}"));
                }
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
    fn damage_is_refused() {
        let mut world = World::whole();
        assert_eq!(run(check, &world.history), [""; 0]);
        let id = world.run;
        world.last_read().unreadable.push((id, "a check".into()));
        world.add(Fact::Damaged("a segment is missing".into()));
        assert_eq!(run(check, &world.history).len(), 2);
    }
}
