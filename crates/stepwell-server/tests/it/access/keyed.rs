//! A server that wants keys, and keys for it.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use stepwell_access::keyring::Create;
use stepwell_access::{Key, Role};
use stepwell_core::time::Timestamp;
use stepwell_http::gate::{Mode, Rates, entropy, now};
use stepwell_server::config::{AccessConfig, Config};
use stepwell_server::server::{self, Server};

use crate::support::{Answer, config, request};

/// A server that wants keys.
pub(crate) struct Keyed {
    pub(crate) server: Server,
    pub(crate) to: SocketAddr,
}

impl Keyed {
    /// Starts one in memory, which lets a test try as many wrong keys as it likes.
    pub(crate) async fn start() -> Self {
        let rates = Rates { wrong_keys_per_minute: 10_000, ..Rates::default() };
        Self::with(rates).await
    }

    pub(crate) async fn with(rates: Rates) -> Self {
        let access = AccessConfig { mode: Mode::Keys, rates, ..AccessConfig::default() };
        Self::of(Config { access, ..config() }).await
    }

    pub(crate) async fn of(config: Config) -> Self {
        let server = server::start(&config).await.unwrap();
        let to = server.address();
        Self { server, to }
    }

    pub(crate) async fn namespace(&self, name: &'static str) {
        let make =
            move |keyring: &stepwell_access::Keyring| keyring.create_namespace(name, "test", now());
        self.server.keys().change(make).await.unwrap();
    }

    /// Makes a key, and returns what is kept and what is sent.
    pub(crate) async fn make(&self, namespace: &str, role: Role) -> (Key, String) {
        self.made_at(namespace, role, (now(), None)).await
    }

    /// A key that is live.
    pub(crate) async fn key(&self, namespace: &str, role: Role) -> String {
        self.make(namespace, role).await.1
    }

    /// A key that was revoked.
    pub(crate) async fn revoked(&self, namespace: &str, role: Role) -> String {
        let (key, secret) = self.make(namespace, role).await;
        self.revoke(&key).await;
        secret
    }

    /// A key that expired a second ago.
    pub(crate) async fn expired(&self, namespace: &str, role: Role) -> String {
        let second = Duration::from_secs(1);
        let times = (now().before(second * 60), Some(now().before(second)));
        self.made_at(namespace, role, times).await.1
    }

    pub(crate) async fn revoke(&self, key: &Key) {
        let id = key.id;
        self.server.keys().change(move |keys| keys.revoke(id, None, now())).await.unwrap();
    }

    pub(crate) async fn made_at(
        &self,
        namespace: &str,
        role: Role,
        (made, expires_at): (Timestamp, Option<Timestamp>),
    ) -> (Key, String) {
        let create = Create {
            name: format!("{namespace} {role}"),
            namespace: namespace.into(),
            role,
            expires_at,
            by: "test".into(),
        };
        let entropy = entropy().unwrap();
        let made = self.server.keys().change(move |keys| keys.create(create, entropy, made));
        let (key, secret) = made.await.unwrap();
        (key, secret.expose().to_owned())
    }

    /// Asks, with a key or without one.
    pub(crate) async fn ask(&self, line: &str, key: Option<&str>, body: Option<&Value>) -> Answer {
        let bearer = key.map(|key| format!("Bearer {key}"));
        let mut headers = Vec::new();
        headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        headers.extend(body.map(|_| ("content-type", "application/json")));
        let body = body.map(ToString::to_string).unwrap_or_default();
        request(self.to, line, &headers, body.as_bytes()).await
    }

    pub(crate) async fn get(&self, path: &str, key: &str) -> Answer {
        self.ask(&format!("GET {path}"), Some(key), None).await
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: Value) -> Answer {
        self.ask(&format!("POST {path}"), Some(key), Some(&body)).await
    }
}
