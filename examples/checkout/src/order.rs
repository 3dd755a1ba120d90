//! Orders, and files of them.

use std::path::Path;

use serde::{Deserialize, Serialize};
use stepwell::{Error, Result};

/// What somebody ordered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    /// Its number; also the idempotency key of its run.
    pub(crate) id: String,
    /// Who ordered.
    pub(crate) customer: String,
    /// What, at least one line.
    pub(crate) lines: Vec<Line>,
    /// How often the bank is too busy to take the payment, to see retries at work.
    #[serde(default)]
    pub(crate) bank_busy: u32,
    /// The bank does not take the payment at all.
    #[serde(default)]
    pub(crate) declined: bool,
    /// It is wrapped as a gift.
    #[serde(default)]
    pub(crate) gift: bool,
    /// How long a person has to approve it, where one has to.
    #[serde(default = "a_day")]
    pub(crate) review_within: String,
}

fn a_day() -> String {
    "1d".into()
}

/// One article of an order.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    /// The article.
    pub(crate) sku: String,
    /// How many pieces.
    pub(crate) pieces: u32,
    /// The price of a piece.
    pub(crate) cents: u64,
}

/// Reads a file whole.
pub(crate) fn text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path)
        .map_err(|error| Error::new(format!("{}: {error}", path.display())))
}

/// Reads a file with one order on each line.
pub(crate) fn read(path: &Path) -> Result<Vec<Order>> {
    let text = text(path)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(at, line)| parse(line).map_err(|why| place(path, at, &why))).collect()
}

fn parse(line: &str) -> Result<Order, String> {
    let order: Order = serde_json::from_str(line).map_err(|error| error.to_string())?;
    if order.lines.is_empty() {
        return Err(format!("order `{}` has no lines", order.id));
    }
    Ok(order)
}

fn place(path: &Path, at: usize, why: &str) -> Error {
    Error::new(format!("{}, line {}: {why}", path.display(), at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_the_example_is_read() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("orders.jsonl");
        let orders = read(&path).unwrap();
        assert!(orders.len() >= 20, "{}", orders.len());
        assert!(orders.iter().any(|order| order.bank_busy > 0));
        assert!(orders.iter().any(|order| order.lines.len() > 1));
        assert!(orders.iter().any(|order| order.declined));
    }

    #[test]
    fn lines_that_are_no_orders_are_refused() {
        for (line, word) in [
            ("{", "EOF"),
            (r#"{"id":"1","customer":"c","lines":[]}"#, "no lines"),
            (r#"{"id":"1","customer":"c","lines":[],"colour":"red"}"#, "colour"),
        ] {
            let why = parse(line).unwrap_err();
            assert!(why.contains(word), "{why}");
        }
    }
}
