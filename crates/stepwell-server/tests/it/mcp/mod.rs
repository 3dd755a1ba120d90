//! `stepwell mcp`: scripted sessions against a server in a process of its own, with a runner on the SDK.

#![expect(clippy::needless_pass_by_value, reason = "tests read better so")]

mod client;
mod session;
