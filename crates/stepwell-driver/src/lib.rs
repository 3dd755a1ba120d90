//! A node on a thread of its own, over a store: what a server runs, and what a program runs that
//! embeds the engine.
//!
//! No rule of a run lives here: this crate gives a node time, inputs and a store, and carries what it
//! says to those who asked.
//!
//! | module | holds |
//! | --- | --- |
//! | `inbox` | the bounded queue in front of the node's thread |
//! | `outgoing` | the bounded queue to one runner's connection |
//! | `handle` | the ways to the node: starts, waits, acts, reads, connections |
//! | `life` | one life of a node over one opening of the store |
//! | `lease`, `lead`, `again` | stores with several nodes: the lease, engine time there, what one of them does, requests that meet another node's |
//! | `meter` | what the thread and the store behind it take |
//! | `thread` | the thread: lives, one after the other, and what is between them |
//! | [`clock`] | engine time from the machine's clocks |
//! | [`schema`] | input schemas of workflows |
//! | `changes` | what changed, for those who watch |
//! | `backups` | backups of a store that is in use |
//! | `retention` | deleting old runs |
//! | `error` | why something was not done |
//!
//! ```
//! use std::sync::Arc;
//!
//! use stepwell_driver::{Driver, Open};
//! use stepwell_store::{Store, memory::Memory};
//!
//! let memory: Arc<dyn Store> = Arc::new(Memory::new());
//! let open: Open = Box::new(move || Ok(Arc::clone(&memory)));
//! let mut running = Driver { open, node: stepwell_node::Config::default() }.start()?;
//! assert_eq!(running.handle().restarts(), 0);
//! running.stop();
//! # Ok::<(), stepwell_driver::Failed>(())
//! ```

mod again;
mod backups;
mod changes;
pub mod clock;
mod error;
mod handle;
mod inbox;
mod lead;
mod lease;
mod life;
mod meter;
mod outgoing;
mod retention;
pub mod schema;
mod thread;

pub use backups::{BackupAsked, BackupFailure, BackupPlace, BackupRunning, BackupState, Backups};
pub use changes::{Changed, Cursor, NAMED_MAX, Told, Watch};
pub use error::{Error, Place};
pub use handle::{Created, Handle, Session, Waited};
pub use meter::{Measured, Meter};
pub use outgoing::{Outbound, Outbox};
pub use retention::{Keep, KeepRule, Keeper, Retention};
pub use thread::{Driver, Failed, Open, Running};
