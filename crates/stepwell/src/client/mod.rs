//! Starting runs and waiting for them, over the server's HTTP API.
//!
//! ```no_run
//! # async fn demo() -> stepwell::Result<()> {
//! use stepwell::Client;
//!
//! let client = Client::new("http://127.0.0.1:7878")?;
//! let run = client.start("checkout", &1_250).key("order-17").await?;
//! let label: String = run.wait().await?;
//! # Ok(())
//! # }
//! ```
//!
//! | file | holds |
//! | --- | --- |
//! | `client` | the client and what it can be asked |
//! | `start` | starts and their options |
//! | `run_handle` | a run that was started, or is known by its id |
//! | `acts` | what operators do to a run |
//! | `http` | requests and answers |

mod acts;
#[expect(clippy::module_inception, reason = "the file holds the type of that name")]
mod client;
mod http;
mod run_handle;
mod send;
mod start;

pub use acts::{Act, Remake};
pub use client::{Client, ClientBuilder};
pub(crate) use http::{Again, Answer, Http, pause};
pub use run_handle::RunHandle;
#[cfg(feature = "test")]
pub(crate) use run_handle::Shown;
pub use send::{Send, Sent};
pub use start::Start;
