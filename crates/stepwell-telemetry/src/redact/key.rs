//! Which keys look as if their values were secret.

/// What the value of a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing says that it is secret.
    Harmless,
    /// It is secret, unless it is a number: `tokens` are counted as often as they are kept.
    SecretText,
    /// It is secret; true, false and null never are.
    Secret,
}

/// Words that make a key secret wherever they stand.
#[rustfmt::skip]
const SECRET: &[&str] = &[
    "apikey",
    "auth",
    "authorization",
    "bearer",
    "ccv",
    "cookie",
    "cookies",
    "credential",
    "credentials",
    "csc",
    "cvc",
    "cvv",
    "jwt",
    "otp",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "passwort",
    "pin",
    "privatekey",
    "pwd",
    "secret",
    "ssn",
    "token",
    "totp",
];

/// The same, unless the value is a number.
#[rustfmt::skip]
const SECRET_TEXT: &[&str] = &["apikeys", "jwts", "otps", "passwords", "secrets", "tokens"];

/// Ends of words that make a key secret, as in `PGPASSWORD`.
const SECRET_ENDS: &[&str] = &["passphrase", "passwd", "password"];

/// Two words, one after the other.
#[rustfmt::skip]
const SECRET_PAIRS: &[(&str, &str)] = &[
    ("access", "key"),
    ("account", "key"),
    ("api", "key"),
    ("api", "keys"),
    ("backup", "code"),
    ("backup", "codes"),
    ("card", "number"),
    ("connection", "string"),
    ("credit", "card"),
    ("encryption", "key"),
    ("host", "key"),
    ("master", "key"),
    ("mfa", "code"),
    ("pass", "phrase"),
    ("pass", "word"),
    ("private", "key"),
    ("project", "key"),
    ("recovery", "code"),
    ("recovery", "codes"),
    ("secret", "key"),
    ("security", "code"),
    ("security", "number"),
    ("service", "key"),
    ("session", "id"),
    ("session", "key"),
    ("shared", "key"),
    ("signing", "key"),
    ("storage", "key"),
    ("verification", "code"),
];

/// Words behind which it is about the secret, and not the secret itself.
#[rustfmt::skip]
const ABOUT: &[&str] = &[
    "age", "allowed", "at", "attempt", "attempts", "bucket", "budget", "changed", "config", "cost",
    "count", "counts", "created", "date", "enabled", "endpoint", "error", "exists", "expired",
    "expires", "expiry", "field", "found", "index", "issued", "issuer", "kind", "len", "length",
    "limit", "limits", "max", "method", "min", "missing", "mode", "name", "ok", "per", "policy",
    "position", "present", "price", "provider", "rate", "required", "reset", "result", "rotated",
    "rotation", "scheme", "scope", "scopes", "seconds", "size", "source", "spent", "status",
    "strategy", "strength", "total", "ttl", "type", "updated", "url", "usage", "used", "valid",
    "verified", "version",
];

/// Words in front of `token` or `tokens`, with which they are counted.
#[rustfmt::skip]
const COUNTED: &[&str] = &[
    "cached",
    "completion",
    "input",
    "max",
    "min",
    "num",
    "output",
    "prompt",
    "reasoning",
    "remaining",
    "total",
    "used",
];

/// Tells what the value of a key is. Words are parted at anything but letters and digits, and where a capital follows a
/// small letter.
pub fn kind(key: &str) -> Kind {
    if key.len() < 3 {
        return Kind::Harmless;
    }
    let words = words(key);
    let mut kind = Kind::Harmless;
    for (at, word) in words.iter().enumerate() {
        let pair = words.get(at + 1).filter(|next| SECRET_PAIRS.contains(&(word, next)));
        let is_text = SECRET_TEXT.contains(&&**word);
        let is_secret =
            SECRET.contains(&&**word) || SECRET_ENDS.iter().any(|end| word.ends_with(end));
        if pair.is_none() && !is_text && !is_secret {
            continue;
        }
        let rest = words.get(at + 1 + usize::from(pair.is_some())..).unwrap_or_default();
        let is_about = rest.first().is_some_and(|next| ABOUT.contains(&&**next));
        let before = at.checked_sub(1).and_then(|at| words.get(at));
        let is_counted =
            word.starts_with("token") && before.is_some_and(|before| COUNTED.contains(&&**before));
        // `auth` is a header where it stands alone, and a part of many harmless words.
        if is_about || (word == "auth" && words.len() > 1 && words.first().is_none_or(|x| x != "x"))
        {
            continue;
        }
        if !is_text && !is_counted {
            return Kind::Secret;
        }
        kind = Kind::SecretText;
    }
    kind
}

fn words(key: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let letters: Vec<char> = key.chars().take(200).collect();
    for (at, letter) in letters.iter().enumerate() {
        if !letter.is_alphanumeric() {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            continue;
        }
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let begins = letter.is_uppercase()
            && (before.is_some_and(|before| before.is_lowercase() || before.is_numeric())
                // `APIKey`: the last capital belongs to the word behind.
                || (before.is_some_and(|before| before.is_uppercase())
                    && letters.get(at + 1).is_some_and(|next| next.is_lowercase())));
        if begins {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
        }
        word.extend(letter.to_lowercase());
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_parted_into_words() {
        for (key, expected) in [
            ("APIKey", "api key"),
            ("x-api-key", "x api key"),
            ("dbPassword2", "db password2"),
            ("user.pinCode", "user pin code"),
            ("OAuthToken", "o auth token"),
        ] {
            assert_eq!(words(key).join(" "), expected, "{key}");
        }
    }

    #[test]
    fn kinds_of_keys() {
        for (key, expected) in [
            ("password", Kind::Secret),
            ("DB_PASSWORD", Kind::Secret),
            ("tokens", Kind::SecretText),
            ("maxTokens", Kind::SecretText),
            ("tokenCount", Kind::Harmless),
            ("passwordChangedAt", Kind::Harmless),
            ("authMethod", Kind::Harmless),
            ("X-Auth", Kind::Secret),
            ("orderId", Kind::Harmless),
            ("author", Kind::Harmless),
        ] {
            assert_eq!(kind(key), expected, "{key}");
        }
    }
}
