//! One request, one connection, one answer.

use std::fmt::Write as _;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A whole answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// Sends a request and reads the answer to its end.
///
/// # Errors
/// Those of the socket; [`ErrorKind::UnexpectedEof`] when the answer is not whole,
/// [`ErrorKind::InvalidData`] when it is no answer.
pub(super) fn call(
    address: SocketAddr,
    (method, path): (&str, &str),
    body: Option<&[u8]>,
    patience: Duration,
) -> Result<Answer> {
    let mut socket = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
    socket.set_read_timeout(Some(patience))?;
    socket.set_write_timeout(Some(patience))?;
    socket.set_nodelay(true)?;
    let mut request =
        format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    if let Some(body) = body {
        let length = body.len();
        let _ok = write!(request, "Content-Type: application/json\r\nContent-Length: {length}\r\n");
    }
    request.push_str("\r\n");
    let mut bytes = request.into_bytes();
    bytes.extend_from_slice(body.unwrap_or_default());
    socket.write_all(&bytes)?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer)?;
    parse(&answer)
}

fn parse(answer: &[u8]) -> Result<Answer> {
    let cut = || Error::new(ErrorKind::UnexpectedEof, "the answer is cut off");
    let wrong = |what: &str| Error::new(ErrorKind::InvalidData, what.to_owned());
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(cut)?;
    let head = std::str::from_utf8(&answer[..end]).map_err(|_| wrong("the head is not UTF-8"))?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 "));
    let status = status.and_then(|rest| rest.get(..3)).and_then(|code| code.parse().ok());
    let status = status.ok_or_else(|| wrong("the answer has no status"))?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let length = length.ok_or_else(|| wrong("the answer does not say its length"))?;
    let body = &answer[end + 4..];
    if body.len() < length {
        return Err(cut());
    }
    Ok(Answer { status, body: body[..length].to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_cut_off_anywhere_is_none() {
        let whole =
            b"HTTP/1.1 201 Created\r\ncontent-type: x\r\nContent-Length: 9\r\n\r\n{\"id\":12}";
        let answer = parse(whole).unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (201, b"{\"id\":12}".as_slice()));
        for end in 0..whole.len() {
            assert_eq!(parse(&whole[..end]).unwrap_err().kind(), ErrorKind::UnexpectedEof, "{end}");
        }
    }

    #[test]
    fn what_is_no_answer_is_told() {
        for text in ["HTTP/2 200\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nbody", "HTTP/1.1 2\r\n\r\n"] {
            assert_eq!(
                parse(text.as_bytes()).unwrap_err().kind(),
                ErrorKind::InvalidData,
                "{text}"
            );
        }
    }
}
