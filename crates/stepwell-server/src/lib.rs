//! The server and the command line of Stepwell.
//!
//! No rule of a run lives here: this crate carries bytes between sockets, the node and the store.
//!
//! | module | holds |
//! | --- | --- |
//! | [`config`] | settings: flags, environment, file, defaults |
//! | [`cli`] | the command line |
//! | [`folder`] | the store of a data folder |
//! | [`gate`] | the one door that every request passes |
//! | [`server`] | a listener over all of it |
//! | [`api`], [`worker`] | what is behind the gate: the HTTP API, the WebSocket of runners |
//! | [`logs`] | structured logs |
//! | [`problem`] | errors as answers |

pub mod api;
mod bench;
pub mod cli;
pub mod config;
pub mod folder;
pub mod gate;
pub mod logs;
pub mod problem;
pub mod server;
pub mod worker;
