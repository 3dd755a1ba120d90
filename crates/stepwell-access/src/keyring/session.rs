//! What a browser holds in place of a key: which key it was made with, until when, and a signature.
//!
//! Nothing of it is kept. It ends with its time, with its key, and with a rotation of its key once the
//! overlap is over.

use std::fmt;
use std::time::Duration;

use data_encoding::HEXLOWER;
use stepwell_core::time::Timestamp;

use super::refused::Refused;
use super::ring::{Credential, Keyring, Live};

/// How long a session lasts.
pub const SESSION_TIME: Duration = Duration::from_hours(12);

/// What stands before what is signed, so that no signature of a session is the hash of a key.
const PURPOSE: &str = "stepwell session ";

/// The text of a session, for a cookie: it is as secret as a key.
#[derive(Clone)]
pub struct Session(String);

impl Session {
    /// Returns the text, for the cookie.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session(…)")
    }
}

impl Keyring {
    /// Makes a session of somebody who is let in.
    pub fn session(&self, live: &Live, now: Timestamp) -> Session {
        let Credential { key, generation, .. } = live.credential;
        let head = format!("{key}.{generation}.{}", now.after(SESSION_TIME).as_millis());
        let sign = self.sign(&head);
        Session(format!("{head}.{sign}"))
    }

    /// Tells who a session is of.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn authenticate_session(&self, text: &str, now: Timestamp) -> Result<Live, Refused> {
        let (head, sign) = text.rsplit_once('.').ok_or(Refused::Session)?;
        let signature = HEXLOWER.decode(sign.as_bytes()).map_err(|_| Refused::Session)?;
        let signature = signature.try_into().map_err(|_| Refused::Session)?;
        let wanted = self.pepper.mac(format!("{PURPOSE}{head}").as_bytes());
        if wanted != crate::key::Hash::from_bytes(signature) {
            return Err(Refused::Session);
        }
        let credential = read(head).ok_or(Refused::Session)?;
        self.recheck(&credential, now)
    }

    fn sign(&self, head: &str) -> String {
        HEXLOWER.encode(self.pepper.mac(format!("{PURPOSE}{head}").as_bytes()).as_bytes())
    }
}

fn read(head: &str) -> Option<Credential> {
    let mut parts = head.split('.');
    let (key, generation, until) = (parts.next()?, parts.next()?, parts.next()?);
    let until = Timestamp::from_millis(until.parse().ok()?);
    let rest = parts.next().is_none();
    let (key, generation) = (key.parse().ok()?, generation.parse().ok()?);
    rest.then_some(Credential { key, generation, until: Some(until) })
}
