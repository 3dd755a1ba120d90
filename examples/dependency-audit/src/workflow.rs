//! The run: its steps.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use stepwell::{Ctx, Error, Result, Retry};

use crate::lock::{self, Package};
use crate::manifest;
use crate::report::{self, Finding, Report};

/// Packages that are looked at at the same time.
const PARALLEL: usize = 16;

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
}

/// How an audit came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub(crate) packages: usize,
    pub(crate) permissive: usize,
    pub(crate) copyleft: usize,
    pub(crate) unknown: usize,
    pub(crate) report: PathBuf,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { packages, permissive, copyleft, unknown, report } = self;
        write!(
            f,
            "{packages} packages: {permissive} permissive, {copyleft} copyleft, {unknown} unknown; \
             report in {}",
            report.display()
        )
    }
}

/// Reads the lock, looks at every package, writes the report.
pub(crate) async fn audit(ctx: Ctx, audit: Audit) -> Result<Summary> {
    // A file that is not there now will not be there a second later: one attempt is enough.
    let packages: Vec<Package> = ctx
        .run("read the lock", || async { lock::read(&audit.lock) })
        .retry(Retry::never())
        .await?;

    let ids = step_ids(&packages);
    let looks: Vec<_> =
        ids.iter().zip(&packages).map(|(id, package)| look(&ctx, id, package, &audit)).collect();
    let findings: Vec<Finding> = stream::iter(looks).buffered(PARALLEL).try_collect().await?;

    let report = Report { lock: audit.lock.clone(), findings };
    let summary = ctx.run("write the report", || async { write(&report, &audit.out) }).await?;
    ctx.log().info(&summary);
    Ok(summary)
}

/// Looks at one package, on a thread where reading files may block.
async fn look(ctx: &Ctx, id: &str, package: &Package, audit: &Audit) -> Result<Finding> {
    let (package, audit) = (package.clone(), audit.clone());
    ctx.run_blocking(id, move |_| Ok(manifest::look(&package, &audit.lock, &audit.cargo_home)))
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
