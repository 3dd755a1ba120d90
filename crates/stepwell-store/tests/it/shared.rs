//! What befalls the database in memory: cut connections, late statements, failovers.

#![expect(clippy::unwrap_used, reason = "what the tests stand on is made of assertions too")]

use std::sync::Arc;
use std::time::Duration;

use stepwell_core::time::Timestamp;
use stepwell_store::batch::Batch;
use stepwell_store::conformance::{Script, Start};
use stepwell_store::memory::{During, Fate, Joined, SharedMemory};
use stepwell_store::shared::{Claim, Shared};
use stepwell_store::{Error, Store};

const START: Timestamp = Timestamp::from_millis(1_795_000_000_000);

/// A database with two members, of which the first has a run.
struct Two {
    database: SharedMemory,
    a: Arc<Joined>,
    b: Arc<Joined>,
    run: Script,
}

fn two() -> Two {
    let database = SharedMemory::new(START);
    let (a, b) = (database.join("a", 1), database.join("b", 2));
    let mut run = Script::new(START, 1, Start::default());
    write(&a, &mut run).unwrap();
    Two { database, a, b, run }
}

fn write(member: &Joined, run: &mut Script) -> Result<(), Error> {
    let runs = vec![run.write()];
    member.commit(&Batch { at: START, runs, ..Batch::default() }).map(drop)
}

impl Two {
    /// Commits the run's next records while the first member's connection is cut.
    fn cut(&mut self, fate: Fate) {
        self.run.activate();
        self.a.cut(During::Commit, fate);
        let error = write(&self.a, &mut self.run).unwrap_err();
        assert!(matches!(error, Error::Unknown(_)), "{error}");
        let error = self.a.renew().unwrap_err();
        assert!(matches!(error, Error::Unknown(_)), "nothing comes through after: {error}");
        let error = self.a.load(self.run.id()).unwrap_err();
        assert!(matches!(error, Error::Unavailable(_)), "{error}");
    }

    fn stored(&self) -> bool {
        self.b.load(self.run.id()).unwrap().as_deref() == Some(self.run.journal())
    }
}

/// I20: of a statement whose connection is cut nobody knows whether it is done.
#[test]
fn a_statement_may_be_done_or_lost_when_its_connection_is_cut() {
    for (fate, done) in [(Fate::Lost, false), (Fate::Done, true)] {
        let mut two = two();
        two.cut(fate);
        assert_eq!(two.stored(), done, "{fate:?}");
    }
}

/// I20: what comes late is checked when it comes.
#[test]
fn a_late_statement_is_fenced_unless_its_member_is_still_one() {
    let late = START.after(Duration::from_secs(2));
    for ended in [false, true] {
        let mut two = two();
        two.cut(Fate::Late(late));
        if ended {
            two.database.join("a", 3);
        }
        assert!(!two.stored());
        two.database.set_time(late);
        assert_eq!(two.stored(), !ended, "ended: {ended}");
    }
    let mut two = two();
    two.cut(Fate::Late(START.after(Duration::from_secs(4))));
    two.database.set_time(START.after(Duration::from_secs(9)));
    let again = two.database.join("c", 3);
    let stored = again.load(two.run.id()).unwrap().unwrap();
    assert!(stored.len() < two.run.journal().len(), "its lease has run out meanwhile");
}

/// I20: who ends a member waits for what it is writing.
#[test]
fn a_statement_that_holds_its_members_row_is_done_before_the_member_is_ended() {
    let late = START.after(Duration::from_mins(1));
    let mut two = two();
    two.cut(Fate::Held(late));
    assert!(!two.stored());
    let again = two.database.join("a", 3);
    assert!(two.stored(), "by joining under the name");
    assert_eq!(again.claim(&[two.run.id()]).unwrap(), [Claim::Elsewhere]);

    let mut two = self::two();
    two.cut(Fate::Held(late));
    two.database.set_time(START.after(Duration::from_secs(1)));
    two.b.renew().unwrap();
    two.database.set_time(START.after(Duration::from_secs(3)));
    assert!(!two.stored());
    assert_eq!(two.b.take_over(Duration::ZERO, 9).unwrap(), 1);
    assert!(two.stored(), "by taking over");
    let Claim::Mine { journal, away } = two.b.claim(&[two.run.id()]).unwrap().remove(0) else {
        panic!("the run is free")
    };
    assert_eq!(journal, two.run.journal());
    assert!(away.is_some(), "the row that was written late says that a runner holds it");
}

/// A restart, or a failover that loses nothing, cuts every connection and changes nothing else.
#[test]
fn after_a_restart_members_join_anew_and_find_everything() {
    let mut two = two();
    two.database.cut_all();
    two.run.activate();
    let (mut run, before) = (two.run.clone(), two.run.journal().len());
    assert!(matches!(write(&two.a, &mut run), Err(Error::Unknown(_))));
    assert!(matches!(two.b.claim_due(Timestamp::MAX, 9), Err(Error::Unknown(_))));
    let again = two.database.join("a", 3);
    let stored = again.load(two.run.id()).unwrap().unwrap();
    assert!(stored.len() < before && two.run.journal().starts_with(&stored));
    assert_eq!(again.take_over(Duration::ZERO, 9).unwrap(), 1);
}

/// I20: a failover that loses acknowledged commits is noticed by everybody who was there.
#[test]
fn nobody_goes_on_after_acknowledged_commits_were_lost() {
    let mut two = two();
    let snapshot = two.database.snapshot();
    two.run.activate();
    write(&two.a, &mut two.run).unwrap();
    assert!(two.stored());
    two.database.fall_back(snapshot);
    for old in [&two.a, &two.b] {
        let mut run = Script::new(START, 2, Start::default());
        assert_eq!(write(old, &mut run), Err(Error::Fenced));
        assert_eq!(old.renew(), Err(Error::Fenced));
        assert_eq!(old.load(two.run.id()), Err(Error::Fenced));
    }
    let again = two.database.join("c", 3);
    assert_eq!(again.members().unwrap().len(), 3, "those of the snapshot are listed still");
    let stored = again.load(two.run.id()).unwrap().unwrap();
    assert!(stored.len() < two.run.journal().len());
}

/// A node that writes what is not its own is found out.
#[test]
fn who_writes_of_anothers_run_is_remembered() {
    let mut two = two();
    two.run.activate();
    assert_eq!(write(&two.b, &mut two.run), Err(Error::Fenced));
    assert_eq!(two.database.strays(), [(two.b.member(), two.run.id())]);
}
