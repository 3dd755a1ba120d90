//! Several measurements as one table, and which marks they miss.

use serde::Serialize;

use super::marks::{self, Mark};
use super::report::{Line, number};

/// All measurements.
#[derive(Debug, Serialize)]
pub(super) struct Table {
    rows: Vec<Row>,
    /// Why the whole does not pass; nothing where it does.
    pub(super) missed: Vec<String>,
}

/// A figure over the measurements of a workload.
#[derive(Debug, Serialize)]
struct Row {
    workload: &'static str,
    times: usize,
    figure: &'static str,
    #[serde(skip)]
    label: &'static str,
    min: f64,
    median: f64,
    max: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    mark: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    met: Option<bool>,
}

impl Table {
    /// Puts measurements together, in the order in which their workloads came.
    pub(super) fn of(lines: &[Line]) -> Self {
        let mut rows: Vec<Row> = Vec::new();
        let of = |line: &Line| (line.runner, line.store);
        let (runner, store) = lines.first().map(of).unwrap_or_default();
        let mut workloads: Vec<&'static str> = lines.iter().map(|line| line.workload).collect();
        workloads.dedup();
        for workload in &workloads {
            let of_it: Vec<&Line> = lines.iter().filter(|one| one.workload == *workload).collect();
            let names = of_it.first().map(|line| line.figures()).unwrap_or_default();
            for name in names {
                let mut values: Vec<f64> =
                    of_it.iter().filter_map(|line| value(line, name.name)).collect();
                values.sort_by(f64::total_cmp);
                let (Some(min), Some(max)) = (values.first(), values.last()) else { continue };
                let median = values.get(values.len() / 2).copied().unwrap_or(*max);
                let mark = marks::of(runner, store)
                    .find(|mark| mark.workload == *workload && mark.figure == name.name);
                rows.push(Row {
                    workload,
                    times: values.len(),
                    figure: name.name,
                    label: name.label,
                    min: *min,
                    median,
                    max: *max,
                    mark: mark.map(|mark| mark.bound.to_string()),
                    met: mark.map(|mark| mark.bound.is_met(median)),
                });
            }
        }
        let missed = missed(lines, marks::of(runner, store), &rows);
        Self { rows, missed }
    }

    /// Shows the table in Markdown.
    pub(super) fn markdown(&self) -> String {
        let head = ["workload", "figure", "min", "median", "max", "mark", ""];
        let mut cells = vec![head.map(str::to_owned)];
        let mut last = "";
        for row in &self.rows {
            let workload = if row.workload == last {
                String::new()
            } else {
                format!("{} × {}", row.workload, row.times)
            };
            last = row.workload;
            let met = match row.met {
                Some(true) => "met",
                Some(false) => "MISSED",
                None => "",
            };
            cells.push([
                workload,
                row.label.to_owned(),
                number(row.min),
                number(row.median),
                number(row.max),
                row.mark.clone().unwrap_or_default(),
                met.to_owned(),
            ]);
        }
        let width = |column: usize| {
            cells.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
        };
        let widths: Vec<usize> = (0..head.len()).filter_map(width).collect();
        let rule: [String; 7] = std::array::from_fn(|column| {
            let width = widths.get(column).copied().unwrap_or(3);
            // Numbers stand to the right.
            let numbers = (2..5).contains(&column);
            format!("{}{}", "-".repeat(width.max(2) - 1), if numbers { ":" } else { "-" })
        });
        cells.insert(1, rule);
        let lines = cells.iter().map(|row| {
            let padded = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
                let space = " ".repeat(width.saturating_sub(cell.chars().count()));
                if (2..5).contains(&column) {
                    format!("{space}{cell}")
                } else {
                    format!("{cell}{space}")
                }
            });
            format!("| {} |", padded.collect::<Vec<_>>().join(" | "))
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

fn missed(lines: &[Line], marks: impl Iterator<Item = Mark>, rows: &[Row]) -> Vec<String> {
    let mut missed: Vec<String> = lines
        .iter()
        .filter_map(|line| Some((line.workload, line.does_not_count.as_ref()?)))
        .map(|(workload, why)| format!("{workload}: a measurement does not count: {why}"))
        .collect();
    let measured = |mark: &Mark| lines.iter().any(|line| line.workload == mark.workload);
    for mark in marks.filter(measured) {
        let row =
            rows.iter().find(|row| row.workload == mark.workload && row.figure == mark.figure);
        match row {
            Some(row) if mark.bound.is_met(row.median) => {}
            Some(row) => missed.push(format!(
                "{}: {} is {}, the mark is {}",
                mark.workload,
                row.label,
                number(row.median),
                mark.bound
            )),
            None => missed.push(format!("{}: {} was not measured", mark.workload, mark.figure)),
        }
    }
    missed
}

fn value(line: &Line, name: &str) -> Option<f64> {
    line.figures().into_iter().find(|figure| figure.name == name).map(|figure| figure.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequential(ms: f64) -> Line {
        Line { workload: "sequential", step_p50_ms: Some(ms), ..Line::default() }
    }

    #[test]
    fn the_median_is_held_against_the_mark() {
        let met = Table::of(&[sequential(0.1), sequential(9.0), sequential(0.3)]);
        assert_eq!(met.missed, Vec::<String>::new());
        let missed = Table::of(&[sequential(0.1), sequential(0.31), sequential(0.32)]);
        assert_eq!(missed.missed, ["sequential: step p50 ms is 0.310, the mark is ≤ 0.3"]);
        assert!(missed.markdown().contains("| MISSED |"), "{}", missed.markdown());
    }

    #[test]
    fn a_measurement_that_does_not_count_is_told_whatever_the_others_are() {
        let why = Some("3 runs are missing".to_owned());
        let lines = [sequential(0.1), Line { does_not_count: why, ..sequential(0.1) }];
        let table = Table::of(&lines);
        assert_eq!(table.missed, ["sequential: a measurement does not count: 3 runs are missing"]);
    }

    #[test]
    fn a_figure_that_was_not_measured_misses_its_mark() {
        let line = Line { workload: "throughput", ..Line::default() };
        assert_eq!(Table::of(&[line]).missed, ["throughput: steps_per_s was not measured"]);
        let line = sequential(f64::NAN);
        assert_eq!(Table::of(&[line]).missed.len(), 1, "what is not a number reaches nothing");
    }

    #[test]
    fn every_mark_is_about_a_figure_that_there_is() {
        let one = Some(1.0);
        let line = Line {
            steps_per_s: one,
            runs_per_s: one,
            step_p50_ms: one,
            fanout_p50_ms: one,
            disk_bytes_each: one,
            restart_ms: one,
            event_p99_ms: one,
            event_growth: one,
            event_drift: one,
            wake_all_s: one,
            others_growth: one,
            replay_ms: one,
            list_worst_ms: one,
            counts_ms: one,
            events_per_s: one,
            share: one,
            tables_growth: one,
            indexes_growth: one,
            cpu_growth: one,
            rss_growth: one,
            ..Line::default()
        };
        for mark in marks::MARKS {
            assert!(value(&line, mark.figure).is_some(), "{}", mark.figure);
        }
    }
}
