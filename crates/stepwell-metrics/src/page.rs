//! The table as Markdown: what stands between two marks in `docs/metrics.md`.

use std::fmt::Write as _;

use crate::table::{GROUPS, Metric};

/// Stands before what is made of the table.
pub const BEGIN: &str = "<!-- from the table of metrics -->";
/// Stands behind it.
pub const END: &str = "<!-- to here -->";

/// Writes every group with its metrics.
pub fn groups() -> String {
    let mut text = String::new();
    for (title, metrics) in GROUPS {
        // Writing to a string does not fail.
        let _ = write!(text, "\n## {title}\n\n| name | kind | labels | meaning |\n");
        text.push_str("| --- | --- | --- | --- |\n");
        for Metric { name, kind, labels, help } in *metrics {
            let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
            let (kind, labels) = (kind.as_str(), labels.join(", "));
            let _ = writeln!(text, "| `{name}` | {kind} | {labels} | {help} |");
        }
    }
    text.push('\n');
    text
}

/// Puts what is made of the table between the marks of a page; `None` where it has not both.
pub fn renewed(page: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}{END}{after}", groups()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");

    /// The page says what the table says. `STEPWELL_RENEW=1` writes it anew.
    #[test]
    fn the_page_is_that_of_the_table() {
        let page = std::fs::read_to_string(PAGE).unwrap();
        let renewed = renewed(&page).expect("docs/metrics.md has both marks");
        if std::env::var_os("STEPWELL_RENEW").is_some() {
            std::fs::write(PAGE, &renewed).unwrap();
            return;
        }
        assert!(page == renewed, "docs/metrics.md is behind: STEPWELL_RENEW=1 writes it anew");
    }
}
