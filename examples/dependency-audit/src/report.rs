//! The report as JSON and as Markdown.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::licence::Class;
use crate::lock::Package;
use crate::workflow::Summary;

/// What a person says about a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Approval {
    /// Its licence is permissive, and nobody wants to be asked about it.
    NotNeeded,
    /// Somebody has to decide.
    Awaited,
    /// Somebody has approved it.
    Approved,
    /// Somebody has refused it.
    Refused,
    /// Nobody has decided in time.
    Undecided,
}

impl fmt::Display for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotNeeded => "not needed",
            Self::Awaited => "awaiting approval",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Undecided => "nobody decided",
        })
    }
}

/// What was found out about a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Finding {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) licence: Option<String>,
    pub(crate) class: Class,
    pub(crate) approval: Approval,
}

impl Finding {
    /// Returns what was found, and whether people are asked about it.
    pub(crate) fn new(
        package: &Package,
        (licence, class): (Option<String>, Class),
        asks: bool,
    ) -> Self {
        let (name, version) = (package.name.clone(), package.version.clone());
        let approval = if asks { Approval::Awaited } else { Approval::NotNeeded };
        Self { name, version, licence, class, approval }
    }

    /// Tells whether somebody has to decide.
    pub(crate) fn is_awaiting(&self) -> bool {
        self.approval == Approval::Awaited
    }
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
    let decided = |as_it| report.findings.iter().filter(|one| one.approval == as_it).count();
    Summary {
        packages: report.findings.len(),
        permissive: count(|class| *class == Class::Permissive),
        copyleft: count(|class| *class == Class::Copyleft),
        unknown: count(|class| matches!(class, Class::Unknown(_))),
        awaiting: decided(Approval::Awaited),
        approved: decided(Approval::Approved),
        report: path.to_owned(),
    }
}

fn markdown(report: &Report, summary: &Summary) -> String {
    let Summary { packages, permissive, copyleft, unknown, awaiting, approved, .. } = summary;
    let mut text = format!(
        "# Licences\n\n`{}` names {packages} packages.\n\n| class | packages |\n| --- | --- |\n\
         | permissive | {permissive} |\n| copyleft | {copyleft} |\n| unknown | {unknown} |\n\n\
         {awaiting} packages are awaiting approval, {approved} are approved.\n",
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
    text += "\n## Packages\n\n| package | version | licence | class | approval |\n\
        | --- | --- | --- | --- | --- |\n";
    for Finding { name, version, licence, class, approval } in &report.findings {
        let class = match class {
            Class::Permissive => "permissive".to_owned(),
            Class::Copyleft => "copyleft".to_owned(),
            Class::Unknown(why) => format!("unknown: {}", cell(why)),
        };
        let licence = cell(licence.as_deref().unwrap_or("–"));
        let (name, version) = (cell(name), cell(version));
        let _ = writeln!(text, "| {name} | {version} | {licence} | {class} | {approval} |");
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
        let finding = |name: &str, licence: Option<&str>, class| {
            let (name, version) = (name.into(), "1.0.0".into());
            let asks = class != Class::Permissive;
            let package = Package { name, version, source: None };
            Finding::new(&package, (licence.map(Into::into), class), asks)
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
        assert_eq!((summary.awaiting, summary.approved), (2, 0));
        let json = std::fs::read_to_string(folder.path().join("report.json")).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["packages"].as_array().unwrap().len(), 3);
        assert_eq!(json["packages"][2]["class"]["unknown"], "not | fetched");
        let text = std::fs::read_to_string(&summary.report).unwrap();
        assert!(text.contains("| b | 1.0.0 | GPL-3.0 | copyleft | awaiting approval |"), "{text}");
        assert!(
            text.contains("| c | 1.0.0 | – | unknown: not \\| fetched | awaiting approval |"),
            "{text}"
        );
    }
}
