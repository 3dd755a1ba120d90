//! Structured logs on standard error: text on a terminal, JSON otherwise. Payloads are never logged.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::{Config, LogFormat};

/// The filter is not understood.
#[derive(Debug, thiserror::Error)]
#[error(
    "`log` is `{filter}`: {why}; accepted: error, warn, info, debug, or targets such as \
     stepwell_server=debug"
)]
pub struct Error {
    filter: String,
    why: String,
}

/// Begins to log, for the rest of the process. Does nothing the second time.
///
/// # Errors
/// [`Error`] when the filter is not understood.
pub fn start(config: &Config) -> Result<(), Error> {
    let filter = filter(&config.log)?;
    let terminal = std::io::stderr().is_terminal();
    let json = match config.log_format {
        LogFormat::Auto => !terminal,
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second call, as in tests, keeps the first one's way of logging.
    let _ = if json {
        builder.json().flatten_event(true).with_current_span(false).try_init()
    } else {
        let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        builder.with_ansi(colour).with_target(false).try_init()
    };
    Ok(())
}

/// Reads what is to be logged.
///
/// # Errors
/// [`Error`] when it is not understood.
pub fn filter(text: &str) -> Result<EnvFilter, Error> {
    let filter = EnvFilter::builder().parse(text);
    filter.map_err(|error| Error { filter: text.to_owned(), why: error.to_string() })
}
