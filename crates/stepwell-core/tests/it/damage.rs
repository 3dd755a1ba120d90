//! Bytes that are no journal, or one no longer.

use proptest::collection::vec;
use proptest::prelude::*;
use stepwell_core::id::RunId;
use stepwell_core::record;
use stepwell_core::run::Run;
use stepwell_core::view::View;

const GOOD: &str = concat!(
    r#"{"started":{"at":1,"namespace":"d","app":"a","workflow":"w","input":[1,{"x":null}]}},"#,
    r#"{"activated":{"at":2,"epoch":1,"nonce":7,"runner":"r","instance":"i"}},"#,
    r#"{"stepStarted":{"step":"a","attempt":{"n":1,"startedAt":2},"open":{"kind":"run","after":0,"at":2}}},"#,
    r#"{"stepEnded":{"step":"a","at":3,"status":"completed","attempt":{"n":1,"startedAt":2},"output":"ü"}},"#,
    r#"{"sleepStarted":{"step":"b","until":9,"open":{"kind":"sleep","after":1,"at":3}}},"#,
    r#"{"released":{"at":4,"seen":1}},"#,
    r#"{"stepEnded":{"step":"b","at":9,"status":"completed"}},"#,
    r#"{"ended":{"at":10,"status":"completed","output":null}},"#,
);

/// Reads bytes in every way; the answer may be anything but a panic.
fn read(journal: &[u8]) {
    let id = RunId::MIN;
    let decoded = record::decode(journal).filter(Result::is_err).count();
    assert!(decoded <= 1, "damage is told once");
    let replayed = Run::replay(id, journal);
    assert_eq!(replayed.is_ok(), View::of(id, journal).is_ok());
    if decoded == 1 {
        assert!(replayed.is_err());
    }
}

/// §4.9: the undamaged journal is read, so that the tests below begin with something.
#[test]
fn the_good_journal_is_read() {
    let run = Run::replay(RunId::MIN, GOOD.as_bytes()).unwrap();
    assert_eq!((run.steps().len(), run.ended_steps()), (2, 2));
    read(GOOD.as_bytes());
}

/// A journal that is cut at any byte is read up to a whole record, or refused.
#[test]
fn every_cut_is_seen() {
    let whole: Vec<usize> =
        GOOD.match_indices("},{\"").map(|(at, _)| at + 2).chain([GOOD.len()]).collect();
    for cut in 0..=GOOD.len() {
        let journal = &GOOD.as_bytes()[..cut];
        read(journal);
        // Not every "},{" stands between two records, but every record ends with one.
        let kept = Run::replay(RunId::MIN, journal).is_ok();
        assert!(!kept || whole.contains(&cut), "cut at {cut}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        read(&bytes);
    }

    #[test]
    fn damaged_bytes_never_panic(changes in vec((0..GOOD.len(), any::<u8>()), 1..4)) {
        let mut journal = GOOD.as_bytes().to_vec();
        for (at, byte) in changes {
            journal[at] = byte;
        }
        read(&journal);
    }

    #[test]
    fn shuffled_records_never_panic(order in vec(0..8_usize, 0..20)) {
        let records: Vec<&str> = GOOD.split_inclusive("}},").collect();
        prop_assert_eq!(records.len(), 8);
        let journal: String = order.into_iter().map(|at| records[at]).collect();
        read(journal.as_bytes());
    }

    /// Statuses that no command writes do not break the fold or the view.
    #[test]
    fn odd_records_never_panic(
        status in "(pending|running|retrying|sleeping|completed|failed|timed_out|skipped|cancelled)",
        run in "(queued|running|waiting|blocked|compensating|completed|failed)",
        number in any::<u32>(),
        at in any::<i64>(),
    ) {
        let open = format!(r#""open":{{"kind":"skip","after":{number},"at":{at}}}"#);
        let journal = format!(
            concat!(
                r#"{{"started":{{"at":{at},"namespace":"d","app":"a","workflow":"w","deadline":{at}}}}},"#,
                r#"{{"activated":{{"at":{at},"epoch":{number},"nonce":7,"runner":"r","instance":"i"}}}},"#,
                r#"{{"attemptFailed":{{"step":"a","at":{at},"attempt":{{"n":{number},"startedAt":{at}}},"error":{{"name":"E","message":""}},"nextAt":{at},{open}}}}},"#,
                r#"{{"stepEnded":{{"step":"b","at":{at},"status":"{status}",{open}}}}},"#,
                r#"{{"ending":{{"at":{at},"status":"{run}","until":{at}}}}},"#,
            ),
            at = at, number = number, open = open, status = status, run = run,
        );
        read(journal.as_bytes());
        if let Ok(run) = Run::replay(RunId::MIN, journal.as_bytes()) {
            let _ = (run.next_timer(), run.status(), run.must_be_alone());
        }
    }
}
