//! What a measurement was made on.

use std::io::{Seek, SeekFrom, Write};
use std::time::Instant;

use serde::Serialize;

use super::report::percentile;
use crate::cli::Fault;

/// Syncs that are timed.
const SYNCS: u32 = 500;

/// The machine.
#[derive(Debug, Serialize)]
pub(super) struct Machine {
    processor: String,
    cores: usize,
    memory_gb: f64,
    kernel: String,
    /// Writing 4 KiB in place and syncing them, on the disk of the temporary folder.
    sync_p50_ms: f64,
}

impl Machine {
    pub(super) fn look() -> Result<Self, Fault> {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned())
        };
        let memory = field(&read("/proc/meminfo"), "MemTotal").unwrap_or_default();
        let kb: f64 = memory.trim_end_matches(" kB").parse().unwrap_or(0.0);
        Ok(Self {
            processor: field(&read("/proc/cpuinfo"), "model name").unwrap_or_default(),
            cores: std::thread::available_parallelism().map_or(0, Into::into),
            memory_gb: kb / 1_048_576.0,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            sync_p50_ms: sync_p50_ms()?,
        })
    }

    pub(super) fn text(&self) -> String {
        format!(
            "{}, {} cores, {:.0} GB, Linux {}; 4 KiB written and synced in {:.3} ms (p50)",
            self.processor, self.cores, self.memory_gb, self.kernel, self.sync_p50_ms
        )
    }
}

fn sync_p50_ms() -> Result<f64, Fault> {
    let path = std::env::temp_dir().join(format!("stepwell-bench-sync-{}", std::process::id()));
    let mut file = std::fs::File::create(&path)?;
    // Open files need no name: it is gone however this ends.
    std::fs::remove_file(&path)?;
    let page = [0x5a; 4_096];
    file.write_all(&page)?;
    file.sync_all()?;
    let mut took = Vec::new();
    for _ in 0..SYNCS {
        let begun = Instant::now();
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&page)?;
        file.sync_data()?;
        took.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    took.sort_by(f64::total_cmp);
    Ok(percentile(&took, 0.5).unwrap_or(f64::NAN))
}
