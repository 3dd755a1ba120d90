//! The report as JSON and as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::licence::Class;
use crate::workflow::Summary;

/// What was found out about a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Finding {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) licence: Option<String>,
    pub(crate) class: Class,
}

/// What was found out about all.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) lock: PathBuf,
    #[serde(rename = "packages")]
    pub(crate) findings: Vec<Finding>,
}

/// Writes `report.json` and `report.md`, each as a whole or not at all.
pub(crate) fn write(report: &Report, folder: &Path) -> io::Result<Summary> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join("report.md");
    let summary = summary(report, &path);
    let mut json = serde_json::to_string_pretty(report)?;
    json.push('\n');
    replace(&folder.join("report.json"), &json)?;
    replace(&path, &markdown(report, &summary))?;
    Ok(summary)
}

/// A reader sees the old file or the new one, never half of one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    std::fs::write(&new, text)?;
    std::fs::rename(&new, path)
}

fn summary(report: &Report, path: &Path) -> Summary {
    let count =
        |is: fn(&Class) -> bool| report.findings.iter().filter(|one| is(&one.class)).count();
    Summary {
        packages: report.findings.len(),
        permissive: count(|class| *class == Class::Permissive),
        copyleft: count(|class| *class == Class::Copyleft),
        unknown: count(|class| matches!(class, Class::Unknown(_))),
        report: path.to_owned(),
    }
}

fn markdown(report: &Report, summary: &Summary) -> String {
    let Summary { packages, permissive, copyleft, unknown, .. } = summary;
    let mut text = format!(
        "# Licences\n\n`{}` names {packages} packages.\n\n| class | packages |\n| --- | --- |\n\
         | permissive | {permissive} |\n| copyleft | {copyleft} |\n| unknown | {unknown} |\n",
        report.lock.display()
    );
    let mut licences = BTreeMap::<&str, usize>::new();
    for finding in &report.findings {
        *licences.entry(finding.licence.as_deref().unwrap_or("none found")).or_default() += 1;
    }
    text += "\n## By licence\n\n| licence | packages |\n| --- | --- |\n";
    for (licence, count) in licences {
        // Formatting into a text cannot fail.
        let _ = writeln!(text, "| {} | {count} |", cell(licence));
    }
    text += "\n## Packages\n\n| package | version | licence | class |\n| --- | --- | --- | --- |\n";
    for Finding { name, version, licence, class } in &report.findings {
        let class = match class {
            Class::Permissive => "permissive".to_owned(),
            Class::Copyleft => "copyleft".to_owned(),
            Class::Unknown(why) => format!("unknown: {}", cell(why)),
        };
        let licence = cell(licence.as_deref().unwrap_or("–"));
        let _ = writeln!(text, "| {} | {} | {licence} | {class} |", cell(name), cell(version));
    }
    text
}

/// Keeps a text within its cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_is_in_both_reports() {
        let finding = |name: &str, licence: Option<&str>, class| Finding {
            name: name.into(),
            version: "1.0.0".into(),
            licence: licence.map(Into::into),
            class,
        };
        let report = Report {
            lock: "Cargo.lock".into(),
            findings: vec![
                finding("a", Some("MIT"), Class::Permissive),
                finding("b", Some("GPL-3.0"), Class::Copyleft),
                finding("c", None, Class::Unknown("not | fetched".into())),
            ],
        };
        let folder = tempfile::tempdir().unwrap();
        let summary = write(&report, folder.path()).unwrap();
        assert_eq!((summary.packages, summary.permissive, summary.unknown), (3, 1, 1));
        let json = std::fs::read_to_string(folder.path().join("report.json")).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["packages"].as_array().unwrap().len(), 3);
        assert_eq!(json["packages"][2]["class"]["unknown"], "not | fetched");
        let text = std::fs::read_to_string(&summary.report).unwrap();
        assert!(text.contains("| b | 1.0.0 | GPL-3.0 | copyleft |"), "{text}");
        assert!(text.contains("| c | 1.0.0 | – | unknown: not \\| fetched |"), "{text}");
    }
}
