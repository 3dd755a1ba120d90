//! The trace of a simulation: a hash of all that happened, and lines to read.

use std::fmt::Arguments;
use std::io::Write;

use crate::clock::{Micros, SECOND};

/// Takes in all that happens.
#[derive(Default)]
pub(crate) struct Trace {
    hash: u64,
    lines: Option<Box<dyn Write>>,
}

impl Trace {
    /// Makes a trace that also writes lines.
    pub(crate) fn to(lines: Option<Box<dyn Write>>) -> Self {
        Self { hash: 0, lines }
    }

    /// Returns the hash of all that happened so far.
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    fn mix(&mut self, word: u64) {
        let mixed = (self.hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.hash = mixed ^ (mixed >> 29);
    }

    /// Takes in numbers.
    pub(crate) fn numbers(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.mix(*number);
        }
    }

    /// Takes in bytes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        let rest = rest.iter().fold(bytes.len() as u64, |sum, byte| sum << 8 | u64::from(*byte));
        self.mix(rest);
    }

    /// Tells whether lines are wanted.
    pub(crate) fn is_on(&self) -> bool {
        self.lines.is_some()
    }

    /// Writes a line, where lines are wanted.
    pub(crate) fn line(&mut self, at: Micros, text: Arguments<'_>) {
        if let Some(lines) = &mut self.lines {
            // A reader that went away does not stop the simulation.
            let _ = writeln!(lines, "{:>4}.{:06} {text}", at / SECOND, at % SECOND);
        }
    }
}
