//! What a Stepwell server shows: the HTTP API and the WebSocket of runners, behind one door.
//!
//! | module | holds |
//! | --- | --- |
//! | [`gate`] | the one door that every request passes |
//! | [`api`] | the HTTP API |
//! | [`openapi`] | the document that describes the API, made of its routes and types |
//! | [`console`] | the pages of the web console |
//! | [`worker`] | the WebSocket of runners |
//! | [`server`] | the node on its thread, and what listens in front of it |
//! | `engine` | the node, and what runs beside it |
//! | `options` | how a server works |
//! | [`problem`] | errors as answers |
//! | `request_id` | the id of a request, in its answer and in logs |
//! | [`reload`] | settings that are changed while the server runs |
//! | [`tls`] | the certificate, where TLS ends here |
//! | `door` | the gate and what is behind it, for each connection |
//! | `carrier` | what carries a connection: a socket, TLS over one, a pipe |
//! | `meters` | what is counted of requests, connections and streams |
//! | `bulk` | gets on with acts on many runs |
//! | [`traces`] | exports traces of runs that have ended |
//! | [`observe`] | takes the events of observed runs, and keeps them |
//! | `upkeep` | what has to be done for keys and namespaces from time to time |
//!
//! ```
//! use std::sync::Arc;
//!
//! use stepwell_http::server::{Options, Server};
//! use stepwell_store::{Store, memory::Memory};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # runtime.block_on(async {
//! let memory: Arc<dyn Store> = Arc::new(Memory::new());
//! let open = Box::new(move || Ok(Arc::clone(&memory)));
//! let server = Server::start("127.0.0.1:0".parse()?, &Options::default(), open).await?;
//! assert_ne!(server.address().port(), 0);
//! server.stop().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod api;
mod bulk;
mod carrier;
pub mod console;
mod door;
mod engine;
pub mod gate;
mod meters;
pub mod observe;
pub mod openapi;
mod options;
pub mod problem;
pub mod reload;
mod request_id;
pub mod server;
pub mod tls;
pub mod traces;
mod upkeep;
pub mod worker;
