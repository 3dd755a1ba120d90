//! A file of settings, read with everything that is wrong in it.

use std::fmt;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize as _;
use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue, Deserializer};

use super::kind::Kind;
use super::resolve::{Config, Error, faults};
use super::settings::Settings;
use super::table::{SETTINGS, Setting, Shown, setting};

/// How alike a key has to be for it to be what was meant (Jaro-Winkler, 0 to 1).
const ALIKE: f64 = 0.8;

/// Something that is wrong in a file of settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// What stands there; of a secret only its name.
    pub shown: String,
    /// What is wrong and what is accepted.
    pub why: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, `{}`: {}", self.line, self.shown, self.why)
    }
}

/// A key of the file with its value.
type Entry<'t> = (Spanned<DeString<'t>>, Spanned<DeValue<'t>>);

/// Reads a file of settings.
///
/// # Errors
/// [`Error::Unreadable`] when there is no such file; [`Error::File`] with everything that is wrong.
pub(super) fn read(file: &Path) -> Result<Settings, Error> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file)
        .map_err(|source| Error::Unreadable { file: name.clone(), source })?;
    parse(&text).map_err(|mistakes| Error::File { file: name, mistakes })
}

/// Reads a file of settings, and checks what goes together, as if nothing else were said.
///
/// # Errors
/// [`Error::Unreadable`] when there is no such file; [`Error::File`] with everything that is wrong.
pub fn check(file: &Path) -> Result<(), Error> {
    let name = file.display().to_string();
    let settings = read(file)?;
    let faults = faults(settings);
    if faults.is_empty() {
        return Ok(());
    }
    let text = std::fs::read_to_string(file)
        .map_err(|source| Error::Unreadable { file: name.clone(), source })?;
    let mistakes = faults.into_iter().map(|fault| {
        let stands = |line: &str| {
            let key = line.split('=').next().unwrap_or_default();
            fault.key() == Some(key.trim().trim_matches('"'))
        };
        let found = text.lines().enumerate().find(|(_, line)| stands(line));
        let (at, shown) = found.unwrap_or_default();
        Mistake { line: at + 1, shown: shown.trim().to_owned(), why: fault.to_string() }
    });
    Err(Error::File { file: name, mistakes: mistakes.collect() })
}

/// Reads the text of a file of settings.
///
/// # Errors
/// Everything that is wrong, by lines.
pub(super) fn parse(text: &str) -> Result<Settings, Vec<Mistake>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut seen = Seen { text, mistakes: Vec::new() };
    for error in errors {
        let why = format!("it is no TOML: {}", error.message());
        seen.add(&error.span().unwrap_or_default(), None, why);
    }
    let mut settings = Settings::default();
    for (key, value) in table.into_inner() {
        match setting(key.get_ref()) {
            None => seen.add(&key.span(), None, unknown(key.get_ref())),
            Some(one) => {
                for value in parts(value) {
                    settings = settings.or(seen.read(one, (key.clone(), value)));
                }
            }
        }
    }
    let mut mistakes = seen.mistakes;
    mistakes.sort_by_key(|mistake| mistake.line);
    if mistakes.is_empty() { Ok(settings) } else { Err(mistakes) }
}

/// Says what was meant by a key that is none.
fn unknown(key: &str) -> String {
    let all = "accepted: those of `stepwell config sample`";
    match meant(key) {
        Some(one) => format!("unknown key `{key}`; did you mean `{}`? {all}", one.name),
        None => format!("unknown key `{key}`; {all}"),
    }
}

/// Returns the setting that a key names, or nearly does.
fn meant(key: &str) -> Option<&'static Setting> {
    let meant = key.to_lowercase().replace('-', "_");
    let alike = |one: &Setting| strsim::jaro_winkler(&meant, one.name);
    let near = SETTINGS.iter().max_by(|a, b| alike(a).total_cmp(&alike(b)));
    near.filter(|one| alike(one) >= ALIKE)
}

/// What was seen of a file.
struct Seen<'t> {
    text: &'t str,
    mistakes: Vec<Mistake>,
}

impl<'t> Seen<'t> {
    /// Notes a mistake; one for each line of what is no TOML.
    fn add(&mut self, at: &Range<usize>, of: Option<&Setting>, why: String) {
        let before = self.text.get(..at.start.min(self.text.len())).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let text = self.text.lines().nth(line - 1).unwrap_or_default().trim();
        let (key, _) = text.split_once('=').unwrap_or((text, ""));
        let key = key.trim().trim_matches(['"', '\'']);
        let shown = match of.or_else(|| meant(key)) {
            Some(one) if one.shown == Shown::Never => format!("{key} = …"),
            _ => text.to_owned(),
        };
        if self.mistakes.iter().all(|mistake| mistake.line != line || mistake.shown != shown) {
            self.mistakes.push(Mistake { line, shown, why });
        }
    }

    /// Reads one key; nothing where it is wrong.
    fn read(&mut self, one: &Setting, entry: Entry<'t>) -> Settings {
        let at = entry.1.span();
        let rule = match (one.kind, entry.1.get_ref()) {
            (Kind::Rules, DeValue::Array(rules)) => rules.first().cloned(),
            _ => None,
        };
        let name = entry.0.clone();
        let fault = match settings_of(entry) {
            Ok(read) => match one.check(&Config::of(read.clone())) {
                Ok(()) => return read,
                Err(error) => (at, error.to_string()),
            },
            Err(error) => (error.span().unwrap_or(at), told(one, error.message())),
        };
        let before = self.mistakes.len();
        if let Some(rule) = rule {
            // Each of its keys alone, since a rule is wrong in more than one place as easily as a file.
            for alone in alone(rule) {
                let at = alone.span();
                let rules = DeArray::from_iter([alone]);
                let entry = (name.clone(), Spanned::new(at.clone(), DeValue::Array(rules)));
                if let Err(error) = settings_of(entry) {
                    self.add(&error.span().unwrap_or(at), Some(one), told(one, error.message()));
                }
            }
        }
        if self.mistakes.len() == before {
            self.add(&fault.0, Some(one), fault.1);
        }
        Settings::default()
    }
}

/// Divides tables into one each, so that each is read for itself; another value is one part.
fn parts(value: Spanned<DeValue<'_>>) -> Vec<Spanned<DeValue<'_>>> {
    let span = value.span();
    match value.into_inner() {
        DeValue::Array(tables) if tables.iter().all(|one| one.get_ref().is_table()) => tables
            .into_iter()
            .map(|one| Spanned::new(one.span(), DeValue::Array(DeArray::from_iter([one]))))
            .collect(),
        other => vec![Spanned::new(span, other)],
    }
}

/// Makes a rule of each key of a rule, with what every rule needs beside it.
fn alone(rule: Spanned<DeValue<'_>>) -> Vec<Spanned<DeValue<'_>>> {
    let span = rule.span();
    let DeValue::Table(keys) = rule.into_inner() else { return Vec::new() };
    let rules = keys.into_iter().map(|(key, value)| {
        let at = key.span();
        let mut table = DeTable::new();
        let keep = Spanned::new(span.clone(), DeString::Borrowed("keep"));
        table.insert(keep, Spanned::new(span.clone(), DeValue::String("1d".into())));
        table.remove(&key);
        table.insert(key, value);
        Spanned::new(at, DeValue::Table(table))
    });
    rules.collect()
}

fn settings_of(entry: Entry<'_>) -> Result<Settings, toml::de::Error> {
    let span = entry.1.span();
    let table = DeTable::from_iter([entry]);
    Settings::deserialize(Deserializer::from(Spanned::new(span, table)))
}

/// Says what is wrong with a value and what is accepted.
fn told(one: &Setting, message: &str) -> String {
    if one.shown == Shown::Never {
        return format!("it is not understood; accepted: {}", one.accepted());
    }
    let message = message.replace("field", "key");
    if message.contains("accepted") || message.contains("expected one of") {
        return message;
    }
    format!("{message}; accepted: {}", one.accepted())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        parse(text).unwrap_err().iter().map(|mistake| mistake.line).collect()
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let text = "lisen = \"127.0.0.1:1\"\nsteps_max = 0\n\nlog = \"stepwell=loud\"\nping = true\n\
                    linger = \"1s\"\n[[retention_rule]]\nkeep = \"1h\"\n\n[[retention_rule]]\n\
                    keep = \"forever\"\nstatus = \"failed\"\n[server]\nport = 1\n";
        let mistakes = parse(text).unwrap_err();
        let expected = [
            (1, "did you mean `listen`?"),
            (2, "`steps_max` is 0; accepted: 1 to 100000"),
            (4, "`log` is `stepwell=loud`"),
            (5, "50ms to 20m"),
            (7, "`keep` of a `retention_rule` is 1h"),
            (11, "`forever` is not a duration"),
            (12, "unknown key `status`, expected one of `namespace`"),
            (13, "unknown key `server`"),
        ];
        assert_eq!(mistakes.len(), expected.len(), "{mistakes:#?}");
        for (mistake, (line, part)) in mistakes.iter().zip(expected) {
            assert!(mistake.line == line && mistake.why.contains(part), "{part}: {mistake}");
        }
    }

    #[test]
    fn what_is_no_toml_does_not_hide_other_mistakes() {
        assert_eq!(lines("steps_max = \nlinger = [1]\nlog_format = \"xml\"\n"), [1, 2, 3]);
        assert_eq!(lines("steps_max = 1\nsteps_max = 2\n"), [2]);
        assert_eq!(lines("retention_rule = 1\n"), [1]);
        assert_eq!(lines("retention_rule = [1]\n"), [1]);
    }

    #[test]
    fn keys_that_are_no_settings_are_told_with_the_nearest() {
        for (key, name) in [
            ("log-format", "log_format"),
            ("Listen", "listen"),
            ("tls_certificate", "tls_cert"),
            ("step_max", "steps_max"),
            ("retention_rules", "retention_rule"),
        ] {
            assert!(unknown(key).contains(&format!("did you mean `{name}`?")), "{}", unknown(key));
        }
        assert!(unknown("colour").contains("stepwell config sample"), "{}", unknown("colour"));
    }

    #[test]
    fn what_does_not_go_together_is_told_where_it_stands() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("stepwell.toml");
        std::fs::write(&file, "listen = \"[::1]:1\"\ntls_cert = \"c\"\nping = \"4s\"\n").unwrap();
        let Err(Error::File { mistakes, .. }) = check(&file) else { panic!("it is accepted") };
        let lines: Vec<_> = mistakes.iter().map(|mistake| mistake.line).collect();
        assert_eq!(lines, [2, 3], "{mistakes:?}");
        std::fs::write(&file, "tls_cert = \"c\"\ntls_key = \"k\"\n").unwrap();
        assert!(check(&file).is_ok());
        assert!(matches!(check(&folder.path().join("other.toml")), Err(Error::Unreadable { .. })));
    }
}
