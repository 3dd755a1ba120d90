//! The dashboard, the alerts and the documents, held against the table of metrics and against what a real
//! server tells: they fail to be true as soon as a metric or a label has another name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use stepwell_core::status::{RunStatus, StepStatus};
use stepwell_metrics::table;
use stepwell_server::config::Config;
use stepwell_server::server;

use crate::metrics::told_when_used;
use crate::support::config;

/// Labels that Prometheus itself puts on what it reads.
const OF_THE_SCRAPE: [&str; 2] = ["job", "instance"];

/// The series that a server tells, each with its labels.
type Told = BTreeMap<String, BTreeSet<String>>;

/// A metric as an expression uses it.
#[derive(Debug, PartialEq, Eq)]
struct Use {
    name: String,
    /// Labels in its braces, with what they are compared with.
    matched: Vec<(String, String)>,
    /// Labels that the expression groups by.
    grouped: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// Finds the names of metrics in a text, each with what follows it.
fn names(text: &str) -> Vec<(&str, &str)> {
    let part = |c: char| c.is_ascii_lowercase() || c == '_';
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = ["stepwell_", "process_"].iter().filter_map(|one| rest.find(one)).min() {
        let is_begin = !rest[..at].ends_with(|c: char| part(c) || c.is_ascii_alphanumeric());
        let name = &rest[at..];
        let (name, behind) = name.split_at(name.find(|c| !part(c)).unwrap_or(name.len()));
        if is_begin {
            found.push((name, behind));
        }
        rest = behind;
    }
    found
}

/// Reads what an expression of Prometheus uses. Grouping counts for every metric in it.
fn uses(expression: &str) -> Vec<Use> {
    let mut grouped = Vec::new();
    for part in expression.split("by (").skip(1) {
        let labels = part.split(')').next().unwrap();
        grouped.extend(labels.split(',').map(|label| label.trim().to_owned()));
    }
    let used = |(name, behind): (&str, &str)| {
        let braces = behind.strip_prefix('{').and_then(|behind| behind.split_once('}'));
        let matchers = braces.map_or("", |(inside, _)| inside).split_terminator("\",");
        let matched = matchers.filter_map(|matcher| {
            let at = matcher.find(['=', '!'])?;
            let value = matcher[at..].trim_start_matches(['=', '!', '~']).trim_matches('"');
            Some((matcher[..at].trim_start_matches(',').trim().to_owned(), value.to_owned()))
        });
        Use { name: name.to_owned(), matched: matched.collect(), grouped: grouped.clone() }
    };
    names(expression).into_iter().map(used).collect()
}

/// What is wrong with a use.
fn finding(used: &Use, told: &Told) -> Option<String> {
    let Use { name, matched, grouped } = used;
    let Some(metric) = table::find(name) else {
        return Some(format!("{name} is not in the table"));
    };
    let Some(labels) = told.get(name) else { return Some(format!("no server tells {name}")) };
    let matched_names = matched.iter().map(|(label, _)| label);
    for label in matched_names.chain(grouped) {
        let of_the_scrape = OF_THE_SCRAPE.contains(&&**label);
        let of_the_table = metric.labels.contains(&&**label) || label == "le";
        let is_known = of_the_scrape || of_the_table && labels.contains(label);
        if !is_known {
            return Some(format!("{name} has no label {label}"));
        }
    }
    for (_, value) in matched.iter().filter(|(label, _)| label == "status") {
        let is_word = |word| RunStatus::parse(word).is_some() || StepStatus::parse(word).is_some();
        if let Some(word) = value.split('|').find(|word| !is_word(word)) {
            return Some(format!("{name}: {word} is no status"));
        }
    }
    None
}

/// Every string of a key, however deep.
fn strings<'v>(value: &'v Value, key: &str, into: &mut Vec<&'v str>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_str().filter(|_| name == key) {
                    Some(text) => into.push(text),
                    None => strings(value, key, into),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| strings(item, key, into)),
        _ => {}
    }
}

/// The expressions of the dashboard: those of panels, and of the variables above them.
fn of_the_dashboard() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read("deploy/grafana/stepwell.json")).unwrap();
    let mut found = Vec::new();
    strings(&dashboard, "expr", &mut found);
    let panels = found.len();
    strings(&dashboard, "definition", &mut found);
    assert!(panels >= 40 && found.len() > panels, "the dashboard has {panels} expressions");
    found.into_iter().map(str::to_owned).collect()
}

/// The alerts: name, expression, and the part of the page that tells what to do.
fn alerts() -> Vec<(String, String, String)> {
    let text = read("deploy/prometheus/alerts.yml");
    let of = |rule: &str, key: &str| {
        let behind = rule.split_once(key).unwrap_or_else(|| panic!("no `{key}` in {rule}")).1;
        let end = behind.find("\n        ").filter(|_| !behind.trim_start().starts_with(">-"));
        let end = end.or_else(|| behind.find("\n        for:")).unwrap_or(behind.len());
        behind[..end].trim().trim_start_matches(">-").trim().to_owned()
    };
    let rules = text.split("- alert: ").skip(1);
    rules
        .map(|rule| {
            let name = rule.lines().next().unwrap().trim().to_owned();
            (name, of(rule, "expr: "), of(rule, "runbook: "))
        })
        .collect()
}

/// Metrics that documents name.
fn of_the_documents() -> BTreeSet<String> {
    // Parts of the program, as targets of logs.
    let targets = ["stepwell_http", "stepwell_server", "stepwell_core", "stepwell_driver"];
    let mut found = BTreeSet::new();
    for folder in ["docs", "docs/operating", "docs/errors"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "md") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.extend(names(&text).into_iter().map(|(name, _)| name.to_owned()));
            }
        }
    }
    found.retain(|name| !targets.contains(&&**name) && !name.ends_with('_'));
    found
}

/// What a server on a disk tells.
async fn told() -> Told {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| Some(folder.path().join(name));
    let config = Config { data: path("data"), backup_dir: path("backups"), ..config() };
    let server = server::start(&config).await.unwrap();
    let text = told_when_used(&server).await;
    server.stop().await;
    let mut told = Told::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, rest) = line.split_once(['{', ' ']).unwrap();
        let labels =
            rest.rsplit_once("} ").map_or("", |(labels, _)| labels).split_terminator("\",");
        let labels = labels.map(|label| label.split_once('=').unwrap().0.to_owned());
        told.entry(name.to_owned()).or_default().extend(labels);
    }
    told
}

#[expect(clippy::print_stdout, reason = "`make metrics` shows the counts")]
#[tokio::test]
async fn dashboard_alerts_and_documents_name_what_a_server_tells() {
    let told = told().await;
    let dashboard: Vec<_> = of_the_dashboard().iter().flat_map(|one| uses(one)).collect();
    let alerts: Vec<_> = alerts();
    assert_eq!(alerts.len(), 9);
    let of_alerts: Vec<_> = alerts.iter().flat_map(|(_, expression, _)| uses(expression)).collect();
    // `up` is of Prometheus itself; every other alert asks for a metric of the server.
    assert!(alerts.iter().all(|(_, one, _)| !uses(one).is_empty() || one.starts_with("up{")));
    let used: Vec<_> = dashboard.iter().chain(&of_alerts).collect();
    let findings: Vec<_> = used.iter().filter_map(|used| finding(used, &told)).collect();
    assert_eq!(findings, [""; 0]);
    let documents = of_the_documents();
    let is_known = |name: &&String| {
        table::find(name).is_some() || table::all().any(|metric| metric.name == **name)
    };
    let unknown: Vec<_> = documents.iter().filter(|name| !is_known(name)).collect();
    assert_eq!(unknown, [""; 0], "documents name metrics that there are not");

    // The checks above notice each new name: of a metric, and of a label.
    let mut renamed = 0;
    for name in used.iter().map(|used| &used.name).collect::<BTreeSet<_>>() {
        let mut other = told.clone();
        let labels = other.remove(name).unwrap();
        other.insert(format!("{name}_renamed"), labels);
        assert!(used.iter().any(|used| finding(used, &other).is_some()), "{name} is not missed");
        renamed += 1;
    }
    let mut labels = BTreeSet::new();
    for used in &used {
        let all = used.matched.iter().map(|(label, _)| label).chain(&used.grouped);
        for label in all.filter(|label| !OF_THE_SCRAPE.contains(&&***label)) {
            let mut other = told.clone();
            other.get_mut(&used.name).unwrap().remove(label);
            assert!(finding(used, &other).is_some(), "{} {label} is not missed", used.name);
            labels.insert((&used.name, label));
        }
    }
    println!(
        "metrics: {} in the table, {} expressions of the dashboard, {} alerts, {} named in documents",
        table::all().count(),
        of_the_dashboard().len(),
        alerts.len(),
        documents.len()
    );
    println!(
        "metrics: {renamed} metrics and {} labels renamed one by one, each noticed",
        labels.len()
    );
}

/// Each alert has a part of the page that tells what to do, and the page has no other.
#[test]
fn each_alert_has_its_part_of_the_page() {
    let page = read("docs/operating/monitoring.md");
    let parts: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let alerts = alerts();
    let names: Vec<_> = alerts.iter().map(|(name, ..)| &**name).collect();
    assert_eq!(parts, names);
    for (name, _, runbook) in &alerts {
        let anchor = format!("docs/operating/monitoring.md#{}", name.to_lowercase());
        assert_eq!(*runbook, anchor);
    }
}

#[test]
fn an_expression_is_read() {
    let expression = "sum by (le, route) (rate(stepwell_a_bucket{job=~\"$job\",status!=\"x|y\"}[5m])) \
         / process_b > 1";
    let grouped = vec!["le".to_owned(), "route".to_owned()];
    let matched = vec![("job".into(), "$job".into()), ("status".into(), "x|y".into())];
    let expected = [
        Use { name: "stepwell_a_bucket".into(), matched, grouped: grouped.clone() },
        Use { name: "process_b".into(), matched: Vec::new(), grouped },
    ];
    assert_eq!(uses(expression), expected);
}
