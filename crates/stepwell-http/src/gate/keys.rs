//! The keyring of a running server, and who is told when it changes.

use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use stepwell_access::audit::{Entry, Row};
use stepwell_access::{Keyring, keyring};
use stepwell_core::code::Code;
use stepwell_core::time::Timestamp;
use tokio::sync::watch;

use super::access::OpenLedger;
use crate::problem::Problem;

/// How often keys and namespaces are read again that other nodes may have changed.
const FOLLOW: Duration = Duration::from_secs(1);

/// The keyring of a running server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Keys {
    keyring: Arc<Keyring>,
    changed: Arc<watch::Sender<u64>>,
    is_shared: bool,
}

impl Keys {
    /// Opens the ledger.
    pub(crate) async fn open(ledger: OpenLedger) -> Result<Self, Problem> {
        let is_shared = ledger.is_shared();
        let open = move || {
            let (ledger, pepper) = ledger.open()?;
            let keyring = Keyring::open(ledger, pepper, now());
            Ok(Arc::new(keyring.map_err(keyring::Error::from)?))
        };
        let keyring = blocking(open).await?;
        let keys = Self { keyring, changed: Arc::new(watch::Sender::new(0)), is_shared };
        if is_shared {
            tokio::spawn(follow(Arc::downgrade(&keys.keyring), Arc::clone(&keys.changed)));
        }
        Ok(keys)
    }

    /// Tells whether other nodes write the same ledger.
    pub(crate) const fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// Returns the keyring, for what does not block.
    pub fn keyring(&self) -> &Arc<Keyring> {
        &self.keyring
    }

    /// Reads from the ledger, or writes what ends nobody's access.
    ///
    /// # Errors
    /// What the keyring says.
    pub async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Keyring) -> Result<T, keyring::Error> + Send + 'static,
    ) -> Result<T, Problem> {
        let keyring = Arc::clone(&self.keyring);
        blocking(move || Ok(ask(&keyring)?)).await
    }

    /// Changes keys or namespaces, and has all that lasts look again whether it may go on.
    ///
    /// # Errors
    /// What the keyring says.
    pub async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Keyring) -> Result<T, keyring::Error> + Send + 'static,
    ) -> Result<T, Problem> {
        let changed = Arc::clone(&self.changed);
        self.ask(move |keyring| {
            let done = change(keyring);
            // Also after an error: it is not known how far it came.
            changed.send_modify(|number| *number = number.wrapping_add(1));
            done
        })
        .await
    }

    /// Writes a row of the audit log.
    ///
    /// # Errors
    /// What the ledger says: then it is not known to be written.
    pub async fn record(&self, entry: Entry) -> Result<Row, Problem> {
        self.ask(move |keyring| keyring.record(entry)).await
    }

    /// Returns what says that something was changed.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

/// Reads again and again what other nodes change, as long as the keyring is there.
async fn follow(keyring: Weak<Keyring>, changed: Arc<watch::Sender<u64>>) {
    loop {
        tokio::time::sleep(FOLLOW).await;
        let Some(keyring) = keyring.upgrade() else { return };
        let read = blocking(move || Ok(keyring.refresh()?)).await;
        match read {
            Ok(true) => changed.send_modify(|number| *number = number.wrapping_add(1)),
            Ok(false) => {}
            Err(problem) => {
                tracing::warn!(detail = problem.detail, "keys could not be read again");
            }
        }
    }
}

/// Runs what may block on a thread for that.
async fn blocking<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    // What it says belongs to the request that asks.
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(run)).await.unwrap_or_else(|_| {
        Err(Problem::new(Code::Internal, "the ledger could not be asked; the log says more"))
    })
}

/// Returns the time of the machine's clock, by which keys expire.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Draws random bytes from the operating system.
///
/// # Errors
/// [`Code::Internal`] when it gives none.
pub fn entropy<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    let drawn = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    match drawn {
        Ok(count) if count == N => Ok(bytes),
        other => {
            let why = format!("the operating system gives no random bytes: {other:?}");
            Err(Problem::new(Code::Internal, why))
        }
    }
}
