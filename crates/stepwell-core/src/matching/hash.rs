//! The hash that leaves are made of. It is stored, so it never changes.
//!
//! FNV-1a with 64 bits, then the finalizer of `MurmurHash3`. A scalar: a byte for its kind, then a
//! number's power of ten (64 bits, little-endian) and its significant digits as ASCII, or a string in
//! UTF-8, where half a surrogate pair counts as the three bytes that it would have. The way to it: for
//! each key 0x01, the key and 0xff, for any element of an array 0x02; then the hash of the scalar.

use super::number::Number;
use super::text::Text;

/// A hash that is not finished.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hash(u64);

impl Hash {
    pub(super) const NEW: Self = Self(0xcbf2_9ce4_8422_2325);

    pub(super) const NULL: Self = Self::NEW.byte(3);
    pub(super) const FALSE: Self = Self::NEW.byte(4);
    pub(super) const TRUE: Self = Self::NEW.byte(5);

    pub(super) fn number(number: Number<'_>) -> Self {
        let sign = if number.is_negative() { 7 } else { 6 };
        let hash = Self::NEW.byte(sign).bytes(number.exponent.to_le_bytes());
        hash.bytes(number.significant())
    }

    pub(super) fn string(text: Text<'_>) -> Self {
        Self::NEW.byte(8).points(text)
    }

    pub(super) fn member(self, key: Text<'_>) -> Self {
        self.byte(1).points(key).byte(0xff)
    }

    pub(super) fn element(self) -> Self {
        self.byte(2)
    }

    pub(super) fn bytes(self, bytes: impl IntoIterator<Item = u8>) -> Self {
        bytes.into_iter().fold(self, Self::byte)
    }

    pub(super) fn finished(self) -> u64 {
        let mut hash = self.0;
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        hash ^ (hash >> 33)
    }

    const fn byte(self, byte: u8) -> Self {
        Self((self.0 ^ byte as u64).wrapping_mul(0x0000_0100_0000_01b3))
    }

    fn points(self, text: Text<'_>) -> Self {
        if !text.escaped {
            return self.bytes(text.raw.bytes());
        }
        text.points().fold(self, |hash, point| {
            if let Some(c) = char::from_u32(point) {
                return hash.bytes(c.encode_utf8(&mut [0; 4]).bytes());
            }
            let six = |shift: u32| u8::try_from((point >> shift) & 0x3f).unwrap_or(0);
            hash.bytes([0xe0 | six(12), 0x80 | six(6), 0x80 | six(0)])
        })
    }
}
