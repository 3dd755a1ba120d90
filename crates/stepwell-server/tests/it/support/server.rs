//! A server in this process.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use stepwell_core::id::RunId;
use stepwell_core::matching::Leaves;
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;
use stepwell_http::gate::Mode;
use stepwell_server::config::{AccessConfig, Config};
use stepwell_server::server::{self, Server};
use stepwell_store::batch::{Batch, Workflow};
use stepwell_store::event::{Did, EventId, EventRetention, Known, Place};
use stepwell_store::inbox::{Message, MessageId};
use stepwell_store::memory::Memory;
use stepwell_store::query::{
    Counts, Cursor, Ends, EndsAsk, EventList, EventName, Filter, Key, OpenRuns, Page, Queue,
};
use stepwell_store::retention::{Deletion, RunRetention};
use stepwell_store::{Error, Health, Position, Store};

/// Settings of a test's server: any free port, no keys.
pub(crate) fn config() -> Config {
    let access = AccessConfig { mode: Mode::Loopback, ..AccessConfig::default() };
    Config { listen: SocketAddr::from(([127, 0, 0, 1], 0)), access, ..Config::default() }
}

/// Starts a server that keeps everything in memory.
pub(crate) async fn server() -> Server {
    server::start(&config()).await.unwrap()
}

/// Starts a server on a folder.
pub(crate) async fn server_on(folder: &std::path::Path) -> Server {
    let config = Config { data: Some(folder.to_owned()), ..config() };
    server::start(&config).await.unwrap()
}

/// A store in memory that fails when it is told to.
#[derive(Clone, Default)]
pub(crate) struct FaultyStore {
    memory: Arc<Memory>,
    next_commit: Arc<Mutex<Option<Error>>>,
    panics_on_load: Arc<AtomicBool>,
}

impl FaultyStore {
    /// Starts a server on it.
    pub(crate) async fn server(&self) -> Server {
        let store: Arc<dyn Store> = Arc::new(self.clone());
        server::start_on(&config(), Box::new(move || Ok(Arc::clone(&store)))).await.unwrap()
    }

    /// The next commit fails so.
    pub(crate) fn fail_commit(&self, error: Error) {
        *self.next_commit.lock().unwrap() = Some(error);
    }

    /// The next load panics.
    pub(crate) fn panic_on_load(&self) {
        self.panics_on_load.store(true, Ordering::SeqCst);
    }
}

impl Store for FaultyStore {
    fn commit(&self, batch: &Batch) -> Result<Position, Error> {
        match self.next_commit.lock().unwrap().take() {
            Some(error) => Err(error),
            None => self.memory.commit(batch),
        }
    }

    fn load(&self, run: RunId) -> Result<Option<Vec<u8>>, Error> {
        assert!(!self.panics_on_load.swap(false, Ordering::SeqCst), "planted");
        self.memory.load(run)
    }

    fn due(
        &self,
        until: Timestamp,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        self.memory.due(until, after, limit)
    }

    fn ready(
        &self,
        queue: &Queue,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        self.memory.ready(queue, after, limit)
    }

    fn active(&self, after: Option<RunId>, limit: usize) -> Result<Vec<RunId>, Error> {
        self.memory.active(after, limit)
    }

    fn blocked(
        &self,
        queue: &Queue,
        after: Option<RunId>,
        limit: usize,
    ) -> Result<Vec<RunId>, Error> {
        self.memory.blocked(queue, after, limit)
    }

    fn key(&self, key: &Key) -> Result<Option<RunId>, Error> {
        self.memory.key(key)
    }

    fn workflows(&self) -> Result<Vec<Workflow>, Error> {
        self.memory.workflows()
    }

    fn waits_for(
        &self,
        event: &EventName,
        leaves: &Leaves,
        after: Option<&Wait>,
        limit: usize,
    ) -> Result<Vec<Wait>, Error> {
        self.memory.waits_for(event, leaves, after, limit)
    }

    fn event(&self, id: &EventId) -> Result<Option<Known>, Error> {
        self.memory.event(id)
    }

    fn unrouted(&self, after: Option<&Place>, limit: usize) -> Result<Vec<Place>, Error> {
        self.memory.unrouted(after, limit)
    }

    fn did(&self, event: &EventId, after: Option<&Did>, limit: usize) -> Result<Vec<Did>, Error> {
        self.memory.did(event, after, limit)
    }

    fn inbox(&self, after: Option<&MessageId>, limit: usize) -> Result<Vec<Arc<Message>>, Error> {
        self.memory.inbox(after, limit)
    }

    fn purge_events(&self, retention: EventRetention, limit: usize) -> Result<usize, Error> {
        self.memory.purge_events(retention, limit)
    }

    fn query(&self, filter: &Filter, patience: Duration) -> Result<Page, Error> {
        self.memory.query(filter, patience)
    }

    fn counts(&self, filter: &Filter, patience: Duration) -> Result<Counts, Error> {
        self.memory.counts(filter, patience)
    }

    fn open_runs(&self, patience: Duration) -> Result<Vec<OpenRuns>, Error> {
        self.memory.open_runs(patience)
    }

    fn ends(&self, ask: &EndsAsk, patience: Duration) -> Result<Ends, Error> {
        self.memory.ends(ask, patience)
    }

    fn events_list(
        &self,
        list: &EventList,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<Place>, Error> {
        self.memory.events_list(list, after, limit)
    }

    fn ended(
        &self,
        until: Timestamp,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<(Timestamp, RunId)>, Error> {
        self.memory.ended(until, after, limit)
    }

    fn purge(&self, retention: &RunRetention, limit: usize) -> Result<usize, Error> {
        self.memory.purge(retention, limit)
    }

    fn delete(&self, namespace: &str, run: RunId) -> Result<Deletion, Error> {
        self.memory.delete(namespace, run)
    }

    fn high_water(&self) -> Result<Timestamp, Error> {
        self.memory.high_water()
    }

    fn health(&self) -> Health {
        self.memory.health()
    }
}

/// Replaces what differs from run to run: ids, instants, spans.
pub(crate) fn redacted(mut value: Value) -> Value {
    redact(&mut value);
    value
}

fn redact(value: &mut Value) {
    match value {
        Value::String(text) if text.starts_with("run_") => *text = "[run]".into(),
        Value::String(text) if Timestamp::parse_iso(text).is_ok() => *text = "[at]".into(),
        Value::Array(list) => list.iter_mut().for_each(redact),
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == "durationMs" && value.is_number() || name == "journalBytes" {
                    *value = "[number]".into();
                }
                if name == "requestId" {
                    *value = "[request]".into();
                }
                redact(value);
            }
        }
        _ => {}
    }
}
