//! Journals read back, and damage is told.

use super::*;

#[test]
fn a_journal_reads_back_and_chunks_join() {
    let input = RawValue::from_string("{ \"a\":\n 1 }".into()).unwrap();
    let started = Record::Started(Started {
        at: Timestamp::from_millis(1),
        namespace: "default".into(),
        app: "shop".into(),
        workflow: "check \"out\"".into(),
        input: Some(&input),
        key: None,
        deadline: None,
        not_before: None,
        metadata: None,
        runner: None,
        ends: EndOptions::default(),
        forked_from: None,
        rerun_of: None,
        by: None,
        reason: None,
        parent: None,
        depth: 0,
        continues: None,
        inherited: None,
        event: None,
        search: Change::new(),
        traceparent: None,
    });
    let ended = Record::Ended(Ended {
        at: Timestamp::from_millis(2),
        status: RunStatus::Completed,
        output: None,
        error: None,
        continued_as: None,
    });
    let (mut first, mut second) = (Vec::new(), Vec::new());
    started.encode(&mut first);
    ended.encode(&mut second);
    first.extend_from_slice(&second);
    let records: Vec<_> = decode(&first).map(Result::unwrap).collect();
    assert_eq!(records.len(), 2);
    assert!(matches!(&records[0], Record::Started(s)
        if s.workflow == "check \"out\"" && s.input.unwrap().get() == "{ \"a\":\n 1 }"));
}

#[test]
fn damage_is_told_once_with_its_place() {
    let mut journal = Vec::new();
    Record::Released(Released { at: Timestamp::from_millis(2), seen: 0 }).encode(&mut journal);
    let good = journal.len();
    journal.extend_from_slice(b"{\"rel");
    let mut records = decode(&journal);
    assert!(records.next().unwrap().is_ok());
    assert_eq!(records.next().unwrap().unwrap_err().offset, good);
    assert!(records.next().is_none());
}

#[test]
fn records_are_told_as_they_were_written() {
    let lines = ["first", "second"].map(|message| LogLine {
        at: Timestamp::from_millis(if message == "first" { 3 } else { 4 }),
        level: "info".into(),
        message: message.into(),
    });
    let mut journal = Vec::new();
    Record::Released(Released { at: Timestamp::from_millis(2), seen: 7 }).encode(&mut journal);
    let first = journal.len();
    Record::Logged(Logged { step: None, lines: lines.to_vec() }).encode(&mut journal);
    Record::Looked(Looked { step: "a,b".into() }).encode(&mut journal);
    let all: Vec<_> = entries(&journal).map(Result::unwrap).collect();
    let told: Vec<_> =
        all.iter().map(|one| (&*one.kind, one.at.map(Timestamp::as_micros))).collect();
    assert_eq!(told, [("released", Some(2_000)), ("logged", Some(3_000)), ("looked", None)]);
    assert_eq!(all[0].content.get(), r#"{"at":2000,"seen":7}"#);
    assert_eq!((all[0].ends, all[2].ends), (first, journal.len()));
}

/// Proves that nothing of a journal is left out or told twice: the entries make the journal again.
#[test]
fn entries_make_the_journal_again() {
    let mut journal = Vec::new();
    for seen in 0..40 {
        let at = Timestamp::from_millis(i64::from(seen));
        Record::Released(Released { at, seen }).encode(&mut journal);
        Record::Woken(Woken { at }).encode(&mut journal);
    }
    let mut again = Vec::new();
    for one in entries(&journal).map(Result::unwrap) {
        let text = alloc::format!("{{\"{}\":{}}},", one.kind, one.content.get());
        again.extend_from_slice(text.as_bytes());
    }
    assert_eq!(again, journal);
    journal.truncate(journal.len() - 1);
    assert!(entries(&journal).last().unwrap().is_err());
}
