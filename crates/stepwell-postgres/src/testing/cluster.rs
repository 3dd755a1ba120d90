//! Starting a cluster, and what ends it.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a cluster may take to begin. Long, since the machine may be busy.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long it is waited between two looks.
const STEP: Duration = Duration::from_millis(10);
/// How often another port is tried.
const PORTS: usize = 5;
/// The oldest version that is looked for.
const OLDEST: u32 = 14;
/// Who runs the cluster where this process may not, in the order of preference.
const USERS: [&str; 2] = ["postgres", "nobody"];

/// Runs the server as `$1` with the other words, until it reads a line or nobody holds the other end of its
/// input any more. In that case whoever started it is gone, and its folder goes with it.
const WATCHED: &str = r#"
server=$1; folder=$2; shift 2
"$server" "$@" </dev/null >"$folder/log" 2>&1 &
read -r kept
kill -QUIT $! 2>/dev/null
wait $!
[ -n "$kept" ] || { cd / && rm -rf "$folder"; }
"#;

/// What a cluster promises of what it wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// As it comes.
    Default,
    /// Nothing is synced: for tests that do not look at crashes of a machine.
    None,
}

/// A cluster on 127.0.0.1 that no other has the port of. It ends when it is dropped, and with this
/// process, however that ends.
#[derive(Debug)]
pub struct Cluster {
    port: u16,
    made: Made,
    /// Absent while it is stopped.
    watched: Option<Child>,
}

impl Cluster {
    /// Makes a cluster and starts it.
    ///
    /// # Errors
    /// What is missing, and what to install.
    pub fn start(durability: Durability) -> Result<Self, String> {
        let (programs, user) = (programs()?, user()?);
        let made = Made { folder: make(&programs, user)?, programs, user, durability };
        let mut cluster = Self { port: 0, made, watched: None };
        for _ in 0..PORTS {
            let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
            cluster.port = free.map_err(|error| format!("no port: {error}"))?.port();
            if cluster.serve()? {
                return Ok(cluster);
            }
        }
        Err(format!("a port was taken by somebody else {PORTS} times"))
    }

    /// Stops the server as a crash does: at once, and what was not durable is lost.
    pub fn stop(&mut self) {
        if let Some(mut watched) = self.watched.take() {
            if let Some(end) = &mut watched.stdin {
                let _ = end.write_all(b"kept\n");
            }
            let _ = watched.wait();
        }
    }

    /// Starts a server that was stopped, on the same port.
    ///
    /// # Errors
    /// Why it does not begin.
    pub fn resume(&mut self) -> Result<(), String> {
        if self.serve()? { Ok(()) } else { Err("somebody else has the port by now".into()) }
    }

    /// Starts a server that was stopped as a standby of nobody: it reads, and may be promoted.
    ///
    /// # Errors
    /// Why it does not begin.
    pub fn resume_as_standby(&mut self) -> Result<(), String> {
        self.put("standby.signal", "")?;
        self.resume()
    }

    /// Writes a file into the server's folder, as the server's.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub fn put(&self, name: &str, text: &str) -> Result<(), String> {
        let file = self.data().join(name);
        let failed = |error: std::io::Error| format!("{}: {error}", file.display());
        fs::write(&file, text).map_err(failed)?;
        // It takes keys only where nobody else may read them.
        fs::set_permissions(&file, Permissions::from_mode(0o600)).map_err(failed)?;
        match self.made.user {
            Some((uid, gid)) => chown(&file, Some(uid), Some(gid)).map_err(failed),
            None => Ok(()),
        }
    }

    /// Sets a setting, such as `ssl`, which counts from the next start.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub fn set(&self, setting: &str, value: &str) -> Result<(), String> {
        let before = read(&self.data().join("postgresql.conf"));
        self.put("postgresql.conf", &format!("{before}\n{setting} = '{value}'\n"))
    }

    /// Returns the address of a database in it, of a role that may everything.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the folder with the server's data.
    pub fn data(&self) -> PathBuf {
        self.made.folder.path().join("data")
    }

    /// Starts the server; tells whether nobody else has the port.
    fn serve(&mut self) -> Result<bool, String> {
        let (made, data) = (&self.made, self.data());
        let mut start = Command::new("sh");
        start.args(["-c", WATCHED, "sh"]).arg(made.programs.join("postgres"));
        start.arg(made.folder.path()).arg("-D").arg(&data).args(["-p", &self.port.to_string()]);
        start.args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
        if made.durability == Durability::None {
            start.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
        }
        let watched = as_user(&mut start, made.user)
            // What ends a group of tests would end it in the midst of cleaning up.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir(made.folder.path())
            .spawn()
            .map_err(|error| format!("the cluster does not begin: {error}"))?;
        self.watched = Some(watched);
        let (log, begun) = (self.made.folder.path().join("log"), Instant::now());
        while begun.elapsed() < PATIENCE {
            let status = read(&data.join("postmaster.pid"));
            let status = status.lines().nth(7).map(str::trim);
            if matches!(status, Some("ready" | "standby")) {
                return Ok(true);
            }
            if read(&log).contains("could not bind") {
                self.stop();
                return Ok(false);
            }
            std::thread::sleep(STEP);
        }
        Err(format!("the cluster does not begin within {PATIENCE:?}: {}", read(&log)))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut watched) = self.watched.take() {
            drop(watched.stdin.take());
            // Else its folder would be taken away beneath it.
            let _ = watched.wait();
        }
    }
}

/// A cluster on the disk.
#[derive(Debug)]
struct Made {
    folder: TempDir,
    programs: PathBuf,
    user: Option<User>,
    durability: Durability,
}

/// Numbers of a user and its group.
type User = (u32, u32);

fn make(programs: &Path, user: Option<User>) -> Result<TempDir, String> {
    let folder = tempfile::Builder::new()
        .prefix("stepwell-postgres-")
        .tempdir()
        .map_err(|error| format!("no folder for a cluster: {error}"))?;
    if let Some((uid, gid)) = user {
        chown(folder.path(), Some(uid), Some(gid))
            .map_err(|error| format!("{}: {error}", folder.path().display()))?;
    }
    let mut make = Command::new(programs.join("initdb"));
    make.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"])
        .args(["--no-sync", "--no-instructions", "--pgdata"])
        .arg(folder.path().join("data"));
    let made = as_user(&mut make, user)
        .current_dir(folder.path())
        .output()
        .map_err(|error| format!("initdb: {error}"))?;
    if !made.status.success() {
        return Err(format!("initdb: {}", String::from_utf8_lossy(&made.stderr)));
    }
    Ok(folder)
}

/// Reads a small file, which need not be there.
fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

fn as_user(command: &mut Command, user: Option<User>) -> &mut Command {
    match user {
        Some((uid, gid)) => command.uid(uid).gid(gid),
        None => command,
    }
}

/// Finds who is to run the server: this user, or another one where this is root, which may not.
fn user() -> Result<Option<User>, String> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let known = read(Path::new("/etc/passwd"));
    let find = |name: &&str| {
        let line = known.lines().find(|line| line.split(':').next() == Some(*name))?;
        let mut numbers = line.split(':').skip(2);
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    };
    let found = USERS.iter().find_map(find);
    found
        .map(Some)
        .ok_or_else(|| format!("root may not run PostgreSQL, and of {USERS:?} nobody is here"))
}

/// Finds the programs of PostgreSQL: those that the environment names, else those that `pg_config` names, or in
/// the usual places.
fn programs() -> Result<PathBuf, String> {
    let is_whole =
        |place: &PathBuf| place.join("initdb").exists() && place.join("postgres").exists();
    if let Some(place) = named_folder() {
        return if is_whole(&place) {
            Ok(place)
        } else {
            let place = place.display();
            Err(format!("STEPWELL_TEST_POSTGRES: there is no initdb and postgres in {place}"))
        };
    }
    let named = Command::new("pg_config")
        .arg("--bindir")
        .output()
        .ok()
        .map(|told| PathBuf::from(String::from_utf8_lossy(&told.stdout).trim().to_owned()));
    let mut packaged: Vec<(u32, PathBuf)> = Vec::new();
    for folder in fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten() {
        let version = folder.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some(version) = version.filter(|version| *version >= OLDEST) {
            packaged.push((version, folder.path().join("bin")));
        }
    }
    packaged.sort_unstable();
    let usual = ["/usr/local/pgsql/bin", "/opt/homebrew/bin", "/usr/local/bin", "/usr/bin"];
    let mut places = named
        .into_iter()
        .chain(packaged.into_iter().rev().map(|(_, place)| place))
        .chain(usual.map(PathBuf::from));
    places.find(is_whole).ok_or_else(|| {
        "there is no PostgreSQL here (initdb and postgres, 14 or later); install it (often a package \
            `postgresql`), name the folder of these programs in STEPWELL_TEST_POSTGRES, or a database in \
            DATABASE_URL, or set STEPWELL_TEST_POSTGRES=skip"
            .into()
    })
}

/// Returns the folder with PostgreSQL's programs that the environment names, if it names one.
pub(super) fn named_folder() -> Option<PathBuf> {
    let named = std::env::var_os("STEPWELL_TEST_POSTGRES")?;
    (!named.is_empty() && named != "skip").then(|| PathBuf::from(named))
}
