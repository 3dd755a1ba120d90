//! Where a start stands in a trace of its caller: the header `traceparent` of W3C Trace Context.

use alloc::borrow::Cow;
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A place in a trace, shown as `00-` and its parts in hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traceparent {
    /// The trace, never 0.
    pub trace: u128,
    /// The span that the start belongs to, never 0.
    pub span: u64,
    /// The caller keeps this trace; where not, nothing of the run is exported.
    pub sampled: bool,
}

impl Traceparent {
    /// Reads the value of the header; `None` where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut part = |digits| hex(parts.next()?, digits);
        let (version, trace) = (part(2)?, part(32)?);
        let (span, flags) = (u64::try_from(part(16)?).ok()?, part(2)?);
        // Later versions may say more behind these four.
        let is_known = version != 0xff && (version != 0 || parts.next().is_none());
        let is_there = trace != 0 && span != 0;
        (is_known && is_there).then_some(Self { trace, span, sampled: flags & 1 == 1 })
    }
}

/// Reads hexadecimal digits in small letters, as the header has them.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_hex = text.len() == digits && text.bytes().all(is_digit);
    u128::from_str_radix(text, 16).ok().filter(|_| is_hex)
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trace, span, sampled } = self;
        write!(f, "00-{trace:032x}-{span:016x}-{:02x}", u8::from(*sampled))
    }
}

impl Serialize for Traceparent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Traceparent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("a traceparent is not one"))
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    /// The example of the specification.
    const TEXT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_header_is_read_and_written() {
        let read = Traceparent::parse(TEXT).unwrap();
        assert_eq!(read.trace, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        assert_eq!((read.span, read.sampled), (0x00f0_67aa_0ba9_02b7, true));
        assert_eq!(read.to_string(), TEXT);
        let json = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<Traceparent>(&json).unwrap(), read);
        // Other flags mean nothing here.
        let others = Traceparent::parse(&TEXT.replace("-01", "-fe")).unwrap();
        assert!(!others.sampled && others.to_string().ends_with("-00"));
        // A later version says what this one does, and more.
        let later = TEXT.replacen("00", "cc", 1) + "-more";
        assert_eq!(Traceparent::parse(&later), Some(read));
    }

    #[test]
    fn what_is_none_is_not_read() {
        let upper = TEXT.to_uppercase();
        let (version, more) = (TEXT.replacen("00", "ff", 1), TEXT.to_string() + "-more");
        let trace = TEXT.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32));
        let span = TEXT.replace("00f067aa0ba902b7", &"0".repeat(16));
        let sign = TEXT.replace("-00f0", "-+0f0");
        for text in ["", "00", &TEXT[1..], &upper, &version, &more, &trace, &span, &sign] {
            assert_eq!(Traceparent::parse(text), None, "{text}");
            let json = serde_json::to_string(text).unwrap();
            assert!(serde_json::from_str::<Traceparent>(&json).is_err(), "{text}");
        }
    }
}
