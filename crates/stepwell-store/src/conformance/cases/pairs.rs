//! Lists by every pair of filters.

use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::search::Term;
use stepwell_core::status::RunStatus;

use super::Case;
use crate::conformance::script::{Script, Start};
use crate::conformance::world::World;
use crate::query::{Filter, IdPart, Text};

pub(super) fn cases() -> Vec<Case> {
    vec![Case::new("a_list_by_any_two_filters_holds_what_fits_both", |world| {
        let (parent, first) = fill(world);
        let singles = singles(parent);
        for (number, one) in singles.iter().enumerate() {
            for (place, other) in singles.iter().enumerate().skip(number) {
                let filter = both(one, other);
                // Whole, page by page, and from the midst: each for a third of the pairs.
                world.list(&match (number + place) % 3 {
                    0 => filter,
                    1 => Filter { limit: 2, ..filter },
                    _ => Filter { before: Some(first), ..filter },
                });
            }
        }
    })]
}

/// Puts runs of several kinds; returns one that has children, and one in their midst.
fn fill(world: &mut World<'_>) -> (RunId, RunId) {
    let parent = world.put(Start::default(), |_| {}).id();
    let mut middle = parent;
    for number in 0..24_u32 {
        let (app, workflow) =
            [("shop", "checkout"), ("shop", "refund"), ("desk", "checkout")][number as usize % 3];
        let key = format!("order-{}", number / 2);
        let start = Start {
            app,
            workflow,
            key: (number % 5 > 0).then_some(&*key),
            parent: number.is_multiple_of(4).then_some(parent),
            ..Start::default()
        };
        let run = world.put(start, |run| {
            run.search(&attributes(number));
            state(run, number);
        });
        if number == 12 {
            middle = run.id();
        }
    }
    world.skip(Duration::from_hours(3));
    world.put(Start { app: "desk", ..Start::default() }, |run| {
        run.search(&attributes(99));
    });
    (parent, middle)
}

fn state(run: &mut Script, number: u32) {
    match number % 7 {
        0 => {}
        1 => drop(run.activate()),
        2..5 => drop(run.activate().ended(RunStatus::Completed)),
        _ => drop(run.activate().ended(RunStatus::Failed)),
    }
}

fn attributes(number: u32) -> String {
    let half = if number.is_multiple_of(2) { ("tier", "\"gold\"") } else { ("odd", "true") };
    let country = ["DE", "FR", "AT"][number as usize % 3];
    format!(r#"{{"country": "{country}", "amount": {number}, "{}": {}}}"#, half.0, half.1)
}

fn singles(parent: RunId) -> Vec<Filter> {
    let made = parent.created();
    let search = |terms: &str| Filter {
        search: Term::parse_all(terms).unwrap_or_default(),
        ..Filter::default()
    };
    let apps = ["shop", "desk"].map(|app| Filter { app: Some(app.into()), ..Filter::default() });
    let workflows = ["checkout", "refund", "none"]
        .map(|one| Filter { workflow: Some(one.into()), ..Filter::default() });
    let statuses = [&[RunStatus::Completed][..], &[RunStatus::Failed, RunStatus::Queued]]
        .map(|statuses| Filter { statuses: statuses.to_vec(), ..Filter::default() });
    let terms = ["tier=gold", "odd=true", "amount>=0", "amount<9", "amount>=5,amount<20"];
    let more = ["country<E", "country=DE", "amount=7", "amount=\"7\"", "nothing=1"];
    let part = |text: &str| Filter { text: Some(Text::new(text)), ..Filter::default() };
    let texts = ["CHECK", "order-1", "MENTERR", "gold", "card", "7", "nowhere"].map(part);
    let end = |run: RunId, digits: u8| {
        let id = IdPart::End { value: run.as_u128() & ((1 << (4 * digits)) - 1), digits };
        Filter { id: Some(id), ..Filter::default() }
    };
    let ids = [
        Filter { id: Some(IdPart::Whole(parent)), ..Filter::default() },
        end(parent, 4),
        end(parent, 20),
        end(RunId::MIN, 1),
    ];
    let others = [
        Filter { key: Some("order-3".into()), ..Filter::default() },
        Filter { parent: Some(parent), ..Filter::default() },
        Filter { from: Some(made.after(Duration::from_mins(1))), ..Filter::default() },
        Filter { to: Some(made.after(Duration::from_mins(1))), ..Filter::default() },
        Filter { to: Some(made.after(Duration::from_hours(2))), ..Filter::default() },
    ];
    let terms = terms.into_iter().chain(more).map(search);
    apps.into_iter()
        .chain(workflows)
        .chain(statuses)
        .chain(others)
        .chain(terms)
        .chain(texts)
        .chain(ids)
        .collect()
}

/// Puts two filters together; where both say something, the second says it.
fn both(one: &Filter, other: &Filter) -> Filter {
    let other = other.clone();
    let statuses =
        if other.statuses.is_empty() { one.statuses.clone() } else { other.statuses.clone() };
    Filter {
        app: other.app.or_else(|| one.app.clone()),
        workflow: other.workflow.or_else(|| one.workflow.clone()),
        statuses,
        key: other.key.or_else(|| one.key.clone()),
        parent: other.parent.or(one.parent),
        from: other.from.or(one.from),
        to: other.to.or(one.to),
        id: other.id.or(one.id),
        text: other.text.or_else(|| one.text.clone()),
        search: one.search.iter().cloned().chain(other.search).collect(),
        ..World::all()
    }
}
