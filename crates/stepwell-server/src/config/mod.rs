//! Settings: flags, then the environment, then a file, then the defaults.
//!
//! | file | holds |
//! | --- | --- |
//! | `settings` | every setting once, as flag, variable and key of the file |
//! | `values` | durations, sizes and addresses as people write them |
//! | `rules` | how long which ended runs are kept |
//! | `access` | who is let in |
//! | `resolve` | the layers put together, checked, with the defaults |

mod access;
mod resolve;
mod rules;
mod settings;
mod values;

pub use access::{AccessConfig, TlsFiles};
pub use resolve::{Config, Error, resolve, resolve_over};
pub use rules::{Ended, RuleSetting};
pub use settings::{AccessMode, LogFormat, Settings};
pub use values::{Bytes, Listen, Span};
