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
