//! What stands in for TLS in a build without it: there is none.

use std::io;
use std::path::Path;

use tokio::net::TcpStream;

use crate::error::{Error, Result};

/// A connection that is never made.
pub(super) type Encrypted = TcpStream;

/// Of which there is none.
#[derive(Clone, Debug)]
pub(super) enum Tls {}

impl Tls {
    /// Refuses.
    pub(super) fn load(_file: Option<&Path>) -> Result<Self> {
        let text = "TLS is not in this build; accepted: http://host:port, or the crate `stepwell` with \
                    its feature `tls`";
        Err(Error::argument(text.into()))
    }

    #[expect(clippy::unused_async, reason = "the one that there is with TLS is")]
    pub(super) async fn encrypt(&self, _host: &str, _stream: TcpStream) -> io::Result<Encrypted> {
        match *self {}
    }
}
