//! Folders of earlier versions get the columns and indexes of lists.

use std::time::Duration;

use rusqlite::Connection;
use stepwell_core::id::RunId;
use stepwell_core::search::Term;
use stepwell_core::status::RunStatus;
use stepwell_sqlite::{Embedded, Options};
use stepwell_store::Store;
use stepwell_store::batch::Batch;
use stepwell_store::conformance::{Script, Start};
use stepwell_store::query::{Filter, Text};

use crate::trace::at;

/// What lists have got since the first version.
const EARLIER: &str = "
    DROP INDEX runs_status;
    DROP INDEX runs_app;
    DROP INDEX runs_over;
    DROP INDEX searches_term;
    ALTER TABLE runs DROP COLUMN error;
    ALTER TABLE searches DROP COLUMN app;
    ALTER TABLE searches DROP COLUMN workflow;
    ALTER TABLE searches DROP COLUMN status;
    ALTER TABLE searches DROP COLUMN created_at;
    CREATE INDEX runs_by_status ON runs (namespace, status, id);
    CREATE INDEX runs_by_workflow ON runs (namespace, workflow, status, id);
    CREATE INDEX runs_ended ON runs (ended_at, id) WHERE ended_at IS NOT NULL;
    CREATE INDEX searches_value ON searches (namespace, name, kind, number, text, run);
";

/// §9.4: what was stored before is found by attributes, by status and by the error with which it ended.
#[test]
fn a_folder_from_before_gets_what_lists_need() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options { disk_reserve: 0, ..Options::default() };
    let store = Embedded::open(folder.path(), options()).unwrap();
    let mut runs: Vec<Script> = Vec::new();
    for (n, status) in [(1, RunStatus::Failed), (2, RunStatus::Completed)] {
        let mut run = Script::new(at(n), n.into(), Start::default());
        run.search(r#"{"country": "DE", "amount": 7}"#).activate().ended(status);
        store.commit(&Batch { at: at(n), runs: vec![run.write()], ..Batch::default() }).unwrap();
        runs.push(run);
    }
    store.fold_all().unwrap();
    drop(store);
    let tables = Connection::open(folder.path().join("stepwell.db")).unwrap();
    tables.execute_batch(EARLIER).unwrap();
    drop(tables);
    let store = Embedded::open(folder.path(), options()).unwrap();
    assert_eq!(store.verify().unwrap().problems, []);
    let all = || Filter { namespace: "default".into(), limit: 9, ..Filter::default() };
    let list = |filter: Filter| -> Vec<RunId> {
        let page = store.query(&filter, Duration::from_secs(20)).unwrap();
        page.runs.iter().map(|run| run.id).collect()
    };
    let search = Term::parse_all("country=DE,amount>=7").unwrap();
    let app = Some("shop".into());
    assert_eq!(list(Filter { search, app, ..all() }), [runs[1].id(), runs[0].id()]);
    let failed = vec![RunStatus::Failed];
    assert_eq!(list(Filter { statuses: failed, ..all() }), [runs[0].id()]);
    assert_eq!(list(Filter { text: Some(Text::new("Declined")), ..all() }), [runs[0].id()]);
}
