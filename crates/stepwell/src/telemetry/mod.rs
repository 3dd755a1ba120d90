//! Observing code that is not durable (§10): which steps it takes, how long they take, and which fail.
//!
//! Two lines around what there is:
//!
//! ```no_run
//! # struct Cart;
//! # async fn validate(_: &Cart) -> Result<(), std::io::Error> { Ok(()) }
//! # async fn charge(_: &Cart) -> Result<String, std::io::Error> { Ok(String::new()) }
//! # async fn demo(cart: Cart) -> Result<(), std::io::Error> {
//! use stepwell::telemetry::Telemetry;
//!
//! let telemetry = Telemetry::new();
//! let run = telemetry.run("checkout", "req_123");
//! run.step("validate-cart", validate(&cart)).await?;
//! let receipt = run.step("charge-card", charge(&cart)).await?;
//! # drop(receipt);
//! # Ok(())
//! # }
//! ```
//!
//! What functions give comes out untouched, errors and panics too. What is recorded is sent by a thread of
//! its own, in the background; nothing here fails, waits for the network, or panics, whatever becomes of
//! the server.
//!
//! | file | holds |
//! | --- | --- |
//! | `telemetry`, `builder` | the client, and what it is made with |
//! | `run` | a run: its steps, and what is told of it |
//! | `step`, `sync` | steps around futures and around functions |
//! | `strict` | steps that tell of events that were not sent |
//! | `record` | steps that are told of by hand |
//! | `call`, `event` | one call of a step, and its events as they are sent |
//! | `fault`, `metadata` | errors and metadata, with their secrets taken out |
//! | `shared` | what handles share with the thread that sends |
//! | `queue`, `waiting`, `single` | events that wait: many together, or each for itself |
//! | `sender`, `post` | the thread; one request, and what its answer means |
//! | `error` | events that were not sent, and counts |
//! | `layer`, `fields` | spans of `tracing` as steps (feature `tracing-layer`) |
//! | `park` | waiting on a thread without a runtime |

mod builder;
mod call;
mod error;
mod event;
mod fault;
#[cfg(feature = "tracing-layer")]
mod fields;
#[cfg(feature = "tracing-layer")]
mod layer;
mod metadata;
mod park;
mod post;
mod queue;
mod record;
mod run;
mod sender;
mod shared;
mod single;
mod step;
mod strict;
mod sync;
#[expect(clippy::module_inception, reason = "the file holds the type of that name")]
mod telemetry;
mod waiting;

pub use builder::Builder;
pub use error::{SendError, SendErrorKind, Stats};
#[cfg(feature = "tracing-layer")]
pub use layer::TelemetryLayer;
pub use record::{Recorded, StepRecord};
pub use run::Run;
pub use step::Step;
pub use strict::{StepError, StrictRun, StrictStep, StrictTelemetry};
pub use sync::SyncStep;
pub use telemetry::Telemetry;
