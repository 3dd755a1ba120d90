//! What a store is not opened on, or not together with.

use stepwell_postgres::testing::{Cluster, Durability, Place, place};
use stepwell_postgres::{Options, Postgres};
use stepwell_store::{Error, Store};

use crate::members::{begin, join, write};

fn refused(options: &Options) -> String {
    match Postgres::join(options, "a", 1) {
        Err(error @ (Error::Refused { .. } | Error::Format { .. })) => error.to_string(),
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("it was opened"),
    }
}

/// Tables are made once, however many nodes begin at one time.
#[test]
fn many_that_open_at_once_make_tables_once() {
    let Some(place) = place().unwrap() else { return };
    let opened = std::thread::scope(|scope| {
        let join = |number: u128| {
            let place = &place;
            scope.spawn(move || join(place, &format!("node-{number}"), number))
        };
        let threads: Vec<_> = (0..4).map(join).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(opened[0].shared().unwrap().members().unwrap().len(), 4);
    let format = place.sql("SELECT value FROM meta WHERE name = 'format'").unwrap();
    assert_eq!(format.len(), 1, "{format:?}");
}

/// Who is older than what may write there does not open it; who is not goes on.
#[test]
fn a_later_format_is_refused_where_it_says_so() {
    let Some(place) = place().unwrap() else { return };
    drop(join(&place, "a", 1));
    place.sql("UPDATE meta SET value = 99 WHERE name = 'format'").unwrap();
    let store = join(&place, "a", 2);
    write(&store, &mut begin(1)).unwrap();
    place.sql("UPDATE meta SET value = 98 WHERE name = 'least_writer'").unwrap();
    let said = refused(&place.options());
    assert!(said.contains("format 99") && said.contains("from 98 on"), "{said}");
}

/// An ordinary role is enough where there is a schema of its own; where there is none, it is said what to do.
/// A database of another encoding is refused.
#[test]
fn roles_and_databases_that_will_not_do_are_refused_with_what_would() {
    if place().unwrap().is_none() {
        return;
    }
    let cluster = Cluster::start(Durability::None).unwrap();
    let desk = Place::of(Options::new(cluster.url()));
    desk.sql("CREATE ROLE plain LOGIN").unwrap();
    let url = cluster.url().replace("postgres@", "plain@");
    let options = Options::new(url);
    let said = refused(&options);
    assert!(said.contains("CREATE SCHEMA \"stepwell\" AUTHORIZATION"), "{said}");
    desk.sql("CREATE SCHEMA stepwell AUTHORIZATION plain").unwrap();
    let store = Postgres::join(&options, "a", 1).unwrap();
    write(&store, &mut begin(1)).unwrap();
    store.shared().unwrap().renew().unwrap();
    desk.sql("CREATE DATABASE odd ENCODING 'SQL_ASCII' TEMPLATE template0").unwrap();
    let url = cluster.url().replace("/postgres?", "/odd?");
    let said = refused(&Options::new(url));
    assert!(said.contains("SQL_ASCII") && said.contains("encoding UTF8"), "{said}");
}

/// I20: a standby takes no writes, and is refused; and once it is the primary, who was a member before is none:
/// what was acknowledged may be lost.
#[test]
fn a_standby_is_refused_and_a_promotion_ends_members() {
    if place().unwrap().is_none() {
        return;
    }
    let mut cluster = Cluster::start(Durability::None).unwrap();
    let lease = std::time::Duration::from_mins(10);
    let options = Options { lease, ..Options::new(cluster.url()) };
    let old = Postgres::join(&options, "a", 1).unwrap();
    assert_eq!(old.shared().unwrap().void_until(), None);
    let given = old.shared().unwrap().lease().now;
    cluster.stop();
    cluster.resume_as_standby().unwrap();
    let said = refused(&options);
    assert!(said.contains("standby"), "{said}");
    let lost = write(&old, &mut begin(1));
    assert!(matches!(lost, Err(Error::Unknown(_))), "{lost:?}");
    let desk = Place::of(options.clone());
    assert_eq!(desk.sql("SELECT pg_promote()").unwrap(), [[Some("t".to_owned())]]);
    let renewed = old.shared().unwrap().renew();
    assert_eq!(renewed, Err(Error::Fenced), "the lease still runs, on another timeline");
    let new = Postgres::join(&options, "a", 2).unwrap();
    write(&new, &mut begin(1)).unwrap();
    let void = new.shared().unwrap().void_until();
    assert!(void.is_some_and(|until| until > given), "{void:?}");
    assert!(Some(new.high_water().unwrap()) > void, "what is given from now on is not void");
    let other = Postgres::join(&options, "b", 3).unwrap();
    assert_eq!(other.shared().unwrap().void_until(), void, "once for each change");
}

/// Nobody there is not a refusal: it may be tried again.
#[test]
fn a_server_that_is_not_there_is_unavailable() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    drop(socket);
    let url = format!("postgres://nobody@127.0.0.1:{port}/none?sslmode=disable");
    let error = Postgres::join(&Options::new(url), "a", 1).err().unwrap();
    assert!(matches!(error, Error::Unavailable(_)), "{error}");
}
