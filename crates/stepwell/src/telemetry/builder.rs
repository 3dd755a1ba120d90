//! What a client is made with (§10.1).

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde::Serialize;

use super::error::SendError;
use super::event::Ids;
use super::fault::Stack;
use super::metadata::{self, Object, Redaction};
use super::queue::{Bounds, Queue};
use super::shared::{OnError, Over, Shared, Times};
use super::single::Singles;
use super::strict::StrictTelemetry;
use super::telemetry::Telemetry;
use crate::client::Http;
use crate::driver::{Reach, Target};
use crate::duration::IntoDuration;
use crate::error::{Error, Result, cut_at};

/// The variables of the environment with the address and the key of programs that name none.
const URL: &str = "STEPWELL_URL";
const KEY: &str = "STEPWELL_PROJECT_KEY";

/// The server of this machine.
const LOCAL: &str = "http://127.0.0.1:7878";

const NO_KEY: &str = "there is no project key: neither `project_key` nor STEPWELL_PROJECT_KEY nor \
     STEPWELL_KEY is set; events go to a server on this machine only";

/// Most bytes of the name of a process.
const PROCESS_BYTES_MAX: usize = 120;

const BOUNDS: Bounds =
    Bounds { events_max: 50_000, bytes_max: 16 * 1024 * 1024, delay: Duration::from_millis(100) };

const TIMES: Times = Times {
    request: Duration::from_secs(10),
    retry: Duration::from_mins(5),
    flush: Duration::from_secs(5),
    exit: Duration::from_secs(1),
};

/// What a client of telemetry is made with; made by [`Telemetry::builder`] (§10.1).
#[derive(Debug)]
#[must_use = "it is not a client yet: `.build()` makes one"]
pub struct Builder {
    reach: Reach,
    is_enabled: bool,
    stack: Stack,
    on_error: Hidden<Option<OnError>>,
    default_metadata: Object,
    redaction: Redaction,
    process: Option<String>,
    bounds: Bounds,
    times: Times,
    /// The first argument that is not accepted.
    error: Option<Error>,
}

/// Something that is not shown.
struct Hidden<T>(T);

impl<T> fmt::Debug for Hidden<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            reach: Reach::default(),
            is_enabled: true,
            stack: Stack::Left,
            on_error: Hidden(None),
            default_metadata: Object::new(),
            redaction: Redaction::default(),
            process: None,
            bounds: BOUNDS,
            times: TIMES,
            error: None,
        }
    }

    /// Sets the address of the server, or those of several nodes with commas between. Default: the variable
    /// `STEPWELL_URL`, else `http://127.0.0.1:7878`.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.reach.url = url.into();
        self
    }

    /// Sets the key, of role `telemetry`, which can do nothing but write telemetry (§10.7). Default: the
    /// variable `STEPWELL_PROJECT_KEY`, else `STEPWELL_KEY`. Without a key there is one warning, and events
    /// go to a server on this machine only.
    pub fn project_key(mut self, key: impl Into<String>) -> Self {
        self.reach.key = Some(key.into());
        self
    }

    /// Sets a file with certificates (PEM) of authorities that are trusted beside those of this machine,
    /// for `https://` addresses. Default: the variable `STEPWELL_CA_FILE`, else none.
    pub fn ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.reach.ca_file = Some(file.into());
        self
    }

    /// Sets whether anything is recorded. With `false` functions are called all the same, and nothing is
    /// sent. Default `true`.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.is_enabled = enabled;
        self
    }

    /// Sets whether what `{:?}` shows of an error is recorded beside its message: of `anyhow` and `eyre`
    /// that is the chain of causes with the backtrace, of [`Error`] the causes, of other errors most often
    /// their fields. Default `false`.
    pub fn capture_stack(mut self, capture: bool) -> Self {
        self.stack = if capture { Stack::Captured } else { Stack::Left };
        self
    }

    /// Sets what hears of events that were not sent, from the client's own thread, also of tries that are
    /// made again ([`SendError::is_dropped`]). What it panics with goes no further. Default: they are
    /// dropped and counted ([`Telemetry::stats`]), and told to `tracing` at the level `debug`.
    pub fn on_error(mut self, on_error: impl Fn(&SendError) + Send + Sync + 'static) -> Self {
        self.on_error = Hidden(Some(Arc::new(on_error)));
        self
    }

    /// Adds what is told of each run: an object, such as `json!({ "region": "eu" })`. The metadata of a
    /// run counts before it, key by key.
    pub fn default_metadata(mut self, metadata: impl Serialize) -> Self {
        self.default_metadata.extend(metadata::object(metadata));
        self
    }

    /// Sets what takes further secrets out: it is given each text, number and boolean of metadata, and the
    /// texts of errors, and changes what is not to be seen. The path is such as `card.brand`, `items.0.sku`,
    /// `error.message` or `error.stack`. What looks like a secret is taken out after it all the same
    /// (§10.7), and so is that on which it panics.
    ///
    /// ```
    /// use stepwell::telemetry::Telemetry;
    ///
    /// let telemetry = Telemetry::builder()
    ///     .redact(|path, value| {
    ///         if path == "customer" {
    ///             *value = "[hidden]".into();
    ///         }
    ///     })
    ///     .enabled(false)
    ///     .build();
    /// # drop(telemetry);
    /// ```
    pub fn redact(
        mut self,
        redact: impl Fn(&str, &mut serde_json::Value) + Send + Sync + 'static,
    ) -> Self {
        self.redaction = Redaction { hook: Some(Arc::new(redact)) };
        self
    }

    /// Sets what the process is called, to 120 bytes. Default: the name of the machine and the number of
    /// the process, such as `shop-7f2/4123`.
    pub fn process(mut self, process: impl Into<String>) -> Self {
        self.process = Some(process.into());
        self
    }

    /// Sets how many events may wait, at least 1. Default 50,000. Where there are more, the oldest are dropped
    /// and counted.
    pub fn queue_events(mut self, events_max: usize) -> Self {
        self.bounds.events_max = events_max.max(1);
        self
    }

    /// Sets how many bytes of events may wait, at least 64 KiB. Default 16 MiB. Where there are more, the
    /// oldest are dropped and counted.
    pub fn queue_bytes(mut self, bytes_max: usize) -> Self {
        self.bounds.bytes_max = bytes_max.max(64 * 1024);
        self
    }

    /// Sets for how long events are collected before they are sent together. Default 100 ms.
    pub fn batch_delay(self, delay: impl IntoDuration) -> Self {
        self.duration(delay, |builder, delay| builder.bounds.delay = delay)
    }

    /// Sets how long a request may take. Default 10 s.
    pub fn request_timeout(self, timeout: impl IntoDuration) -> Self {
        self.duration(timeout, |builder, timeout| builder.times.request = timeout)
    }

    /// Sets for how long events are tried again whose request failed. Default 5 minutes; afterwards they
    /// are dropped and counted.
    pub fn retry_for(self, time: impl IntoDuration) -> Self {
        self.duration(time, |builder, time| builder.times.retry = time)
    }

    /// Sets how long [`Telemetry::flush`] and [`Telemetry::shutdown`] wait. Default 5 s.
    pub fn flush_timeout(self, timeout: impl IntoDuration) -> Self {
        self.duration(timeout, |builder, timeout| builder.times.flush = timeout)
    }

    /// Sets how long the last handle waits as it is dropped, for events that were not sent by then.
    /// Default 1 s; zero waits for nothing.
    pub fn exit_wait(self, wait: impl IntoDuration) -> Self {
        self.duration(wait, |builder, wait| builder.times.exit = wait)
    }

    fn duration(mut self, given: impl IntoDuration, set: fn(&mut Self, Duration)) -> Self {
        match given.into_duration() {
            Ok(duration) => set(&mut self, duration),
            Err(error) => {
                self.error.get_or_insert(error);
            }
        }
        self
    }

    /// Makes the client. Nothing is sent yet, and no thread begins before there is something to send.
    ///
    /// It never fails (§10.1): where no key is found, it says so once, as a warning of `tracing`; where
    /// something that was given is not accepted, it says that, and the client is as one that is not
    /// [`enabled`](Self::enabled).
    pub fn build(self) -> Telemetry {
        match self.make() {
            Ok((telemetry, warning)) => {
                if let Some(warning) = warning {
                    tracing::warn!(target: "stepwell::telemetry", "{warning}");
                }
                telemetry
            }
            Err(error) => {
                tracing::warn!(target: "stepwell::telemetry", "nothing is recorded: {error}");
                Telemetry::off()
            }
        }
    }

    /// Makes a client whose steps tell of events that were not sent (§10.3).
    ///
    /// # Errors
    /// [`Argument`](crate::ErrorKind::Argument) when something that was given is not accepted, or there is
    /// no key (§10.1).
    pub fn build_strict(self) -> Result<StrictTelemetry> {
        match self.make()? {
            (telemetry, None) => Ok(telemetry.strict()),
            (_, Some(warning)) => Err(Error::argument(warning.to_owned())),
        }
    }

    fn make(mut self) -> Result<(Telemetry, Option<&'static str>)> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        if !self.is_enabled {
            return Ok((Telemetry::off(), None));
        }
        if self.reach.url.is_empty() {
            self.reach.url = variable(URL).unwrap_or_else(|| LOCAL.to_owned());
        }
        self.reach.key = self.reach.key.take().or_else(|| variable(KEY));
        let targets = Target::all(&self.reach)?;
        let has_key = targets.iter().any(|target| target.key().is_some());
        let warning = (!has_key).then_some(NO_KEY);
        if warning.is_some() && !targets.iter().all(Target::is_here) {
            return Ok((Telemetry::off(), warning));
        }
        let process = self.process.take().unwrap_or_else(process);
        let head = head(&process);
        let default_metadata = self.redaction.sealed(self.default_metadata.clone());
        let shared = Shared {
            http: Http::to(targets),
            times: self.times,
            queue: Queue::new(self.bounds, head.clone()),
            head,
            singles: Singles::default(),
            ids: Ids::new(),
            redaction: self.redaction,
            stack: self.stack,
            on_error: self.on_error.0,
            is_started: AtomicBool::new(false),
            over: Over::default(),
        };
        Ok((Telemetry::of(shared, self.default_metadata, default_metadata), warning))
    }
}

/// Reads a variable of the environment; one that is empty is one that is not set.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Returns what stands in front of the events of each request.
fn head(process: &str) -> Vec<u8> {
    let plain: String = process.chars().filter(|c| !c.is_control()).collect();
    let name = serde_json::Value::String(cut_at(plain, PROCESS_BYTES_MAX));
    format!("{{\"process\":{name},\"events\":[").into_bytes()
}

/// Names this process by its machine and its number.
fn process() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let number = std::process::id();
    match name.trim() {
        "" => number.to_string(),
        name => format!("{}/{number}", cut_at(name.to_owned(), 100)),
    }
}
