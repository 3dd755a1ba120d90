//! Events shuffled, repeated, late, in batches of any size, with openings and declarations in between: what
//! is kept and counted follows from the set of events alone.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;
use stepwell_sqlite::Place;
use stepwell_sqlite::observed::{Options, SqliteObserved};
use stepwell_sqlite::sim::{Loss, SimDisk};
use stepwell_telemetry::event::Said;
use stepwell_telemetry::keep::Keep;

use super::told::{Model, Told, answers, at, batch, declared};
use crate::crash::folder;

/// What is done between two batches.
#[derive(Clone, Copy, Debug)]
enum Between {
    Nothing,
    Fold,
    /// Time alone changes what it changes up to this instant, in milliseconds.
    House(u32),
    /// The process dies, and the store is opened again.
    Open,
    Declare(u8),
    Undeclare,
}

fn told() -> impl Strategy<Value = Told> {
    let said = prop::sample::select(&Said::ALL[..]);
    let call = prop::option::of(0_u8..4);
    (0_u16..5, 0_u16..400, 0_u8..6, call, said, 0_u32..60_000)
        .prop_map(|(run, id, step, call, said, at_ms)| Told { run, id, step, call, said, at_ms })
}

fn between() -> impl Strategy<Value = Between> {
    prop_oneof![
        3 => Just(Between::Nothing),
        3 => Just(Between::Fold),
        2 => (0_u32..90_000).prop_map(Between::House),
        1 => Just(Between::Open),
        1 => (1_u8..40).prop_map(Between::Declare),
        1 => Just(Between::Undeclare),
    ]
}

fn open(disk: &SimDisk, tables: &std::path::Path) -> SqliteObserved<SimDisk> {
    let options = Options { segment_bytes: 8_192, disk_reserve: 0, ..Options::default() };
    let place = Place::File(tables.join("observed.db"));
    SqliteObserved::open_on(disk.clone(), place, options).unwrap()
}

fn in_any_order(
    events: &[Told],
    course: &[(Vec<Index>, Between)],
    now_ms: u32,
) -> Result<(), TestCaseError> {
    let (disk, tables) = (SimDisk::new(1 << 20), folder());
    let mut store = open(&disk, tables.path());
    let mut model = Model { events: events.to_vec(), ..Model::default() };
    let pick = |picks: &[Index]| picks.iter().map(|pick| *pick.get(events)).collect::<Vec<_>>();
    for (picks, between) in course {
        store.append(&batch(&pick(picks))).unwrap();
        match between {
            Between::Nothing => {}
            Between::Fold => store.fold_all().unwrap(),
            Between::House(ms) => store.keep_house(at((*ms).into())).unwrap(),
            Between::Open => {
                drop(store);
                disk.restart(Loss::All);
                store = open(&disk, tables.path());
            }
            Between::Declare(seconds) => {
                let flow = declared("checkout", u64::from(*seconds) * 1_000);
                store.declare("default", "checkout", Some(&flow)).unwrap();
                model.flows.insert("checkout".into(), flow);
            }
            Between::Undeclare => {
                store.declare("default", "checkout", None).unwrap();
                model.flows.remove("checkout");
            }
        }
    }
    // What was left out comes late, and what was not comes again.
    store.append(&batch(events)).unwrap();
    store.fold_all().unwrap();
    let now = at(now_ms.into());
    // Time that was judged by before may lie behind it.
    let flow = model.flows.remove("checkout");
    store.declare("default", "checkout", None).unwrap();
    store.keep_house(now).unwrap();
    store.declare("default", "checkout", flow.as_ref()).unwrap();
    model.flows.extend(flow.map(|flow| ("checkout".into(), flow)));
    store.keep_house(now).unwrap();
    model.check(&store, now, "any order");

    let (disk, tables) = (SimDisk::new(1 << 20), folder());
    let in_order = open(&disk, tables.path());
    let mut sorted = events.to_vec();
    sorted.sort_by_key(|told| told.at_ms);
    for (slug, flow) in &model.flows {
        in_order.declare("default", slug, Some(flow)).unwrap();
    }
    for told in &sorted {
        in_order.append(&batch(&[*told])).unwrap();
    }
    in_order.fold_all().unwrap();
    in_order.keep_house(now).unwrap();
    let (found, wanted) = (answers(&store, now), answers(&in_order, now));
    prop_assert_eq!(found.runs, wanted.runs);
    prop_assert_eq!(found.stats, wanted.stats);
    prop_assert_eq!(found.errors, wanted.errors);
    prop_assert_eq!(found.flows, wanted.flows);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    /// §10.4: records and statistics depend on the set of events only, not on the order, repetition or
    /// lateness of their arrival.
    #[test]
    fn what_is_kept_follows_from_the_set_of_events(
        events in prop::collection::vec(told(), 1..60),
        course in prop::collection::vec(
            (prop::collection::vec(any::<Index>(), 0..30), between()), 0..12),
        now_ms in 60_000_u32..100_000,
    ) {
        in_any_order(&events, &course, now_ms)?;
    }
}

/// Random numbers, the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// §10.4: ten thousand runs, whose events come shuffled, some twice and some late, settle to the same
/// records and the same statistics as in order.
#[test]
fn ten_thousand_runs_settle_to_the_same_in_any_order() {
    let (now, mut random) = (at(100_000), Random(7));
    let mut events = Vec::new();
    for run in 0..10_000_u16 {
        let begin = u32::from(run) * 5;
        let ends = [Said::Success, Said::Success, Said::Error];
        for (step, end) in (0..3_u8).zip(ends) {
            let id = u16::from(step) * 2;
            let took = u32::try_from(random.below(900)).unwrap();
            let end = if run % 9 < 5 { Said::Success } else { end };
            let at_ms = begin + u32::from(step) * 1_000;
            let call = Some(step);
            events.push(Told { run, id, step, call, said: Said::Running, at_ms });
            if run % 11 > 0 || step < 2 {
                let at_ms = at_ms + took;
                events.push(Told { run, id: id + 1, step, call, said: end, at_ms });
            }
        }
    }
    let flow = declared("checkout", 5_000);
    let store = |batches: &mut dyn Iterator<Item = Vec<Told>>, house_every: usize| {
        let (disk, tables) = (SimDisk::new(1 << 28), folder());
        let options = Options { segment_bytes: 1 << 20, disk_reserve: 0, ..Options::default() };
        let place = Place::File(tables.path().join("observed.db"));
        let store = SqliteObserved::open_on(disk, place, options).unwrap();
        store.declare("default", "checkout", Some(&flow)).unwrap();
        for (n, batch_of) in batches.enumerate() {
            store.append(&batch(&batch_of)).unwrap();
            if n % house_every == 0 {
                store.fold_all().unwrap();
                store.keep_house(at(30_000)).unwrap();
            }
        }
        store.fold_all().unwrap();
        store.keep_house(now).unwrap();
        answers(&store, now)
    };
    let in_order = store(&mut events.chunks(5_000).map(<[Told]>::to_vec), 100);

    let mut shuffled = events.clone();
    shuffled.extend((0..events.len() / 4).map(|_| events[random.below(events.len())]));
    for at in (1..shuffled.len()).rev() {
        shuffled.swap(at, random.below(at + 1));
    }
    let mut rest = &shuffled[..];
    let mut some = std::iter::from_fn(|| {
        let (head, tail) = rest.split_at(rest.len().min(1 + random.below(3_000)));
        rest = tail;
        (!head.is_empty()).then(|| head.to_vec())
    });
    let in_disorder = store(&mut some, 7);
    assert_eq!(in_order.runs.len(), 10_000);
    assert!(in_order.stats["checkout"].health.iter().any(|part| part.missing > 1_000));
    for (run, wanted) in &in_order.runs {
        assert_eq!(&in_disorder.runs[run], wanted, "{run:?}");
    }
    assert_eq!(in_disorder.stats, in_order.stats);
    assert_eq!(in_disorder.errors, in_order.errors);
    assert_eq!(in_disorder.flows, in_order.flows);
}
