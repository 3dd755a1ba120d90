//! The layers of settings put together and checked; every default stands here.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use stepwell_core::limits::Limits;
use stepwell_driver::{BackupPlace, KeepRule};

use super::access::AccessConfig;
use super::rules::{self, RuleSetting};
use super::settings::{LogFormat, Settings};
use super::values::{Bytes, Span};

/// The port that servers listen on and clients look at by default.
const PORT: u16 = 7878;

/// How the server is to be. See [`Settings`] for ranges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where to listen. Default 127.0.0.1:7878.
    pub listen: SocketAddr,
    /// The folder; `None` keeps everything in memory. Default `None`.
    pub data: Option<PathBuf>,
    /// Who is let in.
    pub access: AccessConfig,
    /// How logs are written. Default `auto`.
    pub log_format: LogFormat,
    /// What is logged. Default `info`.
    pub log: String,
    /// How long ended runs are kept. Default 7 days.
    pub retention: Duration,
    /// Which ended runs are kept otherwise; the first that fits a run counts. Default none.
    pub retention_rules: Vec<KeepRule>,
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
    #[error("{file}, line {line}, `{shown}`: {why}")]
    File {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What stands there.
        shown: String,
        /// What is wrong and what is accepted.
        why: String,
    },
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

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT),
            data: None,
            access: AccessConfig::default(),
            log_format: LogFormat::Auto,
            log: "info".into(),
            retention: Duration::from_hours(7 * 24),
            retention_rules: Vec::new(),
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
        Some(file) => given.or(Settings::read(file)?),
        None => given,
    };
    let settings = settings.or(defaults);
    let mut config = Config { access: AccessConfig::of(&settings)?, ..Config::default() };
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
    set(&mut config.reserve_bytes, settings.reserve_bytes.map(|size| size.0));
    set(&mut config.tail_bytes_max, settings.tail_bytes_max.map(|size| size.0));
    set(&mut config.ping, settings.ping.map(|span| span.0));
    config.data = settings.data;
    config.backup_dir = settings.backup_dir;
    set(&mut config.backups_kept, settings.backups_kept);
    config.check()?;
    Ok(config)
}

impl Config {
    /// Checks every range.
    ///
    /// # Errors
    /// [`Error::Range`] for the first value outside of its range.
    pub fn check(&self) -> Result<(), Error> {
        self.access.check()?;
        let limits = &self.limits;
        size("payload_bytes_max", limits.payload_bytes_max as u64, 1 << 10, 32 << 20)?;
        size("journal_bytes_max", limits.journal_bytes_max, 64 << 10, 1 << 30)?;
        size("tail_bytes_max", self.tail_bytes_max, 16 << 20, 64 << 30)?;
        size("reserve_bytes", self.reserve_bytes, 1 << 20, 1 << 40)?;
        count("backups_kept", self.backups_kept, 10_000)?;
        count("steps_max", limits.steps_max, 100_000)?;
        count("branches_max", limits.branches_max, 100_000)?;
        count("nesting_max", limits.nesting_max, 1_000)?;
        // Every frame has room for so much.
        size("event_bytes_max", limits.event_bytes_max as u64, 1 << 10, 4 << 20)?;
        let second = Duration::from_secs(1);
        let hour = Duration::from_hours(1);
        span("runner_ttl", limits.runner_ttl(), second, hour)?;
        span("ping", self.ping, Duration::from_millis(50), limits.runner_ttl() / 3)?;
        span("linger", limits.linger(), Duration::ZERO, hour)?;
        span("grace", limits.grace(), Duration::ZERO, hour)?;
        span("cleanup", limits.cleanup(), second, hour * 24 * 365)?;
        // §4.8: a key is kept at least 24 hours after the end of its run.
        span("event_retention", limits.event_kept(), hour, 36_500 * 24 * hour)?;
        span("retention", self.retention, 24 * hour, 36_500 * 24 * hour)?;
        rules::check(&self.retention_rules)
    }

    /// Returns where backups go.
    pub fn backups(&self) -> Option<BackupPlace> {
        let kept = usize::try_from(self.backups_kept).unwrap_or(usize::MAX);
        let folder = self.backup_dir.clone()?;
        Some(BackupPlace { folder, kept, reserve: self.reserve_bytes })
    }

    /// Shows the settings in force as a file that can be read back.
    pub fn to_toml(&self) -> String {
        let limits = &self.limits;
        let text = |value: &str| toml::Value::String(value.to_owned()).to_string();
        let shown = |span: Duration| text(&Span(span).to_string());
        let sized = |bytes: u64| text(&Bytes(bytes).to_string());
        let mut lines = vec![
            ("listen", text(&self.listen.to_string())),
            ("log_format", text(self.log_format.as_str())),
            ("log", text(&self.log)),
            ("retention", shown(self.retention)),
            ("event_retention", shown(limits.event_kept())),
            ("reserve_bytes", sized(self.reserve_bytes)),
            ("backups_kept", self.backups_kept.to_string()),
            ("tail_bytes_max", sized(self.tail_bytes_max)),
            ("payload_bytes_max", sized(limits.payload_bytes_max as u64)),
            ("steps_max", limits.steps_max.to_string()),
            ("branches_max", limits.branches_max.to_string()),
            ("nesting_max", limits.nesting_max.to_string()),
            ("event_bytes_max", sized(limits.event_bytes_max as u64)),
            ("journal_bytes_max", sized(limits.journal_bytes_max)),
            ("runner_ttl", shown(limits.runner_ttl())),
            ("ping", shown(self.ping)),
            ("linger", shown(limits.linger())),
            ("grace", shown(limits.grace())),
            ("cleanup", shown(limits.cleanup())),
        ];
        if let Some(data) = &self.data {
            lines.insert(1, ("data", text(&data.display().to_string())));
        }
        if let Some(folder) = &self.backup_dir {
            lines.push(("backup_dir", text(&folder.display().to_string())));
        }
        lines.extend(self.access.to_toml());
        let mut all = lines.into_iter().fold(String::new(), |mut all, (key, value)| {
            let _ = writeln!(all, "{key} = {value}");
            all
        });
        // Tables come last.
        all.push_str(&rules::to_toml(&self.retention_rules));
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

fn size(key: &'static str, found: u64, min: u64, max: u64) -> Result<(), Error> {
    range(key, Bytes(found), (min..=max).contains(&found), (Bytes(min), Bytes(max)))
}

fn count(key: &'static str, found: u32, max: u32) -> Result<(), Error> {
    range(key, found, (1..=max).contains(&found), (1, max))
}

fn span(key: &'static str, found: Duration, min: Duration, max: Duration) -> Result<(), Error> {
    range(key, Span(found), (min..=max).contains(&found), (Span(min), Span(max)))
}

fn range<T: std::fmt::Display>(
    key: &'static str,
    found: T,
    fits: bool,
    (min, max): (T, T),
) -> Result<(), Error> {
    if fits {
        return Ok(());
    }
    Err(Error::Range { key, found: found.to_string(), accepted: format!("{min} to {max}") })
}

#[cfg(test)]
mod tests {
    use stepwell_core::status::RunStatus;

    use super::*;

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
            ("listen = 7878", ["line 1", "listen = 7878", "string"]),
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
            ("steps_max = \"many\"", ["line 1", "steps_max", "u32"]),
            ("payload_bytes_max = \"64MiB\"", ["`payload_bytes_max` is 64MiB", "1KiB", "32MiB"]),
            ("ping = \"9s\"", ["`ping` is 9s", "50ms", "3333ms"]),
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
