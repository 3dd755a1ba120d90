//! The client and what it can be asked.

use serde::Serialize;
use stepwell_core::id::RunId;

use super::http::Http;
use super::run_handle::RunHandle;
use super::send::Send;
use super::start::Start;
#[cfg(feature = "embedded")]
use crate::driver::Target;
use crate::error::Result;

/// Starts runs on a server and asks for them. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) http: Http,
}

impl Client {
    /// Makes a client of the server at `url`, such as `http://127.0.0.1:7878`. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Argument`](crate::ErrorKind::Argument) when `url` is not the address of a server.
    pub fn new(url: &str) -> Result<Self> {
        Ok(Self { http: Http::new(url)? })
    }

    #[cfg(feature = "embedded")]
    pub(crate) fn to(target: Target) -> Self {
        Self { http: Http::to(target) }
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
