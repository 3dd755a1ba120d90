//! Ids that follow from others: of events that runs send, and of runs that events start.
//!
//! Who does the same thing again, after a crash or because a message came twice, makes the same id.

use alloc::format;
use alloc::string::String;

use crate::id::RunId;
use crate::time::Timestamp;

/// Returns 128 bits that stand for a list of texts. Stored ids are made of it, so it never changes.
///
/// FNV-1a with 128 bits over each text followed by 0xff, which no text holds; then each half goes
/// through the finalizer of `MurmurHash3`, with the other half added.
fn hash(parts: &[&str]) -> u128 {
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u128::from(byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b);
        }
    }
    let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0);
    let (high, low) = (half(hash >> 64), half(hash));
    let high = finish(high.wrapping_add(low));
    let low = finish(low.wrapping_add(high));
    u128::from(high) << 64 | u128::from(low)
}

fn finish(mut half: u64) -> u64 {
    half = (half ^ (half >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    half = (half ^ (half >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    half ^ (half >> 33)
}

/// Returns an event's id from 128 bits: `evt_` and 32 hexadecimal digits.
pub fn event_id(bits: u128) -> String {
    format!("evt_{bits:032x}")
}

/// Returns the id of the event that a step of a run sends (§4.6).
pub fn emitted(run: RunId, step: &str) -> String {
    event_id(hash(&["emit", &format!("{run}"), step]))
}

/// Returns the id of the run of a workflow that an event starts (§8.3). Like other ids, it begins
/// with the millisecond: that of the event's acceptance.
pub fn triggered(namespace: &str, event: &str, app: &str, workflow: &str, at: Timestamp) -> RunId {
    RunId::new(at, hash(&["trigger", namespace, event, app, workflow]))
}

/// Returns what stands for an event where messages between runs name their sender.
pub fn sender(namespace: &str, event: &str) -> RunId {
    RunId::from_u128(hash(&["sender", namespace, event]))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    /// §4.6, §8.3: what is done again makes the same id; these are stored and never change.
    #[test]
    fn ids_follow_from_what_they_stand_for() {
        let run = RunId::from_u128(7);
        assert_eq!(emitted(run, "a"), emitted(run, "a"));
        assert_ne!(emitted(run, "a"), emitted(run, "b"));
        assert_ne!(hash(&["a", "bc"]), hash(&["ab", "c"]));
        let at = Timestamp::from_millis(1_000);
        let started = triggered("default", "e", "shop", "ship", at);
        assert_eq!(started.created(), at);
        assert_ne!(started, triggered("default", "e", "shop", "bill", at));
        assert_eq!(sender("default", "e"), sender("default", "e"));
        assert_ne!(sender("default", "e"), sender("defaul", "te"));
        assert_eq!(emitted(run, "a"), "evt_2b2d718676860e6c75e869cf181e7aad");
        assert_eq!(started.to_string(), "run_0000000003e870008f4a9f696037ff91");
    }
}
