//! Messages between runners and nodes; `docs/protocol.md` tells the whole conversation.
//!
//! A runner opens one WebSocket to `/api/v1/worker` with the subprotocol [`SUBPROTOCOL`]. A frame is
//! a text message that holds a JSON array of messages; a message is an object with one member, its
//! name. Payloads stand in messages as they are.
//!
//! | module | holds |
//! | --- | --- |
//! | [`to_node`] | what a runner says |
//! | [`to_runner`] | what a node says |
//! | [`event`] | events: what a runner says of them |
//! | [`frame`] | frames: putting messages together and taking them apart |
//!
//! ```
//! use stepwell_protocol::{frame, to_node::ToNode};
//!
//! let mut frame = frame::Writer::default();
//! frame.push(&ToNode::Ping { k: 7 });
//! let bytes = frame.take().unwrap();
//! assert_eq!(bytes, br#"[{"ping":{"k":7}}]"#);
//! let messages: Vec<ToNode<'_>> = frame::parse(&bytes)?;
//! assert_eq!(messages.len(), 1);
//! # Ok::<(), frame::ParseError>(())
//! ```

mod branch;
pub mod event;
pub mod frame;
pub mod to_node;
pub mod to_runner;

/// The version of the protocol that this crate speaks, in the handshake.
pub const VERSION: u32 = 1;

/// The WebSocket subprotocol.
pub const SUBPROTOCOL: &str = "stepwell.v1";

/// The path of the WebSocket on a node.
pub const PATH: &str = "/api/v1/worker";
