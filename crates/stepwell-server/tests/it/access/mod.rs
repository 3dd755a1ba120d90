//! Who is let in, and to what.
//!
//! | file | holds |
//! | --- | --- |
//! | `keyed` | a server that wants keys, and keys for it |
//! | `entries` | how each route is asked, and what another namespace's key finds there |
//! | `everything` | every route and every frame, with every wrong credential |
//! | `lasting` | what lasts ends with its key |
//! | `calls` | keys, namespaces, sessions and the audit log by the API |
//! | `commands` | the same by the command line, and the first key |
//! | `database` | keys of nodes that share a database |
//! | `tls` | TLS, and its certificate |
//! | `sdk` | programs on the SDK, with keys and under TLS |

mod calls;
mod commands;
mod database;
mod entries;
mod everything;
mod keyed;
mod lasting;
mod sdk;
mod tls;

pub(crate) use keyed::Keyed;
