//! Who is let in, as handlers see it.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use stepwell_access::keyring::Live;
use stepwell_access::{KeyId, Right, Role, Scope, namespace};
use stepwell_core::code::Code;

use super::keys::Keys;
use super::live::Lasting;
use crate::problem::Problem;

/// Who sent a request. The namespace comes from here and from nowhere else (§1).
#[derive(Clone, Debug)]
pub struct Caller {
    namespace: Arc<str>,
    role: Role,
    key: Option<CallerKey>,
    from: IpAddr,
    lasting: Option<Lasting>,
    note: Option<Arc<Mutex<Note>>>,
}

/// The key that a request came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerKey {
    /// Its id.
    pub id: KeyId,
    /// What people call it.
    pub name: Arc<str>,
}

/// What a handler adds to the audit log's row on its act.
#[derive(Clone, Debug, Default)]
pub(super) struct Note {
    pub(super) object: Option<String>,
    pub(super) reason: Option<String>,
}

impl Caller {
    /// Whoever is on this machine.
    pub(super) fn local(from: IpAddr) -> Self {
        Self {
            namespace: Arc::from(namespace::DEFAULT),
            // There is no key to tell people apart by.
            role: Role::Admin,
            key: None,
            from,
            lasting: None,
            note: None,
        }
    }

    /// Who has a key.
    pub(super) fn of(live: Live, from: IpAddr, keys: Keys) -> Self {
        Self {
            namespace: live.namespace,
            role: live.role,
            key: Some(CallerKey { id: live.credential.key, name: live.name }),
            from,
            lasting: Some(Lasting { credential: live.credential, keys }),
            note: None,
        }
    }

    /// Returns the namespace that the request may see and change.
    pub fn namespace(&self) -> Arc<str> {
        Arc::clone(&self.namespace)
    }

    /// Returns the role.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Returns the key; `None` where none is needed.
    pub fn key(&self) -> Option<&CallerKey> {
        self.key.as_ref()
    }

    /// Returns what acts, for histories and logs: the name of the key, or `loopback`.
    pub fn name(&self) -> &str {
        self.key.as_ref().map_or("loopback", |key| &key.name)
    }

    /// Returns the address that the request comes from.
    pub fn from(&self) -> IpAddr {
        self.from
    }

    /// Returns how far the caller reaches.
    pub fn scope(&self) -> Scope {
        if *self.namespace == *namespace::DEFAULT { Scope::Server } else { Scope::Namespace }
    }

    /// Tells whether the caller has a right.
    pub fn may(&self, right: Right) -> bool {
        self.role.grants(right, self.scope())
    }

    /// Adds to the audit log's row on this request what was acted on, where the address does not say it.
    pub fn note_object(&self, object: impl Into<String>) {
        self.noted(|note| note.object = Some(object.into()));
    }

    /// Adds to the audit log's row on this request why it was sent.
    pub fn note_reason(&self, reason: impl Into<String>) {
        self.noted(|note| note.reason = Some(reason.into()));
    }

    /// Returns once the key is not taken any more, with why; never where no key is needed.
    pub fn ended(&self) -> impl Future<Output = Problem> + Send + use<> {
        let lasting = self.lasting.clone();
        async move {
            match lasting {
                Some(lasting) => lasting.ended().await,
                None => std::future::pending().await,
            }
        }
    }

    pub(crate) fn lasting(&self) -> Option<&Lasting> {
        self.lasting.as_ref()
    }

    /// Checks that the caller has a right.
    pub(super) fn permit(&self, right: Right) -> Result<(), Problem> {
        if self.may(right) {
            return Ok(());
        }
        let detail = format!(
            "a key of the role {} in namespace `{}` may not do this; accepted: {}",
            self.role,
            self.namespace,
            right.needs()
        );
        Err(Problem::new(Code::NotPermitted, detail))
    }

    /// Has what handlers note kept; returns where.
    pub(super) fn take_notes(&mut self) -> Arc<Mutex<Note>> {
        Arc::clone(self.note.get_or_insert_default())
    }

    fn noted(&self, add: impl FnOnce(&mut Note)) {
        if let Some(note) = &self.note {
            add(&mut note.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

/// Who a request is of, or why that is nobody.
#[derive(Clone, Debug)]
pub struct Admission(pub(super) Result<Caller, Problem>);

impl Admission {
    /// Returns who is let in; `None` where that is nobody.
    pub fn caller(&self) -> Option<&Caller> {
        self.0.as_ref().ok()
    }
}

/// Handlers ask for the caller that the gate put into the request; without one they refuse.
impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let admission = parts.extensions.get::<Admission>();
        admission.map_or_else(|| Err(not_admitted()), |found| found.0.clone())
    }
}

/// Handlers of public routes ask whether there is a caller at all.
impl<S: Send + Sync> OptionalFromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Problem> {
        Ok(parts.extensions.get::<Admission>().and_then(|found| found.0.clone().ok()))
    }
}

pub(super) fn not_admitted() -> Problem {
    Problem::new(Code::Forbidden, "the request did not pass the gate")
}
