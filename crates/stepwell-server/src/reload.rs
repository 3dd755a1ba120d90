//! What a reload changes: the settings are read as at the start, and those that can change do.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use stepwell_core::code::Code;
use stepwell_http::problem::Problem;
use stepwell_http::reload::{Reload, Reloaded, Tuning};
use stepwell_http::tls::Papers;

use crate::config::{self, Config, Effect, SETTINGS, Setting, Settings};
use crate::logs;

/// Where the settings of a server come from.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// Flags and variables.
    pub given: Settings,
    /// The file.
    pub file: Option<PathBuf>,
    /// What counts where nothing is said.
    pub defaults: Settings,
}

impl Source {
    /// Reads the settings.
    ///
    /// # Errors
    /// As [`config::resolve_over`].
    pub fn read(&self) -> Result<Config, config::Error> {
        config::resolve_over(self.given.clone(), self.file.as_deref(), self.defaults.clone())
    }
}

/// Returns what reloads a server that was started with `config`.
pub(crate) fn reload(source: Source, config: Config) -> Reload {
    let in_force = Mutex::new(config);
    Reload::new(move |tuning| {
        // One at a time: the second one sees what the first one changed.
        let mut in_force = in_force.lock().unwrap_or_else(PoisonError::into_inner);
        let next = source.read();
        let next = next.map_err(|error| Problem::new(Code::ConfigInvalid, error.to_string()))?;
        change(&mut in_force, next, tuning)
    })
}

/// Changes what can be. What may fail comes first, so that all of it changes or nothing.
fn change(in_force: &mut Config, next: Config, tuning: &Tuning) -> Result<Reloaded, Problem> {
    let differs = |setting: &&Setting| setting.value(in_force) != setting.value(&next);
    let is_safe =
        |setting: &Setting| setting.effect == Effect::Reload && fits(setting, in_force, &next);
    let (applied, needs_restart): (Vec<_>, Vec<_>) =
        SETTINGS.iter().filter(differs).partition(|setting| is_safe(setting));
    let names = |settings: Vec<&Setting>| -> Vec<_> {
        settings.into_iter().map(|setting| setting.name.to_owned()).collect()
    };
    let (mut applied, needs_restart) = (names(applied), names(needs_restart));

    let files = in_force.access.tls.as_ref().and(next.access.tls.as_ref());
    let papers = files.map(|files| Papers::read(&files.cert, &files.key)).transpose()?;
    let filter = logs::filter(&next.log);
    let filter = filter.map_err(|error| Problem::new(Code::ConfigInvalid, error.to_string()))?;

    if let (Some(certificate), Some(papers)) = (tuning.certificate(), papers) {
        // The files may hold another one where their names are the same.
        if certificate.put(papers) && !applied.iter().any(|name| name.starts_with("tls_")) {
            applied.push("tls_cert".to_owned());
        }
        in_force.access.tls = next.access.tls;
    }
    logs::change(filter);
    in_force.log = next.log;
    tuning.keep_runs(next.retention_rules.clone(), next.retention);
    in_force.retention = next.retention;
    in_force.retention_rules = next.retention_rules;
    tuning.keep_observed(next.telemetry_retention);
    in_force.telemetry_retention = next.telemetry_retention;
    tuning.let_in(next.access.rates);
    in_force.access.rates = next.access.rates;
    Ok(Reloaded { applied, needs_restart })
}

/// Tells whether a change that is safe in itself is one here: TLS is not begun or ended by it.
fn fits(setting: &Setting, in_force: &Config, next: &Config) -> bool {
    let has_tls = |config: &Config| config.access.tls.is_some();
    !setting.name.starts_with("tls_") || has_tls(in_force) == has_tls(next)
}
