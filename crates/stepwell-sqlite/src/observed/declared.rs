//! What is declared of a flow, as JSON text in a column.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use stepwell_telemetry::flow::{DeclaredStep, Flow};
use stepwell_telemetry::status::Patience;

/// A declaration as it is kept. It is not the file that people write: that may change without this.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Declared {
    slug: Arc<str>,
    name: Arc<str>,
    /// Keys and names.
    steps: Vec<(Arc<str>, Arc<str>)>,
    edges: Vec<(Arc<str>, Arc<str>)>,
    stuck_after_us: u64,
    quiet_after_us: u64,
}

impl Declared {
    /// Returns the text of a flow.
    pub(super) fn text(flow: &Flow) -> String {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let pair = |step: &DeclaredStep| (Arc::clone(&step.key), Arc::clone(&step.name));
        let declared = Self {
            slug: Arc::clone(&flow.slug),
            name: Arc::clone(&flow.name),
            steps: flow.steps.iter().map(pair).collect(),
            edges: flow.edges.clone(),
            stuck_after_us: micros(flow.patience.stuck_after),
            quiet_after_us: micros(flow.patience.quiet_after),
        };
        // Texts and numbers always make JSON.
        serde_json::to_string(&declared).unwrap_or_default()
    }

    /// Reads a text; `None` where it is none of these.
    pub(super) fn read(text: &str) -> Option<Flow> {
        let declared: Self = serde_json::from_str(text).ok()?;
        let steps = declared.steps.into_iter().map(|(key, name)| DeclaredStep { key, name });
        Some(Flow {
            slug: declared.slug,
            name: declared.name,
            steps: steps.collect(),
            edges: declared.edges,
            patience: Patience {
                stuck_after: Duration::from_micros(declared.stuck_after_us),
                quiet_after: Duration::from_micros(declared.quiet_after_us),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let step = |key: &str, name: &str| DeclaredStep { key: key.into(), name: name.into() };
        let flow = Flow {
            slug: "check\"out".into(),
            name: "Checköut".into(),
            steps: vec![step("a", "A"), step("b", "b")],
            edges: vec![("a".into(), "b".into())],
            patience: Patience { stuck_after: Duration::MAX, ..Patience::default() },
        };
        let stuck_after = Duration::from_micros(u64::MAX);
        let patience = Patience { stuck_after, ..flow.patience };
        assert_eq!(Declared::read(&Declared::text(&flow)), Some(Flow { patience, ..flow }));
        assert_eq!(Declared::read("{}"), None);
    }
}
