//! §9.4: what code set is what its run is found by.

use stepwell_core::search::{Value, to_json};
use stepwell_core::status::RunStatus;

use super::all::Found;
use super::story::{Noted, Story};

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    let Some(last) = story.readings.last() else { return };
    for (run, tale) in &story.runs {
        let output = tale.lines.iter().find_map(|line| match &line.noted {
            Noted::Ended { status: RunStatus::Completed, output, .. } => output.clone(),
            _ => None,
        });
        let (Some(output), Some(Ok(row))) = (output, last.rows.get(run)) else { continue };
        // Code that is run by the SDK sets it right before it returns the same. A script returns
        // something else and sets nothing; what the SDK set before the run came to it stays.
        let Some(returned) = output.strip_prefix("{ \"given\" : ") else { continue };
        match row.search.get("given") {
            Some(Value::Number(set)) if returned.strip_suffix(" }") == Some(&set.to_string()) => {}
            Some(set) => {
                let set = to_json(set);
                found.add(last.at, format!("{run} returned {output}, and is found by {set}"));
            }
            None => {
                found.add(last.at, format!("{run} ended without the attribute that its code set"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;
    use stepwell_core::run::{Act, Command, Finish};

    use super::super::all::run;
    use super::super::testing::World;
    use super::*;

    fn returns(set: bool, output: &str) -> Vec<String> {
        let mut world = World::begun();
        if set {
            let given = [("given".to_owned(), Some(Value::Number(18.into())))];
            let act = Act::SetSearch(given.into());
            world.apply(Command::Runner { epoch: 1, act });
        }
        let raw = RawValue::from_string(output.to_owned()).unwrap();
        let act = Act::Finish(Finish::Completed(Some(&raw)));
        world.apply(Command::Runner { epoch: 1, act });
        world.finish();
        run(check, &world.history)
    }

    #[test]
    fn a_run_that_is_found_by_another_value_is_refused() {
        assert_eq!(returns(true, "{ \"given\" : 18 }"), [""; 0]);
        assert!(returns(true, "{ \"given\" : 1 }")[0].contains("is found by 18"));
        assert!(returns(false, "{ \"given\" : 18 }")[0].contains("without the attribute"));
        // A script goes on with what the SDK had almost ended.
        assert_eq!(returns(true, "{ \"delivered\" : 26 }"), [""; 0]);
    }
}
