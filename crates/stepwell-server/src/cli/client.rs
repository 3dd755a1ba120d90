//! Requests to a server: one connection for each, HTTP/1.1, plain or under TLS.

use std::fmt::Display;
use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::{Method, Request, Response, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use stepwell_access::Secret;
use stepwell_core::code::Code;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use super::fault::Fault;
use super::first_key;
use crate::connect::{Server, Stream};

/// The variable that holds the key.
const KEY: &str = "STEPWELL_KEY";

/// The key of this process's requests, as the header that carries it.
static CREDENTIAL: OnceLock<HeaderValue> = OnceLock::new();

/// Has every request of this process carry the key of a file, or of the environment.
///
/// # Errors
/// [`Fault`] when there is something that is not a key.
pub(super) fn use_key(file: Option<&Path>) -> Result<(), Fault> {
    let secret = match (file, std::env::var(KEY)) {
        (Some(file), _) => first_key::read(file)?,
        (None, Ok(text)) if !text.is_empty() => Secret::parse(text.trim())
            .map_err(|error| Fault::refused(Code::ConfigInvalid, format!("{KEY}: {error}")))?,
        (None, _) => return Ok(()),
    };
    let mut value = HeaderValue::try_from(format!("Bearer {}", secret.expose()))
        .map_err(|error| Fault::Machine(error.to_string()))?;
    value.set_sensitive(true);
    // Set once, by the command line of this process.
    let _ = CREDENTIAL.set(value);
    Ok(())
}

/// A way to a server.
pub(crate) struct Client {
    /// Its nodes, of which the first that can be connected to is asked.
    servers: Vec<Server>,
    runtime: Runtime,
    /// Longest time for an answer; as long as it takes where there is none.
    within: Option<Duration>,
}

/// An answer that is not an error.
pub(crate) struct Answer {
    /// The body.
    pub(crate) bytes: Bytes,
}

/// As much of a problem as is shown.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    code: String,
    detail: String,
    request_id: Option<String>,
}

impl Client {
    /// Makes a client of the server at `url`, or of its nodes at several, which have commas between.
    pub(crate) fn new(url: &str) -> Result<Self, Fault> {
        let read = |url: &str| {
            Server::parse(url.trim()).ok_or_else(|| {
                Fault::Usage(format!(
                    "`{url}` is not the address of a server; accepted: http:// or https://, a host and a \
                     port, such as http://127.0.0.1:7878, or several of them with commas between"
                ))
            })
        };
        let servers = url.split(',').map(read).collect::<Result<_, _>>()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self { servers, runtime, within: None })
    }

    /// Returns where it asks.
    fn place(&self) -> String {
        let places: Vec<String> = self.servers.iter().map(ToString::to_string).collect();
        places.join(" and ")
    }

    /// Waits for an answer for so long, and no longer.
    pub(crate) fn within(self, time: Duration) -> Self {
        Self { within: Some(time), ..self }
    }

    /// Gets a resource.
    pub(crate) fn get(&self, path: &str) -> Result<Answer, Fault> {
        self.send(Method::GET, path)
    }

    /// Posts JSON.
    pub(crate) fn post(&self, path: &str, body: Vec<u8>) -> Result<Answer, Fault> {
        self.post_as(path, body, "application/json")
    }

    /// Posts what is of this type.
    pub(crate) fn post_as(&self, path: &str, body: Vec<u8>, media: &str) -> Result<Answer, Fault> {
        self.answer(request(Method::POST, path, Some((body, media)))?)
    }

    /// Puts JSON in the place of a resource.
    pub(crate) fn put(&self, path: &str, body: Vec<u8>) -> Result<Answer, Fault> {
        self.answer(request(Method::PUT, path, Some((body, "application/json")))?)
    }

    /// Gets a resource, and writes it as it comes.
    pub(crate) fn download(&self, path: &str, to: &mut dyn Write) -> Result<(), Fault> {
        let request = request(Method::GET, path, None)?;
        self.runtime.block_on(async {
            let (mut response, _connection) = self.begin(request).await?;
            if !response.status().is_success() {
                return self.read(response).await.map(drop);
            }
            while let Some(frame) = response.body_mut().frame().await {
                let frame = frame.map_err(|error| self.away(&error))?;
                if let Some(piece) = frame.data_ref() {
                    to.write_all(piece)?;
                }
            }
            Ok(())
        })
    }

    /// Deletes a resource.
    pub(crate) fn delete(&self, path: &str) -> Result<Answer, Fault> {
        self.send(Method::DELETE, path)
    }

    fn send(&self, method: Method, path: &str) -> Result<Answer, Fault> {
        self.answer(request(method, path, None)?)
    }

    /// Sends a request, and waits for its answer as long as this client does.
    fn answer(&self, request: Request<Full<Bytes>>) -> Result<Answer, Fault> {
        self.runtime.block_on(async {
            let Some(time) = self.within else { return self.exchange(request).await };
            tokio::time::timeout(time, self.exchange(request)).await.unwrap_or_else(|_| {
                let why = format!("the server at {} has not answered in {time:?}", self.place());
                Err(Fault::Unreachable(why))
            })
        })
    }

    fn away(&self, why: &dyn Display) -> Fault {
        Fault::Unreachable(format!(
            "no server answers at {}: {why}; start one with `stepwell dev` or `stepwell start`, or \
             say where with --url",
            self.place()
        ))
    }

    /// Sends a request; what is returned beside the answer keeps the connection going.
    async fn begin(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<(Response<Incoming>, Connection), Fault> {
        let (server, stream) = self.connect().await?;
        let host = HeaderValue::try_from(server.authority());
        let host = host.map_err(|error| Fault::Usage(error.to_string()))?;
        request.headers_mut().insert(header::HOST, host);
        let made = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = made.map_err(|error| self.away(&error))?;
        let driving = Connection(tokio::spawn(async move { drop(connection.await) }));
        let response = sender.send_request(request).await.map_err(|error| self.away(&error))?;
        Ok((response, driving))
    }

    /// Connects to the first node that is there.
    async fn connect(&self) -> Result<(&Server, Box<dyn Stream>), Fault> {
        let mut fault = Fault::Usage("there is no address of a server".into());
        for server in &self.servers {
            match server.connect().await {
                Ok(stream) => return Ok((server, stream)),
                Err(error) => fault = self.away(&error),
            }
        }
        Err(fault)
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, Fault> {
        let (response, _connection) = self.begin(request).await?;
        self.read(response).await
    }

    async fn read(&self, response: Response<Incoming>) -> Result<Answer, Fault> {
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.map_err(|error| self.away(&error))?;
        let answer = Answer { bytes: body.to_bytes() };
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        Err(match serde_json::from_slice::<Told>(&answer.bytes) {
            Ok(Told { code, detail, .. }) if code == Code::Unauthenticated.as_str() => {
                let detail = format!("{detail} (of the command line: {KEY} or --key-file)");
                Fault::Answered { code, detail }
            }
            // The server's log has more of these, under this id.
            Ok(Told { code, detail, request_id: Some(id) }) if status >= 500 => {
                Fault::Answered { code, detail: format!("{detail} (request {id})") }
            }
            Ok(Told { code, detail, .. }) => Fault::Answered { code, detail },
            Err(_) => Fault::Unreachable(format!(
                "what answers at {} with status {status} is not a Stepwell server",
                self.place()
            )),
        })
    }
}

/// Makes a request, which gets its host where it is sent.
fn request(
    method: Method,
    path: &str,
    body: Option<(Vec<u8>, &str)>,
) -> Result<Request<Full<Bytes>>, Fault> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::USER_AGENT, concat!("stepwell/", env!("CARGO_PKG_VERSION")));
    if let Some(credential) = CREDENTIAL.get() {
        request = request.header(header::AUTHORIZATION, credential);
    }
    if let Some((_, media)) = &body {
        request = request.header(header::CONTENT_TYPE, *media);
    }
    let body = body.map(|(body, _)| body).unwrap_or_default();
    let request = request.body(Full::new(Bytes::from(body)));
    request.map_err(|error| Fault::Usage(error.to_string()))
}

/// A connection that is driven until this is dropped.
struct Connection(JoinHandle<()>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Answer {
    /// Reads the body.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_slice(&self.bytes).map_err(|error| {
            Fault::Unreachable(format!(
                "the server's answer is not understood ({error}); are server and command line of the \
                 same version?"
            ))
        })
    }

    /// Returns the body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Puts parameters behind a path, leaving out what is absent.
pub(crate) fn with_query(path: &str, parameters: &[(&str, Option<&str>)]) -> String {
    let mut all = path.to_owned();
    for (name, value) in parameters {
        let Some(value) = value else { continue };
        all.push(if all.contains('?') { '&' } else { '?' });
        all.push_str(name);
        all.push('=');
        escape(value, &mut all);
    }
    all
}

/// Returns text as one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    let mut escaped = String::new();
    escape(text, &mut escaped);
    escaped
}

fn escape(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            into.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(digit), 16).unwrap_or('0');
                into.push(digit.to_ascii_uppercase());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_escaped() {
        let path = with_query("/a", &[("b", Some("c d&e=ü")), ("f", None), ("g", Some("1"))]);
        assert_eq!(path, "/a?b=c%20d%26e%3D%C3%BC&g=1");
    }
}
