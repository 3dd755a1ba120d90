//! Settings that are changed while the server runs.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use stepwell_core::code::Code;
use stepwell_driver::{KeepRule, Keeper};
use utoipa::ToSchema;

use crate::gate::{Rates, Throttle, Transport};
use crate::observe::Keeping;
use crate::problem::Problem;
use crate::tls::Certificate;

/// What can be changed of a server that runs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tuning {
    pub(crate) keeper: Keeper,
    pub(crate) keeping: Option<Keeping>,
    pub(crate) throttles: Arc<Mutex<Vec<Throttle>>>,
    pub(crate) transport: Transport,
}

impl Tuning {
    /// Keeps ended runs for other times, from the next look on, which comes within a minute.
    pub fn keep_runs(&self, rules: Vec<KeepRule>, others: Duration) {
        self.keeper.keep_runs(rules, others);
    }

    /// Keeps observed runs for another time, from the next look on, which comes within a minute.
    pub fn keep_observed(&self, keep: Duration) {
        if let Some(keeping) = &self.keeping {
            keeping.set(keep);
        }
    }

    /// Lets in more or less. What was counted so far is forgotten, but for connections.
    pub fn let_in(&self, rates: Rates) {
        for throttle in self.throttles.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            throttle.set(rates);
        }
    }

    /// Returns the certificate, where TLS ends here.
    pub fn certificate(&self) -> Option<&Certificate> {
        match &self.transport {
            Transport::Tls(certificate) => Some(certificate),
            Transport::Plain | Transport::Proxy => None,
        }
    }
}

/// What a reload did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reloaded {
    /// Settings that changed and count from now on.
    pub applied: Vec<String>,
    /// Settings that changed and count with the next start only.
    pub needs_restart: Vec<String>,
}

type ReloadFn = dyn Fn(&Tuning) -> Result<Reloaded, Problem> + Send + Sync;

/// Reads settings again and changes what it can. Cheap to clone.
#[derive(Clone)]
pub struct Reload(Arc<ReloadFn>);

impl Reload {
    /// Makes it of a function, which may block, and which changes nothing where it fails.
    pub fn new(
        reload: impl Fn(&Tuning) -> Result<Reloaded, Problem> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(reload))
    }
}

impl fmt::Debug for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reload")
    }
}

/// The way to reload, of a server that runs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reloader {
    pub(crate) tuning: Tuning,
    pub(crate) reload: Option<Reload>,
}

impl Reloader {
    /// Reads settings again and changes what can be; nothing where the server was not told how.
    ///
    /// # Errors
    /// What is wrong with the settings; then nothing is changed.
    pub(crate) async fn run(&self) -> Result<Reloaded, Problem> {
        let Some(Reload(reload)) = self.reload.clone() else { return Ok(Reloaded::default()) };
        let tuning = self.tuning.clone();
        let span = tracing::Span::current();
        let done = move || span.in_scope(|| reload(&tuning));
        let done = tokio::task::spawn_blocking(done).await;
        let done =
            done.unwrap_or_else(|error| Err(Problem::new(Code::Internal, error.to_string())));
        match &done {
            Ok(Reloaded { applied, needs_restart }) => {
                tracing::info!(?applied, ?needs_restart, "settings were read again");
            }
            Err(problem) => {
                let detail = &problem.detail;
                tracing::error!(
                    detail,
                    "settings were read again and are refused; nothing changed"
                );
            }
        }
        done
    }
}
