//! The metrics of a server: one table that names them all, and what is made of it.
//!
//! The text that Prometheus reads can only be written with entries of the table, and
//! `docs/metrics.md` is held equal to it, so a name stands in one place.
//!
//! | module | holds |
//! | --- | --- |
//! | [`table`] | every metric: name, kind, labels, help |
//! | `histogram` | histograms of plain integers, for threads that count alone |
//! | `exposition` | the text that Prometheus reads |
//! | [`page`] | the table as Markdown |
//!
//! ```
//! use stepwell_metrics::{Exposition, table};
//!
//! let mut text = Exposition::default();
//! text.one(&table::COMMITS, 7_u64);
//! assert!(text.finish().ends_with("\nstepwell_commits_total 7\n"));
//! ```

mod exposition;
mod histogram;
pub mod page;
pub mod table;

pub use exposition::Exposition;
pub use histogram::{Histogram, Scale};
pub use table::{Kind, Metric};
