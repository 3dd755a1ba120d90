//! Moves between stores that are lists of rows.

use std::collections::BTreeMap;

use super::*;
use crate::error::Error;

/// Rows by kind, and after how many portions writing fails.
#[derive(Default)]
struct Lists {
    rows: BTreeMap<Kind, Vec<Row>>,
    portions: usize,
    fails_at: Option<usize>,
    is_left: bool,
    is_finished: bool,
}

fn place(kind: Kind, row: &Row) -> Vec<Field> {
    row.iter().take(kind.places()).cloned().collect()
}

impl Read for Lists {
    fn each(
        &mut self,
        kind: Kind,
        after: Option<&[Field]>,
        hear: &mut dyn FnMut(Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let rows = self.rows.get(&kind).cloned().unwrap_or_default();
        let behind = after.map_or(0, |after| {
            rows.iter().position(|row| place(kind, row) == after).map_or(0, |at| at + 1)
        });
        rows.into_iter().skip(behind).try_for_each(hear)
    }
}

impl Source for Lists {
    fn identity(&self) -> &'static str {
        "lists"
    }

    fn leave(&mut self) -> Result<(), Error> {
        self.is_left = true;
        Ok(())
    }
}

impl Target for Lists {
    fn last(&mut self, kind: Kind) -> Result<Option<Vec<Field>>, Error> {
        Ok(self.rows.get(&kind).and_then(|rows| rows.last()).map(|row| place(kind, row)))
    }

    fn put(&mut self, kind: Kind, rows: Vec<Row>) -> Result<(), Error> {
        self.portions += 1;
        if self.fails_at == Some(self.portions) {
            return Err(Error::Unavailable("it was cut off".into()));
        }
        if kind == Kind::Facts {
            self.rows.remove(&kind);
        }
        self.rows.entry(kind).or_default().extend(rows);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.is_finished = true;
        Ok(())
    }
}

fn source() -> Lists {
    let mut from = Lists::default();
    let event = |n: i64| vec![Field::Text("default".into()), Field::Text(format!("{n:06}").into())];
    from.rows.insert(Kind::Events, (0..10_000).map(event).collect());
    from.rows.insert(Kind::Audit, (0..5_000).map(|n| vec![Field::Number(n)]).collect());
    from.rows.insert(Kind::Facts, vec![vec![Field::Text("high_water".into()), Field::Number(7)]]);
    from
}

/// A move that was cut off anywhere goes on there: every row is written once, and both add up to the same.
#[test]
fn a_move_goes_on_where_it_was_cut_off() {
    for fails_at in 1..=6 {
        let (mut from, mut to) = (source(), Lists { fails_at: Some(fails_at), ..Lists::default() });
        carry(&mut from, &mut to, &mut |_, _| ()).unwrap_err();
        let before = to.rows.values().map(Vec::len).sum::<usize>();
        let mut written = 0;
        to.fails_at = None;
        let mut last = BTreeMap::new();
        carry(&mut from, &mut to, &mut |kind, count| {
            last.insert(kind, count);
        })
        .unwrap();
        written += last.values().sum::<u64>();
        assert_eq!(before as u64 + written, 15_001, "cut off at {fails_at}");
        let moved = compare(&mut from, &mut to, &mut |_| ()).unwrap();
        assert!(moved.iter().all(Moved::is_same), "{moved:?}");
        let events = moved.iter().find(|one| one.kind == Kind::Events).unwrap();
        assert_eq!(events.to.count, 10_000);
    }
}

/// A row that is missing, another one, one too many and two in each other's place are all told.
#[test]
fn what_differs_is_told() {
    let changes: [fn(&mut Vec<Row>); 4] = [
        |rows| drop(rows.pop()),
        |rows| rows[3][1] = Field::None,
        |rows| rows.push(vec![Field::Flag(true)]),
        |rows| rows.swap(1, 2),
    ];
    for change in changes {
        let (mut from, mut to) = (source(), source());
        change(to.rows.get_mut(&Kind::Events).unwrap());
        let moved = compare(&mut from, &mut to, &mut |_| ()).unwrap();
        let differ: Vec<_> =
            moved.iter().filter(|one| !one.is_same()).map(|one| one.kind).collect();
        assert_eq!(differ, [Kind::Events]);
    }
}

/// Rows say where they stand by their first columns, and no kind has two columns of one name.
#[test]
fn columns_of_kinds_are_as_rows_need_them() {
    for kind in Kind::ALL {
        let columns = kind.columns();
        assert!((1..=columns.len()).contains(&kind.places()), "{kind:?}");
        let mut names: Vec<_> = columns.iter().map(|column| column.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), columns.len(), "{kind:?}");
    }
}
