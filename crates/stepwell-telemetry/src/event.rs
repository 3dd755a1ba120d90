//! One event: a call of a step began, ended, or was left out (§10.2).

use std::borrow::Cow;

use stepwell_core::time::Timestamp;

/// What an event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Said {
    /// The call began.
    Running,
    /// The call returned.
    Success,
    /// The call threw.
    Error,
    /// The step was left out on purpose.
    Skipped,
}

impl Said {
    /// Every word.
    pub const ALL: [Self; 4] = [Self::Running, Self::Success, Self::Error, Self::Skipped];

    /// Returns the word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Success => "success",
            Self::Error => "error",
            Self::Skipped => "skipped",
        }
    }

    /// Reads a word of the wire.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|said| said.as_str() == word)
    }

    const fn bits(self) -> u8 {
        match self {
            Self::Running => 0,
            Self::Success => 1,
            Self::Error => 2,
            Self::Skipped => 3,
        }
    }

    const fn of_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => Self::Running,
            1 => Self::Success,
            2 => Self::Error,
            _ => Self::Skipped,
        }
    }
}

/// What a call threw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thrown<'a> {
    /// The name of the error's class.
    pub name: Cow<'a, str>,
    /// What it says.
    pub message: Cow<'a, str>,
    /// Where in the code, where the client was asked to tell.
    pub stack: Option<Cow<'a, str>>,
}

/// An event of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// Made by the client; the same id is the same event.
    pub id: Cow<'a, str>,
    /// The step's key.
    pub step: Cow<'a, str>,
    /// Which call of the step this is about; `None` for what was recorded by hand.
    pub call: Option<Cow<'a, str>>,
    /// What it says.
    pub said: Said,
    /// When it happened, by the clock of the client.
    pub at: Timestamp,
    /// Who sent it.
    pub process: Option<Cow<'a, str>>,
    /// The trace in which it happened.
    pub trace: Option<u128>,
    /// What is told of the call: a JSON object.
    pub metadata: Option<Cow<'a, str>>,
    /// There was more metadata than is kept.
    pub is_metadata_dropped: bool,
    /// What is told of the run: a JSON object.
    pub run_metadata: Option<Cow<'a, str>>,
    /// With [`Said::Error`]: what was thrown.
    pub thrown: Option<Thrown<'a>>,
}

const CALL: u8 = 1 << 2;
const PROCESS: u8 = 1 << 3;
const TRACE: u8 = 1 << 4;
const METADATA: u8 = 1 << 5;
const RUN_METADATA: u8 = 1 << 6;
const THROWN: u8 = 1 << 7;

/// In the second byte.
const DROPPED: u8 = 1;
const STACK: u8 = 1 << 1;

impl Event<'_> {
    /// Writes the event behind what is there. Equal events have equal bytes.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        let has = |is: bool, bit: u8| if is { bit } else { 0 };
        let stack = self.thrown.as_ref().and_then(|thrown| thrown.stack.as_ref());
        bytes.push(
            self.said.bits()
                | has(self.call.is_some(), CALL)
                | has(self.process.is_some(), PROCESS)
                | has(self.trace.is_some(), TRACE)
                | has(self.metadata.is_some(), METADATA)
                | has(self.run_metadata.is_some(), RUN_METADATA)
                | has(self.thrown.is_some(), THROWN),
        );
        bytes.push(has(self.is_metadata_dropped, DROPPED) | has(stack.is_some(), STACK));
        bytes.extend_from_slice(&self.at.as_micros().to_le_bytes());
        put(bytes, &self.id);
        put(bytes, &self.step);
        for text in [&self.call, &self.process].into_iter().flatten() {
            put(bytes, text);
        }
        if let Some(trace) = self.trace {
            bytes.extend_from_slice(&trace.to_le_bytes());
        }
        for text in [&self.metadata, &self.run_metadata].into_iter().flatten() {
            put(bytes, text);
        }
        if let Some(thrown) = &self.thrown {
            put(bytes, &thrown.name);
            put(bytes, &thrown.message);
            if let Some(stack) = &thrown.stack {
                put(bytes, stack);
            }
        }
    }
}

impl<'a> Event<'a> {
    /// Reads what [`Event::encode`] wrote; `None` for anything else, or with bytes left over.
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = Rest(bytes);
        let [flags, more] = rest.array()?;
        let at = Timestamp::from_micros(i64::from_le_bytes(rest.array()?));
        let id = rest.cow()?;
        let step = rest.cow()?;
        let mut text = |bit: u8| if flags & bit == 0 { Some(None) } else { rest.cow().map(Some) };
        let (call, process) = (text(CALL)?, text(PROCESS)?);
        let trace = match flags & TRACE {
            0 => None,
            _ => Some(u128::from_le_bytes(rest.array()?)),
        };
        let mut text = |bit: u8| if flags & bit == 0 { Some(None) } else { rest.cow().map(Some) };
        let (metadata, run_metadata) = (text(METADATA)?, text(RUN_METADATA)?);
        let thrown = match flags & THROWN {
            0 => None,
            _ => Some(Thrown {
                name: rest.cow()?,
                message: rest.cow()?,
                stack: if more & STACK == 0 { None } else { Some(rest.cow()?) },
            }),
        };
        rest.0.is_empty().then_some(Self {
            id,
            step,
            call,
            said: Said::of_bits(flags),
            at,
            process,
            trace,
            metadata,
            is_metadata_dropped: more & DROPPED != 0,
            run_metadata,
            thrown,
        })
    }
}

/// Where an encoded event stands in the order of its run, without reading the rest of it.
///
/// Returns `None` where the bytes are no event.
pub fn place(bytes: &[u8]) -> Option<(Timestamp, &str)> {
    let mut rest = Rest(bytes);
    let [_, _] = rest.array()?;
    let at = Timestamp::from_micros(i64::from_le_bytes(rest.array()?));
    Some((at, rest.text()?))
}

/// Writes a text with its length.
pub(crate) fn put(bytes: &mut Vec<u8>, text: &str) {
    put_len(bytes, text.len());
    bytes.extend_from_slice(text.as_bytes());
}

/// Writes a length: seven bits a byte, the lowest first.
pub(crate) fn put_len(bytes: &mut Vec<u8>, len: usize) {
    let mut left = len;
    loop {
        let [low, ..] = left.to_le_bytes();
        left >>= 7;
        if left == 0 {
            return bytes.push(low & 0x7f);
        }
        bytes.push(low | 0x80);
    }
}

/// Bytes that are still to be read.
pub(crate) struct Rest<'a>(pub(crate) &'a [u8]);

impl<'a> Rest<'a> {
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk()?;
        self.0 = tail;
        Some(*head)
    }

    pub(crate) fn len(&mut self) -> Option<usize> {
        let mut len = 0_usize;
        for shift in (0..63).step_by(7) {
            let [byte] = self.array()?;
            len |= usize::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(len);
            }
        }
        None
    }

    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(len)?;
        self.0 = tail;
        Some(head)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let len = self.len()?;
        str::from_utf8(self.take(len)?).ok()
    }

    fn cow(&mut self) -> Option<Cow<'a, str>> {
        self.text().map(Cow::Borrowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event<'static> {
        Event {
            id: "e-1".into(),
            step: "charge".into(),
            call: Some("c-1".into()),
            said: Said::Error,
            at: Timestamp::from_micros(1_795_390_276_123_456),
            process: Some("shop/1".into()),
            trace: Some(7),
            metadata: Some(r#"{"n":1}"#.into()),
            is_metadata_dropped: true,
            run_metadata: Some("{}".into()),
            thrown: Some(Thrown {
                name: "TypeError".into(),
                message: "x".repeat(300).into(),
                stack: Some("at a".into()),
            }),
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let bare = Event {
            call: None,
            said: Said::Skipped,
            process: None,
            trace: None,
            metadata: None,
            is_metadata_dropped: false,
            run_metadata: None,
            thrown: None,
            ..event()
        };
        for event in [event(), bare] {
            let mut bytes = Vec::new();
            event.encode(&mut bytes);
            assert_eq!(Event::decode(&bytes).as_ref(), Some(&event));
            assert_eq!(place(&bytes), Some((event.at, "e-1")));
            for cut in 0..bytes.len() {
                assert_eq!(Event::decode(&bytes[..cut]), None, "cut at {cut}");
            }
        }
    }

    #[test]
    fn words_are_read_back() {
        for said in Said::ALL {
            assert_eq!(Said::parse(said.as_str()), Some(said));
            assert_eq!(Said::of_bits(said.bits()), said);
        }
        assert_eq!(Said::parse("done"), None);
    }
}
