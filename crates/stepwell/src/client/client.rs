//! The client and what it can be asked.

use std::path::PathBuf;

use serde::Serialize;
use stepwell_core::id::RunId;

use super::http::Http;
use super::run_handle::RunHandle;
use super::send::Send;
use super::start::Start;
use crate::driver::{Reach, Target};
use crate::error::Result;

/// Starts runs on a server and asks for them. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) http: Http,
}

impl Client {
    /// Makes a client of the server at `url`, such as `http://127.0.0.1:7878`, with the key of the
    /// variable `STEPWELL_KEY`, if there is one. Nothing is sent yet.
    ///
    /// Several nodes are named with commas between: `http://a:7878,http://b:7878`. What one of them cannot
    /// have seen is asked of the next; so is what may be asked twice, where a connection breaks or a node cannot
    /// take it now (503).
    ///
    /// # Errors
    /// [`Argument`](crate::ErrorKind::Argument) when `url` is not the address of a server, or the
    /// variable holds no key.
    pub fn new(url: &str) -> Result<Self> {
        Self::builder(url).build()
    }

    /// Makes a client of the server at `url` with a key or authorities of its own.
    ///
    /// ```
    /// # fn demo(key: String) -> stepwell::Result<()> {
    /// let client = stepwell::Client::builder("https://stepwell.example").key(key).build()?;
    /// # drop(client);
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(url: &str) -> ClientBuilder {
        ClientBuilder(Reach { url: url.to_owned(), ..Reach::default() })
    }

    pub(crate) fn to(targets: Vec<Target>) -> Self {
        Self { http: Http::to(targets) }
    }

    /// Makes a start of a workflow with an input; `&()` is no input. Await it to have it done.
    pub fn start(&self, workflow: &str, input: &(impl Serialize + ?Sized)) -> Start {
        Start::new(self.clone(), workflow, input)
    }

    /// Makes an event with its data; `&()` is no data. Await it to have it sent (§8.1).
    pub fn send(&self, event: &str, data: &(impl Serialize + ?Sized)) -> Send {
        Send::new(self.clone(), event, data)
    }

    /// Returns a handle on a run that was started before.
    pub fn run(&self, id: RunId) -> RunHandle {
        RunHandle::new(self.clone(), id, false)
    }
}

/// What a client is made with; made by [`Client::builder`].
#[derive(Clone, Debug)]
#[must_use = "it is not a client yet: `.build()` makes one"]
pub struct ClientBuilder(Reach);

impl ClientBuilder {
    /// Sets the key. Default: the variable `STEPWELL_KEY`, else none.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.0.key = Some(key.into());
        self
    }

    /// Sets a file with certificates (PEM) of authorities that are trusted beside those of this machine,
    /// for `https://` addresses. Default: the variable `STEPWELL_CA_FILE`, else none.
    pub fn ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.0.ca_file = Some(file.into());
        self
    }

    /// Makes the client. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Argument`](crate::ErrorKind::Argument) when something that was given is not accepted.
    pub fn build(self) -> Result<Client> {
        Ok(Client::to(Target::all(&self.0)?))
    }
}
