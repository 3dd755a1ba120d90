//! A server as it is configured.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use stepwell_driver::Open;
use stepwell_http::console::Asset;
use stepwell_http::server::Options;
pub use stepwell_http::server::{Error, Server};
use stepwell_store::Store;
use stepwell_store::memory::Memory;

use crate::config::Config;
use crate::folder;

/// Opens the store that the configuration asks for, starts the node, and listens. Has to be called
/// inside of a tokio runtime.
///
/// # Errors
/// [`Error`].
pub async fn start(config: &Config) -> Result<Server, Error> {
    start_on(config, opener(config)).await
}

/// As [`start`], on a store of the caller's.
///
/// # Errors
/// [`Error`].
pub async fn start_on(config: &Config, open: Open) -> Result<Server, Error> {
    let options = Options {
        limits: config.limits.clone(),
        ping: config.ping,
        retention: config.retention,
        retention_rules: config.retention_rules.clone(),
        console: Some(console),
    };
    Server::start(config.listen, &options, open).await
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
    let Some(path) = config.data.clone() else {
        // The same memory in every life: dropping it would lose what was acknowledged.
        let memory: Arc<dyn Store> = Arc::new(Memory::new());
        return Box::new(move || Ok(Arc::clone(&memory)));
    };
    let options = folder::options(config);
    Box::new(move || folder::open(&path, options.clone()))
}
