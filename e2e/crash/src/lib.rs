//! Kills servers and runners under load and judges what they did.
//!
//! Four programs: `crash` starts a server, runners and clients, kills the first two with SIGKILL at
//! random instants, starts them again, and reads every run back at the end; `cluster-crash` does the like to several
//! nodes on one PostgreSQL, and more than killing; `crash-runner` is the runner; `crash-judge` reads the ledger that both wrote outside of the engine, and says whether
//! something that was acknowledged is lost, has changed, or was done again.
//!
//! - [`ledger`]: facts, and how they are written and read
//! - [`judge`]: the judgement, a pure function of the ledger, and ledgers that are wrong on purpose
//! - [`plan`]: what a run does; [`workflows`]: the code that does it
//! - [`client`]: starting and reading runs
//! - [`drive`]: processes, load and kills; [`cluster`]: the same with several nodes
//! - [`report`]: what is printed; [`error`], [`dice`]

pub mod client;
pub mod cluster;
pub mod dice;
pub mod drive;
pub mod error;
pub mod judge;
pub mod ledger;
pub mod plan;
pub mod report;
pub mod workflows;
