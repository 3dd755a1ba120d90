//! The server and the command line of Stepwell.
//!
//! No rule of a run lives here: this crate carries bytes between sockets, the node and the store.
//!
//! | module | holds |
//! | --- | --- |
//! | `collector` | sends traces to a receiver of OpenTelemetry |
//! | [`config`] | settings: flags, environment, file, defaults |
//! | [`cli`] | the command line |
//! | `connect` | connections to servers, plain or under TLS |
//! | [`folder`], [`database`] | the store of a data folder, and of a database that nodes share |
//! | [`server`] | a server as it is configured |
//! | [`reload`] | settings that change while the server runs |
//! | [`logs`] | structured logs |

mod bench;
pub mod cli;
mod collector;
pub mod config;
mod connect;
pub mod database;
pub mod folder;
pub mod logs;
pub mod reload;
pub mod server;
