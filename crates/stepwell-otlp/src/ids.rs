//! Ids of spans: the first 8 bytes of the SHA-256 (FIPS 180-4) of a text that names what the span is about.

use sha2::{Digest, Sha256};
use stepwell_core::id::RunId;

/// Returns the id of the span of a run.
pub fn of_run(run: RunId) -> u64 {
    hash(&run.to_string())
}

/// Returns the id of the span of a step without a function of its own, by the step's position in its run.
pub fn of_step(run: RunId, position: u32) -> u64 {
    hash(&format!("{run}/{position}"))
}

/// Returns the id of the span of an attempt, counted from 0 with those that were lost.
pub fn of_attempt(run: RunId, position: u32, attempt: usize) -> u64 {
    hash(&format!("{run}/{position}/{attempt}"))
}

/// Returns the id of the span of the step that invoked a child. It follows from the child, so that the child's own
/// journal is enough to find it; `child` is the first run of its chain.
pub fn of_invoke(child: RunId) -> u64 {
    hash(&format!("{child}/invoke"))
}

fn hash(text: &str) -> u64 {
    let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    // No span has the id 0.
    hash.into_iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(byte)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The recipe of docs/adr/0017-traces.md.
    #[test]
    fn ids_follow_from_texts() {
        let run = RunId::from_u128(0x0193_b5e4_0000_7000_8000_0000_0000_0000);
        let text = "run_0193b5e4000070008000000000000000";
        for (id, text) in [
            (of_run(run), text.to_owned()),
            (of_step(run, 3), format!("{text}/3")),
            (of_attempt(run, 3, 0), format!("{text}/3/0")),
            (of_invoke(run), format!("{text}/invoke")),
        ] {
            let whole: [u8; 32] = Sha256::digest(text.as_bytes()).into();
            assert_eq!(id.to_be_bytes(), whole[..8], "{text}");
        }
    }
}
