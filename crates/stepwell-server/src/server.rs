//! A server as it is configured.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use stepwell_driver::Open;
use stepwell_http::console::Asset;
use stepwell_http::gate::{Access, OpenLedger, Transport};
use stepwell_http::observe::Telemetry;
use stepwell_http::problem::Problem;
use stepwell_http::server::Options;
pub use stepwell_http::server::{Error, Server};
use stepwell_http::tls::Certificate;
use stepwell_http::traces::TraceExport;
use stepwell_store::Store;
use stepwell_store::memory::Memory;

use crate::collector::Collector;
use crate::config::{AccessConfig, Config, TelemetryMode, TlsFiles};
use crate::reload::{self, Source};
use crate::{database, folder};

/// Opens the store that the configuration asks for, starts the node, and listens. Has to be called
/// inside of a tokio runtime.
///
/// # Errors
/// [`Error`].
pub async fn start(config: &Config) -> Result<Server, Error> {
    start_on(config, opener(config)).await
}

/// As [`start`], with settings that are read again where somebody asks for it. With `resume`, the runs of
/// a restored store are let go before anybody is heard.
///
/// # Errors
/// [`Error`].
pub async fn start_from(config: &Config, source: Source, resume: bool) -> Result<Server, Error> {
    let reload = Some(reload::reload(source, config.clone()));
    let options = Options { reload, resume, ..options(config)? };
    Server::start(config.listen, &options, opener(config)).await
}

/// As [`start`], on a store of the caller's.
///
/// # Errors
/// [`Error`].
pub async fn start_on(config: &Config, open: Open) -> Result<Server, Error> {
    Server::start(config.listen, &options(config)?, open).await
}

fn options(config: &Config) -> Result<Options, Error> {
    Ok(Options {
        limits: config.limits.clone(),
        ping: config.ping,
        retention: config.retention,
        retention_rules: config.retention_rules.clone(),
        console: Some(console),
        access: access(config).map_err(Error::Refused)?,
        backups: config.backups(),
        reload: None,
        resume: false,
        traces: Collector::of(&config.otlp).map(|collector| TraceExport {
            service: config.otlp.service_name.clone(),
            post: Arc::new(collector),
        }),
        telemetry: match config.telemetry {
            // Observed runs are kept in a folder, or in memory: several nodes would each show their own.
            TelemetryMode::On if config.database.url.is_some() => None,
            TelemetryMode::On => Some(Telemetry {
                open: folder::observed(config),
                retention: config.telemetry_retention,
            }),
            TelemetryMode::Off => None,
        },
    })
}

/// Returns how callers are let in.
fn access(config: &Config) -> Result<Access, Problem> {
    let AccessConfig { mode, tls, by_proxy, rates, .. } = &config.access;
    let transport = match tls {
        Some(TlsFiles { cert, key }) => Transport::Tls(Arc::new(Certificate::load(cert, key)?)),
        None if *by_proxy => Transport::Proxy,
        None => Transport::Plain,
    };
    let ledger = match database::options(&config.database) {
        Some(options) => database::ledger(options),
        None => config.data.clone().map_or_else(OpenLedger::in_memory, folder::ledger),
    };
    Ok(Access { mode: *mode, transport, rates: *rates, ledger })
}

/// A file of the embedded console.
fn console(path: &str) -> Option<Asset> {
    let file = stepwell_console::file(path)?;
    let gzip = match file.gzip {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    Some(Asset { gzip, hash: file.hash })
}

/// Returns what opens the store that the configuration asks for.
fn opener(config: &Config) -> Open {
    if let Some(options) = database::options(&config.database) {
        return database::opener(config, options);
    }
    let Some(path) = config.data.clone() else {
        // The same memory in every life: dropping it would lose what was acknowledged.
        let memory: Arc<dyn Store> = Arc::new(Memory::new());
        return Box::new(move || Ok(Arc::clone(&memory)));
    };
    let options = folder::options(config);
    Box::new(move || folder::open(&path, options.clone()))
}
