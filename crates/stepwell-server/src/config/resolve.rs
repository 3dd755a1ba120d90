//! The layers of settings put together and checked; every default stands here.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use stepwell_core::limits::Limits;
use stepwell_driver::{BackupPlace, KeepRule};

use super::access::AccessConfig;
use super::database::DatabaseConfig;
use super::file::{self, Mistake};
use super::kind::Kind;
use super::otlp::OtlpConfig;
use super::rules::RuleSetting;
use super::settings::{LogFormat, Settings, TelemetryMode};
use super::table::{SETTINGS, Shown};
use super::values::Span;
use crate::logs;

/// The port that servers listen on and clients look at by default.
const PORT: u16 = 7878;

/// How the server is to be. See [`Settings`] for ranges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where to listen. Default 127.0.0.1:7878.
    pub listen: SocketAddr,
    /// The folder; `None` keeps everything in memory. Default `None`.
    pub data: Option<PathBuf>,
    /// A store that several nodes share, in place of a folder.
    pub database: DatabaseConfig,
    /// Who is let in.
    pub access: AccessConfig,
    /// How logs are written. Default `auto`.
    pub log_format: LogFormat,
    /// What is logged. Default `info`.
    pub log: String,
    /// Where traces go.
    pub otlp: OtlpConfig,
    /// How long ended runs are kept. Default 7 days.
    pub retention: Duration,
    /// Which ended runs are kept otherwise; the first that fits a run counts. Default none.
    pub retention_rules: Vec<KeepRule>,
    /// Whether telemetry is taken. Default: it is.
    pub telemetry: TelemetryMode,
    /// How long observed runs are kept after their last event. Default 7 days.
    pub telemetry_retention: Duration,
    /// Free bytes on the disk below which no new runs are taken. Default 64 MiB.
    pub reserve_bytes: u64,
    /// The folder for backups. Default `None`: there are none.
    pub backup_dir: Option<PathBuf>,
    /// How many backups are kept. Default 7.
    pub backups_kept: u32,
    /// Most bytes that are durable but not in tables yet. Default 256 MiB.
    pub tail_bytes_max: u64,
    /// The limits of runs and runners.
    pub limits: Limits,
    /// How often runners send `ping`. Default 1 s.
    pub ping: Duration,
}

/// The configuration is not accepted (SW4005).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file of settings cannot be read.
    #[error("{file} cannot be read: {source}; accepted: a TOML file in UTF-8")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file of settings is not understood.
    #[error("{file}, {}", mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    File {
        /// The file.
        file: String,
        /// Everything that is wrong, at least one.
        mistakes: Vec<Mistake>,
    },
    /// What is to be logged is not understood.
    #[error(transparent)]
    Log(#[from] logs::Error),
    /// A value is outside of its range.
    #[error("`{key}` is {found}; accepted: {accepted}")]
    Range {
        /// The setting.
        key: &'static str,
        /// Its value.
        found: String,
        /// Its range.
        accepted: String,
    },
}

impl Error {
    /// Returns the setting that is wrong, where it is a single one.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Range { key, .. } => Some(key),
            Self::Log(_) => Some("log"),
            Self::Unreadable { .. } | Self::File { .. } => None,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT),
            data: None,
            database: DatabaseConfig::default(),
            access: AccessConfig::default(),
            log_format: LogFormat::Auto,
            log: "info".into(),
            otlp: OtlpConfig::default(),
            retention: Duration::from_hours(7 * 24),
            retention_rules: Vec::new(),
            telemetry: TelemetryMode::On,
            telemetry_retention: Duration::from_hours(7 * 24),
            reserve_bytes: 64 << 20,
            backup_dir: None,
            backups_kept: 7,
            tail_bytes_max: 256 << 20,
            limits: Limits::default(),
            ping: Duration::from_secs(1),
        }
    }
}

/// Puts the layers together: `given` (flags and environment) over the file over the defaults.
///
/// # Errors
/// [`Error`] says which file, key and value, and what is accepted.
pub fn resolve(given: Settings, file: Option<&Path>) -> Result<Config, Error> {
    resolve_over(given, file, Settings::default())
}

/// As [`resolve`], with defaults of its own.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_over(
    given: Settings,
    file: Option<&Path>,
    defaults: Settings,
) -> Result<Config, Error> {
    let settings = match file {
        Some(file) => given.or(file::read(file)?),
        None => given,
    };
    let settings = settings.or(defaults);
    AccessConfig::check_pairs(&settings)?;
    let config = Config::of(settings);
    config.check()?;
    Ok(config)
}

/// Returns everything that is wrong with settings as a whole.
pub(super) fn faults(settings: Settings) -> Vec<Error> {
    let pairs = AccessConfig::check_pairs(&settings).err();
    pairs.into_iter().chain(Config::of(settings).faults()).collect()
}
impl Config {
    /// Takes what is set, and the defaults for the rest. Nothing is checked.
    pub(super) fn of(settings: Settings) -> Self {
        let (access, otlp) = (AccessConfig::of(&settings), OtlpConfig::of(&settings));
        let database = DatabaseConfig::of(&settings);
        let mut config = Self { database, access, otlp, ..Self::default() };
        let limits = &mut config.limits;
        set(&mut limits.steps_max, settings.steps_max);
        set(&mut limits.branches_max, settings.branches_max);
        set(&mut limits.journal_bytes_max, settings.journal_bytes_max.map(|size| size.0));
        set(&mut limits.runner_ttl_ms, settings.runner_ttl.map(millis));
        set(&mut limits.linger_ms, settings.linger.map(millis));
        set(&mut limits.grace_ms, settings.grace.map(millis));
        set(&mut limits.cleanup_ms, settings.cleanup.map(millis));
        set(&mut limits.event_kept_ms, settings.event_retention.map(millis));
        set(&mut limits.nesting_max, settings.nesting_max);
        let event = settings.event_bytes_max.map(|size| usize::try_from(size.0));
        set(&mut limits.event_bytes_max, event.map(|size| size.unwrap_or(usize::MAX)));
        let payload = settings.payload_bytes_max.map(|size| usize::try_from(size.0));
        set(&mut limits.payload_bytes_max, payload.map(|size| size.unwrap_or(usize::MAX)));
        set(&mut config.listen, settings.listen.map(|listen| listen.0));
        set(&mut config.log_format, settings.log_format);
        set(&mut config.log, settings.log);
        set(&mut config.retention, settings.retention.map(|span| span.0));
        config.retention_rules = settings.retention_rule.iter().map(RuleSetting::rule).collect();
        set(&mut config.telemetry, settings.telemetry);
        set(&mut config.telemetry_retention, settings.telemetry_retention.map(|span| span.0));
        set(&mut config.reserve_bytes, settings.reserve_bytes.map(|size| size.0));
        set(&mut config.tail_bytes_max, settings.tail_bytes_max.map(|size| size.0));
        set(&mut config.ping, settings.ping.map(|span| span.0));
        config.data = settings.data;
        config.backup_dir = settings.backup_dir;
        set(&mut config.backups_kept, settings.backups_kept);
        config
    }

    /// Checks every range, and what goes together.
    ///
    /// # Errors
    /// [`Error::Range`] for the first value outside of its range.
    pub fn check(&self) -> Result<(), Error> {
        self.faults().into_iter().next().map_or(Ok(()), Err)
    }

    fn faults(&self) -> Vec<Error> {
        let mut faults: Vec<_> = self.access.check().err().into_iter().collect();
        faults.extend(SETTINGS.iter().filter_map(|setting| setting.check(self).err()));
        if self.database.url.is_some() && self.data.is_some() {
            let found = "set, and so is `data`".to_owned();
            let accepted =
                "one of the two: everything is in the database, or in the folder".to_owned();
            faults.push(Error::Range { key: "store", found, accepted });
        }
        let most = self.limits.runner_ttl() / 3;
        if self.ping > most {
            let (found, accepted) = (Span(self.ping).to_string(), Span(most));
            let accepted = format!("at most {accepted}, a third of `runner_ttl`");
            faults.push(Error::Range { key: "ping", found, accepted });
        }
        faults
    }

    /// Returns where backups go.
    pub fn backups(&self) -> Option<BackupPlace> {
        let kept = usize::try_from(self.backups_kept).unwrap_or(usize::MAX);
        let folder = self.backup_dir.clone()?;
        Some(BackupPlace { folder, kept, reserve: self.reserve_bytes })
    }

    /// Shows the settings in force as a file that can be read back, but for secrets.
    pub fn to_toml(&self) -> String {
        let mut all = String::new();
        for setting in SETTINGS {
            let Some(value) = setting.value(self) else { continue };
            let _ = match (setting.shown, setting.kind) {
                (Shown::Never, _) => writeln!(all, "# {} is set, and not shown", setting.name),
                (Shown::Yes, Kind::Rules) => writeln!(all, "{}", value.to_toml()),
                (Shown::Yes, _) => writeln!(all, "{} = {}", setting.name, value.to_toml()),
            };
        }
        all
    }
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

fn millis(span: Span) -> u64 {
    u64::try_from(span.0.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use stepwell_core::status::RunStatus;

    use super::*;
    use crate::config::values::Bytes;

    fn from_file(text: &str, given: Settings) -> Result<Config, Error> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("stepwell.toml");
        std::fs::write(&file, text).unwrap();
        resolve(given, Some(&file))
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let given = Settings { steps_max: Some(7), ..Settings::default() };
        let file = "steps_max = 8\nbranches_max = 9\nretention = \"2d\"\nlinger = 250\n";
        let config = from_file(file, given).unwrap();
        assert_eq!((config.limits.steps_max, config.limits.branches_max), (7, 9));
        assert_eq!(config.retention, Duration::from_hours(48));
        assert_eq!(config.limits.linger_ms, 250);
        assert_eq!(config.limits.grace_ms, 30_000);
    }

    #[test]
    fn what_is_printed_reads_back_as_the_same() {
        let given = Settings {
            data: Some("/a \"b\"".into()),
            backup_dir: Some("/var/backups".into()),
            backups_kept: Some(3),
            ping: Some(Span(Duration::from_millis(750))),
            payload_bytes_max: Some(Bytes(12_345)),
            ..Settings::default()
        };
        let mut config = resolve(given, None).unwrap();
        let keep = Duration::from_hours(90 * 24);
        let failed = KeepRule {
            namespace: Some("default".into()),
            app: None,
            workflow: Some("a \"b\"".into()),
            statuses: vec![RunStatus::Failed, RunStatus::TimedOut],
            keep,
        };
        let all =
            KeepRule { namespace: None, workflow: None, statuses: Vec::new(), ..failed.clone() };
        config.retention_rules = vec![failed, all];
        assert_eq!(from_file(&config.to_toml(), Settings::default()).unwrap(), config);
    }

    #[test]
    fn errors_name_the_place_the_key_and_what_is_accepted() {
        let cases = [
            ("\nlisen = \"127.0.0.1:1\"", ["line 2", "`lisen`", "`listen`"]),
            ("listen = 7878", ["line 1", "listen = 7878", "an IP address"]),
            ("listen = \"here\"", ["`here`", "accepted", "127.0.0.1:7878"]),
            ("retention = \"1M\"", ["`1M`", "accepted", "1d12h"]),
            ("retention = \"1h\"", ["`retention` is 1h", "accepted", "1d"]),
            (
                "[[retention_rule]]\nkeep = \"1h\"",
                ["`keep` of a `retention_rule` is 1h", "1d", "accepted"],
            ),
            ("[[retention_rule]]\napp = \"shop\"", ["line 1", "retention_rule", "`keep`"]),
            ("[[retention_rule]]\nstatus = \"failed\"", ["line 2", "`status`", "`statuses`"]),
            (
                "[[retention_rule]]\nstatuses = [\"running\"]",
                ["line 2", "`running`", "`timed_out`"],
            ),
            ("steps_max = 0", ["`steps_max` is 0", "accepted", "1 to 100000"]),
            ("steps_max = \"many\"", ["line 1", "steps_max", "1 to 100000"]),
            (
                "payload_bytes_max = \"64MiB\"",
                ["line 1", "`payload_bytes_max` is 64MiB", "1KiB to 32MiB"],
            ),
            ("ping = \"9s\"", ["`ping` is 9s", "3333ms", "`runner_ttl`"]),
            ("ping = \"30m\"", ["line 1", "`ping` is 30m", "50ms to 20m"]),
            ("linger = [1]", ["line 1", "linger", "a number"]),
            ("log_format = \"xml\"", ["`xml`", "`auto`", "`json`"]),
            ("steps_max = ", ["line 1", "steps_max", "line 1"]),
        ];
        for (text, parts) in cases {
            let error = from_file(text, Settings::default()).unwrap_err().to_string();
            for part in parts {
                assert!(error.contains(part), "{text:?} gives {error:?}, without {part:?}");
            }
        }
    }

    #[test]
    fn a_missing_file_is_an_error() {
        let missing = Path::new("/nowhere/stepwell.toml");
        let error = resolve(Settings::default(), Some(missing)).unwrap_err().to_string();
        assert!(error.contains("/nowhere/stepwell.toml cannot be read"), "{error}");
    }
}
