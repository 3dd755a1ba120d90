//! The one table of all metrics.
//!
//! Names follow the conventions of Prometheus: the prefix `stepwell_`, base units (seconds, bytes) last,
//! `_total` behind counters. What is of the process has the names that every client of Prometheus gives it.

/// What kind of metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only rises, from 0 at the server's start; some begin again when the node does.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Counts observations by their size.
    Histogram,
}

impl Kind {
    /// Returns the word that Prometheus has for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it tells, as a sentence.
    pub help: &'static str,
}

impl Metric {
    /// Returns the names of its series: a histogram has three.
    pub fn series(&self) -> Vec<String> {
        match self.kind {
            Kind::Counter | Kind::Gauge => vec![self.name.to_owned()],
            Kind::Histogram => {
                ["_bucket", "_sum", "_count"].map(|end| format!("{}{end}", self.name)).into()
            }
        }
    }
}

/// Makes a constant of each metric, and the groups in which they are shown.
macro_rules! metrics {
    ($($title:literal { $($id:ident $kind:ident $name:literal [$($label:literal),*] $help:literal;)* })*) => {
        $($(
            #[doc = concat!("The metric `", $name, "`.")]
            pub const $id: Metric =
                Metric { name: $name, kind: Kind::$kind, labels: &[$($label),*], help: $help };
        )*)*

        /// Every metric, in the groups and order in which they are shown.
        pub const GROUPS: &[(&str, &[Metric])] = &[$(($title, &[$($id),*])),*];
    };
}

metrics! {
    "Runs" {
        RUNS_STARTED Counter "stepwell_runs_started_total" ["namespace", "workflow"]
            "Runs started, whoever wanted them: requests, other runs, events, acts.";
        RUNS_ENDED Counter "stepwell_runs_ended_total" ["namespace", "workflow", "status"]
            "Runs ended. The status is completed, failed, cancelled or timed_out.";
        RUN_DURATION Histogram "stepwell_run_duration_seconds" ["namespace", "workflow"]
            "From the acceptance of a start to the end of the run, pauses and waits included.";
        RUNS Gauge "stepwell_runs" ["namespace", "workflow", "status"]
            "Runs that have not ended, as lists show them. The status is queued, running, waiting, paused, blocked or compensating; each is counted to 1,000,000.";
        RUNS_IN_MEMORY Gauge "stepwell_runs_in_memory" []
            "Runs that the node has in memory: those that runners hold, that change, or that somebody asks for.";
    }
    "Queues and runners" {
        QUEUE_OLDEST Gauge "stepwell_queue_oldest_seconds" ["namespace", "workflow"]
            "For how long the run has wanted a runner that has wanted one the longest.";
        DISPATCH_LAG Histogram "stepwell_dispatch_lag_seconds" ["namespace", "workflow"]
            "From the moment at which a run wanted a runner until one was given it.";
        ACTIVATIONS Counter "stepwell_activations_total" ["namespace", "workflow"]
            "Times that a run was given to a runner.";
        LOSSES Counter "stepwell_losses_total" ["namespace", "workflow"]
            "Times that a run was lost with its runner, and went to another.";
        RUNNERS Gauge "stepwell_runners" ["namespace", "app"]
            "Runners connected.";
        RUNNER_SLOTS Gauge "stepwell_runner_slots" ["namespace", "app"]
            "Slots of the runners connected.";
        RUNNER_SLOTS_USED Gauge "stepwell_runner_slots_used" ["namespace", "app"]
            "Slots that are taken, or kept for runs on their way.";
        RUNNER_RUNS_HELD Gauge "stepwell_runner_runs_held" ["namespace", "app"]
            "Runs that runners hold, with those that take no slot since they wait.";
    }
    "Steps" {
        STEPS_STARTED Counter "stepwell_steps_started_total" ["namespace", "workflow"]
            "Steps begun, of every kind.";
        STEPS_ENDED Counter "stepwell_steps_ended_total" ["namespace", "workflow", "status"]
            "Steps ended. The status is completed, failed, timed_out, skipped, cancelled or unknown.";
        STEP_RETRIES Counter "stepwell_step_retries_total" ["namespace", "workflow"]
            "Attempts that failed and were to be tried again.";
        STEP_DURATION Histogram "stepwell_step_duration_seconds" ["namespace", "workflow"]
            "Of steps with a function, from the first attempt to the end, backoffs included.";
    }
    "Events and timers" {
        EVENTS Counter "stepwell_events_accepted_total" []
            "Events accepted.";
        EVENTS_STARTED Counter "stepwell_events_started_runs_total" []
            "Runs that events started.";
        WAITS_WOKEN Counter "stepwell_events_woken_waits_total" []
            "Waits that events ended.";
        TIMERS_FIRED Counter "stepwell_timers_fired_total" []
            "Timers fired.";
        TIMERS_NEAR Gauge "stepwell_timers_near" []
            "Timers in memory: those that are due soon.";
    }
    "Worker protocol" {
        SESSIONS Gauge "stepwell_sessions" []
            "Connections of runners, with those that have not said hello.";
        WORKER_FRAMES Counter "stepwell_worker_frames_total" ["direction"]
            "Frames of the worker protocol. The direction is in or out.";
        WORKER_BYTES Counter "stepwell_worker_bytes_total" ["direction"]
            "Bytes in these frames.";
        MESSAGES Counter "stepwell_messages_total" []
            "Messages from runners; a frame has one or more.";
        MESSAGES_REFUSED Counter "stepwell_messages_refused_total" []
            "Messages from runners that were refused.";
        SESSIONS_CUT Counter "stepwell_sessions_cut_total" []
            "Connections closed since the runner did not read what it was sent.";
    }
    "Node" {
        NODE_BUSY Counter "stepwell_node_busy_seconds_total" []
            "Time that the node's thread worked, syncs included: its rate is how full the one thread is.";
        COMMITS Counter "stepwell_commits_total" []
            "Batches made durable.";
        COMMITS_REFUSED Counter "stepwell_commits_refused_total" []
            "Batches of new runs and events that the store refused, for want of room.";
        COMMIT_DURATION Histogram "stepwell_commit_duration_seconds" []
            "How long the store took to make a batch durable.";
        COMMIT_RUNS Histogram "stepwell_commit_runs" []
            "How many runs had records in a batch.";
        NODE_RESTARTS Counter "stepwell_node_restarts_total" []
            "Times that the node was dropped and the store opened again.";
    }
    "Store" {
        LOG_SYNC_DURATION Histogram "stepwell_log_sync_duration_seconds" []
            "How long a sync of the log took: the figure of the disk.";
        STORE_HEAD Gauge "stepwell_store_head" []
            "The number of the last durable batch.";
        STORE_FOLDED Gauge "stepwell_store_folded" []
            "The number of the last batch that is in tables, and so in lists.";
        STORE_FOLD_LAG Gauge "stepwell_store_fold_lag_seconds" []
            "Age of the oldest batch that is not in tables yet.";
        STORE_TAIL_BYTES Gauge "stepwell_store_tail_bytes" []
            "Bytes of the log that are not in tables yet: a start reads them again.";
        STORE_TAIL_BYTES_MAX Gauge "stepwell_store_tail_max_bytes" []
            "From so many on no new runs are taken (the setting tail_bytes_max).";
        STORE_DISK_BYTES Gauge "stepwell_store_disk_bytes" []
            "Bytes that log and tables take on the disk.";
        STORE_DISK_FREE Gauge "stepwell_store_disk_free_bytes" []
            "Bytes free on the disk of the folder.";
        STORE_DISK_RESERVE Gauge "stepwell_store_disk_reserve_bytes" []
            "With fewer bytes free no new runs are taken (the setting reserve_bytes).";
        STORE_REFUSES_STARTS Gauge "stepwell_store_refuses_starts" []
            "1 while new runs are refused for want of room, else 0.";
        RETENTION_RUNS Counter "stepwell_retention_runs_deleted_total" []
            "Ended runs deleted since they were older than they are kept.";
        RETENTION_EVENTS Counter "stepwell_retention_events_deleted_total" []
            "Events whose content or id was deleted since it was older than it is kept.";
        BACKUPS_TAKEN Counter "stepwell_backups_taken_total" []
            "Backups made.";
        BACKUPS_FAILED Counter "stepwell_backups_failed_total" []
            "Backups that were begun and not made.";
        BACKUP_NEWEST Gauge "stepwell_backup_newest_timestamp_seconds" []
            "When the newest backup in the folder for backups was begun, in seconds since 1970; 0 while there is none of this store, and missing without such a folder.";
    }
    "HTTP" {
        HTTP_REQUESTS Counter "stepwell_http_requests_total" ["method", "route", "status"]
            "Requests answered. The route is as in the list of addresses, console for its pages, or other.";
        HTTP_DURATION Histogram "stepwell_http_request_duration_seconds" ["method", "route"]
            "From the headers of a request to the headers of its answer; a request that waits for a run takes as long as it waits.";
        HTTP_REFUSED Counter "stepwell_http_refused_total" ["code", "status"]
            "Requests refused, by the error code of the answer.";
        HTTP_CONNECTIONS Gauge "stepwell_http_connections" []
            "Connections open, runners and streams included.";
        HTTP_STREAMS Gauge "stepwell_http_streams" []
            "Streams of server-sent events open.";
    }
    "Traces" {
        TRACE_SPANS Counter "stepwell_trace_spans_exported_total" []
            "Spans that the receiver of traces took.";
        TRACE_SPANS_DROPPED Counter "stepwell_trace_spans_dropped_total" ["reason"]
            "Spans that are not exported. The reason is refused, where the receiver does not take them, or damaged, where the history of their run cannot be read.";
        TRACE_REQUESTS_FAILED Counter "stepwell_trace_requests_failed_total" []
            "Requests to the receiver that had no answer, or one that wants them again; they are sent again.";
        TRACE_LAG Gauge "stepwell_trace_lag_seconds" []
            "For how long the first run has ended that is to be exported and is not.";
    }
    "Observed runs" {
        TELEMETRY_EVENTS Counter "stepwell_telemetry_events_total" []
            "Telemetry events accepted; each is durable when it is counted.";
        TELEMETRY_REFUSED Counter "stepwell_telemetry_events_refused_total" []
            "Telemetry events that are not understood; their batches were taken without them.";
        TELEMETRY_BYTES Counter "stepwell_telemetry_bytes_total" []
            "Bytes of bodies with telemetry, unpacked.";
        TELEMETRY_TURNED_AWAY Counter "stepwell_telemetry_batches_turned_away_total" []
            "Batches of telemetry refused since the lane was full, or nothing could be kept; their senders try again.";
        TELEMETRY_QUEUED_BYTES Gauge "stepwell_telemetry_queued_bytes" []
            "Bytes of bodies that are in the lane of telemetry.";
        TELEMETRY_APPEND_DURATION Histogram "stepwell_telemetry_append_duration_seconds" []
            "How long it took to make the events of one or more batches durable, with the sync.";
        TELEMETRY_TAIL_BYTES Gauge "stepwell_telemetry_tail_bytes" []
            "Bytes of telemetry that are durable and not in tables yet.";
        TELEMETRY_DISK_BYTES Gauge "stepwell_telemetry_disk_bytes" []
            "Bytes that observed runs take on the disk.";
        TELEMETRY_DELETED Counter "stepwell_telemetry_runs_deleted_total" []
            "Observed runs deleted since they were older than they are kept.";
    }
    "Process" {
        BUILD_INFO Gauge "stepwell_build_info" ["version"]
            "1, with the version as a label.";
        PROCESS_RESIDENT Gauge "process_resident_memory_bytes" []
            "Resident memory of the process.";
        PROCESS_CPU Counter "process_cpu_seconds_total" []
            "Time of cores that the process used.";
        PROCESS_FDS Gauge "process_open_fds" []
            "File descriptors open.";
        PROCESS_FDS_MAX Gauge "process_max_fds" []
            "File descriptors that the process may open.";
        PROCESS_THREADS Gauge "process_threads" []
            "Threads of the process.";
        PROCESS_START Gauge "process_start_time_seconds" []
            "When the server was started, in seconds since 1970.";
    }
}

/// Returns every metric.
pub fn all() -> impl Iterator<Item = &'static Metric> {
    GROUPS.iter().flat_map(|(_, metrics)| *metrics)
}

/// Finds a metric by its name, or by that of a series of it.
pub fn find(name: &str) -> Option<&'static Metric> {
    all().find(|metric| metric.series().iter().any(|series| series == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_prometheus_wants_them() {
        let mut names: Vec<_> = all().map(|metric| metric.name).collect();
        for metric in all() {
            let Metric { name, kind, labels, help } = *metric;
            let known = name.starts_with("stepwell_") || name.starts_with("process_");
            let plain = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(known && name.chars().all(plain), "{name}");
            assert_eq!(kind == Kind::Counter, name.ends_with("_total"), "{name}");
            assert!(labels.iter().all(|label| label.chars().all(plain)), "{name}");
            assert!(!labels.contains(&"le"), "{name}: `le` is of histograms");
            assert!(help.ends_with('.') && !help.contains(['|', '\n', '\\']), "{name}: {help}");
            for unit in ["_ms", "_millis", "_kib", "_mb", "_minutes"] {
                assert!(!name.contains(unit), "{name} is not in base units");
            }
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all().count(), "each name stands once");
    }

    #[test]
    fn a_metric_is_found_by_its_series() {
        assert_eq!(find("stepwell_commits_total"), Some(&COMMITS));
        assert_eq!(find("stepwell_commit_runs_bucket"), Some(&COMMIT_RUNS));
        assert_eq!(find("stepwell_commit_runs"), None);
    }
}
