//! A file of settings with every default, for people to change.

use std::fmt::Write as _;

use super::kind::Kind;
use super::table::{Effect, SETTINGS, Setting, Shown};

/// Columns of a line of comment.
const COLUMNS: usize = 100;

const HEAD: &str = "\
#:schema ./stepwell.schema.json
# Settings of a Stepwell server, each with its default. `stepwell start --config FILE` reads such a file; take
# the `#` away before what you change. Lines that begin with `# ` are comments.
# A flag (--retention 3d) or a variable (STEPWELL_RETENTION=3d) wins over the file.
# `stepwell config check FILE` says what is wrong with it. What a reload changes counts after
# `stepwell reload` or SIGHUP, the rest with the next start.
";

/// What stands below `[[retention_rule]]` in the sample.
const RULE: &str = "\
#[[retention_rule]]
#namespace = \"default\"
#app = \"shop\"
#workflow = \"checkout\"
#statuses = [\"failed\", \"timed_out\"]
#keep = \"30d\"
";

/// Returns a file of settings in which every default stands behind a `#`.
pub fn sample() -> String {
    SETTINGS.iter().fold(HEAD.to_owned(), |mut text, setting| {
        text.push('\n');
        text + &entry(setting)
    })
}

fn entry(setting: &Setting) -> String {
    let mut about = format!("{}.", setting.about());
    for (word, meaning) in setting.choices() {
        let _ = write!(about, " `{word}`: {meaning}.");
    }
    let range = setting.kind.range();
    if !range.is_empty() {
        let _ = write!(about, " Accepted: {range}.");
    }
    if setting.effect == Effect::Reload {
        about += " A reload changes it.";
    }
    if setting.shown == Shown::Never {
        about += " It is a secret.";
    }
    let default = setting.default_toml();
    if default.is_none() && setting.kind != Kind::Rules {
        about += " Not set by default; such as:";
    }
    let mut text = wrapped(&about);
    if setting.kind == Kind::Rules {
        return text + RULE;
    }
    let example = || toml::Value::String(setting.example.to_owned()).to_string();
    let _ = writeln!(text, "#{} = {}", setting.name, default.unwrap_or_else(example));
    text
}

fn wrapped(text: &str) -> String {
    let mut all = String::new();
    let mut line = "#".to_owned();
    for word in text.split_whitespace() {
        if line.len() + 1 + word.len() > COLUMNS {
            let _ = writeln!(all, "{line}");
            "#".clone_into(&mut line);
        }
        let _ = write!(line, " {word}");
    }
    let _ = writeln!(all, "{line}");
    all
}
