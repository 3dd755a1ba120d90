//! Rows, and what they add up to.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use stepwell_core::id::RunId;

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    /// Nothing.
    None,
    /// Yes or no.
    Flag(bool),
    /// An integer.
    Number(i64),
    /// A number with a fraction.
    Real(f64),
    /// A text.
    Text(Arc<str>),
    /// Bytes.
    Bytes(Vec<u8>),
    /// The id of a run.
    Run(RunId),
}

impl Field {
    /// Returns about how much memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        let more = match self {
            Self::None | Self::Flag(_) | Self::Number(_) | Self::Real(_) | Self::Run(_) => 0,
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        };
        size_of::<Self>() + more
    }

    /// Returns the text, where it is one.
    pub fn text(&self) -> Option<&Arc<str>> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the integer, where it is one.
    pub fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns the run, where it is one.
    pub fn run(&self) -> Option<RunId> {
        match self {
            Self::Run(run) => Some(*run),
            _ => None,
        }
    }

    /// Adds it to a hash: what it is, how long it is, its bytes.
    fn add_to(&self, hash: &mut Sha256) {
        let mut add = |tag: u8, bytes: &[u8]| {
            hash.update([tag]);
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        match self {
            Self::None => add(0, &[]),
            Self::Flag(flag) => add(1, &[u8::from(*flag)]),
            Self::Number(number) => add(2, &number.to_le_bytes()),
            // Some stores have one zero only.
            Self::Real(number) => add(3, &(number + 0.0).to_bits().to_le_bytes()),
            Self::Text(text) => add(4, text.as_bytes()),
            Self::Bytes(bytes) => add(5, bytes),
            Self::Run(run) => add(6, &run.as_u128().to_le_bytes()),
        }
    }
}

/// A row: a value for each column of its kind.
pub type Row = Vec<Field>;

/// What the rows of a kind add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many there are.
    pub count: u64,
    /// The SHA-256 of all, in their order.
    pub hash: [u8; 32],
}

impl Sum {
    /// Returns the hash as a text.
    pub fn hex(&self) -> String {
        HEXLOWER.encode(&self.hash)
    }
}

/// A sum in the making.
#[derive(Clone, Debug, Default)]
pub(super) struct Adding {
    count: u64,
    hash: Sha256,
}

impl Adding {
    pub(super) fn add(&mut self, row: &Row) {
        self.count += 1;
        for field in row {
            field.add_to(&mut self.hash);
        }
    }

    pub(super) fn sum(self) -> Sum {
        Sum { count: self.count, hash: self.hash.finalize().into() }
    }
}
