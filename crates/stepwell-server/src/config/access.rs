//! Settings of who is let in, put together and checked.

use std::path::PathBuf;

use stepwell_http::gate::{Mode, Rates};

use super::resolve::Error;
use super::settings::{AccessMode, Settings};

/// Who is let in, and what is between clients and the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessConfig {
    /// Who is let in. Default [`Mode::Keys`]; of `stepwell dev` [`Mode::Loopback`].
    pub mode: Mode,
    /// The file for the first admin key. Default `None`: standard output.
    pub admin_key_file: Option<PathBuf>,
    /// The certificate and its key. Default `None`: no TLS.
    pub tls: Option<TlsFiles>,
    /// A proxy does TLS. Default `false`.
    pub by_proxy: bool,
    /// How much may come in.
    pub rates: Rates,
}

/// The files of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate with its chain.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Default for AccessConfig {
    fn default() -> Self {
        Self {
            mode: Mode::Keys,
            admin_key_file: None,
            tls: None,
            by_proxy: false,
            rates: Rates::default(),
        }
    }
}

impl From<AccessMode> for Mode {
    fn from(mode: AccessMode) -> Self {
        match mode {
            AccessMode::Keys => Self::Keys,
            AccessMode::Loopback => Self::Loopback,
        }
    }
}

impl AccessConfig {
    /// Takes its part of the settings. Nothing is checked.
    pub(super) fn of(settings: &Settings) -> Self {
        let default = Self::default();
        let rates = Rates {
            key_requests_per_second: settings
                .key_requests_per_second
                .unwrap_or(default.rates.key_requests_per_second),
            wrong_keys_per_minute: settings
                .wrong_keys_per_minute
                .unwrap_or(default.rates.wrong_keys_per_minute),
            unknown_connections_max: settings
                .unknown_connections_max
                .unwrap_or(default.rates.unknown_connections_max),
        };
        let tls = settings.tls_cert.clone().zip(settings.tls_key.clone());
        Self {
            mode: settings.access.map_or(default.mode, Mode::from),
            admin_key_file: settings.admin_key_file.clone(),
            tls: tls.map(|(cert, key)| TlsFiles { cert, key }),
            by_proxy: settings.tls_terminated_by_proxy.unwrap_or(default.by_proxy),
            rates,
        }
    }

    /// Checks that nothing is set without what it needs beside it.
    ///
    /// # Errors
    /// [`Error::Range`].
    pub(super) fn check_pairs(settings: &Settings) -> Result<(), Error> {
        match (&settings.tls_cert, &settings.tls_key) {
            (Some(_), None) => Err(together("tls_cert", "set", "with `tls_key`")),
            (None, Some(_)) => Err(together("tls_key", "set", "with `tls_cert`")),
            (None, None) | (Some(_), Some(_)) => Ok(()),
        }
    }

    /// Checks what goes together.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.tls.is_some() && self.by_proxy {
            let one = "TLS here, with `tls_cert`, or at a proxy, not both";
            return Err(together("tls_terminated_by_proxy", "true", one));
        }
        if self.mode == Mode::Loopback && (self.tls.is_some() || self.by_proxy) {
            let keys = "`keys` where there is TLS: without keys nothing but this machine is served";
            return Err(together("access", "loopback", keys));
        }
        Ok(())
    }
}

fn together(key: &'static str, found: &str, accepted: &str) -> Error {
    Error::Range { key, found: found.to_owned(), accepted: accepted.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::resolve;

    #[test]
    fn what_does_not_go_together_is_refused() {
        let loopback = Some(AccessMode::Loopback);
        let cases = [
            (Settings { tls_cert: Some("c".into()), ..Settings::default() }, "`tls_key`"),
            (Settings { tls_key: Some("k".into()), ..Settings::default() }, "`tls_cert`"),
            (
                Settings {
                    access: loopback,
                    tls_terminated_by_proxy: Some(true),
                    ..Settings::default()
                },
                "`access` is loopback",
            ),
            (
                Settings {
                    tls_cert: Some("c".into()),
                    tls_key: Some("k".into()),
                    tls_terminated_by_proxy: Some(true),
                    ..Settings::default()
                },
                "not both",
            ),
            (Settings { unknown_connections_max: Some(0), ..Settings::default() }, "1 to 4096"),
        ];
        for (settings, part) in cases {
            let error = resolve(settings, None).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("accepted"), "{error}");
        }
        assert_eq!(resolve(Settings::default(), None).unwrap().access.mode, Mode::Keys);
    }
}
