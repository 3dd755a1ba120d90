//! What stands between a node and the database.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::wire::Words;
use crate::error::Error;

/// How long what was asked for has to be done by the database before its connection is closed there too.
const DONE: Duration = Duration::from_millis(50);

/// Passes connections on to the database, and loses the answer to a commit when it is told to.
#[derive(Debug)]
pub(super) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    database: SocketAddr,
    over: AtomicBool,
    /// The answer to the next commit is to be lost.
    armed: AtomicBool,
    /// How many were.
    lost: AtomicUsize,
}

impl Proxy {
    /// Listens on a free port.
    pub(super) fn to(database: SocketAddr) -> Result<Self, Error> {
        let failed = || Error::io("a proxy begins to listen");
        let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(failed())?;
        let address = listener.local_addr().map_err(failed())?;
        let over = AtomicBool::new(false);
        let (armed, lost) = (AtomicBool::new(false), AtomicUsize::new(0));
        let shared = Arc::new(Shared { database, over, armed, lost });
        let of_thread = Arc::clone(&shared);
        let listening = std::thread::spawn(move || of_thread.listen(&listener));
        Ok(Self { address, shared, listening: Some(listening) })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets it lose the answer to the next commit.
    pub(super) fn arm(&self) {
        self.shared.armed.store(true, Ordering::SeqCst);
    }

    /// Takes that back, where there was no commit.
    pub(super) fn disarm(&self) {
        self.shared.armed.store(false, Ordering::SeqCst);
    }

    /// Returns how many answers were lost.
    pub(super) fn lost(&self) -> usize {
        self.shared.lost.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        // It looks up with the next connection. Connections end with whom they connect.
        drop(TcpStream::connect(self.address));
        if let Some(listening) = self.listening.take() {
            // It has nothing to panic about.
            let _ended = listening.join();
        }
    }
}

impl Shared {
    fn listen(self: &Arc<Self>, listener: &TcpListener) {
        for node in listener.incoming() {
            if self.over.load(Ordering::SeqCst) {
                return;
            }
            let Ok(node) = node else { continue };
            // Without a database the node is told so by the end of its connection.
            let Ok(database) = TcpStream::connect(self.database) else { continue };
            let (shared, losing) = (Arc::clone(self), Arc::new(AtomicBool::new(false)));
            let ends = (node.try_clone(), database.try_clone());
            let (Ok(to_node), Ok(from_database)) = ends else { continue };
            let _ok = (node.set_nodelay(true), database.set_nodelay(true));
            let told = Arc::clone(&losing);
            let answering = Arc::clone(self);
            std::thread::spawn(move || shared.ask(node, database, &told));
            std::thread::spawn(move || answering.answer(from_database, to_node, &losing));
        }
    }

    /// Passes on what the node says.
    fn ask(&self, mut node: TcpStream, mut database: TcpStream, losing: &AtomicBool) {
        let (mut words, mut buffer) = (Words::default(), vec![0; 64 * 1024]);
        while let Ok(count @ 1..) = node.read(&mut buffer) {
            let said = buffer.get(..count).unwrap_or_default();
            // From here on nothing gets back, and the commit itself is passed on.
            if words.hear(said) && self.armed.swap(false, Ordering::SeqCst) {
                losing.store(true, Ordering::SeqCst);
            }
            if database.write_all(said).is_err() {
                break;
            }
        }
        close(&node, &database);
    }

    /// Passes on what the database says, until an answer is to be lost.
    fn answer(&self, mut database: TcpStream, mut node: TcpStream, losing: &AtomicBool) {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = database.read(&mut buffer) {
            if losing.load(Ordering::SeqCst) {
                std::thread::sleep(DONE);
                close(&node, &database);
                self.lost.fetch_add(1, Ordering::SeqCst);
                return;
            }
            if node.write_all(buffer.get(..count).unwrap_or_default()).is_err() {
                break;
            }
        }
        close(&node, &database);
    }
}

fn close(one: &TcpStream, other: &TcpStream) {
    // They may be closed already.
    let _ended = (one.shutdown(Shutdown::Both), other.shutdown(Shutdown::Both));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of a connection whose second frame is a commit.
    const HELLO: &[u8] = b"\0\0\0\x08\0\x03\0\0";
    const COMMIT: &[u8] = b"P\0\0\0\x18s\0WITH fence AS x\0\0\0B\0\0\0\x07\0s\0S\0\0\0\x04";

    /// A database that says back what it hears.
    fn echo() -> (SocketAddr, JoinHandle<Vec<Vec<u8>>>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let heard = std::thread::spawn(move || {
            let mut all = Vec::new();
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().unwrap();
                let (mut heard, mut buffer) = (Vec::new(), [0; 1_024]);
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    heard.extend_from_slice(&buffer[..count]);
                    stream.write_all(&buffer[..count]).unwrap();
                }
                all.push(heard);
            }
            all
        });
        (address, heard)
    }

    #[test]
    fn the_answer_to_a_commit_is_lost_and_the_commit_is_not() {
        let (database, heard) = echo();
        let proxy = Proxy::to(database).unwrap();
        let ask = |words: &[u8]| -> Vec<u8> {
            let mut node = TcpStream::connect(proxy.address()).unwrap();
            node.write_all(HELLO).unwrap();
            let mut back = vec![0; HELLO.len()];
            node.read_exact(&mut back).unwrap();
            node.write_all(words).unwrap();
            let mut answer = vec![0; words.len()];
            let got = node.read_exact(&mut answer);
            if got.is_ok() { answer } else { Vec::new() }
        };
        // Not armed, it passes on everything.
        assert_eq!(ask(COMMIT), COMMIT);
        proxy.arm();
        assert_eq!(ask(COMMIT), b"");
        let heard = heard.join().unwrap();
        assert_eq!(heard, [[HELLO, COMMIT].concat(), [HELLO, COMMIT].concat()]);
        // It is counted once it is lost for the node.
        while proxy.lost() == 0 {
            std::thread::yield_now();
        }
        assert_eq!(proxy.lost(), 1);
    }
}
