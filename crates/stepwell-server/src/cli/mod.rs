//! The command line.
//!
//! | file | holds |
//! | --- | --- |
//! | `args` | commands and flags |
//! | `entry` | which command runs what, and the exit code |
//! | `fault` | errors as people see them |
//! | `out` | the one place that prints |
//! | `client` | requests to a server |
//! | `model` | what the server answers, as far as it is shown |
//! | `serve` | `start`, and the signals that stop it |
//! | `dev` | `dev`: a server, and a command that is restarted |
//! | `watch` | which files changed |
//! | `runs` | `runs list`, `start` |
//! | `acts` | `runs cancel`, `pause`, `resume`, `terminate`, `retry`, `delete` |
//! | `bulk` | `bulk`: acts on many runs |
//! | `bundles` | `runs export`, `import` |
//! | `events` | `events send`, `list`, `show` |
//! | `show` | `runs show`, `why` |
//! | `timeline` | the picture of a run |
//! | `tail` | `runs tail` |
//! | `history` | `runs history` |
//! | `flows` | `flows init`, `check`, `push`, `list`, `show`, `schema` |
//! | `flow_schema` | what a file of flows may hold |
//! | `known` | `workflows`, `runners` |
//! | `keys` | `keys create`, `list`, `rotate`, `revoke` |
//! | `namespaces` | `namespaces create`, `list`, `delete` |
//! | `audit` | `audit list`, `verify` |
//! | `first_key` | the first key of a server |
//! | `backup` | `backup`, `backup list`, `verify` |
//! | `restore`, `resume` | `restore`, and what goes on after it |
//! | `migrate` | `migrate`: a store moved to one of another kind |
//! | `place` | where a store is that a command opens by itself |
//! | `config` | `config sample`, `check`, `schema` |
//! | `reload` | `reload` |
//! | `health` | `health` |
//! | `doctor`, `doctor_database` | `doctor`: of a server or a folder, of a database |
//! | `mcp` | `mcp`: the API for agents and editors |
//! | `docs` | `docs`: the documents |

mod acts;
mod args;
mod audit;
mod backup;
mod bulk;
mod bundles;
mod client;
mod config;
mod dev;
mod docs;
mod doctor;
mod doctor_database;
mod entry;
mod events;
mod fault;
mod first_key;
mod flow_schema;
mod flows;
mod health;
mod history;
mod keys;
mod known;
mod mcp;
mod migrate;
mod model;
mod namespaces;
mod out;
mod place;
mod reload;
mod remake;
mod restore;
mod resume;
mod runs;
mod serve;
mod show;
mod tail;
mod timeline;
mod watch;

pub(crate) use client::Client;
pub use entry::main;
pub(crate) use fault::Fault;
pub(crate) use out::{json as print_json, line as print_line};
pub(crate) use serve::Signals;

#[cfg(test)]
mod deploy_tests;
#[cfg(test)]
mod pages_tests;
