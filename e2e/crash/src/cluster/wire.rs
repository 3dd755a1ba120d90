//! What a node says to PostgreSQL, as far as it has to be understood: when a commit was asked for.
//!
//! The messages are those of the protocol's version 3: after the first one each begins with a byte that says its
//! kind, and four with its length. A statement is prepared under a name (`Parse`), bound (`Bind`) and done
//! (`Execute`), and `Sync` ends what is done as one.

use std::collections::BTreeSet;

/// What the statement of each commit holds: its fence.
const COMMIT: &[u8] = b"WITH fence AS";

/// What a node says on one connection.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// What came and is not a whole message yet.
    rest: Vec<u8>,
    /// The first message was read, which has no kind.
    begun: bool,
    /// Names of prepared statements that commit.
    commits: BTreeSet<Vec<u8>>,
    /// A commit is asked for, and will be done with the next `Sync`.
    bound: bool,
}

impl Words {
    /// Reads on. Tells whether a commit is asked for as a whole with these bytes.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> bool {
        self.rest.extend_from_slice(bytes);
        let (mut at, mut asked) = (0, false);
        loop {
            let left = self.rest.get(at..).unwrap_or_default();
            let head = usize::from(self.begun);
            let Some(length) = length_at(left, head) else { break };
            let Some(message) = left.get(..head + length) else { break };
            let body = message.get(head + 4..).unwrap_or_default();
            let kind = message.first().copied().filter(|_| self.begun);
            match kind {
                Some(b'P') => prepare(&mut self.commits, body),
                Some(b'B') => {
                    let statement = texts(body).nth(1).unwrap_or_default();
                    self.bound |= self.commits.contains(statement);
                }
                Some(b'S') => asked |= std::mem::take(&mut self.bound),
                _ => {}
            }
            self.begun = true;
            at += head + length;
        }
        self.rest.drain(..at);
        asked
    }
}

/// Reads a length, which counts itself; `None` where it has not come yet.
fn length_at(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..at + 4)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(four)).ok().filter(|length| *length >= 4)
}

/// Returns the texts of a body, each of which ends with a zero.
fn texts(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    body.split(|byte| *byte == 0)
}

fn prepare(commits: &mut BTreeSet<Vec<u8>>, body: &[u8]) {
    let mut texts = texts(body);
    let (Some(name), Some(statement)) = (texts.next(), texts.next()) else { return };
    if statement.windows(COMMIT.len()).any(|part| part == COMMIT) {
        commits.insert(name.to_owned());
    } else {
        commits.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: &[u8], body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [kind, &length, body].concat()
    }

    fn talk() -> Vec<(Vec<u8>, bool)> {
        vec![
            (message(b"", b"\0\x03\0\0user\0p\0\0"), false),
            (message(b"P", b"s1\0WITH fence AS (UPDATE m) SELECT 1\0\0\0"), false),
            (message(b"P", b"s2\0SELECT 1\0\0\0"), false),
            (message(b"S", b""), false),
            (message(b"B", b"\0s2\0\0\0\0\0\0\0"), false),
            (message(b"S", b""), false),
            (message(b"B", b"\0s1\0\0\0\0\0\0\0"), false),
            (message(b"E", b"\0\0\0\0\0"), false),
            (message(b"S", b""), true),
            (message(b"S", b""), false),
        ]
    }

    #[test]
    fn a_commit_is_known_with_its_end() {
        let mut words = Words::default();
        for (at, (bytes, asked)) in talk().into_iter().enumerate() {
            assert_eq!(words.hear(&bytes), asked, "message {at}");
        }
    }

    #[test]
    fn messages_may_come_in_any_pieces() {
        let all: Vec<u8> = talk().into_iter().flat_map(|(bytes, _)| bytes).collect();
        for size in [1, 2, 3, 7, 50, all.len()] {
            let mut words = Words::default();
            let asked = all.chunks(size).filter(|piece| words.hear(piece)).count();
            assert_eq!(asked, 1, "pieces of {size}");
        }
    }
}
