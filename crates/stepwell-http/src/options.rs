//! How a server works.

use std::time::Duration;

use stepwell_core::limits::Limits;
use stepwell_driver::{BackupPlace, KeepRule};

use crate::console::Console;
use crate::gate::Access;
use crate::observe::Telemetry;
use crate::reload::Reload;
use crate::traces::TraceExport;

/// How a server works.
#[derive(Clone, Debug)]
pub struct Options {
    /// The limits of runs and runners.
    pub limits: Limits,
    /// How often runners send `ping`. Default 1 s.
    pub ping: Duration,
    /// How long ended runs are kept. Default 7 days.
    pub retention: Duration,
    /// Which ended runs are kept otherwise; the first that fits a run counts. Default none.
    pub retention_rules: Vec<KeepRule>,
    /// The web console. Default none.
    pub console: Option<Console>,
    /// Who is let in. Default: whoever is on this machine.
    pub access: Access,
    /// Where backups go. Default none.
    pub backups: Option<BackupPlace>,
    /// What reads settings again. Default none: a reload changes nothing.
    pub reload: Option<Reload>,
    /// Runs of a restored store are let go before anybody is heard. Default no.
    pub resume: bool,
    /// Where traces go. Default none.
    pub traces: Option<TraceExport>,
    /// How observed runs are kept. Default: there are none, and telemetry is refused.
    pub telemetry: Option<Telemetry>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            ping: Duration::from_secs(1),
            retention: Duration::from_hours(7 * 24),
            retention_rules: Vec::new(),
            console: None,
            access: Access::default(),
            backups: None,
            reload: None,
            resume: false,
            traces: None,
            telemetry: None,
        }
    }
}
