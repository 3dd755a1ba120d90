//! What carries a connection: a socket, a socket under TLS, or a pipe.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use hyper::upgrade::{Parts, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

/// A connection after its upgrade, whatever carries it.
pub(crate) type Carrier = Either<TcpStream, Either<Box<TlsStream<Movable>>, DuplexStream>>;

/// A socket that can be moved to another runtime while TLS lies over it. Empty only while it is moved.
#[derive(Debug)]
pub(crate) struct Movable(Option<TcpStream>);

impl Movable {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self(Some(stream))
    }

    /// Moves the socket to the runtime that this runs on.
    fn move_here(&mut self) -> io::Result<()> {
        self.0 = match self.0.take() {
            Some(stream) => Some(here(stream)?),
            None => return Err(gone()),
        };
        Ok(())
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.0.as_mut().map(Pin::new).ok_or_else(gone)
    }
}

/// Takes an upgraded connection over to the runtime that this runs on; returns what was read of it already.
pub(crate) fn take_over(upgraded: Upgraded) -> Result<(Carrier, Bytes), String> {
    let upgraded = match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(Parts { io, read_buf, .. }) => {
            let stream = here(io.into_inner()).map_err(|error| error.to_string())?;
            return Ok((Either::Left(stream), read_buf));
        }
        Err(other) => other,
    };
    let upgraded = match upgraded.downcast::<TokioIo<Box<TlsStream<Movable>>>>() {
        Ok(Parts { io, read_buf, .. }) => {
            let mut stream = io.into_inner();
            stream.get_mut().0.move_here().map_err(|error| error.to_string())?;
            return Ok((Either::Right(Either::Left(stream)), read_buf));
        }
        Err(other) => other,
    };
    let unknown = |_| "it is neither a socket nor a pipe".to_owned();
    let Parts { io, read_buf, .. } =
        upgraded.downcast::<TokioIo<DuplexStream>>().map_err(unknown)?;
    Ok((Either::Right(Either::Right(io.into_inner())), read_buf))
}

/// Registers a socket with the runtime that this runs on.
fn here(stream: TcpStream) -> io::Result<TcpStream> {
    stream.into_std().and_then(TcpStream::from_std)
}

fn gone() -> io::Error {
    io::Error::from(io::ErrorKind::NotConnected)
}

impl AsyncRead for Movable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream()?.poll_read(context, buffer)
    }
}

impl AsyncWrite for Movable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write_vectored(context, buffers)
    }
}
