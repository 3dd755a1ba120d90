//! The runs: one for the audit, and one for each package.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::json;
use stepwell::{Ctx, Error, Result, Retry};

use crate::lock::{self, Package};
use crate::manifest;
use crate::report::{self, Approval, Finding, Report};

/// Packages that are looked at at the same time.
const PARALLEL: usize = 16;

/// The event that says what a person decided about a package.
pub(crate) const DECIDED: &str = "licence.decided";

/// How long decisions are waited for.
const PATIENCE: &str = "10m";

/// What to audit: paths are whole.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Audit {
    /// The `Cargo.lock`.
    pub(crate) lock: PathBuf,
    /// The folder for the report.
    pub(crate) out: PathBuf,
    /// Where cargo keeps the sources of packages.
    pub(crate) cargo_home: PathBuf,
    /// Licences that people are asked about though they are permissive.
    #[serde(default)]
    pub(crate) ask: Vec<String>,
}

/// How an audit came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub(crate) packages: usize,
    pub(crate) permissive: usize,
    pub(crate) copyleft: usize,
    pub(crate) unknown: usize,
    /// Those that people are asked about and that nobody has decided about.
    pub(crate) awaiting: usize,
    /// Those that people are asked about and that somebody has approved.
    pub(crate) approved: usize,
    pub(crate) report: PathBuf,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { packages, permissive, copyleft, unknown, awaiting, approved, report } = self;
        write!(
            f,
            "{packages} packages: {permissive} permissive, {copyleft} copyleft, {unknown} unknown; \
             {approved} approved, {awaiting} awaiting approval; report in {}",
            report.display()
        )
    }
}

/// A package to look at, the input of a child.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Look {
    package: Package,
    lock: PathBuf,
    cargo_home: PathBuf,
    ask: Vec<String>,
}

/// What a person says about a package whose licence is not permissive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Decision {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) approved: bool,
}

/// Reads the lock, has every package looked at by a run of its own, writes the report, and writes it again
/// when people have decided about what is not permissive, or what they want to be asked about.
pub(crate) async fn audit(ctx: Ctx, audit: Audit) -> Result<Summary> {
    // A file that is not there now will not be there a second later: one attempt is enough.
    let packages: Vec<Package> = ctx
        .run("read the lock", || async { lock::read(&audit.lock) })
        .retry(Retry::never())
        .await?;

    let ids = step_ids(&packages);
    let looks = ids.iter().zip(&packages).map(|(id, package)| {
        let (package, lock, ask) = (package.clone(), audit.lock.clone(), audit.ask.clone());
        let look = Look { package, lock, cargo_home: audit.cargo_home.clone(), ask };
        ctx.invoke::<Finding>(id, "package").input(look)
    });
    let looks: Vec<_> = looks.collect();
    let findings: Vec<Finding> = stream::iter(looks).buffered(PARALLEL).try_collect().await?;

    let mut report = Report { lock: audit.lock.clone(), findings };
    let summary = ctx.run("write the report", || async { write(&report, &audit.out) }).await?;
    if summary.awaiting == 0 {
        return Ok(summary);
    }
    ctx.log().info(format!("{} packages await approval", summary.awaiting));
    let decisions = report.findings.iter_mut().zip(&ids).filter(|(one, _)| one.is_awaiting());
    try_join_all(decisions.map(|(finding, id)| decide(&ctx, id, finding))).await?;
    ctx.run("write the report again", || async { write(&report, &audit.out) }).await
}

/// Waits for what a person says about a package. The run is parked meanwhile; an event that came before
/// counts as well.
async fn decide(ctx: &Ctx, id: &str, finding: &mut Finding) -> Result<()> {
    let decision = ctx
        .wait_for_event::<Decision>(format!("approval of {id}"), DECIDED)
        .matching(json!({ "name": finding.name, "version": finding.version }))
        .timeout(PATIENCE)
        .await?;
    finding.approval = match decision {
        Some(decision) if decision.approved => Approval::Approved,
        Some(_) => Approval::Refused,
        None => Approval::Undecided,
    };
    Ok(())
}

/// Looks at one package, on a thread where reading files may block.
pub(crate) async fn package(ctx: Ctx, look: Look) -> Result<Finding> {
    ctx.run_blocking("look", move |_| {
        Ok(manifest::look(&look.package, (&look.lock, &look.cargo_home), &look.ask))
    })
    .timeout("1m")
    .await
}

/// A step's id is unique in its run; one version of a package may come from two places.
fn step_ids(packages: &[Package]) -> Vec<String> {
    let mut seen = HashMap::new();
    let id = |package: &Package| {
        let name = format!("{} {}", package.name, package.version);
        let times = seen.entry(name.clone()).and_modify(|times| *times += 1).or_insert(1);
        if *times == 1 { name } else { format!("{name} #{times}") }
    };
    packages.iter().map(id).collect()
}

fn write(report: &Report, folder: &Path) -> Result<Summary> {
    let written = report::write(report, folder);
    written.map_err(|error| Error::new(format!("{}: {error}", folder.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_steps_are_unique() {
        let package = |name: &str, source: &str| Package {
            name: name.into(),
            version: "1.0.0".into(),
            source: Some(source.into()),
        };
        let packages = [package("a", "x"), package("b", "x"), package("a", "y")];
        assert_eq!(step_ids(&packages), ["a 1.0.0", "b 1.0.0", "a 1.0.0 #2"]);
    }
}
