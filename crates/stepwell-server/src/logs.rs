//! Structured logs on standard error: text on a terminal, JSON otherwise. Payloads are never logged.

use std::io::IsTerminal;
use std::sync::OnceLock;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, fmt, reload};

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
    let (filter, handle) = reload::Layer::new(filter);
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = if json {
        // There is one span at a time, a request's or a connection's: the ids of what a line is about.
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
    } else {
        let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        lines.with_ansi(colour).with_target(false).boxed()
    };
    // A second call, as in tests, keeps the first one's way of logging.
    if tracing_subscriber::registry().with(filter).with(lines).try_init().is_ok() {
        // There is one way of logging, and so one filter.
        let _ = FILTER.set(handle);
    }
    Ok(())
}

/// The filter of this process's logs.
static FILTER: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// Logs more or less from now on, where this process logs at all.
pub fn change(filter: EnvFilter) {
    let Some(handle) = FILTER.get() else { return };
    if let Err(error) = handle.reload(filter) {
        tracing::error!(%error, "what is logged could not be changed");
    }
}

/// Reads what is to be logged.
///
/// # Errors
/// [`Error`] when it is not understood.
pub fn filter(text: &str) -> Result<EnvFilter, Error> {
    let filter = EnvFilter::builder().parse(text);
    filter.map_err(|error| Error { filter: text.to_owned(), why: error.to_string() })
}
