//! What a real server tells of itself, held against the table of metrics.

use std::collections::BTreeSet;

use serde_json::json;
use stepwell_metrics::{Kind, table};
use stepwell_server::server::Server;

use crate::support::{Runner, get, post, server};

/// The names in the lines that say of which kind a metric is.
fn told(text: &str) -> BTreeSet<String> {
    let families = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    families.map(|family| family.split(' ').next().unwrap().to_owned()).collect()
}

/// Returns what a server tells on which a run ended, a request was refused, runs are held, and some wait.
pub(crate) async fn told_when_used(server: &Server) -> String {
    let to = server.address();
    let mut runner = Runner::connect(to, json!([{"name": "pay"}])).await;
    let body = json!({"workflow": "pay"});
    let start = tokio::spawn(async move { post(to, "/api/v1/runs?wait=30s", &body).await });
    runner.run_one().await;
    assert_eq!(start.await.unwrap().text("status"), "completed");
    assert!(get(to, "/api/v1/runs/nothing").await.status >= 400);
    // The runner has ten slots.
    for _ in 0..12 {
        assert_eq!(post(to, "/api/v1/runs", &json!({"workflow": "pay"})).await.status, 201);
    }
    get(to, "/metrics").await.body
}

/// Every metric of the table is told by a server on which nothing happened yet, and nothing else is.
#[tokio::test]
async fn a_server_tells_what_is_in_the_table_and_nothing_else() {
    let server = server().await;
    let text = get(server.address(), "/metrics").await.body;
    let expected: BTreeSet<_> = table::all().map(|metric| metric.name.to_owned()).collect();
    assert_eq!(told(&text), expected);
    for metric in table::all() {
        let head = format!(
            "# HELP {0} {1}\n# TYPE {0} {2}\n",
            metric.name,
            metric.help,
            metric.kind.as_str()
        );
        assert_eq!(text.matches(&head).count(), 1, "{head}");
    }
}

/// A family is told once, its series stand together, and each has the labels of the table.
#[tokio::test]
async fn series_have_the_labels_of_the_table() {
    let text = told_when_used(&server().await).await;
    let mut seen = BTreeSet::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, rest) = line.split_once(['{', ' ']).unwrap();
        let metric = table::find(name).unwrap_or_else(|| panic!("{line}: not in the table"));
        seen.insert(metric.name);
        let labels: Vec<_> =
            rest.rsplit_once("} ").map(|(all, _)| all.split("\",").collect()).unwrap_or_default();
        let mut names: Vec<_> = labels.iter().map(|one| one.split_once('=').unwrap().0).collect();
        if metric.kind == Kind::Histogram {
            assert_eq!(names.contains(&"le"), name.ends_with("_bucket"), "{line}");
            names.retain(|name| *name != "le");
        }
        assert_eq!(names, metric.labels, "{line}");
    }
    let silent: Vec<_> =
        table::all().map(|metric| metric.name).filter(|name| !seen.contains(name)).collect();
    // A store in memory has neither a disk nor a tail, and no backups.
    let of_a_disk = [
        "stepwell_store_tail_max_bytes",
        "stepwell_store_disk_free_bytes",
        "stepwell_store_disk_reserve_bytes",
        "stepwell_backup_newest_timestamp_seconds",
    ];
    assert_eq!(silent, of_a_disk);
}
