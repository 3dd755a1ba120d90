//! What processes used, as `/proc` tells it.

use std::iter::Sum;
use std::path::Path;

/// Ticks of the clock in a second, on Linux.
const TICKS: f64 = 100.0;

/// What a process used so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Used {
    pub(super) cpu_s: f64,
    pub(super) rss_mb: f64,
}

impl Sum for Used {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        let add = |sum: Self, one: Self| Self {
            cpu_s: sum.cpu_s + one.cpu_s,
            rss_mb: sum.rss_mb + one.rss_mb,
        };
        all.fold(Self::default(), add)
    }
}

/// Returns what a process used.
pub(super) fn used(pid: u32) -> Used {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let rss_kb = status.lines().find_map(|line| {
        line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok()
    });
    let [user, system, ..] = times(Path::new(&format!("/proc/{pid}")));
    Used { cpu_s: (user + system) / TICKS, rss_mb: rss_kb.unwrap_or(0.0) / 1_024.0 }
}

/// Returns the seconds of processors that a process used, with its children: those that there are, and
/// those that have ended.
pub(super) fn cpu_with_children(pid: u32) -> f64 {
    let of = |folder: &Path| -> f64 { times(folder).iter().sum() };
    let children = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let children = children.map(|entry| entry.path()).filter(|path| parent(path) == Some(pid));
    (of(Path::new(&format!("/proc/{pid}"))) + children.map(|path| of(&path)).sum::<f64>()) / TICKS
}

fn parent(folder: &Path) -> Option<u32> {
    fields(folder).get(1)?.parse().ok()
}

/// Ticks in user code and in the kernel, and those of children that have ended.
fn times(folder: &Path) -> [f64; 4] {
    let fields = fields(folder);
    // `utime`, `stime`, `cutime` and `cstime` are the 12th to 15th behind the name.
    std::array::from_fn(|nth| {
        fields.get(11 + nth).and_then(|field| field.parse().ok()).unwrap_or(0.0)
    })
}

/// What stands in `stat` behind the name, which may have blanks: the state, the parent, and so on.
fn fields(folder: &Path) -> Vec<String> {
    let stat = std::fs::read_to_string(folder.join("stat")).unwrap_or_default();
    let rest = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().map(str::to_owned));
    rest.map(Iterator::collect).unwrap_or_default()
}
