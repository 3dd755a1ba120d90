//! The server and the command line of Stepwell.
//!
//! No rule of a run lives here: this crate carries bytes between sockets, the node and the store.
//!
//! | module | holds |
//! | --- | --- |
//! | [`config`] | settings: flags, environment, file, defaults |
//! | [`cli`] | the command line |
//! | [`folder`] | the store of a data folder |
//! | [`server`] | a server as it is configured |
//! | [`reload`] | settings that change while the server runs |
//! | [`logs`] | structured logs |

mod bench;
pub mod cli;
pub mod config;
pub mod folder;
pub mod logs;
pub mod reload;
pub mod server;
