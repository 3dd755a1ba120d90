//! Making, closing, forgetting namespaces.

use std::sync::Arc;

use stepwell_core::time::Timestamp;

use super::refused::Error;
use super::ring::Keyring;
use crate::namespace::{DEFAULT, Namespace, check_name};

/// Most namespaces of a server.
pub const NAMESPACES_MAX: usize = 10_000;

impl Keyring {
    /// Returns every namespace, by name, also those that are closed.
    pub fn namespaces(&self) -> Vec<Namespace> {
        self.state().namespaces.values().cloned().collect()
    }

    /// Returns a namespace.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn namespace(&self, name: &str) -> Result<Namespace, Error> {
        let state = self.state();
        let found = state.namespaces.get(name).cloned();
        found.ok_or_else(|| {
            let shown: String = name.escape_debug().take(100).collect();
            Error::NotFound(format!("there is no namespace `{shown}`"))
        })
    }

    /// Makes a namespace.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Conflict`] when the name is taken or there are
    /// [`NAMESPACES_MAX`], [`Error::Ledger`].
    pub fn create_namespace(
        &self,
        name: &str,
        by: &str,
        now: Timestamp,
    ) -> Result<Namespace, Error> {
        check_name(name).map_err(|error| Error::Invalid(error.to_string()))?;
        let _changing = self.changing();
        {
            let state = self.state();
            if let Some(found) = state.namespaces.get(name) {
                let why = if found.closed_at.is_none() {
                    "is there already"
                } else {
                    "was deleted, and its last runs are not gone yet"
                };
                return Err(Error::Conflict(format!("the namespace `{name}` {why}")));
            }
            if state.namespaces.len() >= NAMESPACES_MAX {
                return Err(Error::Conflict(format!(
                    "there are {NAMESPACES_MAX} namespaces already"
                )));
            }
        }
        let (name, created_by) = (Arc::from(name), by.to_owned());
        let made = Namespace { name, created_at: now, created_by, closed_at: None };
        self.keep_namespace(&made)?;
        Ok(made)
    }

    /// Closes a namespace: none of its keys is live any more, and its name stays taken. One that is
    /// closed stays as it is.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] for `default`, [`Error::Ledger`].
    pub fn close_namespace(&self, name: &str, now: Timestamp) -> Result<Namespace, Error> {
        let _changing = self.changing();
        let mut found = self.namespace(name)?;
        if name == DEFAULT {
            let why = "the namespace `default` cannot be deleted: its admins administer the server";
            return Err(Error::Conflict(why.into()));
        }
        if found.closed_at.is_none() {
            found.closed_at = Some(now);
            self.keep_namespace(&found)?;
        }
        Ok(found)
    }

    /// Opens a namespace again that was closed.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Ledger`].
    pub fn reopen_namespace(&self, name: &str) -> Result<(), Error> {
        let _changing = self.changing();
        let found = Namespace { closed_at: None, ..self.namespace(name)? };
        self.keep_namespace(&found)
    }

    /// Forgets a namespace that is closed, with its keys; the name is free again.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] when it is not closed, [`Error::Ledger`].
    pub fn forget_namespace(&self, name: &str) -> Result<(), Error> {
        let _changing = self.changing();
        if self.namespace(name)?.closed_at.is_none() {
            return Err(Error::Conflict(format!("the namespace `{name}` is not closed")));
        }
        self.ledger.remove_namespace(name)?;
        let mut state = self.state_mut();
        state.namespaces.remove(name);
        state.keys.retain(|_, held| *held.key.namespace != *name);
        Ok(())
    }

    fn keep_namespace(&self, namespace: &Namespace) -> Result<(), Error> {
        self.ledger.put_namespace(namespace)?;
        let name = Arc::clone(&namespace.name);
        self.state_mut().namespaces.insert(name, namespace.clone());
        Ok(())
    }
}
