//! The way to the HTTP API, which the program brings along.

use serde::Serialize;

/// A resource below `/api/v1`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The parts of its path, as they are; whoever asks escapes them.
    pub path: Vec<String>,
    /// The parameters of the question, as they are.
    pub query: Vec<(&'static str, String)>,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The stable code, such as `SW2001`; absent where no server of ours was reached.
    pub code: Option<String>,
    /// What is wrong, and what is accepted.
    pub detail: String,
}

/// The HTTP API of a server. Its calls may block; they are made on a thread where that holds up nobody.
pub trait Api: Send + Sync + 'static {
    /// Gets a resource; returns the body.
    ///
    /// # Errors
    /// [`Refusal`] where the server refuses, or cannot be reached.
    fn get(&self, place: &Place) -> Result<Vec<u8>, Refusal>;

    /// Posts JSON to a resource; returns the body.
    ///
    /// # Errors
    /// As [`Api::get`].
    fn post(&self, place: &Place, body: Vec<u8>) -> Result<Vec<u8>, Refusal>;
}

impl Place {
    /// Names a resource by the parts of its path.
    pub(crate) fn of(path: &[&str]) -> Self {
        Self { path: path.iter().map(|&part| part.to_owned()).collect(), query: Vec::new() }
    }

    /// Adds a parameter, where there is a value.
    pub(crate) fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }
}

impl Refusal {
    /// The request cannot be written, or the answer not be read.
    pub(crate) fn garbled(what: &str, error: &serde_json::Error) -> Self {
        Self { code: None, detail: format!("{what} is not understood: {error}") }
    }
}

/// What is asked of the API.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Get(Place),
    Post(Place, Vec<u8>),
}

impl Ask {
    /// Makes a request with a body.
    pub(crate) fn post(place: Place, body: &impl Serialize) -> Result<Self, Refusal> {
        let body = serde_json::to_vec(body);
        body.map(|body| Self::Post(place, body))
            .map_err(|error| Refusal::garbled("the request", &error))
    }
}
