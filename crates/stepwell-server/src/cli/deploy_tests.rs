//! Files of `deploy/` name commands, variables, ports and files that are there.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Parser as _;
use yaml_rust2::{Yaml, YamlLoader};

use super::args::{Cli, Command};
use crate::config::{Config, SETTINGS, Setting};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn file(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[track_caller]
fn parsed<'a>(words: impl IntoIterator<Item = &'a str>) -> Command {
    let words: Vec<_> = words.into_iter().collect();
    Cli::try_parse_from(&words).unwrap_or_else(|error| panic!("{words:?}: {error}")).command
}

/// Variables that this program and the example read.
fn variables() -> BTreeSet<String> {
    let others = ["STEPWELL_URL", "STEPWELL_KEY_FILE", "STEPWELL_CA_FILE", "STEPWELL_CONFIG"];
    let of_settings = SETTINGS.iter().filter_map(Setting::variable);
    others.into_iter().map(str::to_owned).chain(of_settings).collect()
}

/// The instructions of a Dockerfile, with what is continued on further lines.
fn instructions(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let joined = lines.fold(String::new(), |all, line| match line.strip_suffix('\\') {
        Some(begun) => all + begun,
        None => all + line + "\n",
    });
    let whole = joined.lines().filter(|line| !line.trim().is_empty());
    whole
        .map(|line| line.split_once(' ').unwrap())
        .map(|(what, rest)| (what.to_owned(), rest.trim().to_owned()))
        .collect()
}

/// The instructions of a stage.
fn stage(text: &str, name: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut is_in = false;
    for (what, rest) in instructions(text) {
        if what == "FROM" {
            is_in = rest.ends_with(&format!(" AS {name}"));
        }
        if is_in {
            found.push((what, rest));
        }
    }
    assert!(!found.is_empty(), "there is no stage {name}");
    found
}

fn only<'a>(stage: &'a [(String, String)], what: &str) -> &'a str {
    let found: Vec<_> = stage.iter().filter(|(one, _)| one == what).collect();
    assert_eq!(found.len(), 1, "{what}: {found:?}");
    &found[0].1
}

fn words(json: &str) -> Vec<String> {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json} is no list: {error}"))
}

#[test]
fn the_image_starts_and_checks_the_server_without_a_shell_and_without_root() {
    let text = file("deploy/Dockerfile");
    let server = stage(&text, "server");
    assert_eq!(instructions(&text).iter().rfind(|(one, _)| one == "FROM").unwrap().1, server[0].1);
    assert!(server[0].1.starts_with("gcr.io/distroless/") && server[0].1.contains(":nonroot"));
    assert_ne!(only(&server, "USER").split(':').next(), Some("0"));
    assert!(server.iter().all(|(what, _)| what != "RUN"), "there is no shell to run anything");
    let entry = words(only(&server, "ENTRYPOINT"));
    assert_eq!(entry, ["/usr/local/bin/stepwell"]);
    let command = words(only(&server, "CMD"));
    let started = parsed(["stepwell"].into_iter().chain(command.iter().map(String::as_str)));
    assert!(matches!(started, Command::Start(_)), "{started:?}");
    let (_, check) = only(&server, "HEALTHCHECK").split_once("CMD ").unwrap();
    let check = words(check);
    assert_eq!(check[0], entry[0]);
    let checked = parsed(check.iter().map(String::as_str));
    assert!(matches!(checked, Command::Health(_)), "{checked:?}");
    let port = Config::default().listen.port().to_string();
    assert_eq!(only(&server, "EXPOSE"), port);
    let volume = words(only(&server, "VOLUME"));
    assert!(only(&server, "ENV").contains(&format!("STEPWELL_DATA={}", volume[0])));
    for (_, env) in instructions(&text).iter().filter(|(what, _)| what == "ENV") {
        for pair in env.split_whitespace() {
            let (name, _) = pair.split_once('=').unwrap();
            assert!(variables().contains(name), "{name} is not read by anything");
        }
    }
}

/// What is copied from the project is there, and so are the packages that are built.
#[test]
fn the_image_is_built_from_what_is_there() {
    let text = file("deploy/Dockerfile");
    let copied = instructions(&text);
    let copied: Vec<_> = copied
        .iter()
        .filter(|(what, rest)| what == "COPY" && !rest.starts_with("--from"))
        .collect();
    assert!(copied.len() >= 3, "{copied:?}");
    for (_, rest) in copied {
        let mut paths: Vec<_> = rest.split_whitespace().collect();
        paths.pop();
        for path in paths {
            assert!(root().join(path).exists(), "COPY {path}: there is no such file");
        }
    }
    for (_, rest) in instructions(&text).iter().filter(|(what, _)| what == "COPY") {
        let paths: Vec<_> =
            rest.split_whitespace().filter(|one| one.starts_with("/source/")).collect();
        for path in paths.iter().map(|path| path.trim_start_matches("/source/")) {
            let is_made = path.starts_with("target/") || path.ends_with("/dist");
            assert!(is_made || root().join(path).exists(), "COPY {path}: there is no such file");
        }
    }
    for package in ["stepwell-server", "checkout"] {
        assert!(text.contains(&format!("--package {package}")), "{package} is not built");
    }
    let ignored = file(".dockerignore");
    assert!(
        ignored.lines().any(|line| line == "target"),
        "the context would have all that is built"
    );
}

fn at<'a>(yaml: &'a Yaml, path: &[&str]) -> &'a Yaml {
    path.iter().fold(yaml, |yaml, key| &yaml[*key])
}

fn texts(yaml: &Yaml) -> Vec<&str> {
    yaml.as_vec().into_iter().flatten().filter_map(Yaml::as_str).collect()
}

#[test]
fn the_compose_file_names_what_is_there() {
    let text = file("deploy/compose.yaml");
    let yaml = YamlLoader::load_from_str(&text).unwrap().remove(0);
    let stages = instructions(&file("deploy/Dockerfile"));
    let secrets = yaml["secrets"].as_hash().unwrap();
    let mut services = 0;
    for (name, service) in yaml["services"].as_hash().unwrap() {
        let name = name.as_str().unwrap();
        let target = at(service, &["build", "target"]).as_str().unwrap();
        let is_stage = |(_, rest): &(String, String)| rest.ends_with(&format!(" AS {target}"));
        assert!(stages.iter().any(is_stage), "{name}: there is no stage {target}");
        assert_eq!(at(service, &["build", "dockerfile"]).as_str(), Some("deploy/Dockerfile"));
        for (variable, value) in service["environment"].as_hash().unwrap() {
            let (variable, value) = (variable.as_str().unwrap(), value.as_str().unwrap());
            assert!(variables().contains(variable), "{name}: {variable} is not read by anything");
            if let Some(secret) = value.strip_prefix("/run/secrets/") {
                assert!(
                    texts(&service["secrets"]).contains(&secret),
                    "{name}: {secret} is no secret"
                );
            }
        }
        for secret in texts(&service["secrets"]) {
            assert!(secrets.contains_key(&Yaml::String(secret.into())), "{name}: {secret}");
        }
        services += 1;
    }
    assert_eq!(services, 2);
    let server = at(&yaml, &["services", "server"]);
    let port = Config::default().listen.port();
    assert_eq!(texts(&server["ports"]), [format!("127.0.0.1:{port}:{port}")]);
    let listen = at(server, &["environment", "STEPWELL_LISTEN"]).as_str().unwrap();
    assert_eq!(listen.parse::<SocketAddr>().unwrap().port(), port);
    let url = at(&yaml, &["services", "checkout", "environment", "STEPWELL_URL"]);
    assert_eq!(url.as_str(), Some(format!("https://server:{port}").as_str()));
    // Commands in its head are understood.
    for line in text.lines().filter(|line| line.contains("server stepwell ")) {
        let (_, command) = line.split_once("server stepwell ").unwrap();
        let command = command.trim_end_matches('\\').trim();
        parsed(["stepwell"].into_iter().chain(command.split_whitespace()));
    }
}

/// The values of a key of the unit.
fn values<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

#[test]
fn the_unit_starts_the_server_and_lets_it_do_little() {
    let unit = file("deploy/stepwell.service");
    let start = values(&unit, "ExecStart")[0];
    let Command::Start(start) = parsed(start.split_whitespace()) else { panic!("{start}") };
    assert!(start.config.is_some());
    let data = start.settings.0.data.unwrap();
    assert_eq!(data, Path::new("/var/lib").join(values(&unit, "StateDirectory")[0]));
    assert!(start.settings.0.admin_key_file.unwrap().starts_with(&data));
    // SIGHUP is what a reload is asked for with.
    assert_eq!(values(&unit, "ExecReload"), ["/bin/kill -HUP $MAINPID"]);
    for (key, value) in [
        ("DynamicUser", "yes"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("CapabilityBoundingSet", ""),
    ] {
        assert_eq!(values(&unit, key), [value], "{key}");
    }
}

/// systemd's own opinion, where it is installed.
#[test]
#[expect(clippy::print_stdout, reason = "what cannot run here is said in a line")]
fn systemd_finds_nothing_wrong_with_the_unit() {
    let unit = file("deploy/stepwell.service");
    let folder = tempfile::tempdir().unwrap();
    // It looks whether the program is there.
    let program = folder.path().join("stepwell");
    std::os::unix::fs::symlink("/bin/true", &program).unwrap();
    let unit =
        unit.replace("/usr/local/bin/stepwell start", &format!("{} start", program.display()));
    let path = folder.path().join("stepwell.service");
    std::fs::write(&path, unit).unwrap();
    let ask = |arguments: &[&str]| {
        let mut command = std::process::Command::new("systemd-analyze");
        command.args(arguments).arg(&path).output()
    };
    let Ok(verified) = ask(&["verify"]) else {
        println!("systemd-analyze is not installed: the unit is read by our own test alone");
        return;
    };
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    let about_us: Vec<_> = said.lines().filter(|line| line.contains("stepwell.service")).collect();
    assert!(about_us.is_empty(), "{about_us:?}");
    // 0 is locked in, 10 may do anything; in tenths.
    let exposed = ask(&["security", "--offline=true", "--threshold=20", "--no-pager"]).unwrap();
    assert!(exposed.status.success(), "{}", String::from_utf8_lossy(&exposed.stdout));
}
