//! Settings of the export of traces.

use std::fmt;
use std::str::FromStr;

use hyper::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Deserializer};

use super::settings::Settings;
use crate::connect::Server;

/// What the address of a receiver is to be.
pub(super) const ENDPOINT: &str = "http:// with a port or https://, a host, and a path where there is one, such as http://127.0.0.1:4318";

/// What headers are to be.
pub(super) const HEADERS: &str =
    "`name=value`, several with commas between them, and `%2C` for a comma in a value";

/// Most characters of the name of a service.
pub(super) const NAME_CHARS_MAX: usize = 255;

/// Where requests for traces go, behind what the receiver is reached at.
const PATH: &str = "/v1/traces";

/// Where traces go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpConfig {
    /// The address of the receiver. Default `None`: nothing is exported.
    pub endpoint: Option<String>,
    /// Headers that requests carry. Default `None`.
    pub headers: Option<SecretText>,
    /// The name of the service that traces are of. Default `stepwell`.
    pub service_name: String,
}

impl Default for OtlpConfig {
    fn default() -> Self {
        Self { endpoint: None, headers: None, service_name: "stepwell".into() }
    }
}

impl OtlpConfig {
    /// Takes its part of the settings. Nothing is checked.
    pub(super) fn of(settings: &Settings) -> Self {
        let default = Self::default();
        Self {
            endpoint: settings.otlp_endpoint.clone(),
            headers: settings.otlp_headers.clone(),
            service_name: settings.otlp_service_name.clone().unwrap_or(default.service_name),
        }
    }
}

/// The address of a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Host and port.
    pub(crate) server: Server,
    /// The path for traces.
    pub(crate) path: String,
}

impl Endpoint {
    /// Reads an address as exporters of OpenTelemetry do: `/v1/traces` is put behind it, where it does not end so.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let at = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        let server = Server::parse(&format!("{scheme}://{authority}"))?;
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"?#\"<>\\^`{|}".contains(&byte);
        if !path.bytes().all(is_plain) {
            return None;
        }
        let path = path.trim_end_matches('/');
        let end = if path.ends_with(PATH) { "" } else { PATH };
        Some(Self { server, path: format!("{path}{end}") })
    }
}

/// A text that is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl SecretText {
    /// Returns the text.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Reads it as headers; `None` where it is none.
    pub fn headers(&self) -> Option<Vec<(HeaderName, HeaderValue)>> {
        self.0.split(',').map(header).collect()
    }
}

fn header(text: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = text.split_once('=')?;
    let name = HeaderName::from_str(name.trim()).ok()?;
    let mut value = HeaderValue::from_bytes(&unescaped(value.trim())?).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

/// Reads `%2C` and the like; `None` where there is a `%` without a code.
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        let is_code = code.bytes().all(|byte| byte.is_ascii_hexdigit());
        bytes.push(u8::from_str_radix(code, 16).ok().filter(|_| is_code)?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    Some(bytes)
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

impl FromStr for SecretText {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        String::deserialize(source).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_other_exporters() {
        for (text, server, path) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318", "/v1/traces"),
            ("http://[::1]:4318/", "http://[::1]:4318", "/v1/traces"),
            ("https://otlp.example/base/", "https://otlp.example", "/base/v1/traces"),
            ("https://otlp.example:4318/v1/traces", "https://otlp.example:4318", "/v1/traces"),
        ] {
            let read = Endpoint::parse(text).unwrap();
            assert_eq!((read.server.to_string().as_str(), read.path.as_str()), (server, path));
        }
        for text in [
            "",
            "127.0.0.1:4318",
            "grpc://127.0.0.1:4317",
            "http://otlp.example",
            "https://ann:secret@otlp.example",
            "https://otlp.example/a b",
            "https://otlp.example/?key=1",
        ] {
            assert_eq!(Endpoint::parse(text), None, "{text}");
        }
    }

    #[test]
    fn headers_are_read_and_not_shown() {
        let text: SecretText = "authorization=Basic aGk6eW91,x-team = a%2Cb ".parse().unwrap();
        let read = text.headers().unwrap();
        let found: Vec<_> =
            read.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(found, [("authorization", "Basic aGk6eW91"), ("x-team", "a,b")]);
        assert!(read.iter().all(|(_, value)| value.is_sensitive()));
        assert_eq!(format!("{text:?}"), "SecretText(…)");
        for wrong in ["", "hunter2", "=x", "a b=c", "a=b,", "a=%2", "a=%zz", "a=%0a"] {
            let wrong: SecretText = wrong.parse().unwrap();
            assert_eq!(wrong.headers(), None, "{}", wrong.expose());
        }
    }
}
