//! API keys: their text, and what is kept of them.
//!
//! A key is `sw_`, an id of 10 characters, `_`, 256 random bits as 52 characters, and 4 characters of a
//! checksum; all but the marks is base32 in small letters (RFC 4648 §6). The checksum tells a key that was
//! cut off or mistyped from one that is unknown, and lets scanners for secrets be sure. Kept is an HMAC
//! (RFC 2104) with SHA-256 under a pepper, never the key. A key has 256 bits of entropy, so a slow hash
//! would protect nothing, and would let anybody keep the server busy.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use stepwell_core::time::Timestamp;
use subtle::ConstantTimeEq;

use crate::namespace;
use crate::role::{Role, Scope};

/// What every key begins with.
const MARK: &str = "sw_";
const ID_CHARS: usize = 10;
const RANDOM_CHARS: usize = 52;
const CHECK_CHARS: usize = 4;
const CHARS: usize = MARK.len() + ID_CHARS + 1 + RANDOM_CHARS + CHECK_CHARS;

/// Random bytes that a new key is made of.
pub const ENTROPY_BYTES: usize = 39;

/// The public part of a key, which names it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; ID_CHARS]);

/// A key itself. It is shown once, to who made it.
#[derive(Clone)]
pub struct Secret(String);

/// What is kept in place of a key.
#[derive(Clone, Copy)]
pub struct Hash([u8; 32]);

/// The server's own secret under which keys are hashed: whoever copies the ledger alone cannot use it to
/// try out keys, nor make hashes of his own.
#[derive(Clone)]
pub struct Pepper([u8; 32]);

/// Why a text is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// It does not look like one.
    #[error("this is not a key; accepted: `{MARK}` and {} letters and digits", CHARS - MARK.len())]
    Form,
    /// It has another length.
    #[error("the key has {found} characters, which is not a whole one; accepted: {CHARS}")]
    Length {
        /// How many it has.
        found: usize,
    },
    /// Its last characters do not fit the others.
    #[error("the key was mistyped or damaged: its checksum does not fit")]
    Checksum,
}

/// What is kept of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its id.
    pub id: KeyId,
    /// What people call it.
    pub name: String,
    /// The namespace that it is for.
    pub namespace: Arc<str>,
    /// What it may be used for.
    pub role: Role,
    /// The hash of the key.
    pub hash: Hash,
    /// How often it was rotated.
    pub generation: u32,
    /// The hash before the last rotation, which is taken for a while.
    pub previous: Option<Previous>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The name of the key that made it.
    pub created_by: String,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to within some minutes.
    pub last_used_at: Option<Timestamp>,
}

/// The hash of a key before its last rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Previous {
    /// The hash.
    pub hash: Hash,
    /// Until when it is taken.
    pub until: Timestamp,
}

impl Key {
    /// Returns how far the key reaches.
    pub fn scope(&self) -> Scope {
        if *self.namespace == *namespace::DEFAULT { Scope::Server } else { Scope::Namespace }
    }
}

impl KeyId {
    /// Makes an id from random bytes.
    pub fn new(entropy: [u8; 7]) -> Self {
        let mut id = [b'a'; ID_CHARS];
        for (to, from) in id.iter_mut().zip(base32(&entropy).bytes()) {
            *to = from;
        }
        Self(id)
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        // Only characters of base32 come in.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Secret {
    /// Makes a key of this id from random bytes.
    pub fn new(id: KeyId, entropy: [u8; 32]) -> Self {
        let mut text = format!("{MARK}{id}_{}", base32(&entropy));
        text.push_str(&checksum(&text));
        Self(text)
    }

    /// Reads a key.
    ///
    /// # Errors
    /// [`Malformed`]; the error never holds any of the text.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let marked = text.strip_prefix(MARK).ok_or(Malformed::Form)?;
        if !marked.bytes().all(|byte| is_base32(byte) || byte == b'_') {
            return Err(Malformed::Form);
        }
        if text.len() != CHARS {
            return Err(Malformed::Length { found: text.len() });
        }
        let (body, check) = text.split_at(CHARS - CHECK_CHARS);
        let (id, random) = marked.split_once('_').ok_or(Malformed::Form)?;
        if id.len() != ID_CHARS || random.contains('_') {
            return Err(Malformed::Form);
        }
        if checksum(body) != check {
            return Err(Malformed::Checksum);
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the id of the key.
    pub fn id(&self) -> KeyId {
        let bytes = self.0.as_bytes().get(MARK.len()..MARK.len() + ID_CHARS);
        KeyId(bytes.and_then(|bytes| bytes.try_into().ok()).unwrap_or([b'a'; ID_CHARS]))
    }

    /// Returns the text, for who made the key.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Pepper {
    /// How many bytes it has.
    pub const BYTES: usize = 32;

    /// Makes a pepper of random bytes.
    pub const fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes, to keep them.
    pub const fn expose(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// Returns what is kept in place of a key.
    pub fn hash(&self, secret: &Secret) -> Hash {
        self.mac(secret.expose().as_bytes())
    }

    pub(crate) fn mac(&self, bytes: &[u8]) -> Hash {
        // A key of 32 bytes is one block at most, which is never refused.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return Hash([0; 32]) };
        mac.update(bytes);
        Hash(mac.finalize().into_bytes().into())
    }
}

impl Hash {
    /// Takes a hash from where it was kept.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes, to keep them.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Takes as long for hashes that differ at once as for the same ones.
impl PartialEq for Hash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Hash {}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the id of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not the id of a key; accepted: 10 letters and digits, as in `stepwell keys list`")]
pub struct BadId;

impl FromStr for KeyId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let id: [u8; ID_CHARS] = text.as_bytes().try_into().map_err(|_| BadId)?;
        if id.iter().all(|byte| is_base32(*byte)) { Ok(Self(id)) } else { Err(BadId) }
    }
}

// What is secret is not shown where values are printed in passing.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({MARK}{}_…)", self.id())
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(…)")
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash(…)")
    }
}

fn is_base32(byte: u8) -> bool {
    byte.is_ascii_lowercase() || (b'2'..=b'7').contains(&byte)
}

fn base32(bytes: &[u8]) -> String {
    BASE32_NOPAD.encode(bytes).to_ascii_lowercase()
}

/// The first 20 bits of the SHA-256 of what stands before.
fn checksum(text: &str) -> String {
    let mut check = base32(&Sha256::digest(text.as_bytes()));
    check.truncate(CHECK_CHARS);
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Secret {
        Secret::new(KeyId::new([7; 7]), [9; 32])
    }

    #[test]
    fn keys_have_the_form_that_scanners_look_for() {
        let key = key();
        // Made by another program: keys of this form have to stay good.
        let text = "sw_a4dqobyha4_beeqscijbeeqscijbeeqscijbeeqscijbeeqscijbeeqscijbeeqhpin";
        assert_eq!(key.expose(), text);
        assert_eq!(key.expose().len(), 70);
        assert_eq!(Secret::parse(key.expose()).unwrap().id(), key.id());
        assert_eq!(key.id().as_str().parse(), Ok(key.id()));
    }

    #[test]
    fn mistyped_and_cut_off_keys_are_told_apart_from_unknown_ones() {
        let text = key().expose().to_owned();
        for at in 3..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'q' { b'p' } else { b'q' };
            let typo = String::from_utf8(bytes).unwrap();
            assert!(Secret::parse(&typo).is_err(), "{typo}");
        }
        let cut = Secret::parse(&text[..69]).unwrap_err();
        assert_eq!(cut, Malformed::Length { found: 69 });
        for other in ["", "sw", "Bearer", "sk_live_1234", &text.to_uppercase(), &format!(" {text}")]
        {
            assert_eq!(Secret::parse(other).unwrap_err(), Malformed::Form, "{other}");
        }
        assert_eq!(Secret::parse("sw_").unwrap_err(), Malformed::Length { found: 3 });
    }

    #[test]
    fn hashes_depend_on_the_pepper() {
        let (a, b) = (Pepper::new([1; 32]), Pepper::new([2; 32]));
        assert_eq!(a.hash(&key()), a.hash(&key()));
        assert_ne!(a.hash(&key()), b.hash(&key()));
    }

    #[test]
    fn secrets_are_not_printed_in_passing() {
        let pepper = Pepper::new([1; 32]);
        let shown = format!("{:?} {:?} {:?}", key(), pepper, pepper.hash(&key()));
        assert_eq!(shown, "Secret(sw_a4dqobyha4_…) Pepper(…) Hash(…)");
    }
}
