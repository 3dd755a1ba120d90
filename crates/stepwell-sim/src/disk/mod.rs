//! A disk in memory that loses what was not synced.
//!
//! | file | holds |
//! | --- | --- |
//! | `folder` | files and names as the operating system shows them and as they are on disk |
//! | `sim` | the disk as the log sees it; failing at a chosen call |

mod folder;
mod sim;

pub(crate) use folder::Loss;
pub(crate) use sim::{Fails, SimDisk};
