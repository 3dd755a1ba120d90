//! Violations of the rules for events, children, clean-up, and functions that start at most once.

use std::collections::BTreeMap;

use super::plant::Bed;
use crate::ledger::{Hash, Origin, Source, What};
use crate::plan::Starts;

pub(super) fn not_born(bed: &mut Bed<'_>) {
    let started = bed.find(|what| match what {
        What::Born { origin: origin @ Origin::Event { .. }, .. } => Some(origin.clone()),
        _ => None,
    });
    let Some((_, started)) = started else { return };
    bed.drop_all(|what| matches!(what, What::Born { origin, .. } if *origin == started));
}

/// The run, the step and the value of the first step that is taken back.
fn an_undo(bed: &Bed<'_>) -> Option<(String, String, Hash)> {
    let undo = bed.find(|what| match what {
        What::UndoStart { run, step, value } => Some((run.clone(), step.clone(), *value)),
        _ => None,
    });
    undo.map(|(_, undo)| undo)
}

pub(super) fn not_taken_back(bed: &mut Bed<'_>) {
    let Some((undone, step, _)) = an_undo(bed) else { return };
    bed.each(|what, _, _| match what {
        What::RunEnd { run, steps, .. } if *run == undone => {
            steps.remove(&format!("compensate\u{1f}{step}"));
        }
        _ => {}
    });
}

pub(super) fn taken_back_otherwise(bed: &mut Bed<'_>) {
    let Some((of_run, of_step, _)) = an_undo(bed) else { return };
    bed.each(|what, _, _| match what {
        What::UndoStart { run, step, value } if *run == of_run && *step == of_step => {
            *value = value.other();
        }
        _ => {}
    });
}

pub(super) fn out_of_order(bed: &mut Bed<'_>) {
    let told = bed.all(|what| match what {
        What::Told { run, .. } => Some(run.clone()),
        _ => None,
    });
    let told: BTreeMap<String, u64> = told.into_iter().collect();
    let given = bed.all(|what| match what {
        What::AckedResult { run, step, .. } => Some((run.clone(), step.clone())),
        _ => None,
    });
    let given: BTreeMap<(String, String), u64> = given.into_iter().collect();
    // Not every run that is taken back is told, and of a step that a killed runner's code was never
    // given nobody knows when it completed.
    let undo = bed.find(|what| match what {
        What::UndoStart { run, step, value }
            if given.contains_key(&(run.clone(), step.clone())) =>
        {
            let undo = What::UndoStart { run: run.clone(), step: step.clone(), value: *value };
            told.get(run).map(|told_ns| (told_ns + 1, undo))
        }
        _ => None,
    });
    if let Some((_, (at, undo))) = undo {
        bed.add(at, undo);
    }
}

pub(super) fn told_otherwise(bed: &mut Bed<'_>) {
    bed.each(|what, _, _| {
        if let What::Told { completed, .. } = what {
            completed.push("nothing".into());
        }
    });
}

/// The run, the step and the value of the first result of this source.
fn a_result(bed: &Bed<'_>, source: Source) -> Option<(u64, (String, String, Hash))> {
    bed.find(|what| match what {
        What::AckedResult { run, step, value, from } if *from == source => {
            Some((run.clone(), step.clone(), *value))
        }
        _ => None,
    })
}

pub(super) fn event_invented(bed: &mut Bed<'_>) {
    let Some((_, (_, _, given))) = a_result(bed, Source::Event) else { return };
    bed.drop_all(|what| matches!(what, What::AskedEvent { value, .. } if *value == given));
}

pub(super) fn event_twice(bed: &mut Bed<'_>) {
    let Some((at, (run, step, value))) = a_result(bed, Source::Event) else { return };
    let (step, from) = (format!("{step} again"), Source::Event);
    bed.add(at + 1, What::AckedResult { run, step, value, from });
}

pub(super) fn child_disagrees(bed: &mut Bed<'_>) {
    let Some((_, (run, step, _))) = a_result(bed, Source::Child) else { return };
    let mut wanted = Origin::Step { run, step };
    // The last one of its chain is who returns.
    let mut last = None;
    while let Some((_, child)) = bed.find(|what| match what {
        What::Born { run, origin, .. } if *origin == wanted => Some(run.clone()),
        _ => None,
    }) {
        wanted = Origin::After { run: child.clone() };
        last = Some(child);
    }
    bed.each(|what, _, _| match what {
        What::RunEnd { run, output, .. } if Some(&*run) == last.as_ref() => {
            output.insert("more".into(), Hash::of(&serde_json::Value::Null));
        }
        _ => {}
    });
}

pub(super) fn no_verdict(bed: &mut Bed<'_>) {
    let start = bed.find(|what| match what {
        What::FnStart { starts: Starts::AfterNotDone, .. } => Some(what.clone()),
        _ => None,
    });
    if let Some((at, start)) = start {
        bed.add(at + 1, start);
    }
}
