//! Several nodes on one PostgreSQL, with load, and what happens to such.
//!
//! | file | holds |
//! | --- | --- |
//! | `options` | what is asked for |
//! | `draw` | which faults, in which order |
//! | `town` | the database, the nodes and the runners |
//! | `proxy`, `wire` | what stands between a node and the database, and loses answers to commits |
//! | `database` | the database: its ends, and what it says of nodes and runs |
//! | `act` | doing faults |
//! | `watch` | clients that read runs all the time |
//! | `times` | how long it takes until runs go on |
//! | `whole` | all of it in order, and the judgement |

mod act;
mod database;
mod draw;
mod options;
mod proxy;
mod times;
mod town;
mod watch;
mod whole;
mod wire;

pub use options::Options;
pub use whole::drive;
