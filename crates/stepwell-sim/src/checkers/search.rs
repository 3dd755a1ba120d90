//! §9.4: what code set is what its run is found by.

use stepwell_core::search::Value;
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
        // Code that is run by the SDK sets it right before it returns the same.
        let set = match row.search.get("given") {
            Some(Value::Number(number)) => number.to_string(),
            Some(other) => format!("{other:?}"),
            None => continue,
        };
        if !output.contains(&format!(": {set} ")) {
            let what = format!("{run} returned {output}, and is found by {set}");
            found.add(last.at, what);
        }
    }
    // Each run that ended in the SDK's hands has it: a script says another output.
    for (run, tale) in &story.runs {
        let by_sdk = |output: &str| output.starts_with("{ \"given\" : ");
        let ended = tale.lines.iter().any(|line| {
            matches!(&line.noted, Noted::Ended { status: RunStatus::Completed, output: Some(output), .. }
                if by_sdk(output))
        });
        let row = last.rows.get(run).and_then(|row| row.as_ref().ok());
        if ended && row.is_some_and(|row| !row.search.contains_key("given")) {
            found.add(last.at, format!("{run} ended without the attribute that its code set"));
        }
    }
}
