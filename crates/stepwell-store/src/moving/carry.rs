//! Reading of one store, writing to another, comparing both.

use super::kind::Kind;
use super::row::{Adding, Field, Row, Sum};
use crate::error::Error;

/// How much is written at once, in bytes of memory.
const PORTION_BYTES: usize = 8 << 20;
/// How many rows are written at once.
const PORTION_ROWS: usize = 4_000;

/// A store whose rows can be read.
pub trait Read {
    /// Reads the rows of a kind in their order, behind a place if one is given, and tells of each.
    ///
    /// # Errors
    /// [`Error::Quarantined`] and [`Error::Corrupt`] where what is stored is damaged; [`Error::Unavailable`];
    /// what `hear` fails with.
    fn each(
        &mut self,
        kind: Kind,
        after: Option<&[Field]>,
        hear: &mut dyn FnMut(Row) -> Result<(), Error>,
    ) -> Result<(), Error>;
}

/// A store that is moved. Nobody else has it meanwhile.
pub trait Source: Read {
    /// Returns what names the store and what it holds now: a target that was begun from it knows it again.
    fn identity(&self) -> &str;

    /// Notes that everything is elsewhere from now on, so that nobody goes on with it here.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; [`Error::Refused`] when somebody used it meanwhile.
    fn leave(&mut self) -> Result<(), Error>;
}

/// A store that is moved to. It is none for anybody else until it is finished.
pub trait Target: Read {
    /// Returns the place of the last row of a kind that is there; absent where there is none.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    fn last(&mut self, kind: Kind) -> Result<Option<Vec<Field>>, Error>;

    /// Writes rows of a kind that is not derived, and all that follows from them; all or nothing.
    ///
    /// # Errors
    /// [`Error::Quarantined`] where a journal does not replay; [`Error::Unavailable`], [`Error::DiskFull`].
    fn put(&mut self, kind: Kind, rows: Vec<Row>) -> Result<(), Error>;

    /// Makes it a store like any other.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::DiskFull`].
    fn finish(&mut self) -> Result<(), Error>;
}

/// What became of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The kind.
    pub kind: Kind,
    /// What it adds up to where it was.
    pub from: Sum,
    /// What it adds up to where it is.
    pub to: Sum,
}

impl Moved {
    /// Tells whether both hold the same.
    pub fn is_same(&self) -> bool {
        self.from == self.to
    }
}

/// Writes everything of a store that is not there yet to another one. `told` hears of the kind and of how many of
/// its rows were written, after each portion.
///
/// # Errors
/// Those of [`Read::each`] and [`Target::put`]: what was written stays, and calling this again goes on there.
pub fn carry(
    from: &mut dyn Source,
    to: &mut dyn Target,
    told: &mut dyn FnMut(Kind, u64),
) -> Result<(), Error> {
    for kind in Kind::ALL.into_iter().filter(|kind| !kind.is_derived()) {
        // Facts are few and may have been written half.
        let after = if kind == Kind::Facts { None } else { to.last(kind)? };
        let (mut portion, mut bytes, mut written) = (Vec::new(), 0_usize, 0_u64);
        from.each(kind, after.as_deref(), &mut |row| {
            bytes += row.iter().map(Field::bytes).sum::<usize>();
            portion.push(row);
            if portion.len() < PORTION_ROWS && bytes < PORTION_BYTES {
                return Ok(());
            }
            written += portion.len() as u64;
            bytes = 0;
            to.put(kind, std::mem::take(&mut portion))?;
            told(kind, written);
            Ok(())
        })?;
        if !portion.is_empty() {
            written += portion.len() as u64;
            to.put(kind, portion)?;
            told(kind, written);
        }
    }
    Ok(())
}

/// Reads both stores whole, each by itself, and tells what each kind adds up to there.
///
/// # Errors
/// Those of [`Read::each`].
pub fn compare(
    from: &mut dyn Source,
    to: &mut dyn Target,
    told: &mut dyn FnMut(Kind),
) -> Result<Vec<Moved>, Error> {
    let mut all = Vec::with_capacity(Kind::ALL.len());
    for kind in Kind::ALL {
        told(kind);
        let mut sums = [Adding::default(), Adding::default()];
        let [here, there] = &mut sums;
        from.each(kind, None, &mut |row| {
            here.add(&row);
            Ok(())
        })?;
        to.each(kind, None, &mut |row| {
            there.add(&row);
            Ok(())
        })?;
        let [from, to] = sums.map(Adding::sum);
        all.push(Moved { kind, from, to });
    }
    Ok(all)
}
