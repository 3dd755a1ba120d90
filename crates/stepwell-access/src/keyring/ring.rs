//! What is in memory, and who a credential is of.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;

use super::refused::{Error, Refused};
use crate::audit::{Ask, Entry, Row};
use crate::key::{Key, KeyId, Pepper, Secret};
use crate::ledger::{self, Ledger};
use crate::namespace::{DEFAULT, Namespace};
use crate::role::{Role, Scope};

/// How much later a use has to be than the one that is noted, in microseconds: 1 minute.
const USE_STEP_US: i64 = 60_000_000;

/// What acts in place of a key where the server does something itself.
pub(super) const SERVER: &str = "stepwell";

/// The keys and namespaces of a server, in memory over a [`Ledger`]. What changes them may block.
#[derive(Debug)]
pub struct Keyring {
    pub(super) ledger: Arc<dyn Ledger>,
    pub(super) pepper: Pepper,
    state: RwLock<State>,
    /// Held while something is changed, so that each change stands on the one before.
    changing: Mutex<()>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) keys: BTreeMap<KeyId, Held>,
    pub(super) namespaces: BTreeMap<Arc<str>, Namespace>,
}

/// A key and when it was last used, in microseconds; `i64::MIN` for never.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) key: Arc<Key>,
    used: AtomicI64,
    noted: AtomicI64,
}

/// What was shown to be let in: which key, and which of its rotations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The key.
    pub key: KeyId,
    /// How often it had been rotated when this was made.
    pub generation: u32,
    /// When it ends by itself: that of a browser's session.
    pub until: Option<Timestamp>,
}

/// Somebody who is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// What was shown.
    pub credential: Credential,
    /// The key's name.
    pub name: Arc<str>,
    /// The namespace.
    pub namespace: Arc<str>,
    /// The role.
    pub role: Role,
    /// How far it reaches.
    pub scope: Scope,
    /// When it ends if nothing changes.
    pub ends_at: Option<Timestamp>,
}

impl Held {
    pub(super) fn new(key: Key) -> Self {
        let used = key.last_used_at.map_or(i64::MIN, Timestamp::as_micros);
        Self { key: Arc::new(key), used: AtomicI64::new(used), noted: AtomicI64::new(used) }
    }

    /// Tells whether this is what is known of the key, whenever it was used.
    fn is(&self, key: &Key) -> bool {
        Key { last_used_at: self.key.last_used_at, ..key.clone() } == *self.key
    }

    fn last_used_at(&self) -> Option<Timestamp> {
        let used = self.used.load(Ordering::Relaxed);
        (used != i64::MIN).then(|| Timestamp::from_micros(used))
    }

    /// The key with when it was last used.
    pub(super) fn shown(&self) -> Key {
        Key { last_used_at: self.last_used_at(), ..(*self.key).clone() }
    }
}

impl Keyring {
    /// Reads what a ledger keeps; the namespace `default` is made where it is not there.
    ///
    /// # Errors
    /// [`ledger::Error`].
    pub fn open(
        ledger: Arc<dyn Ledger>,
        pepper: Pepper,
        now: Timestamp,
    ) -> Result<Self, ledger::Error> {
        let mut state = State::default();
        for namespace in ledger.namespaces()? {
            state.namespaces.insert(Arc::clone(&namespace.name), namespace);
        }
        if !state.namespaces.contains_key(DEFAULT) {
            let name: Arc<str> = Arc::from(DEFAULT);
            let created_by = SERVER.to_owned();
            let made =
                Namespace { name: Arc::clone(&name), created_at: now, created_by, closed_at: None };
            ledger.put_namespace(&made)?;
            state.namespaces.insert(name, made);
        }
        for key in ledger.keys()? {
            state.keys.insert(key.id, Held::new(key));
        }
        Ok(Self { ledger, pepper, state: RwLock::new(state), changing: Mutex::new(()) })
    }

    /// Reads again what the ledger keeps: other nodes write it too. Tells whether anything was otherwise.
    ///
    /// # Errors
    /// [`Error::Ledger`]; what was known stays.
    pub fn refresh(&self) -> Result<bool, Error> {
        let _changing = self.changing();
        let (namespaces, keys) = (self.ledger.namespaces()?, self.ledger.keys()?);
        let mut state = self.state_mut();
        let same_namespaces = namespaces.len() == state.namespaces.len()
            && namespaces.iter().all(|one| state.namespaces.get(&one.name) == Some(one));
        let same_keys = keys.len() == state.keys.len()
            && keys.iter().all(|one| state.keys.get(&one.id).is_some_and(|held| held.is(one)));
        if same_namespaces && same_keys {
            return Ok(false);
        }
        state.namespaces = namespaces.into_iter().map(|one| (Arc::clone(&one.name), one)).collect();
        let mut before = std::mem::take(&mut state.keys);
        for key in keys {
            let held = match before.remove(&key.id) {
                // When it was used here may not be noted yet.
                Some(held) => Held { key: Arc::new(key), ..held },
                None => Held::new(key),
            };
            state.keys.insert(held.key.id, held);
        }
        Ok(true)
    }

    /// Tells who a key is of.
    ///
    /// # Errors
    /// [`Refused`]. How long it takes does not depend on how much of the key is right.
    pub fn authenticate(&self, text: &str, now: Timestamp) -> Result<Live, Refused> {
        let secret = Secret::parse(text)?;
        let hash = self.pepper.hash(&secret);
        let state = self.state();
        let held = state.keys.get(&secret.id()).ok_or(Refused::Unknown)?;
        let key = &held.key;
        // Both are compared, whichever it is.
        let (current, previous) =
            (key.hash == hash, key.previous.is_some_and(|previous| previous.hash == hash));
        let generation = match (current, previous) {
            (true, _) => key.generation,
            (false, true) => key.generation.wrapping_sub(1),
            (false, false) => return Err(Refused::Unknown),
        };
        let credential = Credential { key: key.id, generation, until: None };
        let live = state.live(held, credential, now)?;
        held.use_at(now);
        Ok(live)
    }

    /// Tells who a credential is of now that was taken before.
    ///
    /// # Errors
    /// [`Refused`] where it is not taken any more.
    pub fn recheck(&self, credential: &Credential, now: Timestamp) -> Result<Live, Refused> {
        let state = self.state();
        let held = state.keys.get(&credential.key).ok_or(Refused::Closed)?;
        state.live(held, credential.clone(), now)
    }

    /// Tells whether a namespace is there and open.
    pub fn is_open(&self, namespace: &str) -> bool {
        self.state().is_open(namespace)
    }

    /// Writes a row of the audit log.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn record(&self, entry: Entry) -> Result<Row, Error> {
        Ok(self.ledger.append(entry)?)
    }

    /// Returns the end and the id of the last run whose trace was exported; `None` before the first.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn exported(&self) -> Result<Option<(Timestamp, RunId)>, Error> {
        Ok(self.ledger.exported()?)
    }

    /// Keeps how far traces were exported.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn put_exported(&self, last: (Timestamp, RunId)) -> Result<(), Error> {
        Ok(self.ledger.put_exported(last)?)
    }

    /// Returns rows of the audit log.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn audit(&self, ask: &Ask) -> Result<Vec<Row>, Error> {
        Ok(self.ledger.audit(ask)?)
    }

    /// Has the ledger note when keys were last used.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn note_uses(&self) -> Result<(), Error> {
        let _changing = self.changing();
        let mut notes = Vec::new();
        for held in self.state().keys.values() {
            let used = held.used.load(Ordering::Relaxed);
            if held.noted.swap(used, Ordering::Relaxed) != used {
                notes.push((held.key.id, Timestamp::from_micros(used)));
            }
        }
        if notes.is_empty() { Ok(()) } else { Ok(self.ledger.used(&notes)?) }
    }

    pub(super) fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn use_at(&self, now: Timestamp) {
        let now = now.as_micros();
        if now.saturating_sub(self.used.load(Ordering::Relaxed)) >= USE_STEP_US {
            self.used.store(now, Ordering::Relaxed);
        }
    }
}

impl State {
    pub(super) fn is_open(&self, namespace: &str) -> bool {
        self.namespaces.get(namespace).is_some_and(|found| found.closed_at.is_none())
    }

    /// Checks all that can end a credential, in the order in which a person would want to hear of it.
    fn live(&self, held: &Held, credential: Credential, now: Timestamp) -> Result<Live, Refused> {
        let key = &held.key;
        if let Some(at) = key.revoked_at {
            return Err(Refused::Revoked(at));
        }
        if let Some(at) = key.expires_at.filter(|at| *at <= now) {
            return Err(Refused::Expired(at));
        }
        let mut ends_at = [key.expires_at, credential.until].into_iter().flatten().min();
        if credential.generation != key.generation {
            let before = key.generation.wrapping_sub(1);
            let previous = key.previous.filter(|_| credential.generation == before);
            let until = previous.ok_or(Refused::Unknown)?.until;
            if until <= now {
                return Err(Refused::Replaced(until));
            }
            ends_at = Some(ends_at.map_or(until, |at| at.min(until)));
        }
        if credential.until.is_some_and(|until| until <= now) {
            return Err(Refused::Session);
        }
        if !self.is_open(&key.namespace) {
            return Err(Refused::Closed);
        }
        Ok(Live {
            credential,
            name: Arc::from(&*key.name),
            namespace: Arc::clone(&key.namespace),
            role: key.role,
            scope: key.scope(),
            ends_at,
        })
    }
}
