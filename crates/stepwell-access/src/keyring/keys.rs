//! Making, rotating, revoking keys.

use std::sync::Arc;
use std::time::Duration;

use stepwell_core::name;
use stepwell_core::time::Timestamp;

use super::refused::Error;
use super::ring::{Held, Keyring};
use crate::key::{ENTROPY_BYTES, Key, KeyId, Previous, Secret};
use crate::namespace::DEFAULT;
use crate::role::Role;

/// Most keys of a namespace, revoked ones included.
pub const KEYS_MAX: usize = 10_000;

/// Longest time in which a rotated key is taken beside the new one.
pub const OVERLAP_MAX: Duration = Duration::from_hours(30 * 24);

/// What a new key is to be.
#[derive(Clone, Debug)]
pub struct Create {
    /// What people call it.
    pub name: String,
    /// The namespace that it is for.
    pub namespace: Arc<str>,
    /// What it may be used for.
    pub role: Role,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// The name of the key that makes it.
    pub by: String,
}

/// How a key is rotated.
#[derive(Clone, Copy, Debug)]
pub struct Rotate {
    /// The key.
    pub id: KeyId,
    /// How long the key before is taken too.
    pub overlap: Duration,
}

impl Keyring {
    /// Tells whether no key can let anybody in who could make others: nobody has ever made one for an
    /// admin of the server, or all of them are over.
    pub fn has_no_admin(&self, now: Timestamp) -> bool {
        self.admins(now).next().is_none()
    }

    /// Returns the keys of a namespace, or of all, in the order in which they were made.
    pub fn keys(&self, namespace: Option<&str>) -> Vec<Key> {
        let state = self.state();
        let of = |held: &&Held| namespace.is_none_or(|name| *held.key.namespace == *name);
        let mut keys: Vec<Key> = state.keys.values().filter(of).map(Held::shown).collect();
        keys.sort_by_key(|key| (key.created_at, key.id));
        keys
    }

    /// Makes a key.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::NotFound`] when there is no such namespace, [`Error::Conflict`] when
    /// it has [`KEYS_MAX`], [`Error::Ledger`].
    pub fn create(
        &self,
        create: Create,
        entropy: [u8; ENTROPY_BYTES],
        now: Timestamp,
    ) -> Result<(Key, Secret), Error> {
        let secret = draw(entropy);
        let _changing = self.changing();
        let key = self.made(create, &secret, now)?;
        self.ledger.put_key(&key)?;
        self.state_mut().keys.insert(key.id, Held::new(key.clone()));
        Ok((key, secret))
    }

    /// Makes the first key of a ledger, of a secret that is there already; `None` where there is a key by now,
    /// also one that somebody else made at the same time, and then that is known here.
    ///
    /// # Errors
    /// As [`Keyring::create`].
    pub fn adopt_first(
        &self,
        create: Create,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<Option<Key>, Error> {
        let key = {
            let _changing = self.changing();
            let key = self.made(create, secret, now)?;
            let is_first = self.ledger.put_first_key(&key)?;
            if is_first {
                self.state_mut().keys.insert(key.id, Held::new(key.clone()));
            }
            is_first.then_some(key)
        };
        if key.is_none() {
            self.refresh()?;
        }
        Ok(key)
    }

    /// Returns a key that can be made.
    fn made(&self, create: Create, secret: &Secret, now: Timestamp) -> Result<Key, Error> {
        check_text("the field name", &create.name)?;
        if create.expires_at.is_some_and(|at| at <= now) {
            let why = "the key would have expired already; accepted: an instant to come";
            return Err(Error::Invalid(why.into()));
        }
        let id = secret.id();
        {
            let state = self.state();
            if !state.is_open(&create.namespace) {
                return Err(Error::NotFound(format!(
                    "there is no namespace `{}`",
                    create.namespace
                )));
            }
            let of = state.keys.values().filter(|held| held.key.namespace == create.namespace);
            if of.count() >= KEYS_MAX {
                return Err(Error::Conflict(format!("the namespace has {KEYS_MAX} keys already")));
            }
            if state.keys.contains_key(&id) {
                return Err(Error::Conflict("a key of this id is there already".into()));
            }
        }
        Ok(Key {
            id,
            name: create.name,
            namespace: create.namespace,
            role: create.role,
            hash: self.pepper.hash(secret),
            generation: 0,
            previous: None,
            created_at: now,
            created_by: create.by,
            expires_at: create.expires_at,
            revoked_at: None,
            last_used_at: None,
        })
    }

    /// Gives a key another secret; the one before is taken for a while, and the one before that not any
    /// more. `namespace` bounds which keys are seen.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] when the key is not live, [`Error::Invalid`] when the
    /// overlap is over [`OVERLAP_MAX`], [`Error::Ledger`].
    pub fn rotate(
        &self,
        rotate: Rotate,
        namespace: Option<&str>,
        entropy: [u8; 32],
        now: Timestamp,
    ) -> Result<(Key, Secret), Error> {
        if rotate.overlap > OVERLAP_MAX {
            return Err(Error::Invalid("`overlap` is too long; accepted: at most 30d".into()));
        }
        let _changing = self.changing();
        let mut key = self.found(rotate.id, namespace)?;
        if key.revoked_at.is_some() || key.expires_at.is_some_and(|at| at <= now) {
            let why = "the key is revoked or expired; accepted: one that is live, or make another";
            return Err(Error::Conflict(why.into()));
        }
        let secret = Secret::new(key.id, entropy);
        key.previous = Some(Previous { hash: key.hash, until: now.after(rotate.overlap) });
        key.hash = self.pepper.hash(&secret);
        key.generation = key.generation.wrapping_add(1);
        self.keep(&key)?;
        Ok((key, secret))
    }

    /// Revokes a key; one that is revoked stays as it is. `namespace` bounds which keys are seen.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] when nobody could administer the server any more,
    /// [`Error::Ledger`].
    pub fn revoke(&self, id: KeyId, namespace: Option<&str>, now: Timestamp) -> Result<Key, Error> {
        let _changing = self.changing();
        let mut key = self.found(id, namespace)?;
        if key.revoked_at.is_some() {
            return Ok(key);
        }
        let mut admins = self.admins(now);
        if admins.next() == Some(id) && admins.next().is_none() {
            let why = "this is the last admin key of namespace `default` that is live; make another \
                       one first";
            return Err(Error::Conflict(why.into()));
        }
        key.revoked_at = Some(now);
        key.previous = None;
        self.keep(&key)?;
        Ok(key)
    }

    /// The live keys of admins of the server.
    fn admins(&self, now: Timestamp) -> impl Iterator<Item = KeyId> + use<> {
        let state = self.state();
        let is_admin = |held: &&Held| {
            let key = &held.key;
            key.role == Role::Admin
                && *key.namespace == *DEFAULT
                && key.revoked_at.is_none()
                && key.expires_at.is_none_or(|at| at > now)
        };
        let ids: Vec<_> = state.keys.values().filter(is_admin).map(|held| held.key.id).collect();
        ids.into_iter()
    }

    fn found(&self, id: KeyId, namespace: Option<&str>) -> Result<Key, Error> {
        let state = self.state();
        let held = state.keys.get(&id);
        // What another namespace has is not there.
        let held = held.filter(|held| namespace.is_none_or(|name| *held.key.namespace == *name));
        let held = held.ok_or_else(|| Error::NotFound(format!("there is no key `{id}`")))?;
        Ok(held.shown())
    }

    fn keep(&self, key: &Key) -> Result<(), Error> {
        self.ledger.put_key(key)?;
        self.state_mut().keys.insert(key.id, Held::new(key.clone()));
        Ok(())
    }
}

/// Returns the key that random bytes make: the one that [`Keyring::create`] makes of them.
pub fn draw(entropy: [u8; ENTROPY_BYTES]) -> Secret {
    let (mut id, mut secret) = ([0; 7], [0; 32]);
    id.copy_from_slice(&entropy[..7]);
    secret.copy_from_slice(&entropy[7..]);
    Secret::new(KeyId::new(id), secret)
}

pub(super) fn check_text(what: &'static str, text: &str) -> Result<(), Error> {
    name::check(what, text).map_err(|error| Error::Invalid(error.to_string()))
}
