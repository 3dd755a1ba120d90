//! Finding a package's manifest and the licence in it.

use std::path::{Path, PathBuf};

use stepwell::{Error, Result};
use toml::{Table, Value};

use crate::licence::{self, Class};
use crate::lock::Package;
use crate::report::Finding;

/// Folders below the lock in which members of the workspace are looked for, this deep.
const DEPTH_MAX: usize = 4;

/// Returns where cargo keeps its things: `CARGO_HOME`, else `.cargo` in the user's home.
///
/// # Errors
/// Neither is known.
pub(crate) fn cargo_home() -> Result<PathBuf> {
    if let Some(home) = std::env::var_os("CARGO_HOME") {
        return Ok(home.into());
    }
    let home =
        std::env::home_dir().ok_or_else(|| Error::new("neither CARGO_HOME nor a home is set"))?;
    Ok(home.join(".cargo"))
}

/// Looks at one package. `lock` is where its path begins, `ask` are licences that people are asked about.
pub(crate) fn look(
    package: &Package,
    (lock, cargo_home): (&Path, &Path),
    ask: &[String],
) -> Finding {
    let (licence, class) = match licence_of(package, lock, cargo_home) {
        Ok(licence) => {
            let class = licence::classify(&licence);
            (Some(licence), class)
        }
        Err(why) => (None, Class::Unknown(why)),
    };
    let asks = licence.as_deref().is_none_or(|licence| licence::needs_approval(licence, ask));
    Finding::new(package, (licence, class), asks)
}

fn licence_of(package: &Package, lock: &Path, cargo_home: &Path) -> Result<String, String> {
    match package.source.as_deref() {
        Some(source) if source.starts_with("registry+") || source.starts_with("sparse+") => {
            let path = in_registry(package, cargo_home)?;
            licence_in(&read(&path)?, None)
        }
        Some(source) => {
            let kind = source.split('+').next().unwrap_or(source);
            Err(format!("a source of kind `{kind}` is not looked into"))
        }
        None => {
            let root = lock.parent().unwrap_or_else(|| Path::new("."));
            let member = in_folder(root, package, DEPTH_MAX)
                .ok_or("a path that is not below the lock's folder")?;
            licence_in(&member, read(&root.join("Cargo.toml")).ok().as_ref())
        }
    }
}

fn in_registry(package: &Package, cargo_home: &Path) -> Result<PathBuf, String> {
    let sources = cargo_home.join("registry").join("src");
    let folder = format!("{}-{}", package.name, package.version);
    let registries =
        std::fs::read_dir(&sources).map_err(|error| format!("the local cache: {error}"))?;
    let mut paths: Vec<PathBuf> = registries
        .filter_map(|registry| Some(registry.ok()?.path().join(&folder).join("Cargo.toml")))
        .filter(|path| path.is_file())
        .collect();
    // The same package in two caches is the same package; the choice is not to depend on chance.
    paths.sort();
    let missing = || "its manifest is not in the local cache: not fetched".to_owned();
    paths.into_iter().next().ok_or_else(missing)
}

fn read(path: &Path) -> Result<Table, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("its manifest: {error}"))?;
    text.parse().map_err(|_| "its manifest is not TOML".to_owned())
}

/// Finds the manifest of a package below a folder.
fn in_folder(folder: &Path, package: &Package, depth: usize) -> Option<Table> {
    if let Ok(manifest) = read(&folder.join("Cargo.toml"))
        && part(&manifest, "name").and_then(Value::as_str) == Some(&package.name)
    {
        return Some(manifest);
    }
    if depth == 0 {
        return None;
    }
    let mut folders: Vec<PathBuf> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| {
            entry.ok().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        })
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            !name.starts_with('.') && name != "target" && name != "node_modules"
        })
        .collect();
    folders.sort();
    folders.iter().find_map(|folder| in_folder(folder, package, depth - 1))
}

fn part<'a>(manifest: &'a Table, key: &str) -> Option<&'a Value> {
    manifest.get("package")?.get(key)
}

/// Returns the licence of a manifest, or that of its workspace where it says so.
fn licence_in(manifest: &Table, root: Option<&Table>) -> Result<String, String> {
    let own = part(manifest, "license");
    let inherits = own.and_then(|own| own.get("workspace")).and_then(Value::as_bool) == Some(true);
    let of_workspace = || root?.get("workspace")?.get("package")?.get("license");
    let licence = if inherits { of_workspace() } else { own };
    match licence.and_then(Value::as_str) {
        Some(licence) => Ok(licence.to_owned()),
        None if inherits => Err("its workspace names no licence".into()),
        None if part(manifest, "license-file").is_some() => {
            Err("its manifest names a file and no licence".into())
        }
        None => Err("its manifest names no licence".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, source: Option<&str>) -> Package {
        Package { name: name.into(), version: "1.0.0".into(), source: source.map(Into::into) }
    }

    fn write(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn licences_are_found_or_the_reason_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (home, root) = (folder.path().join("cargo"), folder.path().join("project"));
        let cached = |name: &str, text: &str| {
            write(&home.join(format!("registry/src/index/{name}-1.0.0/Cargo.toml")), text);
        };
        cached("good", "[package]\nname = \"good\"\nlicense = \"MIT\"");
        cached("file", "[package]\nname = \"file\"\nlicense-file = \"L\"");
        cached("none", "[package]\nname = \"none\"");
        cached("bad", "[package");
        let workspace =
            "[workspace]\nmembers = [\"m\"]\n[workspace.package]\nlicense = \"GPL-3.0\"";
        write(&root.join("Cargo.toml"), workspace);
        let member = "[package]\nname = \"member\"\nlicense.workspace = true";
        write(&root.join("m/Cargo.toml"), member);
        let registry = Some("registry+https://example.org/index");
        let lock = root.join("Cargo.lock");
        for (name, source, want) in [
            ("good", registry, "Permissive"),
            ("member", None, "Copyleft"),
            ("file", registry, "names a file"),
            ("none", registry, "names no licence"),
            ("bad", registry, "not TOML"),
            ("absent", registry, "not fetched"),
            ("good", Some("git+https://example.org"), "kind `git`"),
            ("stranger", None, "not below"),
        ] {
            let finding = look(&package(name, source), (&lock, &home), &[]);
            let shown = format!("{:?}", finding.class);
            assert!(shown.contains(want), "{name}: {shown}");
        }
    }
}
