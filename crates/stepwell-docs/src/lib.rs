//! The pages of `docs/`, embedded when this crate is built: what the command line prints and what programs
//! that speak for it read is what belongs to this very version.
//!
//! ```
//! let page = stepwell_docs::find("SW2001").unwrap();
//! assert!(page.text.starts_with("# SW2001"));
//! ```
//!
//! | file | holds |
//! | --- | --- |
//! | `pages` | the pages, and how one is found |

mod pages;

pub use pages::{Page, Unknown, all, find};
