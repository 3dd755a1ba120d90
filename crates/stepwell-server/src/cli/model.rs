//! What the server answers, as far as it is shown.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;
use stepwell_core::time::Timestamp;

/// A row of the list of runs.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) app: String,
    pub(super) workflow: String,
    pub(super) key: Option<String>,
    pub(super) status: String,
    #[serde(deserialize_with = "instant")]
    pub(super) created_at: Timestamp,
    pub(super) duration_ms: Option<f64>,
    pub(super) steps: u32,
    pub(super) steps_ended: u32,
    pub(super) steps_failed: u32,
    pub(super) blocked: Option<String>,
}

/// A run with its steps.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Run {
    pub(super) id: String,
    pub(super) app: String,
    pub(super) workflow: String,
    pub(super) status: String,
    pub(super) key: Option<String>,
    pub(super) version: Option<String>,
    #[serde(deserialize_with = "instant")]
    pub(super) created_at: Timestamp,
    #[serde(deserialize_with = "maybe_instant")]
    pub(super) ended_at: Option<Timestamp>,
    pub(super) duration_ms: Option<f64>,
    pub(super) input: Option<Box<RawValue>>,
    pub(super) output: Option<Box<RawValue>>,
    pub(super) error: Option<Failure>,
    pub(super) why: Option<String>,
    pub(super) parent: Option<Parent>,
    pub(super) continued_from: Option<String>,
    pub(super) continued_as: Option<String>,
    #[serde(default)]
    pub(super) forked_from: Option<ForkedFrom>,
    #[serde(default)]
    pub(super) rerun_of: Option<String>,
    #[serde(default)]
    pub(super) search: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    pub(super) generation: u32,
    pub(super) steps: Vec<Step>,
    pub(super) logs: Vec<Line>,
    pub(super) history: Vec<Note>,
}

/// A step of a run.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Step {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) status: String,
    #[serde(deserialize_with = "instant")]
    pub(super) scheduled_at: Timestamp,
    #[serde(deserialize_with = "maybe_instant")]
    pub(super) started_at: Option<Timestamp>,
    #[serde(deserialize_with = "maybe_instant")]
    pub(super) completed_at: Option<Timestamp>,
    #[serde(deserialize_with = "maybe_instant")]
    pub(super) next_at: Option<Timestamp>,
    pub(super) input: Option<Box<RawValue>>,
    pub(super) output: Option<Box<RawValue>>,
    pub(super) error: Option<Failure>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) logs: Vec<Line>,
    #[serde(default)]
    pub(super) child: Option<Child>,
    #[serde(default)]
    pub(super) branch: Option<Branch>,
    #[serde(default)]
    pub(super) kept_from: Option<String>,
    #[serde(default)]
    pub(super) uncertain: bool,
    #[serde(default, deserialize_with = "maybe_instant")]
    pub(super) events_kept_from: Option<Timestamp>,
    #[serde(default)]
    pub(super) generation: u32,
}

/// The branch of a race that a step stands in.
#[derive(Debug, Deserialize)]
pub(super) struct Branch {
    pub(super) race: String,
    pub(super) name: String,
}

/// Where a run was forked from.
#[derive(Debug, Deserialize)]
pub(super) struct ForkedFrom {
    pub(super) run: String,
    pub(super) step: String,
}

/// The run and step that invoked a run.
#[derive(Debug, Deserialize)]
pub(super) struct Parent {
    pub(super) run: String,
    pub(super) step: String,
}

/// A child that a step invoked.
#[derive(Debug, Deserialize)]
pub(super) struct Child {
    pub(super) run: String,
    pub(super) workflow: String,
}

/// An attempt of a step.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Attempt {
    pub(super) n: u32,
    pub(super) status: String,
    #[serde(deserialize_with = "instant")]
    pub(super) started_at: Timestamp,
    #[serde(deserialize_with = "maybe_instant")]
    pub(super) ended_at: Option<Timestamp>,
    pub(super) error: Option<Failure>,
}

/// An error of user code.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Failure {
    pub(super) name: String,
    pub(super) message: String,
}

/// A logged line.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    #[serde(deserialize_with = "instant")]
    pub(super) at: Timestamp,
    pub(super) level: String,
    pub(super) message: String,
}

/// Something that happened to a run.
#[derive(Debug, Deserialize)]
pub(super) struct Note {
    #[serde(deserialize_with = "instant")]
    pub(super) at: Timestamp,
    pub(super) what: String,
    #[serde(default)]
    pub(super) by: Option<String>,
    pub(super) detail: Option<String>,
}

impl Note {
    /// Says by whom it was done and why, as far as that was said.
    pub(super) fn about(&self) -> String {
        let by = self.by.as_ref().map(|by| format!("by {by}"));
        let parts: Vec<String> = by.into_iter().chain(self.detail.clone()).collect();
        parts.join(": ")
    }
}

/// The answer to a start.
#[derive(Debug, Deserialize)]
pub(super) struct Started {
    pub(super) id: String,
    /// Absent where a result was asked for.
    #[serde(default)]
    pub(super) created: bool,
    pub(super) status: Option<String>,
    pub(super) output: Option<Box<RawValue>>,
    pub(super) error: Option<Failure>,
}

impl Run {
    /// Tells whether the run has ended.
    pub(super) fn is_ended(&self) -> bool {
        self.ended_at.is_some()
    }
}

fn instant<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    Timestamp::parse_iso(&String::deserialize(from)?).map_err(de::Error::custom)
}

fn maybe_instant<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    text.map(|text| Timestamp::parse_iso(&text)).transpose().map_err(de::Error::custom)
}

/// Shows milliseconds as people read them.
pub(super) fn span(ms: f64) -> String {
    if ms < 0.9995 {
        return format!("{:.0}µs", ms * 1_000.0);
    }
    if ms < 1_000.0 {
        return format!("{ms:.1}ms");
    }
    if ms < 60_000.0 {
        return format!("{:.2}s", ms / 1_000.0);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, rounded"
    )]
    let seconds = (ms / 1_000.0).round() as u64;
    let units = [(604_800, "w"), (86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let first = units.iter().position(|(size, _)| seconds >= *size).unwrap_or(4);
    let mut left = seconds;
    let parts = units.iter().skip(first).take(2).filter_map(|(size, unit)| {
        let count = left / size;
        left %= size;
        (count > 0).then(|| format!("{count}{unit}"))
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_short() {
        let cases = [
            (0.25, "250µs"),
            (0.0, "0µs"),
            (12.34, "12.3ms"),
            (1_500.0, "1.50s"),
            (90_000.0, "1m30s"),
            (7_200_000.0, "2h"),
            (90_061_000.0, "1d1h"),
        ];
        for (ms, expected) in cases {
            assert_eq!(span(ms), expected);
        }
    }
}
