//! Connections over TLS, to a server whose certificate is of an authority of the test's own.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use stepwell::telemetry::Telemetry;
use stepwell::{App, Client, Ctx, ErrorKind, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

use crate::driver::read_request;
use crate::world::RUN;

const KEY: &str = "sw_testkey_secretsecret";

/// A server that speaks TLS, and the file of the authority that knows it.
struct Encrypted {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    folder: tempfile::TempDir,
}

impl Encrypted {
    async fn listen() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let leaf = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth();
        let chain = vec![CertificateDer::from(leaf.der().to_vec())];
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = config.with_single_cert(chain, key).unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        Self { listener, acceptor: TlsAcceptor::from(Arc::new(config)), folder }
    }

    fn url(&self, host: &str) -> String {
        format!("https://{host}:{}", self.listener.local_addr().unwrap().port())
    }

    fn ca_file(&self) -> std::path::PathBuf {
        self.folder.path().join("ca.pem")
    }

    async fn accept(&self) -> std::io::Result<TlsStream<TcpStream>> {
        let (stream, _) = self.listener.accept().await.unwrap();
        self.acceptor.accept(stream).await
    }

    /// Answers one request, and returns it.
    async fn answer(&self, body: &Value) -> String {
        let mut stream = self.accept().await.unwrap();
        let request = read_request(&mut stream).await;
        let body = body.to_string();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        request
    }

    /// Takes a runner's connection; gives its greeting and the header with its key.
    #[expect(clippy::result_large_err, reason = "the type is the library's")]
    async fn runner(&self) -> (Value, String) {
        let mut authorization = None;
        let look = |request: &Request, mut response: Response| {
            authorization = Some(request.headers()["authorization"].clone());
            let protocol = request.headers()["sec-websocket-protocol"].clone();
            response.headers_mut().insert("sec-websocket-protocol", protocol);
            Ok(response)
        };
        let stream = self.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_hdr_async(stream, look).await.unwrap();
        let hello = socket.next().await.unwrap().unwrap();
        let hello: Value = serde_json::from_str(hello.to_text().unwrap()).unwrap();
        let refused = json!([{ "refused": { "code": "SW3003", "message": "that is enough" } }]);
        socket.send(Message::text(refused.to_string())).await.unwrap();
        let authorization = authorization.unwrap();
        (hello[0]["hello"].clone(), authorization.to_str().unwrap().to_owned())
    }
}

async fn nothing(_ctx: Ctx) -> Result<()> {
    Ok(())
}

fn shop() -> App {
    App::new("shop").workflow("w", nothing)
}

/// §10.1: telemetry is sent encrypted, too, with the key inside.
#[tokio::test]
async fn telemetry_is_encrypted() {
    let server = Encrypted::listen().await;
    let builder = Telemetry::builder().url(server.url("localhost")).ca_file(server.ca_file());
    let telemetry = builder.project_key(KEY).batch_delay("0ms").flush_timeout("1m").build();
    telemetry.run("checkout", "req_123").skip("send-parcel");
    let taken = json!({ "accepted": 1, "refused": [], "refusedTotal": 0 });
    let (flushed, request) = tokio::join!(telemetry.flush(), server.answer(&taken));
    assert!(flushed && request.contains("\"step\":\"send-parcel\""), "{request}");
    assert!(request.contains(&format!("authorization: Bearer {KEY}\r\n")), "{request}");
    assert_eq!(telemetry.stats().sent, 1);
}

/// Calls and runners reach a server by its name and by its address.
#[tokio::test]
async fn a_private_authority_is_trusted_where_it_is_named() {
    let server = Encrypted::listen().await;
    let queued = json!({ "status": "queued" });
    for host in ["localhost", "127.0.0.1"] {
        let url = server.url(host);
        let client = Client::builder(&url).key(KEY).ca_file(server.ca_file()).build().unwrap();
        let run = client.run(RUN.parse().unwrap());
        let (status, request) = tokio::join!(run.status(), server.answer(&queued));
        assert_eq!(status.unwrap(), stepwell::RunStatus::Queued);
        assert!(request.contains(&format!("authorization: Bearer {KEY}\r\n")), "{request}");
        let serve = shop().serve(&url).key(KEY).ca_file(server.ca_file()).into_future();
        let (served, (hello, authorization)) = tokio::join!(serve, server.runner());
        assert_eq!((&hello["app"], authorization), (&json!("shop"), format!("Bearer {KEY}")));
        assert_eq!(served.unwrap_err().code(), Some("SW3003"));
    }
}

/// A server that is not known is not told the key; the error says what to do.
#[tokio::test]
async fn an_unknown_authority_is_refused_with_advice() {
    let server = Encrypted::listen().await;
    let client = Client::builder(&server.url("localhost")).key(KEY).build().unwrap();
    let run = client.run(RUN.parse().unwrap());
    let (status, accepted) = tokio::join!(run.status(), server.accept());
    let error = status.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.message().contains("STEPWELL_CA_FILE"), "{error}");
    assert!(accepted.is_err(), "the connection was made");
}

/// A certificate counts for the name in it only.
#[tokio::test]
async fn a_certificate_of_another_name_is_refused() {
    let server = Encrypted::listen().await;
    let url = server.url("[::ffff:127.0.0.1]");
    let client = Client::builder(&url).ca_file(server.ca_file()).build().unwrap();
    let run = client.run(RUN.parse().unwrap());
    let (status, _) = tokio::join!(run.status(), server.accept());
    let error = status.unwrap_err();
    assert!(error.message().contains("certificate"), "{error}");
}

/// `https://` where nobody speaks TLS.
#[tokio::test]
async fn a_server_without_tls_is_told_of() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let client = Client::builder(&url).build().unwrap();
    let run = client.run(RUN.parse().unwrap());
    let plain = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    };
    let (status, ()) = tokio::join!(run.status(), plain);
    let error = status.unwrap_err();
    assert!(error.message().contains("does the server speak TLS there?"), "{error}");
}

/// Files of authorities are read before anything is sent.
#[tokio::test]
async fn a_file_without_authorities_is_refused_at_once() {
    let serve = shop().serve("https://127.0.0.1:9").ca_file(Path::new("/nowhere/ca.pem"));
    let error = serve.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert!(error.message().contains("/nowhere/ca.pem"), "{error}");
}

const CHILD: &str = "STEPWELL_TEST_URL";

/// The environment names key and authority where the program does not: in a process of its own, which
/// is this test again.
#[tokio::test]
async fn key_and_authority_come_from_the_environment() {
    if let Ok(url) = std::env::var(CHILD) {
        let run = Client::new(&url).unwrap().run(RUN.parse().unwrap());
        assert_eq!(run.status().await.unwrap(), stepwell::RunStatus::Queued);
        assert_eq!(shop().serve(url).await.unwrap_err().code(), Some("SW3003"));
        return;
    }
    let server = Encrypted::listen().await;
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "encrypted::key_and_authority_come_from_the_environment"])
        .env(CHILD, server.url("localhost"))
        .env("STEPWELL_KEY", format!("{KEY}\n"))
        .env("STEPWELL_CA_FILE", server.ca_file());
    let child = tokio::task::spawn_blocking(move || command.output().unwrap());
    let body = json!({ "status": "queued" });
    let served = async { (server.answer(&body).await, server.runner().await) };
    let (request, (_, authorization)) = tokio::select! {
        served = served => served,
        // A child that has gone wrong asks for nothing.
        () = tokio::time::sleep(std::time::Duration::from_secs(20)) => panic!("the child is silent"),
    };
    let output = child.await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(request.contains(&format!("authorization: Bearer {KEY}\r\n")), "{request}");
    assert_eq!(authorization, format!("Bearer {KEY}"));
}
