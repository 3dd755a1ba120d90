//! Matching against `PostgreSQL`'s `@>`, where its programs are on this machine.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use stepwell_core::matching::Match;

use crate::matching::{matches, pair, raw, spec};

/// How many random pairs are compared too.
const PAIRS: usize = 1_000;

/// Answers `true`, `false`, or `refuses` for what is no `jsonb`.
const QUESTION: &str = "CREATE FUNCTION contained(event text, wanted text) RETURNS text
    LANGUAGE plpgsql AS $$
    BEGIN RETURN (event::jsonb @> wanted::jsonb)::text;
    EXCEPTION WHEN data_exception OR program_limit_exceeded THEN RETURN 'refuses';
    END $$;\n";

/// Returns the folder of the server's programs.
fn programs() -> Option<PathBuf> {
    let said = Command::new("pg_config").arg("--bindir").output().ok();
    let said = said.and_then(|output| String::from_utf8(output.stdout).ok());
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.extend(said.map(|folder| PathBuf::from(folder.trim())));
    folders.into_iter().rev().find(|folder| {
        ["initdb", "pg_ctl", "psql"].iter().all(|program| folder.join(program).is_file())
    })
}

/// The user that the server runs as, since it refuses to run as root: user and group.
fn user() -> Option<(u32, u32)> {
    let id = |args: &[&str]| {
        let output = Command::new("id").args(args).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse::<u32>().ok()
    };
    if id(&["-u"])? > 0 {
        return None;
    }
    ["postgres", "nobody"].iter().find_map(|name| Some((id(&["-u", name])?, id(&["-g", name])?)))
}

/// A server of our own in a temporary folder, reached by a socket in it; stopped when dropped.
struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    user: Option<(u32, u32)>,
}

impl Cluster {
    fn start(programs: PathBuf) -> Self {
        let name = format!("stepwell-matching-{}", std::process::id());
        let (folder, user) = (std::env::temp_dir().join(name), user());
        std::fs::create_dir(&folder).unwrap();
        if let Some((user, group)) = user {
            chown(&folder, Some(user), Some(group)).unwrap();
        }
        let cluster = Self { programs, folder, user };
        let data = cluster.folder.join("data");
        cluster.run("initdb", &data, &["-A", "trust", "-U", "stepwell", "-E", "UTF8", "--no-sync"]);
        let socket = cluster.folder.display();
        let options = format!("-c listen_addresses='' -c unix_socket_directories='{socket}'");
        let log = cluster.folder.join("log");
        cluster.run("pg_ctl", &data, &["-w", "-o", &options, "-l", log.to_str().unwrap(), "start"]);
        cluster
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(&self.folder).env("LC_ALL", "C").env("PGCLIENTENCODING", "UTF8");
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }

    fn run(&self, program: &str, data: &Path, args: &[&str]) {
        // The server keeps what it inherits open, so nobody reads its output to the end.
        let quiet = |command: &mut Command| command.stdout(Stdio::null()).status();
        let done = quiet(self.command(program).arg("-D").arg(data).args(args)).unwrap();
        assert!(done.success(), "{program} {args:?}: {done}");
    }

    /// Asks for every pair of event and match.
    fn contained(&self, pairs: &[(String, String)]) -> Vec<String> {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let mut script = QUESTION.to_owned();
        for (event, wanted) in pairs {
            let (event, wanted) = (quoted(event), quoted(wanted));
            writeln!(script, "SELECT contained({event}, {wanted});").unwrap();
        }
        let socket = self.folder.to_str().unwrap();
        let args = ["-XqAt", "-v", "ON_ERROR_STOP=1", "-h", socket, "-U", "stepwell", "postgres"];
        let mut psql = self.command("psql");
        let mut psql =
            psql.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = psql.stdin.take().unwrap();
        let writer = std::thread::spawn(move || stdin.write_all(script.as_bytes()).unwrap());
        let output = psql.wait_with_output().unwrap();
        writer.join().unwrap();
        assert!(output.status.success(), "psql: {}", output.status);
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let data = self.folder.join("data");
        let mut stop = self.command("pg_ctl");
        let stop = stop.arg("-D").arg(data).args(["-m", "immediate", "-w", "stop"]);
        let _ = stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// §8.2: containment is that of `@>`, but for what the vectors say. Asks a server of its own.
#[test]
#[expect(clippy::print_stderr, reason = "a machine without the server has to be told of the gap")]
fn postgresql_agrees() {
    let Some(programs) = programs() else {
        eprintln!("skipped: no PostgreSQL here, so `@>` was not asked");
        return;
    };
    let mut expected = Vec::new();
    for case in spec().cases {
        let said = match case.postgres.as_deref() {
            None => case.matches.to_string(),
            Some("differs") => (!case.matches).to_string(),
            Some(other) => other.to_owned(),
        };
        expected.push(((case.event, case.wanted), said));
    }
    let mut runner = TestRunner::deterministic();
    for _ in 0..PAIRS {
        let pair = pair().new_tree(&mut runner).unwrap().current();
        // The exception of `@>`: a bare scalar in an array.
        let bare = !pair.wanted.starts_with(['{', '[']);
        if !bare && Match::parse(raw(&pair.wanted)).is_ok() {
            let said = matches(&pair.wanted, &pair.event).to_string();
            expected.push(((pair.event, pair.wanted), said));
        }
    }
    let agreeing = expected.iter().filter(|(_, said)| said == "true").count();
    let other = expected.len() - agreeing;
    assert!(agreeing > PAIRS / 4 && other > PAIRS / 4, "{agreeing} match, {other} do not");
    let (pairs, expected): (Vec<_>, Vec<_>) = expected.into_iter().unzip();
    let cluster = Cluster::start(programs);
    let said = cluster.contained(&pairs);
    assert_eq!(said.len(), pairs.len());
    for ((pair, expected), said) in pairs.iter().zip(expected).zip(said) {
        assert_eq!(said, expected, "{pair:?}");
    }
}
