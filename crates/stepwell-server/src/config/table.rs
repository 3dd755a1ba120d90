//! The one table of settings: what each takes, whether it can change while the server runs, and where its
//! value stands. Help, checks, `--print-config`, the sample, the schema and the page are made of it.

use std::sync::LazyLock;
use std::time::Duration;

use clap::{Arg, Args, Command};

use super::kind::{Kind, Value};
use super::resolve::{Config, Error};
use super::rules;
use super::settings::Settings;
use crate::logs;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const CENTURY: Duration = Duration::from_hours(36_500 * 24);

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// When a change of a setting counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// With the next reload.
    Reload,
    /// With the next start.
    Restart,
}

/// Whether a value may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// It is no secret.
    Yes,
    /// It is a secret: it is in no output and no error.
    Never,
}

/// A setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The key in the file; the flag has dashes in place of underscores.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// When a change counts.
    pub effect: Effect,
    /// Whether its value may be shown.
    pub shown: Shown,
    /// What could stand there, where there is no default.
    pub example: &'static str,
    /// Reads its value; `None` where it has none.
    read: fn(&Config) -> Option<Value>,
}

/// Makes a setting that has a default and counts with the next start.
const fn row(name: &'static str, kind: Kind, read: fn(&Config) -> Option<Value>) -> Setting {
    Setting { name, kind, effect: Effect::Restart, shown: Shown::Yes, example: "", read }
}

impl Setting {
    /// Has it count with the next reload.
    const fn reloaded(self) -> Self {
        Self { effect: Effect::Reload, ..self }
    }

    /// Has it shown nowhere.
    const fn secret(self) -> Self {
        Self { shown: Shown::Never, ..self }
    }

    /// Says what could stand there.
    const fn such_as(self, example: &'static str) -> Self {
        Self { example, ..self }
    }

    /// Returns its value.
    pub fn value(&self, config: &Config) -> Option<Value> {
        (self.read)(config)
    }

    /// Returns its default, as the file has it; `None` where it has none.
    pub fn default_toml(&self) -> Option<String> {
        self.value(&Config::default()).map(|value| value.to_toml())
    }

    /// Says what it is, in a sentence without a full stop.
    pub fn about(&self) -> String {
        if self.kind == Kind::Rules {
            return rules::ABOUT.to_owned();
        }
        let help = self.arg().and_then(Arg::get_help);
        help.map(ToString::to_string).unwrap_or_default()
    }

    /// Returns the variable of the environment; `None` where it stands in the file only.
    pub fn variable(&self) -> Option<String> {
        let variable = self.arg()?.get_env()?;
        Some(variable.to_string_lossy().into_owned())
    }

    /// Returns the words of a choice, each with what it means; empty for other kinds.
    pub fn choices(&self) -> Vec<(String, String)> {
        if self.kind != Kind::Choice {
            return Vec::new();
        }
        let values = self.arg().map(Arg::get_possible_values).unwrap_or_default();
        let about = |help: Option<&clap::builder::StyledStr>| {
            help.map(|help| help.to_string().replace('\n', " ")).unwrap_or_default()
        };
        values.iter().map(|one| (one.get_name().to_owned(), about(one.get_help()))).collect()
    }

    /// Says what it takes.
    pub fn accepted(&self) -> String {
        let words: Vec<_> =
            self.choices().into_iter().map(|(word, _)| format!("`{word}`")).collect();
        match words.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => self.kind.accepted(),
        }
    }

    /// Checks that its value is in its range.
    ///
    /// # Errors
    /// [`Error::Range`].
    pub(super) fn check(&self, config: &Config) -> Result<(), Error> {
        match self.value(config) {
            Some(Value::Rules(rules)) => rules::check(&rules),
            Some(Value::Text(filter)) if self.kind == Kind::Filter => {
                Ok(logs::filter(&filter).map(drop)?)
            }
            Some(value) if !self.kind.holds(&value) => Err(Error::Range {
                key: self.name,
                found: self.told(&value),
                accepted: if self.kind.range().is_empty() {
                    self.kind.accepted()
                } else {
                    self.kind.range()
                },
            }),
            _ => Ok(()),
        }
    }

    /// Says which value is not accepted.
    fn told(&self, value: &Value) -> String {
        let text = value.to_string();
        // An address may name a user with a password.
        let is_secret = self.shown == Shown::Never || self.kind == Kind::Url && text.contains('@');
        if is_secret { "not understood".to_owned() } else { text }
    }

    fn arg(&self) -> Option<&'static Arg> {
        ARGS.get_arguments().find(|arg| arg.get_id() == self.name)
    }
}

/// The flags as they are declared, which say what each setting is about.
static ARGS: LazyLock<Command> = LazyLock::new(|| Settings::augment_args(Command::new("settings")));

/// Returns the setting of this name.
pub fn setting(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

fn size(bytes: usize) -> Value {
    Value::Size(u64::try_from(bytes).unwrap_or(u64::MAX))
}

fn text(text: &impl ToString) -> Value {
    Value::Text(text.to_string())
}

/// Every setting, in the order of the sample.
pub const SETTINGS: &[Setting] = &[
    row("listen", Kind::Address, |c| Some(text(&c.listen))),
    row("data", Kind::Path, |c| Some(text(&c.data.as_ref()?.display())))
        .such_as("/var/lib/stepwell"),
    row("store", Kind::Database, |c| Some(text(&c.database.url.as_ref()?.expose())))
        .such_as("postgres://stepwell:…@db.example:5432/stepwell")
        .secret(),
    row("store_schema", Kind::Name, |c| Some(text(&c.database.schema))),
    row("store_ca_file", Kind::Path, |c| Some(text(&c.database.ca_file.as_ref()?.display())))
        .such_as("/etc/stepwell/db-ca.pem"),
    row("node", Kind::Name, |c| Some(text(c.database.node.as_ref()?))).such_as("node-1"),
    row("lease", Kind::Span { min: SECOND, max: MINUTE }, |c| Some(Value::Span(c.database.lease))),
    row("access", Kind::Choice, |c| Some(text(&c.access.mode.as_str()))),
    row("admin_key_file", Kind::Path, |c| Some(text(&c.access.admin_key_file.as_ref()?.display())))
        .such_as("/var/lib/stepwell/admin.key"),
    row("tls_cert", Kind::Path, |c| Some(text(&c.access.tls.as_ref()?.cert.display())))
        .such_as("/etc/stepwell/cert.pem")
        .reloaded(),
    row("tls_key", Kind::Path, |c| Some(text(&c.access.tls.as_ref()?.key.display())))
        .such_as("/etc/stepwell/key.pem")
        .reloaded(),
    row("tls_terminated_by_proxy", Kind::Flag, |c| Some(Value::Flag(c.access.by_proxy))),
    row("key_requests_per_second", Kind::Count { min: 1, max: 1_000_000 }, |c| {
        Some(Value::Count(c.access.rates.key_requests_per_second))
    })
    .reloaded(),
    row("wrong_keys_per_minute", Kind::Count { min: 1, max: 10_000 }, |c| {
        Some(Value::Count(c.access.rates.wrong_keys_per_minute))
    })
    .reloaded(),
    row("unknown_connections_max", Kind::Count { min: 1, max: 4_096 }, |c| {
        Some(Value::Count(c.access.rates.unknown_connections_max))
    })
    .reloaded(),
    row("log_format", Kind::Choice, |c| Some(text(&c.log_format.as_str()))),
    row("log", Kind::Filter, |c| Some(text(&c.log))).reloaded(),
    row("otlp_endpoint", Kind::Url, |c| Some(text(c.otlp.endpoint.as_ref()?)))
        .such_as("http://127.0.0.1:4318"),
    row("otlp_headers", Kind::Headers, |c| Some(text(&c.otlp.headers.as_ref()?.expose())))
        .such_as("authorization=Bearer …")
        .secret(),
    row("otlp_service_name", Kind::Name, |c| Some(text(&c.otlp.service_name))),
    // §4.8: a key is kept at least 24 hours after the end of its run.
    row("retention", Kind::Span { min: DAY, max: CENTURY }, |c| Some(Value::Span(c.retention)))
        .reloaded(),
    row("event_retention", Kind::Span { min: HOUR, max: CENTURY }, |c| {
        Some(Value::Span(c.limits.event_kept()))
    }),
    row("telemetry", Kind::Choice, |c| Some(text(&c.telemetry.as_str()))),
    row("telemetry_retention", Kind::Span { min: HOUR, max: CENTURY }, |c| {
        Some(Value::Span(c.telemetry_retention))
    })
    .reloaded(),
    row("reserve_bytes", Kind::Size { min: MIB, max: 1_024 * GIB }, |c| {
        Some(Value::Size(c.reserve_bytes))
    }),
    row("backup_dir", Kind::Path, |c| Some(text(&c.backup_dir.as_ref()?.display())))
        .such_as("/var/backups/stepwell"),
    row("backups_kept", Kind::Count { min: 1, max: 10_000 }, |c| {
        Some(Value::Count(c.backups_kept))
    }),
    row("tail_bytes_max", Kind::Size { min: 16 * MIB, max: 64 * GIB }, |c| {
        Some(Value::Size(c.tail_bytes_max))
    }),
    row("payload_bytes_max", Kind::Size { min: KIB, max: 32 * MIB }, |c| {
        Some(size(c.limits.payload_bytes_max))
    }),
    row("steps_max", Kind::Count { min: 1, max: 100_000 }, |c| {
        Some(Value::Count(c.limits.steps_max))
    }),
    row("branches_max", Kind::Count { min: 1, max: 100_000 }, |c| {
        Some(Value::Count(c.limits.branches_max))
    }),
    row("nesting_max", Kind::Count { min: 1, max: 1_000 }, |c| {
        Some(Value::Count(c.limits.nesting_max))
    }),
    // Every frame has room for so much.
    row("event_bytes_max", Kind::Size { min: KIB, max: 4 * MIB }, |c| {
        Some(size(c.limits.event_bytes_max))
    }),
    row("journal_bytes_max", Kind::Size { min: 64 * KIB, max: GIB }, |c| {
        Some(Value::Size(c.limits.journal_bytes_max))
    }),
    row("runner_ttl", Kind::Span { min: SECOND, max: HOUR }, |c| {
        Some(Value::Span(c.limits.runner_ttl()))
    }),
    row("ping", Kind::Span { min: Duration::from_millis(50), max: Duration::from_mins(20) }, |c| {
        Some(Value::Span(c.ping))
    }),
    row("linger", Kind::Span { min: Duration::ZERO, max: HOUR }, |c| {
        Some(Value::Span(c.limits.linger()))
    }),
    row("grace", Kind::Span { min: Duration::ZERO, max: HOUR }, |c| {
        Some(Value::Span(c.limits.grace()))
    }),
    row("cleanup", Kind::Span { min: SECOND, max: Duration::from_hours(365 * 24) }, |c| {
        Some(Value::Span(c.limits.cleanup()))
    }),
    // Tables come last.
    row("retention_rule", Kind::Rules, |c| {
        (!c.retention_rules.is_empty()).then(|| Value::Rules(c.retention_rules.clone()))
    })
    .reloaded(),
];
