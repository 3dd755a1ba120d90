//! Bodies that are compressed. How much comes out is bounded, whatever was put in.

use std::io::Read;

use flate2::bufread::MultiGzDecoder;
use stepwell_core::code::Code;

use super::lane::{BODY_BYTES_MAX, Packing};
use crate::problem::Problem;

/// Returns the JSON of a body; `buffer` is used where it has to be unpacked.
///
/// # Errors
/// [`Code::BodyTooLarge`] when more than [`BODY_BYTES_MAX`] come out, [`Code::BadRequest`] when it is damaged.
pub(super) fn unpack<'a>(
    body: &'a [u8],
    packing: Packing,
    buffer: &'a mut Vec<u8>,
) -> Result<&'a [u8], Problem> {
    match packing {
        Packing::None => Ok(body),
        Packing::Gzip => {
            buffer.clear();
            let most = BODY_BYTES_MAX as u64 + 1;
            let read = MultiGzDecoder::new(body).take(most).read_to_end(buffer);
            read.map_err(|error| {
                Problem::bad_request(format!("the body is not what gzip makes: {error}"))
            })?;
            if buffer.len() > BODY_BYTES_MAX {
                let detail = format!(
                    "the body has more bytes once it is unpacked; accepted: at most {BODY_BYTES_MAX}"
                );
                return Err(Problem::new(Code::BodyTooLarge, detail));
            }
            Ok(buffer)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_was_packed_comes_out_and_no_more_than_that() {
        let mut buffer = b"of the one before".to_vec();
        let body = packed(b"{\"events\":[]}");
        let json = unpack(&body, Packing::Gzip, &mut buffer).unwrap();
        assert_eq!(json, b"{\"events\":[]}");
        let mut twice = body.clone();
        twice.extend_from_slice(&body);
        let json = unpack(&twice, Packing::Gzip, &mut buffer).unwrap();
        assert_eq!(json.len(), 26, "several members are one text (RFC 1952 §2.2)");
        assert_eq!(unpack(b"[]", Packing::None, &mut buffer).unwrap(), b"[]");
    }

    #[test]
    fn a_bomb_is_refused_without_its_bytes() {
        let bomb = packed(&vec![b' '; 16 * BODY_BYTES_MAX]);
        assert!(bomb.len() < 1 << 20, "{}", bomb.len());
        let mut buffer = Vec::new();
        let refused = unpack(&bomb, Packing::Gzip, &mut buffer).unwrap_err();
        assert_eq!(refused.code, Code::BodyTooLarge);
        assert!(buffer.capacity() <= 4 * BODY_BYTES_MAX, "{}", buffer.capacity());
        let most = packed(&vec![b' '; BODY_BYTES_MAX]);
        assert!(unpack(&most, Packing::Gzip, &mut buffer).is_ok());
    }

    #[test]
    fn what_is_damaged_is_refused() {
        let whole = packed(b"{\"events\":[]}");
        let mut buffer = Vec::new();
        for damaged in [&b"{}"[..], &[], &whole[..whole.len() - 3], &[0x1f, 0x8b, 8]] {
            let refused = unpack(damaged, Packing::Gzip, &mut buffer).unwrap_err();
            assert_eq!(refused.code, Code::BadRequest, "{damaged:?}");
        }
    }
}
