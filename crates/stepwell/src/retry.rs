//! When a step's function is tried again (§6.1).

use std::time::Duration;

use stepwell_core::once::Once;
use stepwell_core::retry::Policy;

use crate::duration::{IntoDuration, to_millis};
use crate::error::{Error, Result};

/// How often and when a step's function is tried again.
///
/// The default is 4 attempts with pauses of 1 s, doubling, at most 1 min, jittered (§6.1).
///
/// ```
/// use std::time::Duration;
/// use stepwell::Retry;
///
/// let patient = Retry::exponential(10, "500ms").max_backoff("5m");
/// let steady = Retry::constant(3, Duration::from_secs(2));
/// # let _ = (patient, steady, Retry::never());
/// ```
#[derive(Debug)]
#[must_use]
pub struct Retry {
    policy: Result<Policy>,
}

impl Retry {
    /// One attempt, never another.
    pub fn never() -> Self {
        Self { policy: Ok(Policy::never()) }
    }

    /// So many attempts in all, at least 1, with the default pauses.
    pub fn attempts(attempts: u32) -> Self {
        Self { policy: Ok(Policy::default()) }.set(|policy| {
            if attempts == 0 {
                return Err(Error::argument("a step has at least 1 attempt, not 0".into()));
            }
            policy.max_attempts = attempts;
            Ok(())
        })
    }

    /// So many attempts with pauses that double, from `backoff` on, jittered, at most 1 min.
    pub fn exponential(attempts: u32, backoff: impl IntoDuration) -> Self {
        Self::attempts(attempts).backoff(backoff)
    }

    /// So many attempts with the same pause between them, without jitter.
    pub fn constant(attempts: u32, pause: impl IntoDuration) -> Self {
        Self::attempts(attempts).backoff(pause).factor(1.0).jitter(Jitter::None)
    }

    /// Sets the pause before the second attempt. Default 1 s.
    pub fn backoff(self, backoff: impl IntoDuration) -> Self {
        self.set(|policy| {
            policy.backoff_ms = to_millis(backoff.into_duration()?);
            policy.max_backoff_ms = policy.max_backoff_ms.max(policy.backoff_ms);
            Ok(())
        })
    }

    /// Sets what each further pause is multiplied by, 0 to 1,000. Default 2; 1 is constant.
    pub fn factor(self, factor: f64) -> Self {
        self.set(|policy| {
            if !(0.0..=1_000.0).contains(&factor) {
                return Err(Error::argument(format!("factor {factor} is not within 0 to 1000")));
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the range was checked"
            )]
            let milli = (factor * 1_000.0).round() as u32;
            policy.factor_milli = milli;
            Ok(())
        })
    }

    /// Sets the longest pause. Default 1 min, or `backoff` where that is longer.
    pub fn max_backoff(self, max: impl IntoDuration) -> Self {
        self.set(|policy| {
            policy.max_backoff_ms = to_millis(max.into_duration()?);
            Ok(())
        })
    }

    /// Sets whether pauses are spread. Default [`Jitter::Half`].
    pub fn jitter(self, jitter: Jitter) -> Self {
        self.set(|policy| {
            policy.jitter = jitter == Jitter::Half;
            Ok(())
        })
    }

    fn set(mut self, change: impl FnOnce(&mut Policy) -> Result<()>) -> Self {
        if let Ok(policy) = &mut self.policy
            && let Err(error) = change(policy)
        {
            self.policy = Err(error);
        }
        self
    }

    pub(crate) fn into_policy(self) -> Result<Policy> {
        self.policy
    }
}

/// Whether pauses between attempts are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// Pauses are as computed.
    None,
    /// Pauses are between half and all of what is computed, so that failures of one cause do not
    /// return together.
    Half,
}

/// What a step says about its attempts.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) retry: Option<Policy>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) total: Option<Duration>,
    pub(crate) once: Option<AtMostOnce>,
}

/// What a step says whose function starts at most once (§4.5).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AtMostOnce {
    /// What its opening says.
    pub(crate) says: Once,
    /// It has a function that finds out how a lost start ended.
    pub(crate) verified: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_what_they_are_called() {
        assert_eq!(Retry::never().into_policy().unwrap().max_attempts, 1);
        let constant = Retry::constant(3, "2s").into_policy().unwrap();
        assert_eq!(constant.next_pause(2, 0), Some(Duration::from_secs(2)));
        let long = Retry::exponential(5, "5m").into_policy().unwrap();
        assert_eq!(long.next_pause(1, u64::MAX), Some(Duration::from_mins(5)));
    }

    /// §11: a bad argument is told, and told as the first that was bad.
    #[test]
    fn bad_arguments_are_kept_until_the_step_is_asked_for() {
        for (retry, word) in [
            (Retry::exponential(3, "5 parsecs"), "parsecs"),
            (Retry::attempts(0).backoff("soon"), "at least 1"),
            (Retry::attempts(2).factor(f64::NAN), "factor"),
        ] {
            let error = retry.into_policy().unwrap_err();
            assert!(error.message().contains(word), "{error}");
        }
    }
}
