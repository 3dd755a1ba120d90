//! Which parts of a text look like secrets.

use std::borrow::Cow;
use std::ops::Range;

use super::REDACTED;
use super::key::{Kind, kind};

/// How a token of a kind begins, how many letters follow at least, and of which set.
type Form = (&'static str, usize, fn(char) -> bool);

#[rustfmt::skip]
const FORMS: &[Form] = &[
    ("AKIA", 16, upper), ("ASIA", 16, upper), ("AIza", 30, url), ("ya29.", 20, url),
    ("ghp_", 30, word), ("gho_", 30, word), ("ghu_", 30, word), ("ghs_", 30, word),
    ("ghr_", 30, word), ("github_pat_", 30, word), ("glpat-", 16, url), ("xoxb-", 16, url),
    ("xoxp-", 16, url), ("xoxa-", 16, url), ("xoxs-", 16, url), ("xapp-", 16, url),
    ("sk_live_", 10, word), ("sk_test_", 10, word), ("rk_live_", 10, word),
    ("rk_test_", 10, word), ("whsec_", 16, url), ("sk-", 20, url), ("npm_", 30, word),
    ("SG.", 30, url), ("dop_v1_", 30, word), ("hf_", 30, word), ("pypi-", 30, url),
    ("shpat_", 20, word), ("sq0atp-", 16, url), ("EAAC", 40, word), ("sw_", 30, word),
    ("lin_api_", 20, word), ("dckr_pat_", 16, url), ("key-", 32, word),
    ("AGE-SECRET-KEY-", 20, word), ("figd_", 20, url), ("PMAK-", 20, url), ("hvs.", 20, url),
];

fn upper(letter: char) -> bool {
    letter.is_ascii_uppercase() || letter.is_ascii_digit()
}

fn word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

fn url(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.')
}

/// Takes parts that look like secrets out of a text.
pub fn text(source: &str) -> Cow<'_, str> {
    // Shorter than any of them, which most values are.
    if source.len() < 6 {
        return Cow::Borrowed(source);
    }
    let mut found = Vec::new();
    if let Some(keys) = pem(source) {
        found.push(keys);
    }
    urls(source, &mut found);
    tokens(source, &mut found);
    if source.bytes().filter(u8::is_ascii_digit).count() >= 13 {
        cards(source, &mut found);
    }
    if found.is_empty() {
        return Cow::Borrowed(source);
    }
    found.sort_by_key(|part| part.start);
    let (mut out, mut at) = (String::with_capacity(source.len()), 0);
    for Range { start, end } in found {
        if end <= at {
            continue;
        }
        out.push_str(source.get(at..start).unwrap_or_default());
        out.push_str(REDACTED);
        at = end;
    }
    out.push_str(source.get(at..).unwrap_or_default());
    Cow::Owned(out)
}

/// A private key, from its first line to its last.
fn pem(source: &str) -> Option<Range<usize>> {
    let start = source.find("-----BEGIN ")?;
    let head = source.get(start..)?;
    if !head.get(..head.len().min(80))?.contains("PRIVATE KEY") {
        return None;
    }
    let end = head.find("-----END ").and_then(|at| {
        let behind = at + "-----END ".len();
        Some(behind + head.get(behind..)?.find("-----")? + "-----".len())
    });
    Some(start..start + end.unwrap_or(head.len()))
}

/// The password in `scheme://user:password@host`.
fn urls(source: &str, found: &mut Vec<Range<usize>>) {
    for (at, _) in source.match_indices("://") {
        let begin = at + 3;
        let rest = source.get(begin..).unwrap_or_default();
        let end =
            rest.find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '?' | '#'));
        let place = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        if let Some(host) = place.rfind('@')
            && let Some(colon) = place.find(':')
            && colon + 1 < host
        {
            found.push(begin + colon + 1..begin + host);
        }
    }
}

/// What stands between spaces, quotes and the like.
fn tokens(source: &str, found: &mut Vec<Range<usize>>) {
    let parts = |c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '"' | '\'' | '`' | ',' | ';' | '&' | '?' | '<' | '>' | '(' | ')' | '{' | '}'
            )
    };
    let mut before = "";
    let mut begin = 0;
    for token in source.split_inclusive(parts) {
        let start = begin;
        begin += token.len();
        let token = token.trim_end_matches(parts);
        if token.is_empty() {
            continue;
        }
        let until = source.get(..start).unwrap_or_default();
        let is_named = until.trim_end_matches(parts).ends_with([':', '=']);
        if let Some(part) = secret(token, before, is_named) {
            found.push(start + part.start..start + part.end);
        }
        // `"password": "…"`: what stands between the two does not part them.
        if token != ":" && token != "=" {
            before = token;
        }
    }
}

/// The secret in a token, given the one before, and whether that names it.
fn secret(token: &str, before: &str, is_named: bool) -> Option<Range<usize>> {
    let scheme = before.trim_end_matches(':');
    let scheme = scheme.rsplit(['=', ':']).next().unwrap_or(scheme);
    if (scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("basic"))
        && is_credential(token)
    {
        return Some(0..token.len());
    }
    // `password=…`, `api_key: …`; of an address only the part behind its last `=` was parted off.
    let named = |name: &str| {
        let name = name.rsplit(['/', '.', '[', '=']).next().unwrap_or(name);
        name.len() >= 3 && name.len() <= 64 && kind(name) == Kind::Secret
    };
    if let Some(at) = token.find(['=', ':'])
        && !token.get(at..).is_some_and(|rest| rest.starts_with("://"))
        && token.len() > at + 1
        && token.get(..at).is_some_and(named)
    {
        return Some(at + 1..token.len());
    }
    if is_named && token.len() >= 4 && named(before.trim_end_matches([':', '='])) {
        // `Authorization: Bearer …`: the scheme stays, what follows goes.
        let is_scheme = token.eq_ignore_ascii_case("bearer") || token.eq_ignore_ascii_case("basic");
        return (!is_scheme).then_some(0..token.len());
    }
    let begin = token.rfind(['=', ':', '/', '@']).map_or(0, |at| at + 1);
    let rest = token.get(begin..)?;
    let is_form = |(head, least, set): &Form| {
        let tail = rest.strip_prefix(head)?;
        let len = tail.find(|c| !set(c)).unwrap_or(tail.len());
        let is_mixed = tail.bytes().take(len).any(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        (len >= *least && is_mixed).then_some(begin..begin + head.len() + len)
    };
    FORMS.iter().find_map(is_form).or_else(|| is_jwt(rest).then_some(begin..token.len()))
}

/// Tells whether what follows `Bearer` can be a credential: words of a sentence are not.
fn is_credential(token: &str) -> bool {
    token.len() >= 8
        && token.chars().all(|c| {
            c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '~' | '+' | '/' | '=')
        })
        && token
            .bytes()
            .any(|b| b.is_ascii_digit() || b.is_ascii_uppercase() || matches!(b, b'=' | b'_'))
}

fn is_jwt(token: &str) -> bool {
    let mut parts = token.split('.');
    let is_part = |part: Option<&str>| {
        part.is_some_and(|part| part.len() >= 10 && part.chars().all(|c| c != '.' && url(c)))
    };
    token.starts_with("eyJ")
        && is_part(parts.next())
        && is_part(parts.next())
        && parts.next().is_some()
}

/// Numbers of cards: 13 to 19 digits in the ranges that are given out, with a right check digit.
fn cards(source: &str, found: &mut Vec<Range<usize>>) {
    let bytes = source.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let is_begin = bytes[at].is_ascii_digit()
            && !at.checked_sub(1).is_some_and(|before| is_inside(bytes[before]));
        if !is_begin {
            at += 1;
            continue;
        }
        let (mut digits, mut end, mut next) = (Vec::new(), at, at);
        while let Some(byte) = bytes.get(next) {
            if byte.is_ascii_digit() {
                digits.push(byte - b'0');
                end = next + 1;
            } else if !(matches!(byte, b' ' | b'-')
                && bytes.get(next + 1).is_some_and(u8::is_ascii_digit))
            {
                break;
            }
            next += 1;
        }
        let is_whole = !bytes.get(end).is_some_and(|byte| is_inside(*byte));
        if is_whole && is_card(&digits) {
            found.push(at..end);
        }
        at = end.max(at + 1);
    }
}

fn is_inside(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

fn is_card(digits: &[u8]) -> bool {
    let begins = match *digits {
        [4, ..] => true,
        [5, second, ..] => (1..=5).contains(&second),
        [2, second, ..] => (2..=7).contains(&second),
        [3, second, ..] => matches!(second, 0 | 4 | 6 | 7 | 8),
        [6, second, ..] => matches!(second, 0 | 5),
        _ => false,
    };
    let is_long = match digits.first() {
        Some(3) => (14..=16).contains(&digits.len()),
        Some(4) => matches!(digits.len(), 13 | 16 | 19),
        _ => matches!(digits.len(), 16 | 19),
    };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let digit = u32::from(*digit) << (at % 2);
            if digit > 9 { digit - 9 } else { digit }
        })
        .sum();
    begins && is_long && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_texts_go_and_the_rest_stays() {
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlMTIz";
        for (source, expected) in [
            (format!("Authorization: Bearer {jwt} sent"), "Authorization: Bearer [redacted] sent"),
            (
                "postgres://app:hunter2@db:5432/shop".into(),
                "postgres://app:[redacted]@db:5432/shop",
            ),
            (
                "login failed for password=hunter2, again".into(),
                "login failed for password=[redacted], again",
            ),
            ("GET /cb?code=7&token=abc123 failed".into(), "GET /cb?code=7&token=[redacted] failed"),
            ("card 4242 4242 4242 4242 declined".into(), "card [redacted] declined"),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- x".into(),
                "[redacted] x",
            ),
            (format!("é {jwt}"), "é [redacted]"),
            ("api_key: k_123456".into(), "api_key: [redacted]"),
        ] {
            assert_eq!(text(&source), expected);
        }
    }

    #[test]
    fn sentences_and_ids_stay() {
        for source in [
            "the bearer certificates are missing",
            "token expired at 2026-11-21T10:00:00Z",
            "no answer from warehouse within 30 s",
            "http://[::1]:8080/a@b:c",
            "0f8fad5b-d9cb-469f-a165-70867728950e",
            "order 4111111111111112 of 1795390276123456",
            "at charge (file:///srv/app/src/password.ts:12:7)",
            "password: is wrong".split(':').next().unwrap_or_default(),
        ] {
            assert_eq!(text(source), source);
        }
    }
}
