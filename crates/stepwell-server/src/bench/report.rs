//! The figures.

use serde::Serialize;

use super::program::Program;
use super::storage::{Kind, Settings};

/// One workload's figures; absent where the workload has none of the kind.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Line {
    pub(super) workload: &'static str,
    pub(super) runner: Program,
    /// Where the server kept what it wrote.
    pub(super) store: Kind,
    /// Servers, where they share a database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) nodes: Option<u32>,
    /// The database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) database: Option<Settings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) steps_per_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) runs_per_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) step_p50_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) step_p99_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) run_p50_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) run_p99_ms: Option<f64>,
    pub(super) server_cpu_s: f64,
    pub(super) runner_cpu_s: f64,
    pub(super) server_rss_mb: f64,
    pub(super) fold_lag_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fold_lag_before_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) measured_s: Option<f64>,
    /// Runs that were read back, all of those started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) runs_read_back: Option<u64>,
    /// From the call of the first of parallel steps to the answer of the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fanout_p50_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parked: Option<u32>,
    /// Resident bytes of the server for each parked run, over what it had before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rss_bytes_each: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) disk_bytes_each: Option<f64>,
    /// From the start of a server that was killed to its first answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) restart_ms: Option<f64>,
    /// Resident size of the server after that restart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) restarted_rss_mb: Option<f64>,
    /// Waits on one name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) waits: Option<u32>,
    /// From the call that sends an event to the code that waited for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) event_p50_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) event_p99_ms: Option<f64>,
    /// The same among few waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) event_few_p99_ms: Option<f64>,
    /// The p99 among all waits over that among few.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) event_growth: Option<f64>,
    /// The p99 of the last tenth of the events over that of the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) event_drift: Option<f64>,
    /// From the call that sends one event to the last of the runs that it wakes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) wake_all_s: Option<f64>,
    /// Steps of other runs before that, and meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) others_p99_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) others_woken_p99_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) others_growth: Option<f64>,
    /// From the call that sends a long run its event to the answer that it has ended: a runner that did not
    /// have it before replays it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) replay_ms: Option<f64>,
    /// What of that its code took, from its beginning to the last step that had ended before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) replay_code_ms: Option<f64>,
    /// The first page of a list: the median over all pairs of filters, and the longest of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) list_p50_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) list_worst_ms: Option<f64>,
    /// Counts of all runs by status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) counts_ms: Option<f64>,
    /// Telemetry events that were durable when they were answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) events_per_s: Option<f64>,
    /// Batches of telemetry that were sent again since there was no room for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) turned_away: Option<f64>,
    /// Telemetry that was durable and not in tables yet, at the start and at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tail_before_mb: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tail_mb: Option<f64>,
    /// Steps of durable runs without telemetry beside them, and what of that is left with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) alone_steps_per_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) share: Option<f64>,
    /// What tables and their indexes have, and by how much of it they grow in ten minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tables_mb: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tables_growth: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) indexes_mb: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) indexes_growth: Option<f64>,
    /// What a step takes of the server and of the database, and by how much more of it ten minutes later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu_us_a_step: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu_growth: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) database_cpu_us_a_step: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) database_cpu_growth: Option<f64>,
    /// By how much of it the server's resident memory grows in ten minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rss_growth: Option<f64>,
    /// Why the figures do not count, if they do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) does_not_count: Option<String>,
}

/// One of the figures of a workload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figure {
    /// Its name in JSON.
    pub(super) name: &'static str,
    /// What people read.
    pub(super) label: &'static str,
    pub(super) value: f64,
}

impl Line {
    /// Returns the figures that the workload has.
    pub(super) fn figures(&self) -> Vec<Figure> {
        let all = [
            ("steps_per_s", "steps/s", self.steps_per_s),
            ("runs_per_s", "runs/s", self.runs_per_s),
            ("step_p50_ms", "step p50 ms", self.step_p50_ms),
            ("step_p99_ms", "step p99 ms", self.step_p99_ms),
            ("run_p50_ms", "run p50 ms", self.run_p50_ms),
            ("run_p99_ms", "run p99 ms", self.run_p99_ms),
            ("fanout_p50_ms", "fan-out p50 ms", self.fanout_p50_ms),
            ("rss_bytes_each", "RSS bytes each", self.rss_bytes_each),
            ("disk_bytes_each", "disk bytes each", self.disk_bytes_each),
            ("restart_ms", "restart ms", self.restart_ms),
            ("restarted_rss_mb", "RSS after restart MB", self.restarted_rss_mb),
            ("event_p50_ms", "event p50 ms", self.event_p50_ms),
            ("event_p99_ms", "event p99 ms", self.event_p99_ms),
            ("event_few_p99_ms", "event p99 ms, few waits", self.event_few_p99_ms),
            ("event_growth", "event p99, many to few", self.event_growth),
            ("event_drift", "event p99, last to first", self.event_drift),
            ("wake_all_s", "wake all s", self.wake_all_s),
            ("others_p99_ms", "other steps p99 ms", self.others_p99_ms),
            ("others_woken_p99_ms", "meanwhile p99 ms", self.others_woken_p99_ms),
            ("others_growth", "meanwhile to before", self.others_growth),
            ("replay_ms", "replay ms", self.replay_ms),
            ("replay_code_ms", "of that code ms", self.replay_code_ms),
            ("list_p50_ms", "list p50 ms", self.list_p50_ms),
            ("list_worst_ms", "list worst ms", self.list_worst_ms),
            ("counts_ms", "counts ms", self.counts_ms),
            ("events_per_s", "events/s", self.events_per_s),
            ("turned_away", "batches sent again", self.turned_away),
            ("tail_before_mb", "not in tables before MB", self.tail_before_mb),
            ("tail_mb", "not in tables MB", self.tail_mb),
            ("alone_steps_per_s", "steps/s alone", self.alone_steps_per_s),
            ("share", "share of that", self.share),
            ("tables_mb", "tables MB", self.tables_mb),
            ("tables_growth", "tables, growth in 10 min", self.tables_growth),
            ("indexes_mb", "indexes MB", self.indexes_mb),
            ("indexes_growth", "indexes, growth in 10 min", self.indexes_growth),
            ("cpu_us_a_step", "server µs a step", self.cpu_us_a_step),
            ("cpu_growth", "server µs, growth in 10 min", self.cpu_growth),
            ("database_cpu_us_a_step", "database µs a step", self.database_cpu_us_a_step),
            ("database_cpu_growth", "database µs, growth in 10 min", self.database_cpu_growth),
            ("rss_growth", "server RSS, growth in 10 min", self.rss_growth),
            ("server_cpu_s", "server CPU s", Some(self.server_cpu_s)),
            ("runner_cpu_s", "runner CPU s", Some(self.runner_cpu_s)),
            ("server_rss_mb", "server RSS MB", Some(self.server_rss_mb)),
            ("fold_lag_before_ms", "fold lag before ms", self.fold_lag_before_ms),
            ("fold_lag_ms", "fold lag ms", Some(self.fold_lag_ms)),
        ];
        let there = all.into_iter();
        there
            .filter_map(|(name, label, value)| Some(Figure { name, label, value: value? }))
            .collect()
    }

    /// Shows the figures for people: names and numbers on one line.
    pub(super) fn text(&self) -> String {
        let shown = self.figures().into_iter();
        let shown: Vec<String> =
            shown.map(|one| format!("{} {}", one.label, number(one.value))).collect();
        let mut text = format!("{:<11} {}", self.workload, shown.join(" · "));
        if let Some(database) = &self.database {
            text.push_str("\n  on ");
            text.push_str(&database.text());
        }
        if let Some(why) = &self.does_not_count {
            text.push_str("\n  does not count: ");
            text.push_str(why);
        }
        text
    }
}

/// Shows a number with as many places as matter.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}

/// Returns the value below which a share of sorted values lies.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a rank among fewer than 2^52 samples"
)]
pub(super) fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = ((sorted.len() as f64 * share).ceil() as usize).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_ranks() {
        let sorted: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(percentile(&sorted, 0.5), Some(50.0));
        assert_eq!(percentile(&sorted, 0.99), Some(99.0));
        assert_eq!(percentile(&[7.0], 0.99), Some(7.0));
        assert_eq!(percentile(&[], 0.5), None);
    }
}
