//! A runner that was written after the page on the protocol, and after nothing else.
//!
//! It keeps the duties of a runner: ends are delivered one at a time in the recorded order, no
//! function starts after the grant, what was not answered is told again after a reconnect, a run that
//! waits is given back.
//!
//! | file | holds |
//! | --- | --- |
//! | `runner` | the process: its connection, pings, and grant |
//! | `hear` | what the node says |
//! | `copy` | a run in this process |
//! | `turn` | the code goes on: asks, deliveries, attempts |
//! | `rest` | idle, busy, released; when to look again |
//! | `tell` | what the node is told |

mod copy;
mod hear;
mod rest;
mod runner;
mod tell;
mod turn;

pub(crate) use runner::{Script, Who};
