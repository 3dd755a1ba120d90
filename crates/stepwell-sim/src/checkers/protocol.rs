//! Nobody is refused who keeps to the protocol.

use super::all::Found;
use super::story::Story;
use crate::history::Fact;

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    for (at, fact) in story.facts {
        if let Fact::Refused { to, why } = fact {
            found.add(*at, format!("{to:?} was refused: {why}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::all::run;
    use super::super::testing::World;
    use super::*;
    use crate::history::Process;

    #[test]
    fn a_refused_runner_is_told() {
        let mut world = World::whole();
        assert_eq!(run(check, &world.history), [""; 0]);
        world.add(Fact::Refused { to: Process(1), why: "SW3001".into() });
        assert_eq!(run(check, &world.history).len(), 1);
    }
}
