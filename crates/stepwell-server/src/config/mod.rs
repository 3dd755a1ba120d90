//! Settings: flags, then the environment, then a file, then the defaults.
//!
//! | file | holds |
//! | --- | --- |
//! | `settings` | every setting as flag, variable and key of the file |
//! | `table` | the one table of what each setting takes, its value, and when a change counts |
//! | `kind` | what settings take, and their values |
//! | `values` | durations, sizes and addresses as people write them |
//! | `rules` | how long which ended runs are kept |
//! | `access` | who is let in |
//! | `otlp` | where traces go |
//! | `database` | a store that several nodes share |
//! | `file` | a file of settings, read with everything that is wrong in it |
//! | `resolve` | the layers put together, checked, with the defaults |
//! | `help` | settings as flags, with ranges and defaults by the table |
//! | `sample` | a file with every default, commented |
//! | `schema` | what a file may hold, as JSON Schema |

mod access;
mod database;
mod file;
mod help;
mod kind;
mod otlp;
mod resolve;
mod rules;
mod sample;
mod schema;
mod settings;
mod table;
mod values;

pub use access::{AccessConfig, TlsFiles};
pub use database::DatabaseConfig;
pub(crate) use database::{ADDRESS as DATABASE_ADDRESS, is_address as is_database_address};
pub use file::{Mistake, check};
pub use help::Given;
pub use kind::{Kind, Value};
pub use otlp::{Endpoint, OtlpConfig, SecretText};
pub use resolve::{Config, Error, resolve, resolve_over};
pub use rules::{Ended, RuleSetting};
pub use sample::sample;
pub use schema::schema;
pub use settings::{AccessMode, LogFormat, Settings, TelemetryMode};
pub use table::{Effect, SETTINGS, Setting, Shown, setting};
pub use values::{Bytes, Listen, Span};

#[cfg(test)]
mod table_tests;
