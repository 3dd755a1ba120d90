//! The `OpenAPI` document of the API, made of the table of routes and of the types that handlers read and write.
//!
//! | file | holds |
//! | --- | --- |
//! | `about` | what a route says of itself |
//! | `document` | the document, made of what all routes say |
//! | `shapes` | the form of values whose types are of other crates |
//! | `run` | the form of a run with its steps |
//! | `observed` | the form of flows and observed runs |

mod about;
mod document;
pub(crate) mod observed;
pub(crate) mod run;
pub(crate) mod shapes;
#[cfg(test)]
mod tests;

pub(crate) use about::About;
pub use document::document;
