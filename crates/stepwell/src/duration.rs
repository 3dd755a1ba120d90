//! Durations as code gives them (§11).

use std::time::Duration;

use crate::error::{Error, Result};

/// A [`Duration`], or a text such as `"10s"`, `"1d12h"`, `"30 minutes"` (§11).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a duration",
    label = "give a `std::time::Duration`, or a text such as \"10s\", \"1d12h\" or \"30 minutes\""
)]
pub trait IntoDuration {
    /// Reads the duration.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`](crate::ErrorKind::Argument) when a text is not a duration; it says
    /// what is accepted.
    fn into_duration(self) -> Result<Duration>;
}

impl IntoDuration for Duration {
    fn into_duration(self) -> Result<Duration> {
        Ok(self)
    }
}

impl IntoDuration for &str {
    fn into_duration(self) -> Result<Duration> {
        stepwell_core::duration::parse(self).map_err(|error| Error::argument(error.to_string()))
    }
}

impl IntoDuration for &String {
    fn into_duration(self) -> Result<Duration> {
        self.as_str().into_duration()
    }
}

impl IntoDuration for String {
    fn into_duration(self) -> Result<Duration> {
        self.as_str().into_duration()
    }
}

/// Returns a duration in whole milliseconds, rounded up.
pub(crate) fn to_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// Returns a duration in whole microseconds.
pub(crate) fn to_micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    /// §11: what is no duration is an error at the call that says what is accepted.
    #[test]
    fn texts_are_read_by_the_shared_rule() {
        assert_eq!("1d12h".into_duration().unwrap(), Duration::from_hours(36));
        assert_eq!("250".to_owned().into_duration().unwrap(), Duration::from_millis(250));
        let error = "5M".into_duration().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument);
        assert!(error.message().contains("accepted"), "{error}");
    }

    #[test]
    fn milliseconds_are_rounded_up() {
        assert_eq!(to_millis(Duration::from_nanos(1)), 1);
        assert_eq!(to_millis(Duration::from_millis(7)), 7);
    }
}
