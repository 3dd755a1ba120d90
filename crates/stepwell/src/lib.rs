//! Durable functions: plain async code that goes on after a crash where it had come to.
//!
//! A workflow is an async function. What it does happens in *steps*: each calls a function and saves
//! its result. After a crash the workflow runs again, and steps that had ended give what was saved.
//!
//! ```no_run
//! use stepwell::{App, Ctx, Error, Result, Retry};
//!
//! async fn checkout(ctx: Ctx, cents: u32) -> Result<String> {
//!     let receipt = ctx
//!         .run("charge", || async {
//!             if cents == 0 {
//!                 return Err(Error::terminal("nothing to charge"));
//!             }
//!             Ok(format!("paid {cents}"))
//!         })
//!         .retry(Retry::exponential(5, "1s"))
//!         .timeout("30s")
//!         .await?;
//!     let (label, ()) = tokio::try_join!(
//!         ctx.run("label", || async { Ok(format!("label for {receipt}")) }),
//!         ctx.sleep("settle", "1h"),
//!     )?;
//!     Ok(label)
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<()> {
//!     App::new("shop").workflow("checkout", checkout).serve("http://127.0.0.1:7878").await
//! }
//! ```
//!
//! Functions take part in three rules: steps have ids that are unique in the run; between steps a
//! handler does what comes out the same each time; a function may be called again if its process
//! died before its result was saved.
//!
//! | module or type | holds |
//! | --- | --- |
//! | [`App`], [`WorkflowOptions`] | workflows that are deployed together; serving them |
//! | [`Ctx`], [`Data`] | what handlers take |
//! | [`NamedWait`], [`Since`], [`OnTimeout`] | waits for events |
//! | [`step`] | steps and their options; [`Retry`], [`IntoDuration`] |
//! | [`Error`], [`ErrorKind`], [`Cause`] | errors, and what they mean for steps |
//! | [`RunFailure`] | what a workflow is told of a run that ends badly |
//! | [`client`] | starting runs, waiting for them, sending events |
//! | [`telemetry`] | observing code that is not durable |
//!
//! Inside, `session` talks to a node and `machine` holds a run, both without sockets and clocks;
//! `driver` moves them under tokio.
//!
//! | feature | brings | default |
//! | --- | --- | --- |
//! | `tls` | `https://` and `wss://` addresses | on |
//! | `embedded` | `App::embedded`: the engine inside of the program, on a folder | off |
//! | `test` | `stepwell::test`: tests of workflows without a server, on a virtual clock | off |
//! | `tracing-layer` | `Telemetry::layer`: spans of `tracing` as steps of observed runs | off |
//!
//! A server that asks for a key is given the one that [`Serve::key`] or [`ClientBuilder::key`] names, else
//! that of the variable `STEPWELL_KEY`. Its certificate has to be of an authority that the machine trusts,
//! or of one in the file that the variable `STEPWELL_CA_FILE` names. Keys are in no log and no message.
//!
//! [`ClientBuilder::key`]: client::ClientBuilder::key

mod app;
pub mod client;
mod ctx;
mod driver;
mod duration;
#[cfg(feature = "embedded")]
pub mod embedded;
mod error;
mod failure;
mod handler;
mod json;
mod log;
mod machine;
mod moment;
mod named_wait;
mod random;
mod retry;
mod session;
mod signal;
#[doc(hidden)]
pub mod sim;
pub mod step;
pub mod telemetry;
#[cfg(feature = "test")]
pub mod test;

pub use app::{App, WorkflowOptions};
pub use client::Client;
pub use ctx::{Ctx, Parent};
pub use driver::Serve;
pub use duration::IntoDuration;
pub use error::{Cause, Error, ErrorKind, Result};
pub use failure::{CompletedStep, FailedRun, RunFailure};
pub use handler::{Data, Handler};
pub use log::Log;
pub use named_wait::NamedWait;
pub use retry::{Jitter, Retry};
pub use signal::Signal;
pub use step::{OnTimeout, Since, StepCtx, Verdict, Won};
pub use stepwell_core::id::RunId;
pub use stepwell_core::once::OnUnknown;
pub use stepwell_core::status::{RunStatus, StepStatus};
pub use stepwell_core::time::Timestamp;
pub use uuid::Uuid;
