//! Which crate may see which.

use std::collections::BTreeSet;
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, Package};

use super::tree;

/// Each crate of ours with those of ours that it may depend on. Tests are free to see more.
const MAY_SEE: &[(&str, &[&str])] = &[
    ("stepwell-core", &[]),
    ("stepwell-access", &["stepwell-core"]),
    ("stepwell-console", &[]),
    ("stepwell-docs", &[]),
    ("stepwell-metrics", &[]),
    ("stepwell-mcp", &["stepwell-docs"]),
    ("stepwell-otlp", &["stepwell-core"]),
    ("stepwell-protocol", &["stepwell-core"]),
    ("stepwell-store", &["stepwell-core", "stepwell-metrics"]),
    ("stepwell-telemetry", &["stepwell-core"]),
    (
        "stepwell-postgres",
        &["stepwell-access", "stepwell-core", "stepwell-metrics", "stepwell-store"],
    ),
    (
        "stepwell-sqlite",
        &[
            "stepwell-access",
            "stepwell-core",
            "stepwell-metrics",
            "stepwell-store",
            "stepwell-telemetry",
        ],
    ),
    (
        "stepwell-node",
        &["stepwell-core", "stepwell-metrics", "stepwell-protocol", "stepwell-store"],
    ),
    (
        "stepwell-driver",
        &[
            "stepwell-core",
            "stepwell-metrics",
            "stepwell-node",
            "stepwell-protocol",
            "stepwell-store",
        ],
    ),
    (
        "stepwell-http",
        &[
            "stepwell-access",
            "stepwell-core",
            "stepwell-driver",
            "stepwell-metrics",
            "stepwell-node",
            "stepwell-otlp",
            "stepwell-protocol",
            "stepwell-store",
            "stepwell-telemetry",
        ],
    ),
    ("stepwell", &["stepwell-core", "stepwell-protocol", "stepwell-telemetry"]),
    (
        "stepwell-server",
        &[
            "stepwell",
            "stepwell-access",
            "stepwell-console",
            "stepwell-core",
            "stepwell-docs",
            "stepwell-driver",
            "stepwell-http",
            "stepwell-mcp",
            "stepwell-node",
            "stepwell-protocol",
            "stepwell-postgres",
            "stepwell-sqlite",
            "stepwell-store",
            "stepwell-telemetry",
        ],
    ),
    (
        "stepwell-sim",
        &[
            "stepwell",
            "stepwell-core",
            "stepwell-node",
            "stepwell-protocol",
            "stepwell-sqlite",
            "stepwell-store",
            "stepwell-telemetry",
        ],
    ),
];

/// What a crate may see behind a feature only, as an optional dependency.
const MAY_SEE_BEHIND: &[(&str, &str, &[&str])] = &[
    ("stepwell", "test", &["stepwell-node", "stepwell-store"]),
    (
        "stepwell",
        "embedded",
        &["stepwell-driver", "stepwell-http", "stepwell-sqlite", "stepwell-store"],
    ),
];

/// What programs may see: examples show what users have, end-to-end programs judge from outside, and end the database
/// that several nodes share.
const PROGRAMS_MAY_SEE: &[(&str, &[&str])] =
    &[("examples", &["stepwell"]), ("e2e", &["stepwell", "stepwell-core", "stepwell-postgres"])];

/// The crates of ours that run on tokio; programs may as well.
const ON_TOKIO: &[&str] = &[
    "stepwell",
    "stepwell-driver",
    "stepwell-http",
    "stepwell-mcp",
    "stepwell-postgres",
    "stepwell-server",
];

/// Most crates in the tree of the SDK, itself included: as it is taken by default, and without features.
const SDK_CRATES_MAX: [(&[&str], usize); 2] = [(&[], 80), (&["--no-default-features"], 70)];

/// What a package may see as a program, if it stands among programs.
fn program(package: &Package) -> Option<&'static [&'static str]> {
    let folders: Vec<&str> = package.manifest_path.components().map(|part| part.as_str()).collect();
    let is_in = |folder| folders.iter().rev().nth(2) == Some(folder);
    PROGRAMS_MAY_SEE.iter().find(|(folder, _)| is_in(folder)).map(|(_, may_see)| *may_see)
}

/// Names of what a package needs to be built and run.
fn needs(package: &Package) -> impl Iterator<Item = &str> {
    package
        .dependencies
        .iter()
        .filter(|one| matches!(one.kind, DependencyKind::Normal | DependencyKind::Build))
        .map(|one| one.name.as_str())
}

fn upward_edges(metadata: &Metadata) -> Vec<String> {
    let mut findings = Vec::new();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let listed = MAY_SEE.iter().find(|(one, _)| *one == name).map(|(_, may_see)| *may_see);
        let Some(may_see) = listed.or_else(|| program(package)) else {
            findings.push(format!("{name} has no place in the layers: give it one here"));
            continue;
        };
        for need in
            needs(package).filter(|need| *need == "stepwell" || need.starts_with("stepwell-"))
        {
            if !may_see.contains(&need) && !is_behind(package, need) {
                findings.push(format!("{name} depends on {need}; it may see {may_see:?}"));
            }
        }
    }
    findings
}

/// Tells whether a dependency is there with the feature that it is allowed for, and with no other.
fn is_behind(package: &Package, need: &str) -> bool {
    let allowed = MAY_SEE_BEHIND
        .iter()
        .filter(|(name, _, needs)| package.name == *name && needs.contains(&need));
    let allowed: Vec<&str> = allowed.map(|(_, feature, _)| *feature).collect();
    let optional = package
        .dependencies
        .iter()
        .filter(|one| one.name == need && one.kind != DependencyKind::Development)
        .all(|one| one.optional);
    let part = format!("dep:{need}");
    let brings = |parts: &Vec<String>| {
        parts.iter().any(|one| *one == part || one.starts_with(&format!("{need}/")))
    };
    let bringing = package.features.iter().filter(|(_, parts)| brings(parts));
    optional
        && !allowed.is_empty()
        && bringing.map(|(name, _)| name).all(|name| allowed.contains(&name.as_str()))
}

/// Everything that a package of ours is built from, by following normal dependencies.
fn closure(metadata: &Metadata, package: &Package) -> BTreeSet<String> {
    let resolve = metadata.resolve.as_ref().expect("cargo resolved the workspace");
    let mut open = vec![package.id.clone()];
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !seen.insert(id.clone()) {
            continue;
        }
        let node = resolve.nodes.iter().find(|node| node.id == id).expect("each node is listed");
        open.extend(
            node.deps
                .iter()
                .filter(|one| one.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal))
                .map(|one| one.pkg.clone()),
        );
    }
    seen.iter().map(|id| metadata[id].name.to_string()).collect()
}

#[test]
fn dependencies_point_down() {
    tree::refuse("a dependency points up or aside:", &upward_edges(&tree::metadata()));
}

#[test]
fn only_the_sdk_and_the_server_run_on_tokio() {
    let metadata = tree::metadata();
    let findings: Vec<String> = metadata
        .workspace_packages()
        .into_iter()
        .filter(|package| !ON_TOKIO.contains(&package.name.as_str()) && program(package).is_none())
        .filter(|package| {
            let through_the_sdk = needs(package).any(|need| ON_TOKIO.contains(&need));
            !through_the_sdk && closure(&metadata, package).contains("tokio")
        })
        .map(|package| format!("{} is built with tokio", package.name))
        .collect();
    tree::refuse("tokio is for the SDK, the server, and what speaks to PostgreSQL:", &findings);
}

#[test]
fn the_sdk_is_small() {
    for (features, crates_max) in SDK_CRATES_MAX {
        tree_is_small(features, crates_max);
    }
}

#[track_caller]
fn tree_is_small(features: &[&str], crates_max: usize) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let told = Command::new(cargo)
        .args(["tree", "-p", "stepwell", "-e", "normal", "--prefix", "none", "--locked"])
        .args(features)
        .current_dir(tree::root())
        .output()
        .unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let told = String::from_utf8(told.stdout).unwrap();
    let crates: BTreeSet<&str> = told
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .filter(|line| !line.is_empty())
        .collect();
    assert!(crates.iter().any(|line| line.starts_with("stepwell v")), "{told}");
    assert!(
        crates.len() <= crates_max,
        "the SDK's tree has {} crates with {features:?}, over {crates_max}:\n{told}",
        crates.len()
    );
}
