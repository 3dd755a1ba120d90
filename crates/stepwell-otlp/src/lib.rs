//! Runs as traces of OpenTelemetry, made of their journals.
//!
//! Nothing here sends anything, and the same journal gives the same spans: ids follow from ids of runs, so that what
//! is exported twice is there once.
//!
//! | module | holds |
//! | --- | --- |
//! | `ids` | ids of spans |
//! | `place` | in which trace a run stands, and below which span |
//! | `spans` | the spans of a run |
//! | `attributes` | attributes, times and errors as the protocol has them |
//! | `message` | requests of the protocol, and what answers say |
//!
//! ```
//! use stepwell_core::id::RunId;
//! use stepwell_otlp::Traces;
//!
//! let run: RunId = "run_0193b5e4000070008000000000000000".parse()?;
//! let alone = Traces::default().find(run, b"", |_| Ok::<_, ()>(None)).unwrap();
//! assert_eq!(format!("{:032x}", alone.id), "0193b5e4000070008000000000000000");
//! # Ok::<(), stepwell_core::id::ParseError>(())
//! ```

mod attributes;
mod ids;
mod message;
mod place;
mod spans;

pub use ids::{of_attempt, of_invoke, of_run, of_step};
pub use message::{SPANS_MAX, rejected, request};
pub use opentelemetry_proto::tonic::trace::v1::Span;
pub use place::{Trace, Traces};
pub use spans::spans;
