//! The drive: processes, load, kills, and the reading back.
//!
//! | file | holds |
//! | --- | --- |
//! | `options` | what is asked for |
//! | `slot` | a process that is started again whenever it was killed |
//! | `desk` | what clients have before them |
//! | `stage` | a server with its runners, and the ledger |
//! | `forget` | sabotage: a server that forgets what it wrote last |
//! | `load` | clients |
//! | `kills` | when what is killed |
//! | `back` | reading every run back |
//! | `block` | the function that blocks its thread, on a stage of its own |
//! | `logs` | faults that processes logged |
//! | `whole` | all of it in order, and the judgement |

mod back;
mod block;
mod desk;
mod forget;
mod kills;
mod load;
mod logs;
mod options;
mod post;
mod slot;
mod stage;
mod whole;

pub(crate) use back::{await_quiet, read_all};
pub(crate) use desk::{Desk, Pace};
pub(crate) use load::Load;
pub(crate) use logs::find_panics;
pub use options::Options;
pub(crate) use slot::{Recipe, Slot};
pub(crate) use stage::{Cast, Places, free_address, lock, runner, words};
pub use whole::drive;
pub(crate) use whole::{joined, judge_apart, judge_sabotage, places, stop_flag};
