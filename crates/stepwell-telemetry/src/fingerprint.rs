//! Which errors are the same: those of one step with one name, whose messages differ in numbers, ids and quoted parts only.

use sha2::{Digest, Sha256};

/// Returns the fingerprint of an error of a step.
pub fn fingerprint(step: &str, name: &str, message: &str) -> u64 {
    let mut hash = Sha256::new();
    for part in [step, name, &shape(message)] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hash.finalize()[..8]);
    u64::from_be_bytes(first)
}

/// Returns a message with `#` in place of whatever differs from one time to the next: words that hold a digit, and what
/// stands in quotes. Only the first line counts, up to 500 characters.
fn shape(message: &str) -> String {
    let mut shape = String::new();
    let mut word = String::new();
    let mut quote = None;
    let line = message.lines().next().unwrap_or_default();
    let end = |word: &mut String, shape: &mut String| {
        let differs = word.bytes().any(|byte| byte.is_ascii_digit());
        shape.push_str(if differs { "#" } else { word });
        word.clear();
    };
    for letter in line.chars().take(500) {
        if let Some(open) = quote {
            if letter == open {
                shape.push('#');
                shape.push(letter);
                quote = None;
            }
            continue;
        }
        if letter.is_alphanumeric() || matches!(letter, '_' | '-') {
            word.push(letter);
            continue;
        }
        // In `don't` it is no quote.
        let is_quote = matches!(letter, '"' | '`') || (letter == '\'' && word.is_empty());
        end(&mut word, &mut shape);
        shape.push(letter);
        quote = is_quote.then_some(letter);
    }
    end(&mut word, &mut shape);
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_time_to_time_does_not_count() {
        assert_eq!(shape("order 17 of 'a b' not found"), "order # of '#' not found");
        assert_eq!(shape("can't reach 10.0.0.1:80\nat x"), "can't reach #.#.#.#:#");
        let of = |message| fingerprint("charge", "Error", message);
        assert_eq!(of("no row 0f8fad5b-d9cb-469f"), of("no row 77aa0000-1111-4a4a"));
        assert_ne!(of("no row"), of("no column"));
        assert_ne!(fingerprint("a", "b", "c"), fingerprint("a", "bc", ""));
    }
}
