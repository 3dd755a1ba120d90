//! Settings of the store.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How a store is opened.
#[derive(Clone, PartialEq, Eq)]
pub struct Options {
    /// Where the database is: `postgres://user@host:5432/name`, as libpq has it, with a password or
    /// without. `sslmode` is `disable`, `prefer`, `require`, `verify-ca` or `verify-full`; the last
    /// three are one here: the server has to show a certificate of an authority that is trusted.
    pub url: String,
    /// A file of authorities that are trusted beside those of the machine (PEM). In the address it
    /// is `sslrootcert`.
    pub ca_file: Option<PathBuf>,
    /// The schema in the database. Default `stepwell`.
    pub schema: String,
    /// How long a member is one without renewing. Default 3 s; at least 1 s.
    pub lease: Duration,
    /// Most connections for reading. Default 8.
    pub readers: usize,
    /// How much work one page of a list may be.
    pub effort: Effort,
}

/// How much work one page of a list may be, where a text or the end of an id is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// How many runs are looked at. Default 50,000.
    pub looked: usize,
    /// How long that may take. Default 150 ms.
    pub time: Duration,
}

impl Default for Effort {
    fn default() -> Self {
        Self { looked: 50_000, time: Duration::from_millis(150) }
    }
}

impl Options {
    /// Takes the defaults for everything but the address.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            ca_file: None,
            schema: "stepwell".into(),
            lease: Duration::from_secs(3),
            readers: 8,
            effort: Effort::default(),
        }
    }

    /// How long one statement may take: less than the lease, so that none outlives it for long.
    pub(crate) fn statement(&self) -> Duration {
        self.lease * 2 / 3
    }

    /// How long a statement may wait for another one's lock.
    pub(crate) fn lock(&self) -> Duration {
        self.lease / 3
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold a password.
        f.debug_struct("Options")
            .field("schema", &self.schema)
            .field("lease", &self.lease)
            .field("readers", &self.readers)
            .finish_non_exhaustive()
    }
}
