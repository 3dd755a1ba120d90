//! `stepwell migrate`: folders to PostgreSQL and back.
//!
//! | file | holds |
//! | --- | --- |
//! | `calls` | the command, and what it tells |
//! | `kinds` | runs of all kinds, before and after |
//! | `many` | many parked runs (`make migrate`) |
//! | `refused` | what is refused, and a move that was killed |

mod calls;
mod kinds;
mod many;
mod refused;
