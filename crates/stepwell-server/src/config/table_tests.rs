//! The table is whole, and what is made of it holds together.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args as _, Command};
use serde_json::{Value as Json, json};

use super::file::parse;
use super::table::{Effect, SETTINGS, Setting, Shown, setting};
use super::{Config, Kind, Settings, Value, sample, schema};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A value that is accepted and not the default.
fn other(setting: &Setting) -> Value {
    let default = setting.value(&Config::default());
    let candidates = match setting.kind {
        Kind::Address => vec![Value::Text("[::1]:4242".into())],
        Kind::Path => vec![Value::Text("/a \"b\"/c".into())],
        Kind::Filter => vec![Value::Text("debug".into())],
        Kind::Url => vec![Value::Text("https://otlp.example/base".into())],
        Kind::Database => vec![Value::Text("postgres://db.example/shop".into())],
        Kind::Headers => vec![Value::Text("x-key=\"b\",y-key=c%2Cd".into())],
        Kind::Name => vec![Value::Text("shop \"eu\"".into())],
        Kind::Choice => setting.choices().into_iter().map(|(word, _)| Value::Text(word)).collect(),
        Kind::Flag => vec![Value::Flag(true), Value::Flag(false)],
        Kind::Count { min, max } => vec![Value::Count(min), Value::Count(max)],
        Kind::Size { min, max } => vec![Value::Size(min), Value::Size(max)],
        Kind::Span { min, max } => vec![Value::Span(min), Value::Span(max)],
        Kind::Rules => {
            let config = read("[[retention_rule]]\nkeep = \"30d\"\n");
            vec![Value::Rules(config.retention_rules)]
        }
    };
    candidates.into_iter().find(|value| Some(value) != default.as_ref()).unwrap()
}

fn read(text: &str) -> Config {
    let settings = parse(text).unwrap_or_else(|mistakes| panic!("{text}: {mistakes:?}"));
    Config::of(settings)
}

/// A file with one setting, and the other file of a certificate where it is one of both.
fn only(setting: &Setting, value: &Value) -> String {
    let pair = match setting.name {
        "tls_cert" => "tls_key = \"k\"\n",
        "tls_key" => "tls_cert = \"c\"\n",
        _ => "",
    };
    match setting.kind {
        Kind::Rules => value.to_toml(),
        _ => format!("{pair}{} = {}\n", setting.name, value.to_toml()),
    }
}

/// Every flag is in the table, and every row is a flag, but for what the file alone has.
#[test]
fn every_setting_is_in_the_table() {
    let command = Settings::augment_args(Command::new("settings"));
    let flags: Vec<_> = command.get_arguments().map(|arg| arg.get_id().to_string()).collect();
    for flag in &flags {
        assert!(setting(flag).is_some(), "`{flag}` is not in the table of settings");
    }
    for one in SETTINGS {
        let is_flag = flags.iter().any(|flag| flag == one.name);
        assert!(is_flag || one.kind == Kind::Rules, "`{}` of the table is no setting", one.name);
        assert_ne!(one.about(), "", "{}", one.name);
        assert_eq!(one.variable().is_some(), is_flag, "{}", one.name);
        let has_default = one.default_toml().is_some();
        let has_example = !one.example.is_empty() || one.kind == Kind::Rules;
        assert!(has_default != has_example, "`{}` has a default or an example", one.name);
    }
}

/// What the file says comes to count, and nothing else changes with it.
#[test]
fn every_setting_of_the_file_counts() {
    let default = Config::default();
    for one in SETTINGS {
        let value = other(one);
        let config = read(&only(one, &value));
        assert_eq!(one.value(&config), Some(value), "`{}` of the file does not count", one.name);
        for another in SETTINGS.iter().filter(|another| another.name != one.name) {
            let is_pair = one.name.starts_with("tls_") && another.name.starts_with("tls_");
            let is_same = another.value(&config) == another.value(&default);
            assert!(is_pair || is_same, "`{}` changes `{}`", one.name, another.name);
        }
    }
}

#[test]
fn what_is_beyond_a_range_is_refused() {
    let mut refused = 0;
    for one in SETTINGS {
        let beyond = match one.kind {
            Kind::Count { max, .. } => Value::Count(max + 1),
            Kind::Size { max, .. } => Value::Size(max + 1),
            Kind::Span { max, .. } => Value::Span(max + std::time::Duration::from_secs(1)),
            _ => continue,
        };
        let mistakes = parse(&only(one, &beyond)).unwrap_err();
        assert!(mistakes[0].why.contains(&one.kind.range()), "{}", mistakes[0]);
        refused += 1;
    }
    assert!(refused > 15, "only {refused} settings have a range");
}

/// The sample with every `#` before a setting taken away.
fn taken() -> String {
    let lines = sample().lines().map(str::to_owned).collect::<Vec<_>>();
    let is_setting = |line: &&String| line.starts_with('#') && !line.starts_with("# ");
    let lines = lines.iter().filter(is_setting).filter(|line| !line.starts_with("#:schema"));
    lines.fold(String::new(), |all, line| all + &line[1..] + "\n")
}

#[test]
fn the_sample_holds_every_default() {
    let all = taken();
    let config = read(&all);
    for one in SETTINGS {
        assert!(
            all.contains(&format!("{} = ", one.name)) || one.kind == Kind::Rules,
            "{}",
            one.name
        );
        match one.value(&Config::default()) {
            Some(default) => assert_eq!(one.value(&config), Some(default), "{}", one.name),
            None => assert!(one.value(&config).is_some(), "{}", one.name),
        }
    }
    assert!(sample().lines().all(|line| line.is_empty() || line.starts_with('#')));
    assert_eq!(parse(&sample()).unwrap(), Settings::default());
}

/// Compares a file of the project with what it is made of.
#[track_caller]
fn same(file: &str, made: &str, how: &str) {
    let found = std::fs::read_to_string(root().join(file)).unwrap_or_default();
    if found != made {
        let new = std::env::temp_dir().join(file.replace('/', "-"));
        std::fs::write(&new, made).unwrap();
        panic!("{file} is behind the table of settings: {how}; it would be {}", new.display());
    }
}

#[test]
fn files_of_deploy_are_what_the_table_says() {
    same("deploy/stepwell.toml", &sample(), "`stepwell config sample > deploy/stepwell.toml`");
    let how = "`stepwell config schema > deploy/stepwell.schema.json`";
    let file = std::fs::read_to_string(root().join("deploy/stepwell.schema.json")).unwrap();
    // By what it says: the order of its keys means nothing.
    if serde_json::from_str::<Json>(&file).ok() != Some(schema()) {
        same("deploy/stepwell.schema.json", &schema().to_string(), how);
    }
}

const BEGIN: &str = "<!-- settings: a test of stepwell-server holds this table to the code -->\n";
const END: &str = "<!-- end of settings -->\n";

fn rows() -> String {
    let mut table =
        String::from("\n| setting | takes | default | about |\n| --- | --- | --- | --- |\n");
    for one in SETTINGS {
        let range = one.kind.range();
        let words: Vec<_> =
            one.choices().into_iter().map(|(word, _)| format!("`{word}`")).collect();
        let takes = match (one.kind, range.as_str()) {
            (Kind::Choice, _) => words.join(", "),
            (kind, "") => kind.name().to_owned(),
            (kind, range) => format!("{}, {range}", kind.name()),
        };
        let default = one.default_toml().map_or_else(|| "–".into(), |value| format!("`{value}`"));
        let reload = if one.effect == Effect::Reload { " ↻" } else { "" };
        let secret = if one.shown == Shown::Never { "; a secret" } else { "" };
        let about = one.about();
        let name = one.name;
        writeln!(table, "| `{name}`{reload} | {takes} | {default} | {about}{secret} |").unwrap();
    }
    table + "\n"
}

#[test]
fn the_page_has_every_setting() {
    let page = "docs/operating/configuration.md";
    let text = std::fs::read_to_string(root().join(page)).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the table's beginning");
    let (_, after) = rest.split_once(END).expect("the table's end");
    same(page, &format!("{before}{BEGIN}{}{END}{after}", rows()), "replace its table");
}

fn as_json(text: &str) -> Json {
    serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
}

/// The schema takes what the server takes, and refuses what a pattern can tell.
#[test]
fn the_schema_tells_right_from_wrong() {
    let schema = schema();
    assert!(jsonschema::meta::is_valid(&schema));
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    assert!(validator.is_valid(&as_json(&taken())), "the sample is refused");
    assert!(validator.is_valid(&json!({})));
    for one in SETTINGS {
        let text = only(one, &other(one));
        assert!(validator.is_valid(&as_json(&text)), "{text} is refused");
    }
    for right in ["linger = 250", "retention = \"1d12h\"", "tail_bytes_max = 20000000"] {
        assert!(parse(right).is_ok() && validator.is_valid(&as_json(right)), "{right}");
    }
    for wrong in [
        "lisen = \"127.0.0.1:1\"",
        "listen = 7878",
        "listen = \"here\"",
        "steps_max = 0",
        "steps_max = \"many\"",
        "steps_max = 1.5",
        "payload_bytes_max = \"4MB\"",
        "payload_bytes_max = 64000000",
        "retention = \"soon\"",
        "retention = 1000",
        "log_format = \"xml\"",
        "tls_terminated_by_proxy = \"yes\"",
        "tls_cert = \"c\"",
        "otlp_endpoint = \"127.0.0.1:4318\"",
        "otlp_headers = \"hunter2\"",
        "otlp_service_name = \"\"",
        "[[retention_rule]]\napp = \"shop\"",
        "[[retention_rule]]\nkeep = \"30d\"\nstatuses = [\"running\"]",
        "[[retention_rule]]\nkeep = \"30d\"\nstatus = [\"failed\"]",
    ] {
        assert!(!validator.is_valid(&as_json(wrong)), "{wrong} is accepted");
        let refused = match parse(wrong) {
            Ok(settings) => !super::resolve::faults(settings).is_empty(),
            Err(_) => true,
        };
        assert!(refused, "{wrong} is accepted by the server");
    }
}

/// A secret is in nothing that is printed, and in no error.
#[test]
fn secrets_are_not_shown() {
    for one in SETTINGS.iter().filter(|one| one.shown == Shown::Never) {
        let value = match one.kind {
            Kind::Database => "postgres://stepwell:hunter2@db.example/stepwell",
            _ => "x-key=hunter2",
        };
        let value = Value::Text(value.into());
        let config = read(&only(one, &value));
        assert_eq!(one.value(&config), Some(value));
        assert!(!config.to_toml().contains("hunter2"), "{}", one.name);
        assert!(!format!("{config:?}").contains("hunter2"), "{}", one.name);
        // Of another type, in another form, no TOML at all, under a key with a slip.
        for wrong in ["= [\"hunter2\"]", "= \"hunter2\"", "= hunter2", "s = \"hunter2\""] {
            let mistakes = parse(&format!("{}{wrong}", one.name)).unwrap_err();
            assert!(!mistakes[0].to_string().contains("hunter2"), "{}", mistakes[0]);
        }
    }
    assert!(SETTINGS.iter().any(|one| one.shown == Shown::Never));
}
