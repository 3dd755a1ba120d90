//! What stands in the lines of a bundle.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use stepwell_core::id::RunId;

/// What the first line calls the format.
pub(super) const NAME: &str = "bundle";

/// A copy of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Its id.
    pub run: RunId,
    /// Its journal, without line breaks.
    pub journal: Vec<u8>,
}

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) stepwell: String,
    pub(super) version: u32,
    /// The version of the server that wrote it.
    #[serde(default)]
    pub(super) by: String,
    /// When it was written.
    #[serde(default)]
    pub(super) at: String,
}

/// Any line between the first and the end that is no record.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Line {
    /// Records follow.
    Run(RunLine),
    /// A run is not in the bundle, though it was asked for.
    Skipped(SkippedLine),
    /// The last line.
    End(EndLine),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RunLine {
    pub(super) id: RunId,
    #[serde(default)]
    pub(super) app: String,
    #[serde(default)]
    pub(super) workflow: String,
    #[serde(default)]
    pub(super) status: String,
    pub(super) records: usize,
    pub(super) bytes: usize,
    pub(super) sha256: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SkippedLine {
    pub(super) run: RunId,
    pub(super) why: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EndLine {
    pub(super) runs: u64,
    #[serde(default)]
    pub(super) skipped: u64,
}

/// Makes the hash of a run.
pub(super) struct Hash(Sha256);

impl Hash {
    pub(super) fn of(run: RunId) -> Self {
        let mut hash = Self(Sha256::new());
        hash.line(run.to_string().as_bytes());
        hash
    }

    pub(super) fn line(&mut self, text: &[u8]) {
        self.0.update(text);
        self.0.update(b"\n");
    }

    pub(super) fn hex(self) -> String {
        data_encoding::HEXLOWER.encode(&self.0.finalize())
    }
}
