//! Figures of the process, as Linux tells them; elsewhere they are missing.

use std::fs::{read_dir, read_to_string};
use std::sync::OnceLock;
use std::time::Duration;

use rustix::param::page_size;
use rustix::time::{ClockId, clock_gettime};
use stepwell_metrics::{Exposition, table};

/// When the process was asked for its figures first, less how long it had run then.
static START: OnceLock<Option<Duration>> = OnceLock::new();

/// Writes them.
pub(super) fn write(text: &mut Exposition) {
    text.known(&table::PROCESS_RESIDENT, resident_bytes());
    let used = clock_gettime(ClockId::ProcessCPUTime);
    let used = Duration::new(
        u64::try_from(used.tv_sec).unwrap_or(0),
        u32::try_from(used.tv_nsec).unwrap_or(0),
    );
    text.one(&table::PROCESS_CPU, used.as_secs_f64());
    text.known(&table::PROCESS_FDS, read_dir("/proc/self/fd").ok().map(Iterator::count));
    text.known(&table::PROCESS_FDS_MAX, fds_max());
    text.known(&table::PROCESS_THREADS, read_dir("/proc/self/task").ok().map(Iterator::count));
    let start = START.get_or_init(started_at);
    text.known(&table::PROCESS_START, start.map(|start| start.as_secs_f64()));
}

fn resident_bytes() -> Option<u64> {
    let pages = read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = pages.split(' ').nth(1)?.parse().ok()?;
    Some(pages * page_size() as u64)
}

fn fds_max() -> Option<u64> {
    let limits = read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Returns when the process began, since 1970: its own time in ticks after the machine's start.
fn started_at() -> Option<Duration> {
    let boot = read_to_string("/proc/stat").ok()?;
    let boot = boot.lines().find_map(|line| line.strip_prefix("btime "))?;
    let boot: u64 = boot.trim().parse().ok()?;
    let stat = read_to_string("/proc/self/stat").ok()?;
    // The name of the process, in brackets, may hold spaces.
    let (_, rest) = stat.rsplit_once(')')?;
    let ticks: u64 = rest.split_whitespace().nth(19)?.parse().ok()?;
    let a_second = rustix::param::clock_ticks_per_second().max(1);
    Some(Duration::from_secs(boot) + Duration::from_millis(ticks * 1_000 / a_second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_knows_its_figures() {
        assert!(resident_bytes().unwrap() > 1 << 20);
        assert!(fds_max().unwrap() > 10);
        let age = std::time::UNIX_EPOCH.elapsed().unwrap().abs_diff(started_at().unwrap());
        assert!(age < Duration::from_hours(24), "{age:?}");
    }
}
