//! Deterministic simulation of Stepwell, and the checks on its own source.
//!
//! A seed decides everything: runners, clients, network, disk, clocks, and what goes wrong. The node,
//! the rules and the embedded store's log are the real ones. What is observed from outside goes into a
//! history, and checkers judge the history.
//!
//! | module | holds |
//! | --- | --- |
//! | [`world`] | a simulation from its beginning to its end |
//! | `server` | the node's process: real node, real store; or several on one database |
//! | `runner`, `script`, `sdk` | processes of runners: written here, and the real SDK |
//! | [`program`] | what workflows do |
//! | `disk`, `net`, `clock`, `calls` | the simulated surroundings |
//! | [`deeds`] | what operators did, and how often |
//! | [`fault`], `plan` | what goes wrong, and what a seed chooses |
//! | [`history`], [`checkers`] | what was observed, and the judges of it |
//! | [`planted`] | bugs that checkers have to see |
//! | [`cli`] | the command line |
//!
//! ```
//! use stepwell_sim::world::{Settings, run};
//!
//! let once = run(7, Settings::default())?;
//! assert_eq!(once.violations, []);
//! assert_eq!(run(7, Settings::default())?.hash, once.hash);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod calls;
pub mod checkers;
pub mod cli;
pub mod clock;
pub mod deeds;
mod disk;
mod env;
pub mod fault;
mod flight;
pub mod history;
mod net;
mod plan;
pub mod planted;
pub mod program;
mod rng;
mod runner;
mod script;
mod sdk;
mod server;
mod trace;
pub mod world;
