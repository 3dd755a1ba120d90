//! Reading bodies and queries, strictly: unknown fields are refused with what is accepted.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use stepwell_core::code::Code;
use stepwell_core::duration;
use stepwell_core::id::RunId;
use stepwell_core::limits::{FRAME_ROOM_BYTES, Limits};
use stepwell_core::status::Dialect;
use stepwell_telemetry::flow;

use crate::observe::Packing;
use crate::problem::Problem;
use crate::request_id::note_run;

/// Longest time that a request waits.
pub(super) const WAIT_MAX: Duration = Duration::from_mins(5);

/// Reads a body of at most a payload and some room. The declared length is checked before a byte
/// is read.
///
/// # Errors
/// As [`read_up_to`].
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    limits: &Limits,
) -> Result<Bytes, Problem> {
    read_up_to(headers, body, limits.payload_bytes_max + FRAME_ROOM_BYTES).await
}

/// Reads a body of at most `max` bytes. The declared length is checked before a byte is read.
///
/// # Errors
/// [`Code::BodyTooLarge`]; [`Code::BadRequest`] when the connection breaks.
pub(super) async fn read_up_to(
    headers: &HeaderMap,
    body: Body,
    max: usize,
) -> Result<Bytes, Problem> {
    declared(headers, max)?;
    match Limited::new(body, max).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large("more", max)),
        Err(error) => Err(Problem::bad_request(format!("the body could not be read: {error}"))),
    }
}

/// Returns how many bytes a body is declared to have; `None` where it does not say so.
///
/// # Errors
/// [`Code::BodyTooLarge`] where it is more than `max`.
pub(super) fn declared(headers: &HeaderMap, max: usize) -> Result<Option<usize>, Problem> {
    let told = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let Some(bytes) = told.and_then(|text| text.parse::<u64>().ok()) else { return Ok(None) };
    match usize::try_from(bytes).ok().filter(|bytes| *bytes <= max) {
        Some(bytes) => Ok(Some(bytes)),
        None => Err(too_large(&bytes.to_string(), max)),
    }
}

fn too_large(bytes: &str, max: usize) -> Problem {
    let detail = format!("the body has {bytes} bytes; accepted: at most {max}");
    Problem::new(Code::BodyTooLarge, detail)
}

/// Reads a JSON object that may be left out.
///
/// # Errors
/// As [`read`], [`expect_json`] and [`parse`].
pub(super) async fn optional<T: Default + DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    limits: &Limits,
) -> Result<T, Problem> {
    let bytes = read(headers, body, limits).await?;
    if bytes.is_empty() {
        return Ok(T::default());
    }
    expect_json(headers)?;
    parse(&bytes)
}

/// Checks that a body is declared as JSON, and as it is.
///
/// # Errors
/// [`Code::UnsupportedMedia`].
pub(super) fn expect_json(headers: &HeaderMap) -> Result<(), Problem> {
    expect_media(headers)?;
    match headers.get(header::CONTENT_ENCODING) {
        Some(encoding) => Err(not_unpacked(encoding, "none")),
        None => Ok(()),
    }
}

/// Checks that a body is declared as JSON, as it is or by gzip; tells which.
///
/// # Errors
/// [`Code::UnsupportedMedia`].
pub(super) fn expect_packed_json(headers: &HeaderMap) -> Result<Packing, Problem> {
    expect_media(headers)?;
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    match (encodings.next(), encodings.next()) {
        (None, _) => Ok(Packing::None),
        (Some(one), None) if one.as_bytes().eq_ignore_ascii_case(b"gzip") => Ok(Packing::Gzip),
        (Some(one), _) => Err(not_unpacked(one, "gzip, once, or none")),
    }
}

fn expect_media(headers: &HeaderMap) -> Result<(), Problem> {
    let found = headers
        .get(header::CONTENT_TYPE)
        .map_or("", |value| value.to_str().unwrap_or("of unreadable bytes"));
    let media = found.split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let detail = format!("the Content-Type is `{found}`; accepted: application/json");
    Err(Problem::new(Code::UnsupportedMedia, detail))
}

fn not_unpacked(encoding: &HeaderValue, accepted: &str) -> Problem {
    let detail = format!("the Content-Encoding is {encoding:?}; accepted: {accepted}");
    Problem::new(Code::UnsupportedMedia, detail)
}

/// Reads a value from JSON.
///
/// # Errors
/// [`Code::BadRequest`] with the place and what is accepted there.
pub(super) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Problem> {
    if bytes.is_empty() {
        return Err(Problem::bad_request("the body is empty; accepted: a JSON object"));
    }
    if let Err(error) = std::str::from_utf8(bytes) {
        let at = error.valid_up_to();
        return Err(Problem::bad_request(format!("the body is not UTF-8 at byte {at}")));
    }
    // Without this check an array with the fields in order would be taken as well.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(Problem::bad_request("the body is an array; accepted: a JSON object"));
    }
    serde_json::from_slice(bytes)
        .map_err(|error| Problem::bad_request(format!("the body is not accepted: {error}")))
}

/// Reads the parameters of an address.
///
/// # Errors
/// [`Code::BadRequest`] with the parameter and what is accepted.
pub(super) fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    check_escapes(uri.query().unwrap_or_default())?;
    let read = axum::extract::Query::<T>::try_from_uri(uri);
    read.map(|query| query.0).map_err(|error| {
        let text = error.body_text();
        let why = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
        Problem::bad_request(format!("the parameters are not accepted: {why}"))
    })
}

/// Reads how many entries a page has.
///
/// # Errors
/// [`Code::BadRequest`] when it is no number from 1 to `max`.
pub(super) fn limit(text: Option<&str>, default: usize, max: usize) -> Result<usize, Problem> {
    let Some(text) = text else { return Ok(default) };
    let number = text.parse().ok().filter(|n| (1..=max).contains(n));
    number.ok_or_else(|| Problem::bad_request(format!("`limit` is `{text}`; accepted: 1 to {max}")))
}

/// Reads how long a request waits.
///
/// # Errors
/// [`Code::BadRequest`] when it is not a duration, or over [`WAIT_MAX`].
pub(super) fn wait(text: Option<&str>) -> Result<Option<Duration>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let refuse = |why: String| Problem::bad_request(format!("`wait` is not accepted: {why}"));
    let wait = duration::parse(text).map_err(|error| refuse(error.to_string()))?;
    if wait > WAIT_MAX {
        return Err(refuse(format!("`{text}` is too long; accepted: at most 5m")));
    }
    Ok(Some(wait))
}

/// Reads in whose words steps are told of (§13.2); `None` for those of §3.1.
///
/// # Errors
/// [`Code::BadRequest`] when nobody has that name.
pub(super) fn dialect(text: Option<&str>) -> Result<Option<Dialect>, Problem> {
    let read = |text: &str| {
        Dialect::parse(text).ok_or_else(|| {
            let known = Dialect::ALL.map(Dialect::as_str).join(", ");
            let shown: String = text.chars().take(200).collect();
            Problem::bad_request(format!("`dialect` is `{shown}`; accepted: {known}"))
        })
    };
    text.map(read).transpose()
}

/// Checks that a text of an address stands for UTF-8.
fn check_escapes(text: &str) -> Result<(), Problem> {
    let refuse = |what: &str| {
        let shown: String = text.chars().take(200).collect();
        Problem::bad_request(format!("the parameters are not accepted: `{shown}` {what}"))
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let code = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = code.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let Some(code) = code else {
            return Err(refuse("has a `%` without a code; accepted: two hexadecimal digits"));
        };
        bytes.push(code);
        rest = rest.get(2..).unwrap_or_default();
    }
    match String::from_utf8(bytes) {
        Ok(_) => Ok(()),
        Err(_) => Err(refuse("holds bytes of another encoding; accepted: UTF-8")),
    }
}

/// A part of an address, as the router gives it.
pub(super) type Part = Result<Path<String>, PathRejection>;

/// Two parts of an address, as the router gives them.
pub(super) type Parts = Result<Path<(String, String)>, PathRejection>;

/// Reads a part of an address.
///
/// # Errors
/// [`Code::BadRequest`] when it is not UTF-8.
pub(super) fn part(part: Part) -> Result<String, Problem> {
    part.map(|Path(text)| text).map_err(|error| not_utf8(&error))
}

/// Reads the slug of a flow from its part of an address.
///
/// # Errors
/// [`Code::BadRequest`] when no flow can have it.
pub(super) fn slug(part: Part) -> Result<String, Problem> {
    let slug = self::part(part)?;
    match flow::refuse_name(&slug) {
        None => Ok(slug),
        Some(why) => Err(Problem::bad_request(format!("the flow of the address: {why}"))),
    }
}

/// Reads two parts of an address.
///
/// # Errors
/// As [`part`].
pub(super) fn parts(parts: Parts) -> Result<(String, String), Problem> {
    parts.map(|Path(both)| both).map_err(|error| not_utf8(&error))
}

fn not_utf8(error: &PathRejection) -> Problem {
    let why = error.body_text();
    Problem::bad_request(format!("the address is not accepted: {why}; accepted: UTF-8"))
}

/// Reads the id of a run from its part of an address.
///
/// # Errors
/// [`Code::BadRequest`] when it is no id.
pub(super) fn run_of(part: Part) -> Result<RunId, Problem> {
    let run = run_id(&self::part(part)?)?;
    note_run(run);
    Ok(run)
}

/// Reads the id of a run.
///
/// # Errors
/// [`Code::BadRequest`].
pub(super) fn run_id(text: &str) -> Result<RunId, Problem> {
    text.parse().map_err(|error| Problem::bad_request(format!("{error}")))
}
