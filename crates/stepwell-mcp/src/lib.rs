//! Stepwell for agents and editors: a server of the [Model Context Protocol](https://modelcontextprotocol.io)
//! over the HTTP API of a Stepwell server.
//!
//! It has no rule of its own and no way around the API: whoever calls its tools may do what the key may that
//! it was given, and no more than was allowed as it was started. Unless told otherwise it only reads.
//!
//! | file | holds |
//! | --- | --- |
//! | `server` | the server: which tools and pages there are |
//! | `api` | the way to the HTTP API, which the program brings along |
//! | `allow` | which acts are allowed |
//! | `runs`, `events`, `known` | tools that read |
//! | `acts` | tools that change something |
//! | `answer` | how results and errors are told |
//! | `cut` | how large data is made small |
//! | `pages` | the documents as resources |

mod acts;
mod allow;
mod answer;
mod api;
mod cut;
mod events;
mod known;
mod pages;
mod runs;
mod server;

pub use allow::{Act, Allowed, UnknownAct};
pub use api::{Api, Place, Refusal};
pub use server::{Error, Server};
