//! Where the database is, and how it is connected to.

use std::path::PathBuf;
use std::time::Duration;

use stepwell_store::Error;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::options::Options;
use crate::tls::{Tls, Trust};

/// The port where none is said.
const PORT: u16 = 5432;
/// How long a connection may take to be made.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// How long after the last sign of a server it is asked for another one, at least.
const KEEPALIVE_MIN: Duration = Duration::from_secs(1);
/// How many signs may be missing.
const KEEPALIVES: u32 = 2;

/// How connections are made.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) config: Config,
    pub(crate) tls: Tls,
}

impl Address {
    /// Reads the address of a database.
    ///
    /// # Errors
    /// [`Error::Refused`] when it is none, or when a file that it names cannot be used.
    pub(crate) fn read(options: &Options) -> Result<Self, Error> {
        let Read { rest, trust, ca_file } = separate(&options.url);
        let mut config: Config = rest.parse().map_err(|error: tokio_postgres::Error| {
            // The text itself may hold a password.
            Error::Refused {
                found: format!("the address of the database is not understood: {}", why(&error)),
                accepted: "postgres://USER:PASSWORD@HOST:PORT/DATABASE".into(),
            }
        })?;
        if trust == Trust::Authorities {
            config.ssl_mode(SslMode::Require);
        }
        let trust =
            if config.get_ssl_mode() == SslMode::Require { Trust::Authorities } else { trust };
        let tls = Tls::load(trust, ca_file.as_deref().or(options.ca_file.as_deref()))?;
        if config.get_application_name().is_none() {
            config.application_name("stepwell");
        }
        if config.get_hosts().len() > 1 {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let patience = options.statement();
        config
            .connect_timeout(config.get_connect_timeout().copied().unwrap_or(CONNECT_TIME))
            .tcp_user_timeout(patience)
            .keepalives(true)
            .keepalives_idle((patience / 2).max(KEEPALIVE_MIN))
            .keepalives_interval(KEEPALIVE_MIN)
            .keepalives_retries(KEEPALIVES);
        Ok(Self { config, tls })
    }
}

/// Says where a database is, without who asks.
pub(crate) fn place(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(nth, host)| {
        // One port may be that of all hosts.
        let port = ports.get(nth).or_else(|| ports.first()).copied().unwrap_or(PORT);
        match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            Host::Unix(path) => format!("{} (port {port})", path.display()),
        }
    });
    hosts.collect::<Vec<_>>().join(", ")
}

fn why(error: &tokio_postgres::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// An address, without what the driver does not know.
struct Read {
    rest: String,
    trust: Trust,
    ca_file: Option<PathBuf>,
}

/// Takes out of an address what is said of certificates.
fn separate(url: &str) -> Read {
    let mut trust = Trust::Anybody;
    let mut ca_file = None;
    let is_url = url.starts_with("postgres://") || url.starts_with("postgresql://");
    let (head, parts, mark): (_, Vec<&str>, _) = match url.split_once('?') {
        Some((head, query)) if is_url => (format!("{head}?"), query.split('&').collect(), "&"),
        _ if is_url => return Read { rest: url.to_owned(), trust, ca_file },
        _ => (String::new(), url.split(' ').collect(), " "),
    };
    let mut kept = Vec::with_capacity(parts.len());
    for part in parts {
        match part.split_once('=') {
            Some(("sslmode", "verify-ca" | "verify-full")) => trust = Trust::Authorities,
            Some(("sslrootcert", file)) => ca_file = Some(PathBuf::from(file)),
            _ => kept.push(part),
        }
    }
    Read { rest: head + &kept.join(mark), trust, ca_file }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<Address, Error> {
        Address::read(&Options::new(url))
    }

    #[test]
    fn addresses_say_who_is_trusted() {
        for (url, mode) in [
            ("postgres://u@h/d", SslMode::Prefer),
            ("postgres://u@h/d?sslmode=disable", SslMode::Disable),
            ("postgres://u@h/d?sslmode=verify-full&connect_timeout=3", SslMode::Require),
            ("host=h user=u sslmode=verify-ca", SslMode::Require),
        ] {
            let address = read(url).unwrap();
            assert_eq!(address.config.get_ssl_mode(), mode, "{url}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_telling_it() {
        let error = read("postgres://u:secret@h:port/d").err().unwrap().to_string();
        assert!(error.contains("accepted: postgres://"), "{error}");
        assert!(!error.contains("secret"), "{error}");
        let error = read("postgres://u@h/d?sslmode=require&sslrootcert=no-such-file.pem");
        let error = error.err().unwrap().to_string();
        assert!(error.contains("no-such-file.pem"), "{error}");
    }
}
