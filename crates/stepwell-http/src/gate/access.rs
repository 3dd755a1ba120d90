//! How a server lets in: with keys, or whoever is on this machine.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use stepwell_access::{Ledger, MemoryLedger, Pepper, keyring, ledger};
use stepwell_core::code::Code;

use super::keys::entropy;
use super::rates::Rates;
use crate::problem::Problem;
use crate::tls::Certificate;

/// Who is let in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Whoever is on this machine, as an admin. The default.
    #[default]
    Loopback,
    /// Who has a key.
    Keys,
}

impl Mode {
    /// Returns the word in settings and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Keys => "keys",
        }
    }
}

/// What is between a client and this process.
#[derive(Clone, Debug, Default)]
pub enum Transport {
    /// Nothing: text that everybody on the way can read. The default.
    #[default]
    Plain,
    /// TLS, up to here.
    Tls(Arc<Certificate>),
    /// TLS up to a proxy, which passes on `Host` and says in `X-Forwarded-For` who asks.
    Proxy,
}

impl Transport {
    /// Tells whether nobody on the way can read what passes, as far as this server can know.
    pub const fn is_secure(&self) -> bool {
        !matches!(self, Self::Plain)
    }
}

/// Opens the ledger of a server, once its store is open: then the folder is its own.
#[derive(Clone)]
pub struct OpenLedger {
    open: Arc<OpenFn>,
    shared: bool,
}

type OpenFn = dyn Fn() -> Result<(Arc<dyn Ledger>, Pepper), Problem> + Send + Sync;

impl OpenLedger {
    /// Makes it of a function, which may block.
    pub fn new<L: Ledger + 'static>(
        open: impl Fn() -> Result<(L, Pepper), ledger::Error> + Send + Sync + 'static,
    ) -> Self {
        let open: Arc<OpenFn> = Arc::new(move || {
            let (ledger, pepper) = open().map_err(keyring::Error::from)?;
            Ok((Arc::new(ledger), pepper))
        });
        Self { open, shared: false }
    }

    /// Says that other nodes write the same ledger: what they change counts here within seconds.
    #[must_use]
    pub fn shared(self) -> Self {
        Self { shared: true, ..self }
    }

    /// A new ledger in memory, gone with the server.
    pub fn in_memory() -> Self {
        let open: Arc<OpenFn> =
            Arc::new(|| Ok((Arc::new(MemoryLedger::new()), Pepper::new(entropy()?))));
        Self { open, shared: false }
    }

    pub(super) fn open(&self) -> Result<(Arc<dyn Ledger>, Pepper), Problem> {
        (self.open)()
    }

    pub(super) const fn is_shared(&self) -> bool {
        self.shared
    }
}

impl fmt::Debug for OpenLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenLedger")
    }
}

/// How a server lets in.
#[derive(Clone, Debug)]
pub struct Access {
    /// Who is let in. Default [`Mode::Loopback`].
    pub mode: Mode,
    /// What is between clients and this process. Default [`Transport::Plain`].
    pub transport: Transport,
    /// How much may come in.
    pub rates: Rates,
    /// What keeps keys, namespaces and the audit log. Default: memory.
    pub ledger: OpenLedger,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            transport: Transport::default(),
            rates: Rates::default(),
            ledger: OpenLedger::in_memory(),
        }
    }
}

impl Access {
    /// Checks that a server may listen on an address.
    ///
    /// # Errors
    /// [`Code::ListenRefused`] when other machines could reach it and need no key, or could read on the way
    /// what passes.
    pub fn check(&self, address: SocketAddr) -> Result<(), Problem> {
        if address.ip().to_canonical().is_loopback() {
            return Ok(());
        }
        let port = address.port();
        let why = match (self.mode, self.transport.is_secure()) {
            (Mode::Keys, true) => return Ok(()),
            (Mode::Keys, false) => format!(
                "{address} can be reached from other machines, and keys would pass the network as \
                 plain text; accepted: --tls-cert FILE and --tls-key FILE, --tls-terminated-by-proxy \
                 where a proxy does TLS, or a loopback address such as 127.0.0.1:{port}"
            ),
            (Mode::Loopback, _) => format!(
                "{address} can be reached from other machines, and with `access = \"loopback\"` \
                 nobody needs a key; accepted: --access keys with TLS, or a loopback address such as \
                 127.0.0.1:{port} or [::1]:{port}"
            ),
        };
        Err(Problem::new(Code::ListenRefused, why))
    }
}
