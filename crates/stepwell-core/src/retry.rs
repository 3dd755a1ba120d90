//! When a failed attempt is tried again (semantics §6.1).

use core::time::Duration;

use serde::{Deserialize, Serialize};

/// How often and when a step's function is tried again.
///
/// The pause before attempt *n* + 1 is `backoff × factor^(n−1)`, at most `max_backoff`, and with
/// `jitter` between half of that and all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Policy {
    /// Attempts in all, the first included; at least 1. Default 4.
    pub max_attempts: u32,
    /// Pause before the second attempt, in milliseconds. Default 1,000.
    pub backoff_ms: u64,
    /// What each further pause is multiplied by, in thousandths: 1,000 is constant. Default 2,000.
    pub factor_milli: u32,
    /// Longest pause, in milliseconds. Default 60,000.
    pub max_backoff_ms: u64,
    /// Spreads pauses so that failures of one cause do not return together. Default true.
    pub jitter: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_attempts: 4,
            backoff_ms: 1_000,
            factor_milli: 2_000,
            max_backoff_ms: 60_000,
            jitter: true,
        }
    }
}

impl Policy {
    /// One attempt, never again (`retry: false`).
    pub fn never() -> Self {
        Self { max_attempts: 1, ..Self::default() }
    }

    /// Returns the pause after `ended` attempts have failed, or `None` when no attempt is left.
    pub fn next_pause(&self, ended: u32, entropy: u64) -> Option<Duration> {
        if ended >= self.max_attempts.max(1) {
            return None;
        }
        // As many microseconds as an instant can hold: what follows does not overflow.
        let cap = (u128::from(self.max_backoff_ms) * 1_000).min(i64::MAX.unsigned_abs().into());
        let mut micros = (u128::from(self.backoff_ms) * 1_000).min(cap);
        for _ in 1..ended {
            micros = (micros * u128::from(self.factor_milli) / 1_000).min(cap);
            // A pause that no longer changes stays as it is: thousands of attempts cost nothing.
            if micros == cap || micros == 0 || self.factor_milli == 1_000 {
                break;
            }
        }
        if self.jitter {
            let half = micros / 2;
            micros = half + half * u128::from(entropy) / u128::from(u64::MAX);
        }
        Some(Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Case {
        policy: Policy,
        /// Pauses in milliseconds with jitter off or with the greatest entropy.
        pauses_ms: Vec<u64>,
    }

    /// §6.1: runs the vectors that both SDKs share.
    #[test]
    fn shared_vectors_hold() {
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("../../../spec/retry.json")).unwrap();
        for case in cases {
            let pauses: Vec<u64> = (1..)
                .map_while(|ended| case.policy.next_pause(ended, u64::MAX))
                .map(|pause| u64::try_from(pause.as_millis()).unwrap())
                .collect();
            assert_eq!(pauses, case.pauses_ms, "{:?}", case.policy);
        }
    }

    #[test]
    fn jitter_keeps_at_least_half() {
        let policy = Policy::default();
        assert_eq!(policy.next_pause(1, 0), Some(Duration::from_millis(500)));
        assert_eq!(policy.next_pause(1, u64::MAX), Some(Duration::from_secs(1)));
        assert_eq!(policy.next_pause(4, 0), None);
    }

    /// The largest numbers that a runner can say have a pause too.
    #[test]
    fn no_policy_overflows() {
        let policy = Policy {
            max_attempts: u32::MAX,
            backoff_ms: u64::MAX,
            factor_milli: u32::MAX,
            max_backoff_ms: u64::MAX,
            jitter: true,
        };
        for ended in [1, 2, 1_000, u32::MAX - 1] {
            let pause = policy.next_pause(ended, u64::MAX).unwrap();
            assert_eq!(pause, Duration::from_micros(u64::try_from(i64::MAX).unwrap() / 2 * 2));
        }
        let shrinking = Policy { factor_milli: 999, ..policy };
        assert!(shrinking.next_pause(100_000, 0).is_some());
    }
}
