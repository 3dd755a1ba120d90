//! The store of a database, which several nodes share.

use std::net::SocketAddr;
use std::sync::Arc;

use rustix::rand::{GetRandomFlags, getrandom};
use stepwell_access::ledger::Error as LedgerError;
use stepwell_driver::Open;
use stepwell_http::gate::OpenLedger;
use stepwell_postgres::{Options, Postgres, ledger};
use stepwell_store::{Error, Store};

use crate::config::{Config, DatabaseConfig};

/// Returns how the database is opened by these settings; `None` where there is none.
pub fn options(config: &DatabaseConfig) -> Option<Options> {
    let url = config.url.as_ref()?;
    Some(Options {
        schema: config.schema.clone(),
        ca_file: config.ca_file.clone(),
        lease: config.lease,
        ..Options::new(url.expose())
    })
}

/// Returns what opens the store: each time as another member.
pub fn opener(config: &Config, options: Options) -> Open {
    let node = config.database.node.clone().unwrap_or_else(|| node_name(config.listen));
    Box::new(move || {
        let nonce = u128::from_be_bytes(random()?);
        let store: Arc<dyn Store> = Arc::new(Postgres::join(&options, &node, nonce)?);
        tracing::info!(node, "joined the store");
        Ok(store)
    })
}

/// Returns what opens the ledger.
pub fn ledger(options: Options) -> OpenLedger {
    OpenLedger::new(move || {
        let opened = open_ledger(&options)?;
        Ok((opened.ledger, opened.pepper))
    })
    .shared()
}

/// Opens the ledger.
///
/// # Errors
/// As [`ledger::open`].
pub fn open_ledger(options: &Options) -> Result<ledger::Opened, LedgerError> {
    let drawn = random().map_err(|error| LedgerError::Unavailable(error.to_string()))?;
    ledger::open(options, drawn)
}

/// A name that no other node has: one process listens at an address.
fn node_name(listen: SocketAddr) -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    match listen.port() {
        0 => format!("{host}:{}", std::process::id()),
        port => format!("{host}:{port}"),
    }
}

fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    let drawn = getrandom(&mut bytes, GetRandomFlags::empty());
    match drawn {
        Ok(count) if count == N => Ok(bytes),
        Ok(_) => Err(Error::Unavailable("the system gives too few random bits".into())),
        Err(error) => Err(Error::Unavailable(format!("the system gives no random bits: {error}"))),
    }
}
