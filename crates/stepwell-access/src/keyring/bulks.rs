//! Acts on many runs: making them, looking at them, getting on with them.

use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;

use super::refused::Error;
use super::ring::Keyring;
use crate::bulk::{Bulk, State};
use crate::key::KeyId;
use crate::ledger::BulkAsk;

/// Most jobs of a server that have not ended.
pub const BULKS_MAX: usize = 100;

/// What became of a request for a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It is kept.
    Now(Bulk),
    /// The same was asked for with the same idempotency key before.
    Before(Bulk),
    /// Something else was asked for with the same idempotency key.
    Conflict(Bulk),
}

impl Keyring {
    /// Keeps a new job.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there are [`BULKS_MAX`] that have not ended, [`Error::Ledger`].
    pub fn begin_bulk(&self, bulk: Bulk) -> Result<Begun, Error> {
        let _changing = self.changing();
        if let Some(key) = &bulk.key
            && let Some(known) = self.ledger.bulk_of_key(&bulk.namespace, key)?
        {
            let same = known.is_same_request(&bulk);
            return Ok(if same { Begun::Before(known) } else { Begun::Conflict(known) });
        }
        let ask = BulkAsk { namespace: None, open: true, limit: BULKS_MAX };
        if self.ledger.bulks(&ask)?.len() >= BULKS_MAX {
            let why = format!("{BULKS_MAX} jobs have not ended; accepted: another once one has");
            return Err(Error::Conflict(why));
        }
        self.ledger.put_bulk(&bulk, None)?;
        Ok(Begun::Now(bulk))
    }

    /// Returns a job of a namespace.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn bulk(&self, namespace: &str, id: &str) -> Result<Option<Bulk>, Error> {
        Ok(self.ledger.bulk(id)?.filter(|bulk| *bulk.namespace == *namespace))
    }

    /// Returns jobs.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn bulks(&self, ask: &BulkAsk) -> Result<Vec<Bulk>, Error> {
        Ok(self.ledger.bulks(ask)?)
    }

    /// Returns a portion of the runs of a job.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn bulk_portion(&self, id: &str, portion: u32) -> Result<Vec<RunId>, Error> {
        Ok(self.ledger.bulk_portion(id, portion)?)
    }

    /// Notes how far a job is, with a new portion of its runs; returns it as it stands then. One that was
    /// stopped meanwhile stays so.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn advance_bulk(&self, mut bulk: Bulk, portion: Option<&[RunId]>) -> Result<Bulk, Error> {
        let _changing = self.changing();
        if let Some(stored) = self.ledger.bulk(&bulk.id)?
            && stored.state.is_ended()
        {
            (bulk.state, bulk.why, bulk.ended_at) = (stored.state, stored.why, stored.ended_at);
        }
        self.ledger.put_bulk(&bulk, portion)?;
        Ok(bulk)
    }

    /// Stops a job; one that has ended stays as it is.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn stop_bulk(
        &self,
        namespace: &str,
        id: &str,
        why: &str,
        now: Timestamp,
    ) -> Result<Option<Bulk>, Error> {
        let _changing = self.changing();
        let Some(mut bulk) = self.bulk(namespace, id)? else { return Ok(None) };
        if !bulk.state.is_ended() {
            bulk.end(State::Stopped, Some(why.to_owned()), now);
            self.ledger.put_bulk(&bulk, None)?;
        }
        Ok(Some(bulk))
    }

    /// Says why a job may not go on, if that is so: what was begun with a key ends with it.
    pub fn ends_bulk(&self, bulk: &Bulk) -> Option<String> {
        let state = self.state();
        if !state.is_open(&bulk.namespace) {
            return Some("its namespace was deleted".into());
        }
        let id = bulk.owner.key.as_deref()?;
        let held = id.parse::<KeyId>().ok().and_then(|id| state.keys.get(&id));
        match held.map(|held| held.key.revoked_at) {
            Some(None) => None,
            Some(Some(at)) => Some(format!("its key was revoked at {at}")),
            None => Some("its key is gone".into()),
        }
    }

    /// Forgets jobs that ended before this instant.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn forget_bulks(&self, before: Timestamp) -> Result<(), Error> {
        Ok(self.ledger.forget_bulks(before)?)
    }
}
