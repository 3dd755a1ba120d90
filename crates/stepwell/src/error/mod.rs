//! Errors that code throws and meets (§6).
//!
//! | file | holds |
//! | --- | --- |
//! | `kind` | which errors there are, their names and pages |
//! | `error` | the type, its makers and accessors |
//! | `cause` | the chain of errors behind an error, as it is recorded |
//! | `make` | makers for the SDK's own errors |

mod cause;
#[expect(clippy::module_inception, reason = "the file holds the type of that name")]
mod error;
mod kind;
mod make;

pub use cause::Cause;
pub(crate) use cause::cut_at;
pub(crate) use error::type_name;
pub use error::{Error, Result};
pub use kind::ErrorKind;
