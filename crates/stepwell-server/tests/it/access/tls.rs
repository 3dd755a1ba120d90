//! TLS: nothing is served without it where it is on, and its certificate is changed without a restart.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use stepwell_access::Role;
use stepwell_http::gate::Mode;
use stepwell_server::config::{AccessConfig, Config, TlsFiles};
use stepwell_server::server;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::keyed::Keyed;
use crate::support::{Runner, config, out};

/// An authority of a test, and the files of a server.
pub(super) struct Papers {
    folder: tempfile::TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Papers {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let papers = Self { folder: tempfile::tempdir().unwrap(), authority };
        std::fs::write(papers.file("ca.pem"), papers.authority.pem()).unwrap();
        papers.issue("localhost");
        papers
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a certificate of this name in the place of the one before.
    fn issue(&self, name: &str) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let cert = params.signed_by(&key, &self.authority).unwrap();
        std::fs::write(self.file("cert.pem"), cert.pem()).unwrap();
        std::fs::write(self.file("key.pem"), key.serialize_pem()).unwrap();
    }

    pub(super) fn config(&self) -> Config {
        let tls = Some(TlsFiles { cert: self.file("cert.pem"), key: self.file("key.pem") });
        let access = AccessConfig { mode: Mode::Keys, tls, ..AccessConfig::default() };
        Config { access, ..config() }
    }

    async fn connect(
        &self,
        keyed: &Keyed,
        name: &'static str,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.file("ca.pem")).unwrap()).unwrap();
        let provider = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider();
        let config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(keyed.to).await?;
        let name = ServerName::try_from(name).unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }
}

fn run(url: &str, key: &str, ca: Option<&Path>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepwell"));
    command.args(["runs", "list", "--json"]).env("STEPWELL_URL", url).env("STEPWELL_KEY", key);
    if let Some(ca) = ca {
        command.env("STEPWELL_CA_FILE", ca);
    }
    command.output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_served_under_tls_and_nothing_without() {
    let papers = Papers::new();
    let keyed = Keyed::of(papers.config()).await;
    let worker = keyed.key("default", Role::Worker).await;
    let client = keyed.key("default", Role::Client).await;

    let url = format!("https://localhost:{}", keyed.to.port());
    let ca = papers.file("ca.pem");
    let listed = run(&url, &client, Some(&ca));
    assert_eq!(listed.status.code(), Some(0), "{listed:?}");
    let unknown = run(&url, &client, None);
    assert_eq!(unknown.status.code(), Some(3), "a certificate of nobody known: {unknown:?}");
    let plain = run(&format!("http://{}", keyed.to), &client, Some(&ca));
    assert_eq!(plain.status.code(), Some(3), "{plain:?}");
    let mut bare = TcpStream::connect(keyed.to).await.unwrap();
    bare.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut read = Vec::new();
    let _ = bare.read_to_end(&mut read).await;
    assert!(!read.starts_with(b"HTTP"), "{read:?}");

    // A runner's connection under TLS, which is moved to the node's thread.
    let mut ask =
        format!("wss://localhost:{}/api/v1/worker", keyed.to.port()).into_client_request().unwrap();
    let bearer = format!("Bearer {worker}").parse().unwrap();
    ask.headers_mut().insert("authorization", bearer);
    ask.headers_mut().insert("sec-websocket-protocol", "stepwell.v1".parse().unwrap());
    let stream = papers.connect(&keyed, "localhost").await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async(ask, stream).await.unwrap();
    let hello = json!([{"hello": Runner::hello(&json!([{"name": "pay"}]))}]).to_string();
    socket.send(Message::text(hello)).await.unwrap();
    let welcome = socket.next().await.unwrap().unwrap().into_text().unwrap();
    assert!(welcome.contains("welcome"), "{welcome}");
    for k in 1..100 {
        // Up to several records of TLS.
        let frame = format!("[{{\"ping\":{{\"k\":{k}}}}}{}]", " ".repeat(k * 1_000));
        socket.send(Message::text(frame)).await.unwrap();
        let wanted = format!("{{\"pong\":{{\"k\":{k}}}}}");
        loop {
            let heard = socket.next().await.unwrap().unwrap().into_text().unwrap();
            if heard.contains(&wanted) {
                break;
            }
            assert!(heard.starts_with("[{\"credit\""), "{heard}");
        }
    }
    assert_eq!(out(&listed), "");
}

/// The session of a browser is bound to this host and to TLS.
#[tokio::test]
async fn a_session_under_tls_is_secure() {
    let papers = Papers::new();
    let keyed = Keyed::of(papers.config()).await;
    let viewer = keyed.key("default", Role::Viewer).await;
    let mut stream = papers.connect(&keyed, "localhost").await.unwrap();
    let ask = format!(
        "POST /api/v1/session HTTP/1.1\r\nhost: localhost:{port}\r\norigin: \
         https://localhost:{port}\r\nauthorization: Bearer {viewer}\r\nconnection: close\r\n\r\n",
        port = keyed.to.port()
    );
    stream.write_all(ask.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    let cookie = answer.lines().find(|line| line.starts_with("set-cookie: ")).unwrap_or(&answer);
    assert!(
        cookie.contains("__Host-stepwell_session=") && cookie.ends_with("; Secure"),
        "{cookie}"
    );
}

/// A new certificate is for connections from then on; one that cannot be read leaves the old one.
#[tokio::test]
async fn a_certificate_is_changed_without_a_restart() {
    let papers = Papers::new();
    let keyed = Keyed::of(papers.config()).await;
    assert!(papers.connect(&keyed, "localhost").await.is_ok());
    assert!(papers.connect(&keyed, "flows.example").await.is_err());
    papers.issue("flows.example");
    assert!(papers.connect(&keyed, "flows.example").await.is_err(), "not before it is read");
    keyed.server.reload_certificate().unwrap();
    assert!(papers.connect(&keyed, "flows.example").await.is_ok());
    assert!(papers.connect(&keyed, "localhost").await.is_err());
    std::fs::write(papers.file("cert.pem"), "nonsense").unwrap();
    let refused = keyed.server.reload_certificate().unwrap_err();
    assert_eq!(refused.code.as_str(), "SW4005");
    assert!(papers.connect(&keyed, "flows.example").await.is_ok());
}

#[tokio::test]
async fn files_that_are_no_certificate_are_refused_at_the_start() {
    let papers = Papers::new();
    let other = Papers::new();
    let of = |cert: PathBuf, key: PathBuf| {
        let mut config = papers.config();
        config.access.tls = Some(TlsFiles { cert, key });
        config
    };
    let (cert, key) = (papers.file("cert.pem"), papers.file("key.pem"));
    std::fs::write(papers.file("empty.pem"), "").unwrap();
    let cases = [
        (of("/nowhere.pem".into(), key.clone()), "`tls_cert`: /nowhere.pem cannot be read"),
        (of(papers.file("empty.pem"), key.clone()), "holds no certificate"),
        (of(cert.clone(), papers.file("empty.pem")), "holds nothing of the kind"),
        (of(cert.clone(), cert.clone()), "`tls_key`"),
        (of(cert, other.file("key.pem")), "does not go with"),
    ];
    for (config, part) in cases {
        let refused = server::start(&config).await.unwrap_err();
        assert_eq!(refused.code().as_str(), "SW4005", "{refused}");
        assert!(refused.to_string().contains(part), "{refused}");
    }
}
