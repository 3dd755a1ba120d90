//! Starting a cluster, and what ends it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::chown;
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

/// Runs the server as `$1` with the other words, until nobody holds the other end of its input: then
/// whoever started it is gone. Its folder goes with it.
const WATCHED: &str = r#"
server=$1; folder=$2; shift 2
"$server" "$@" </dev/null >"$folder/log" 2>&1 &
read -r _
kill -QUIT $! 2>/dev/null
wait $!
rm -rf "$folder/data"
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
    folder: TempDir,
    watched: Child,
}

impl Cluster {
    /// Makes a cluster and starts it.
    ///
    /// # Errors
    /// What is missing, and what to install.
    pub fn start(durability: Durability) -> Result<Self, String> {
        let programs = programs()?;
        let user = user()?;
        for _ in 0..PORTS {
            if let Some(cluster) = make(&programs, user)?.serve(&programs, durability)? {
                return Ok(cluster);
            }
        }
        Err(format!("a port was taken by somebody else {PORTS} times"))
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
        self.folder.path().join("data")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watched.stdin.take());
        // Else its folder would be taken away beneath it.
        let _ = self.watched.wait();
    }
}

/// A cluster that does not run yet.
struct Made {
    folder: TempDir,
    user: Option<User>,
}

/// Numbers of a user and its group.
type User = (u32, u32);

fn make(programs: &Path, user: Option<User>) -> Result<Made, String> {
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
    Ok(Made { folder, user })
}

impl Made {
    /// Starts it; returns `None` where somebody else has the port by now.
    fn serve(self, programs: &Path, durability: Durability) -> Result<Option<Cluster>, String> {
        let failed = |error: std::io::Error| format!("the cluster does not begin: {error}");
        let Self { folder, user } = self;
        let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let port = free.map_err(failed)?.port();
        let data = folder.path().join("data");
        let mut start = Command::new("sh");
        start.args(["-c", WATCHED, "sh"]).arg(programs.join("postgres")).arg(folder.path());
        start.arg("-D").arg(&data).args(["-p", &port.to_string()]);
        start.args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
        if durability == Durability::None {
            start.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
        }
        let watched = as_user(&mut start, user)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir(folder.path())
            .spawn()
            .map_err(failed)?;
        let log = folder.path().join("log");
        let cluster = Cluster { port, folder, watched };
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let status = read(&data.join("postmaster.pid"));
            if status.lines().nth(7).is_some_and(|line| line.trim() == "ready") {
                return Ok(Some(cluster));
            }
            if read(&log).contains("could not bind") {
                return Ok(None);
            }
            std::thread::sleep(STEP);
        }
        Err(format!("the cluster does not begin within {PATIENCE:?}: {}", read(&log)))
    }
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

/// Finds the programs of PostgreSQL: those that `pg_config` names, or in the usual places.
fn programs() -> Result<PathBuf, String> {
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
    let places = named
        .into_iter()
        .chain(packaged.into_iter().rev().map(|(_, place)| place))
        .chain(usual.map(PathBuf::from));
    let is_whole =
        |place: &PathBuf| place.join("initdb").exists() && place.join("postgres").exists();
    places.into_iter().find(is_whole).ok_or_else(|| {
        "there is no PostgreSQL here (initdb and postgres, 14 or later); install it (often a package \
            `postgresql`), name a database in DATABASE_URL, or set STEPWELL_TEST_POSTGRES=skip"
            .into()
    })
}
