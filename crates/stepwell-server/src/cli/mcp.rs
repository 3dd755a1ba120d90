//! `mcp`: the server's API for agents and editors.

use std::sync::Arc;

use clap::Args;
use stepwell_mcp::{Allowed, Api, Place, Refusal, Server};
use tokio::runtime::Builder;

use super::client::{Answer, Client, segment, with_query};
use super::fault::Fault;

/// See [`Command::Mcp`](super::args::Command::Mcp).
#[derive(Debug, Args)]
pub(super) struct Mcp {
    /// Address of the server, or those of its nodes with commas between
    #[arg(long, env = "STEPWELL_URL", default_value = "http://127.0.0.1:7878", value_name = "URL")]
    url: String,
    /// What may be changed, divided by commas: start, send, cancel, retry, fork, rerun, or all
    /// [default: nothing]
    #[arg(long, value_name = "ACTS")]
    allow: Option<Allowed>,
}

/// Serves on standard input and output until the input ends.
pub(super) fn run(asked: Mcp) -> Result<(), Fault> {
    let api = Arc::new(Over(Client::new(&asked.url)?));
    // Held here as well: it has a runtime of its own, which may not be dropped inside of another one.
    let server = Server::new(Arc::clone(&api) as Arc<dyn Api>, asked.allow.unwrap_or_default());
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(server.serve_stdio());
    // A thread may still wait for input that nobody reads.
    runtime.shutdown_background();
    drop(api);
    served.map_err(|error| Fault::Machine(error.to_string()))
}

/// The API, as the command line asks it.
struct Over(Client);

impl Api for Over {
    fn get(&self, place: &Place) -> Result<Vec<u8>, Refusal> {
        told(self.0.get(&path(place)))
    }

    fn post(&self, place: &Place, body: Vec<u8>) -> Result<Vec<u8>, Refusal> {
        told(self.0.post(&path(place), body))
    }
}

fn path(place: &Place) -> String {
    let mut path = "/api/v1".to_owned();
    for part in &place.path {
        path.push('/');
        path.push_str(&segment(part));
    }
    let query: Vec<(&str, Option<&str>)> =
        place.query.iter().map(|(name, value)| (*name, Some(value.as_str()))).collect();
    with_query(&path, &query)
}

fn told(answer: Result<Answer, Fault>) -> Result<Vec<u8>, Refusal> {
    answer.map(|answer| answer.bytes.to_vec()).map_err(|fault| match fault {
        Fault::Answered { code, detail } => Refusal { code: Some(code), detail },
        Fault::Refused(problem) => {
            Refusal { code: Some(problem.code.to_string()), detail: problem.detail }
        }
        Fault::Usage(detail) | Fault::Unreachable(detail) | Fault::Machine(detail) => {
            Refusal { code: None, detail }
        }
        Fault::NotCompleted => Refusal { code: None, detail: "the run did not complete".into() },
    })
}
