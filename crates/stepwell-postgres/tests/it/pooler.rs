//! A pooler that gives each transaction of a session whichever server process is idle.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use stepwell_postgres::testing::place;
use stepwell_postgres::{Options, Postgres};
use stepwell_store::Error;

/// Connections to the server that are idle, the one that was used last on top.
#[derive(Default)]
struct Idle {
    connections: Mutex<Vec<TcpStream>>,
    changed: Condvar,
}

impl Idle {
    fn take(&self) -> TcpStream {
        let idle = self.connections.lock().unwrap();
        let mut idle = self.changed.wait_while(idle, |idle| idle.is_empty()).unwrap();
        idle.pop().unwrap()
    }

    fn give(&self, connection: TcpStream) {
        self.connections.lock().unwrap().push(connection);
        self.changed.notify_one();
    }
}

/// Reads a message: its kind, then its length and the rest.
fn message(from: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let mut head = [0; 5];
    from.read_exact(&mut head)?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
    let mut message = head.to_vec();
    message.resize(length as usize + 1, 0);
    from.read_exact(&mut message[5..])?;
    Ok(message)
}

/// Reads the first message of a client, which has no kind.
fn startup(from: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut message = length.to_vec();
    message.resize(u32::from_be_bytes(length) as usize, 0);
    from.read_exact(&mut message[4..])?;
    Ok(message)
}

/// Passes on what the server says until it is ready; tells whether it is in no transaction then.
fn answer(server: &mut TcpStream, client: &mut impl Write) -> std::io::Result<bool> {
    loop {
        let said = message(server)?;
        client.write_all(&said)?;
        if said[0] == b'Z' {
            return Ok(said[5] == b'I');
        }
    }
}

/// Serves a client: each transaction on another connection to the server.
fn serve(mut client: TcpStream, port: u16, idle: &Idle) -> std::io::Result<()> {
    let hello = startup(&mut client)?;
    // The client's own session is its own until it is ready for the first time.
    let mut server = TcpStream::connect(("127.0.0.1", port))?;
    server.write_all(&hello)?;
    answer(&mut server, &mut client)?;
    idle.give(server);
    loop {
        let mut asked = message(&mut client)?;
        if asked[0] == b'X' {
            return Ok(());
        }
        let mut server = idle.take();
        loop {
            server.write_all(&asked)?;
            // A query of its own, or the end of several messages: then there is an answer.
            if matches!(asked[0], b'Q' | b'S') && answer(&mut server, &mut client)? {
                break;
            }
            asked = message(&mut client)?;
        }
        idle.give(server);
    }
}

/// A session that has another server process with each transaction is none, and it is said what would do.
#[test]
fn a_pooler_of_transactions_is_refused() {
    let Some(place) = place().unwrap() else { return };
    let url = place.options().url;
    let Some(rest) = url.strip_prefix("postgres://postgres@127.0.0.1:") else {
        // The pooler here knows neither passwords nor TLS.
        return;
    };
    let (port, rest) = rest.split_once('/').unwrap();
    let port: u16 = port.parse().unwrap();
    let pooler = TcpListener::bind("127.0.0.1:0").unwrap();
    let here = pooler.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let idle = Arc::new(Idle::default());
        for client in pooler.incoming() {
            let (client, idle) = (client.unwrap(), Arc::clone(&idle));
            // It ends with its client, or with the test.
            std::thread::spawn(move || serve(client, port, &idle));
        }
    });
    let url = format!("postgres://postgres@127.0.0.1:{here}/{rest}");
    let options = Options { url, ..place.options() };
    let error = Postgres::join(&options, "a", 1).err().unwrap();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains("session mode"), "{error}");
}
