//! Waits that an app declares and names (§2.4).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use stepwell_core::id::RunId;

use crate::error::{Error, Result};
use crate::step::OnTimeout;

/// Makes the match of a wait from the run's input and id.
type Matches = Arc<dyn Fn(&Value, RunId) -> Value + Send + Sync>;

/// A wait that an app declares once, and its handlers use by its name; given to
/// [`App::wait`](crate::App::wait).
///
/// ```
/// use serde_json::json;
/// use stepwell::{App, Ctx, NamedWait, Result};
///
/// async fn book_in(ctx: Ctx, parcel: String) -> Result<bool> {
///     let scan = ctx.wait::<serde_json::Value>("waitForScan").timeout("7d").await?;
///     Ok(scan.is_some())
/// }
/// # let _ =
/// App::new("store")
///     .wait(NamedWait::new("waitForScan", "scan.done").matching_with(|parcel, _| json!({ "parcel": parcel })))
///     .workflow("book-in", book_in);
/// ```
#[derive(Clone)]
#[must_use = "a wait is declared by giving it to an app"]
pub struct NamedWait {
    pub(crate) name: String,
    pub(crate) event: String,
    matches: Option<Matches>,
    pub(crate) on_timeout: OnTimeout,
    /// Why its match is not accepted.
    error: Option<String>,
}

impl NamedWait {
    /// Makes a wait for every event of a name.
    pub fn new(name: impl Into<String>, event: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            event: event.into(),
            matches: None,
            on_timeout: OnTimeout::Null,
            error: None,
        }
    }

    /// Sets what the event has to contain (§8.2).
    pub fn matching(mut self, wanted: impl Serialize) -> Self {
        match serde_json::to_value(wanted) {
            Ok(wanted) => self.matching_with(move |_, _| wanted.clone()),
            Err(why) => {
                let text = format!("the match of wait `{}` is not JSON: {why}", self.name);
                self.error.get_or_insert(text);
                self
            }
        }
    }

    /// Sets what the event has to contain, made from the run's input and id. The function gives the
    /// same for the same run, whenever it is called.
    pub fn matching_with(
        mut self,
        matches: impl Fn(&Value, RunId) -> Value + Send + Sync + 'static,
    ) -> Self {
        self.matches = Some(Arc::new(matches));
        self
    }

    /// Sets what a time-out gives (§8.6). Default: `None`.
    pub fn on_timeout(mut self, on_timeout: OnTimeout) -> Self {
        self.on_timeout = on_timeout;
        self
    }

    pub(crate) fn wanted(&self, input: &Value, run: RunId) -> Option<Value> {
        self.matches.as_ref().map(|matches| matches(input, run))
    }
}

impl fmt::Debug for NamedWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("NamedWait");
        shown.field("name", &self.name).field("event", &self.event).finish_non_exhaustive()
    }
}

/// The waits that an app declares.
#[derive(Clone, Debug, Default)]
pub(crate) struct NamedWaits {
    by_name: BTreeMap<String, NamedWait>,
}

impl NamedWaits {
    /// Adds a wait.
    ///
    /// # Errors
    /// [`Argument`](crate::ErrorKind::Argument) when it is not accepted.
    pub(crate) fn add(&mut self, wait: NamedWait) -> Result<()> {
        if let Some(error) = &wait.error {
            return Err(Error::argument(error.clone()));
        }
        for (what, text) in [("a wait's name", &wait.name), ("an event", &wait.event)] {
            stepwell_core::name::check(what, text)
                .map_err(|why| Error::argument(why.to_string()))?;
        }
        let name = wait.name.clone();
        match self.by_name.insert(name.clone(), wait) {
            None => Ok(()),
            Some(_) => Err(Error::argument(format!("the app has two waits `{name}`"))),
        }
    }

    /// Finds a wait by its name.
    ///
    /// # Errors
    /// [`Argument`](crate::ErrorKind::Argument) says which there are.
    pub(crate) fn find(&self, name: &str) -> Result<&NamedWait> {
        self.by_name.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.by_name.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "none".into() } else { known.join(", ") };
            Error::argument(format!("the app declares no wait `{name}`; it declares: {known}"))
        })
    }
}
