//! The audit log: who asked for what, and what came of it, in rows that are never changed.
//!
//! Each row's hash is the SHA-256 (FIPS 180-4) of the hash before it and of the row as a JSON array, so a
//! row that was changed, taken out or put in breaks the chain from there on. The rows of an act are two:
//! one that it was `asked` for, written before anything is done, and one with its outcome.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use stepwell_core::time::Timestamp;

use crate::key::KeyId;

/// The outcome of a row that says that an act was asked for.
pub const ASKED: &str = "asked";

/// The outcome of an act that was done.
pub const DONE: &str = "done";

/// The hash that stands before the first row.
pub const ROOT: Hash = Hash([0; 32]);

/// The hash of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash(pub [u8; 32]);

/// What a row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// The namespace that it was in.
    pub namespace: Arc<str>,
    /// The key that was used; `None` where none is needed.
    pub key: Option<KeyId>,
    /// Its name then, or what acted in its place: `loopback`, or `stepwell` for the server itself.
    pub key_name: String,
    /// The address that it came from; empty where it came from within.
    pub from: String,
    /// What was asked for, such as `keys.create`.
    pub act: String,
    /// What it was done to, such as the id of a run or key; empty where it is not known yet.
    pub object: String,
    /// Why, as who acted says.
    pub reason: Option<String>,
    /// [`ASKED`], [`DONE`], or the code of the error.
    pub outcome: String,
    /// The number of the row that asked for it, in the row of the outcome.
    pub of: Option<u64>,
}

/// A row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number, from 1.
    pub n: u64,
    /// What it says.
    pub entry: Entry,
    /// Its hash.
    pub hash: Hash,
}

/// Which rows are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Only those of this namespace.
    pub namespace: Option<Arc<str>>,
    /// Only what was done with this key.
    pub key: Option<KeyId>,
    /// Only this act, or with its first word, such as `keys`, all acts that begin with it and a dot.
    pub act: Option<String>,
    /// Only rows of this instant and later.
    pub from: Timestamp,
    /// Only rows before this instant.
    pub to: Timestamp,
    /// Only rows with a number above this.
    pub after: u64,
    /// Only rows with a number below this.
    pub before: u64,
    /// Which come first.
    pub order: Order,
    /// Most of them.
    pub limit: usize,
}

impl Ask {
    /// Asks for every row.
    pub const fn all(order: Order, limit: usize) -> Self {
        Self {
            namespace: None,
            key: None,
            act: None,
            from: Timestamp::MIN,
            to: Timestamp::MAX,
            after: 0,
            before: u64::MAX,
            order,
            limit,
        }
    }

    /// Says whether a row is one of those that are wanted.
    pub fn wants(&self, row: &Row) -> bool {
        let entry = &row.entry;
        let is_act = |act: &String| {
            entry
                .act
                .strip_prefix(&**act)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.namespace.as_ref().is_none_or(|one| *one == entry.namespace)
            && self.key.is_none_or(|one| entry.key == Some(one))
            && self.act.as_ref().is_none_or(is_act)
            && (self.from..self.to).contains(&entry.at)
            && row.n > self.after
            && row.n < self.before
    }
}

/// Which rows come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The first ones.
    Oldest,
    /// The last ones.
    Newest,
}

impl Entry {
    /// Returns the hash of this entry as row `n`, behind a row with the hash `before`.
    pub fn hash(&self, n: u64, before: Hash) -> Hash {
        let key = self.key.map(|key| key.to_string());
        let row = serde_json::json!([
            n,
            self.at.to_string(),
            &*self.namespace,
            key,
            self.key_name,
            self.from,
            self.act,
            self.object,
            self.reason,
            self.outcome,
            self.of,
        ]);
        let hash = Sha256::new().chain_update(before.0).chain_update(row.to_string().as_bytes());
        Hash(hash.finalize().into())
    }
}

/// Where a chain of rows breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// A number is missing or there twice.
    #[error("row {found} stands where row {wanted} has to be")]
    Number {
        /// The number that is due.
        wanted: u64,
        /// What is there.
        found: u64,
    },
    /// The hash is not that of the row.
    #[error("row {n} is not what was written: its hash does not fit")]
    Hash {
        /// The row.
        n: u64,
    },
}

/// Checks rows as they come, oldest first.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
    n: u64,
    hash: Hash,
}

impl Default for Chain {
    fn default() -> Self {
        Self { n: 0, hash: ROOT }
    }
}

/// Goes on behind the row with this number and hash.
impl From<(u64, Hash)> for Chain {
    fn from((n, hash): (u64, Hash)) -> Self {
        Self { n, hash }
    }
}

impl Chain {
    /// Goes on behind a row.
    pub const fn behind(row: &Row) -> Self {
        Self { n: row.n, hash: row.hash }
    }

    /// Returns the number and hash of the last row that was checked.
    pub const fn head(&self) -> (u64, Hash) {
        (self.n, self.hash)
    }

    /// Makes the next row.
    pub fn next(&self, entry: Entry) -> Row {
        let n = self.n + 1;
        Row { n, hash: entry.hash(n, self.hash), entry }
    }

    /// Checks the next row.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn check(&mut self, row: &Row) -> Result<(), Broken> {
        let wanted = self.n + 1;
        if row.n != wanted {
            return Err(Broken::Number { wanted, found: row.n });
        }
        if row.entry.hash(row.n, self.hash) != row.hash {
            return Err(Broken::Hash { n: row.n });
        }
        *self = Self::behind(row);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: u64) -> Vec<Row> {
        let mut chain = Chain::default();
        (0..count)
            .map(|at| {
                let entry = Entry {
                    at: Timestamp::from_millis(i64::try_from(at).unwrap()),
                    namespace: "default".into(),
                    key: None,
                    key_name: "ann".into(),
                    from: "127.0.0.1".into(),
                    act: "runs.pause".into(),
                    object: "run_1".into(),
                    reason: None,
                    outcome: ASKED.into(),
                    of: None,
                };
                let row = chain.next(entry);
                chain.check(&row).unwrap();
                row
            })
            .collect()
    }

    fn check(rows: &[Row]) -> Result<(), Broken> {
        let mut chain = Chain::default();
        rows.iter().try_for_each(|row| chain.check(row))
    }

    #[test]
    fn a_chain_holds_and_breaks_where_it_was_touched() {
        let whole = rows(5);
        assert_eq!(check(&whole), Ok(()));
        let mut changed = whole.clone();
        changed[2].entry.reason = Some("another".into());
        assert_eq!(check(&changed), Err(Broken::Hash { n: 3 }));
        // Also where the hash of the changed row was made anew.
        changed[2].hash = changed[2].entry.hash(3, changed[1].hash);
        assert_eq!(check(&changed), Err(Broken::Hash { n: 4 }));
        let mut cut = whole.clone();
        cut.remove(1);
        assert_eq!(check(&cut), Err(Broken::Number { wanted: 2, found: 3 }));
    }

    /// The recipe of docs/security.md, so that others can check rows without this program.
    #[test]
    fn the_hash_is_that_of_the_documents_recipe() {
        let row = &rows(1)[0];
        let text = r#"[1,"1970-01-01T00:00:00.000000Z","default",null,"ann","127.0.0.1","runs.pause","run_1",null,"asked",null]"#;
        let mut bytes = vec![0; 32];
        bytes.extend_from_slice(text.as_bytes());
        assert_eq!(row.hash.0, <[u8; 32]>::from(Sha256::digest(&bytes)));
    }
}
