//! The text that Prometheus reads, version 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::fmt::{Display, Write as _};

use crate::histogram::Histogram;
use crate::table::Metric;

/// The labels of a metric that has none.
const NONE: [&str; 0] = [];

/// The text as it is written, family after family.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
}

impl Exposition {
    /// What the text is, for the header `Content-Type`.
    pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

    /// Writes a metric without labels.
    pub fn one(&mut self, metric: &Metric, value: impl Display) {
        self.head(metric);
        self.line(metric, "", (NONE, None), value);
    }

    /// Writes a metric whose value is not always known.
    pub fn known(&mut self, metric: &Metric, value: Option<impl Display>) {
        self.head(metric);
        if let Some(value) = value {
            self.line(metric, "", (NONE, None), value);
        }
    }

    /// Writes a metric with labels; their values are in the order of the table.
    pub fn each<const N: usize>(
        &mut self,
        metric: &Metric,
        series: impl IntoIterator<Item = ([impl AsRef<str>; N], impl Display)>,
    ) {
        self.head(metric);
        for (labels, value) in series {
            self.line(metric, "", (labels, None), value);
        }
    }

    /// Writes a histogram with labels; their values are in the order of the table.
    pub fn histograms<'h, const N: usize, L: AsRef<str> + Clone>(
        &mut self,
        metric: &Metric,
        series: impl IntoIterator<Item = ([L; N], &'h Histogram)>,
    ) {
        self.head(metric);
        for (labels, histogram) in series {
            for (bound, below) in histogram.cumulative() {
                let bound = bound.to_string();
                self.line(metric, "_bucket", (labels.clone(), Some(&*bound)), below);
            }
            let total = histogram.total();
            self.line(metric, "_bucket", (labels.clone(), Some("+Inf")), total);
            self.line(metric, "_sum", (labels.clone(), None), histogram.sum());
            self.line(metric, "_count", (labels, None), total);
        }
    }

    /// Writes a histogram without labels.
    pub fn histogram(&mut self, metric: &Metric, histogram: &Histogram) {
        self.histograms(metric, [(NONE, histogram)]);
    }

    /// Returns the text.
    pub fn finish(self) -> String {
        self.text
    }

    fn head(&mut self, metric: &Metric) {
        let Metric { name, kind, help, .. } = metric;
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {}", kind.as_str());
    }

    fn line<const N: usize>(
        &mut self,
        metric: &Metric,
        suffix: &str,
        (labels, bound): ([impl AsRef<str>; N], Option<&str>),
        value: impl Display,
    ) {
        debug_assert_eq!(metric.labels.len(), N, "{} has other labels", metric.name);
        let named = metric.labels.iter().copied().zip(labels.iter().map(AsRef::as_ref));
        let mut before = '{';
        self.text.push_str(metric.name);
        self.text.push_str(suffix);
        for (name, value) in named.chain(bound.map(|bound| ("le", bound))) {
            let _ = write!(self.text, "{before}{name}=\"");
            escape(value, &mut self.text);
            self.text.push('"');
            before = ',';
        }
        if before == ',' {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
    }
}

fn escape(value: &str, into: &mut String) {
    for character in value.chars() {
        match character {
            '\\' => into.push_str("\\\\"),
            '"' => into.push_str("\\\""),
            '\n' => into.push_str("\\n"),
            other => into.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::Scale;
    use crate::table;

    #[test]
    fn labels_cannot_break_out_of_their_line() {
        let mut text = Exposition::default();
        text.each(&table::RUNS_STARTED, [(["a\"b\\\n", "c"], 3)]);
        let text = text.finish();
        let line = r#"stepwell_runs_started_total{namespace="a\"b\\\n",workflow="c"} 3"#;
        assert_eq!(text.lines().last(), Some(line));
    }

    #[test]
    fn a_histogram_has_buckets_sum_and_count() {
        let mut histogram = Histogram::new(Scale::Count);
        histogram.count(3);
        let mut text = Exposition::default();
        text.histogram(&table::COMMIT_RUNS, &histogram);
        let text = text.finish();
        for line in [
            "# TYPE stepwell_commit_runs histogram",
            "stepwell_commit_runs_bucket{le=\"2\"} 0",
            "stepwell_commit_runs_bucket{le=\"4\"} 1",
            "stepwell_commit_runs_bucket{le=\"+Inf\"} 1",
            "stepwell_commit_runs_sum 3",
            "stepwell_commit_runs_count 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in:\n{text}");
        }
    }
}
