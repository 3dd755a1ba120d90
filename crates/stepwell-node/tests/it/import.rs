//! Copies of runs are taken in once, and nothing of them begins.

use stepwell_core::code::Code;
use stepwell_core::id::RunId;
use stepwell_core::run::Unfinished;
use stepwell_node::{
    About, ApiError, Config, ImportRequest, Input, Reply, RequestId, Signed, StartRequest, Taken,
};

use crate::harness::{World, ended, finished, json, start, who};

impl World {
    fn ask_import(&mut self, about: About, journal: &[u8], unfinished: Unfinished) -> RequestId {
        let request = about.request;
        let import = Box::new(ImportRequest { journal: journal.to_vec(), unfinished });
        let signed = Signed { by: Some("ann".into()), reason: Some("a copy".into()) };
        self.tell(Input::Import { about, import, signed });
        request
    }

    fn imported(&mut self, request: RequestId) -> Result<(String, Taken), ApiError> {
        match self.reply(request) {
            Some(Reply::Imported { status, taken }) => Ok((status.to_string(), taken)),
            Some(Reply::Error(error)) => Err(error),
            other => panic!("not imported: {other:?}"),
        }
    }

    fn import(
        &mut self,
        run: RunId,
        journal: &[u8],
        unfinished: Unfinished,
    ) -> Result<(String, Taken), ApiError> {
        let about = self.about(run);
        let request = self.ask_import(about, journal, unfinished);
        self.settle();
        self.imported(request)
    }
}

fn keyed(input: &str) -> StartRequest {
    StartRequest { key: Some("k".into()), input: Some(json(input)), ..start("flow") }
}

/// A run that completed, and one that a runner holds, with their journals.
fn elsewhere() -> (World, [(RunId, Vec<u8>); 2]) {
    let mut world = World::new();
    let session = world.connect(&who(2));
    let done = world.start(keyed("1"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    world.say(session, &[ended(&a, "charge"), finished(&a)]);
    let held = world.start(start("flow"));
    let journals = [done, held].map(|run| (run, world.journal(run)));
    (world, journals)
}

/// A server that knows the workflow, with a runner that has a free slot.
fn here() -> (World, stepwell_node::SessionId) {
    // Of another seed, so that its runs have other ids.
    let mut world = World::with(Config { seed: [9; 32], ..Config::default() });
    let session = world.connect(&who(2));
    world.heard(session);
    (world, session)
}

#[test]
fn a_copy_is_there_as_it_was_and_a_second_time_it_is_known() {
    let (_, [(run, journal), _]) = elsewhere();
    let (mut world, session) = here();
    let new = world.import(run, &journal, Unfinished::Refuse);
    assert_eq!(new, Ok(("completed".into(), Taken::New)));
    assert_eq!(world.journal(run), journal);
    let again = world.import(run, &journal, Unfinished::Refuse);
    assert_eq!(again, Ok(("completed".into(), Taken::Known)));
    let request = world.ask_wait(run);
    assert_eq!(world.ended(request).status.as_str(), "completed");
    world.restart();
    let again = world.import(run, &journal, Unfinished::Refuse);
    assert_eq!(again, Ok(("completed".into(), Taken::Known)));
    assert!(world.heard_of(session, "activate").is_empty());
    world.assert_at_rest();
}

#[test]
fn another_history_under_the_same_id_is_refused() {
    let (_, [(run, journal), (_, other)]) = elsewhere();
    let (mut world, _) = here();
    world.import(run, &journal, Unfinished::Refuse).unwrap();
    let refused = world.import(run, &other, Unfinished::End).unwrap_err();
    assert_eq!(refused.code, Code::ImportConflict);
    assert!(refused.detail.contains("with another history"), "{}", refused.detail);
    let about = About { namespace: "other".into(), ..world.about(run) };
    let request = world.ask_import(about, &journal, Unfinished::Refuse);
    world.settle();
    assert_eq!(world.imported(request).unwrap_err().code, Code::ImportConflict);
    assert_eq!(world.journal(run), journal);
}

/// A run that somebody may still be running elsewhere does not run here.
#[test]
fn a_run_that_goes_on_elsewhere_is_refused_or_ended() {
    let (_, [_, (run, journal)]) = elsewhere();
    let (mut world, session) = here();
    let refused = world.import(run, &journal, Unfinished::Refuse).unwrap_err();
    assert_eq!(refused.code, Code::ImportRefused);
    assert!(refused.detail.contains("the run is running where it comes from"), "{refused:?}");
    let ended = world.import(run, &journal, Unfinished::End);
    assert_eq!(ended, Ok(("cancelled".into(), Taken::Ended)));
    assert!(world.journal(run).starts_with(&journal));
    assert_eq!(world.records(run).last().map(String::as_str), Some("ended"));
    world.pass_ms(60_000);
    world.restart();
    let session = [session, world.connect(&who(2))];
    for one in session {
        assert!(world.heard_of(one, "activate").is_empty());
    }
    let again = world.import(run, &journal, Unfinished::End);
    assert_eq!(again, Ok(("cancelled".into(), Taken::Known)));
    world.assert_at_rest();
}

#[test]
fn what_is_no_journal_is_refused_and_leaves_nothing() {
    let (_, [(run, journal), _]) = elsewhere();
    let (mut world, _) = here();
    for journal in [&[][..], b"{}", &journal[..journal.len() - 3]] {
        let refused = world.import(run, journal, Unfinished::End).unwrap_err();
        assert_eq!(refused.code, Code::ImportRefused, "{refused:?}");
    }
    // Neither its id nor its key are taken.
    world.import(run, &journal, Unfinished::Refuse).unwrap();
}

/// §4.8: a start that is repeated after a move finds the run that was moved.
#[test]
fn a_key_comes_along() {
    let (_, [(run, journal), _]) = elsewhere();
    let (mut world, _) = here();
    world.import(run, &journal, Unfinished::Refuse).unwrap();
    let request = world.ask_start(keyed("1"));
    assert_eq!(world.started(request), (run, false));
    let request = world.ask_start(keyed("2"));
    assert_eq!(world.error(request).code, Code::KeyConflict);
}

#[test]
fn a_copy_whose_key_another_run_has_is_refused() {
    let (_, [(run, journal), _]) = elsewhere();
    let (mut world, _) = here();
    let first = world.start(keyed("1"));
    let refused = world.import(run, &journal, Unfinished::Refuse).unwrap_err();
    assert_eq!(refused.code, Code::ImportConflict);
    assert!(refused.detail.contains(&format!("is that of {first}")), "{refused:?}");
    assert!(world.journal(run).is_empty());
}

/// Two copies, a start with their key, and another copy with their id, all before anything is written: one
/// is first, the others find it.
#[test]
fn copies_and_starts_that_come_at_once_are_one_run() {
    let (_, [(run, journal), _]) = elsewhere();
    let (mut world, _) = here();
    let requests = [0; 2].map(|_| {
        let about = world.about(run);
        world.ask_import(about, &journal, Unfinished::Refuse)
    });
    let start = RequestId(world.id());
    world.tell(Input::Start { request: start, start: Box::new(keyed("1")) });
    let unkeyed = String::from_utf8(journal.clone()).unwrap().replace("\"key\":\"k\",", "");
    let about = world.about(run);
    let last = world.ask_import(about, unkeyed.as_bytes(), Unfinished::Refuse);
    world.settle();
    assert_eq!(world.started(start), (run, false));
    let [first, second] = requests.map(|request| world.imported(request));
    let last = world.imported(last);
    let new = |one: &Result<(String, Taken), ApiError>| matches!(one, Ok((_, Taken::New)));
    assert_eq!([&first, &second, &last].into_iter().filter(|one| new(one)).count(), 1);
    assert!(new(&first) || new(&last), "{first:?} {second:?} {last:?}");
    world.assert_at_rest();
}
