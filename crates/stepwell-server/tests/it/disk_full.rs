//! A disk that gets full under a server that works.
//!
//! The disk is a tmpfs of 192 MiB in a mount namespace of its own. Where such a thing cannot be mounted, it is a folder
//! on the disk of the machine, with a reserve that leaves little of what is free.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use rustix::fs::{FallocateFlags, fallocate, statvfs};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stepwell::client::RunHandle;
use stepwell::{App, Client, Ctx, Data, Result};
use tokio::sync::watch;

use crate::backup::{offline, text};
use crate::process::Process;
use crate::support::{Answer, get, out, post, stepwell};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
/// Runs that have begun when the disk gets full; as many again when nothing at all is left of it.
const RUNNING: usize = 24;
/// What each step returns, in bytes.
const PARCEL: usize = 128 << 10;
/// Input of each run that fills the disk, in bytes.
const GOODS: usize = 512 << 10;
/// Runs that are there before it gets full.
const BEFORE: usize = 40;
/// More starts than a small disk takes.
const MANY: usize = 1_000;
/// Longest time that a test waits for something; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_mins(2);

const TEST: &str = "disk_full::a_full_disk_refuses_starts_and_lets_runs_end";
/// Names the folder where the small disk is mounted.
const SMALL: &str = "STEPWELL_SMALL_DISK";
/// Mounts a small disk on a folder, and runs the command that follows.
const MOUNT: &str = r#"mount -t tmpfs -o size=192m,mode=700 small "$1" && shift && exec "$@""#;

/// A disk of which the test decides how much is free.
struct Disk {
    folder: PathBuf,
    small: bool,
    /// What the server keeps free, in bytes.
    reserve: u64,
    ballast: Option<File>,
    _kept: Option<tempfile::TempDir>,
}

impl Disk {
    fn open() -> Self {
        let small = std::env::var_os(SMALL).map(PathBuf::from);
        let kept = small.is_none().then(|| {
            tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder for the test")
        });
        let folder = small.clone().or_else(|| Some(kept.as_ref()?.path().to_owned())).unwrap();
        // Others write to a disk that is not ours, so only what is far from the mark is sure there.
        let left = if small.is_some() { 128 * MIB } else { GIB };
        let reserve = free(&folder).checked_sub(left).expect("a disk with 1 GiB free");
        Self { folder, small: small.is_some(), reserve, ballast: None, _kept: kept }
    }

    /// Takes room away: a little above the reserve is left where the disk is small, else less than the reserve.
    fn fill(&mut self) {
        let free = free(&self.folder);
        let bytes =
            if self.small { free - self.reserve - 16 * MIB } else { free - self.reserve + GIB / 2 };
        self.take(bytes);
    }

    /// Takes a part of what is left.
    fn take(&mut self, bytes: u64) {
        let file = self
            .ballast
            .take()
            .unwrap_or_else(|| File::create(self.folder.join("ballast")).unwrap());
        let begun = file.metadata().unwrap().len();
        if bytes > 0 {
            fallocate(&file, FallocateFlags::empty(), begun, bytes).unwrap();
        }
        self.ballast = Some(file);
    }

    fn give_back(&mut self) {
        self.ballast.take().unwrap().set_len(0).unwrap();
    }
}

fn free(folder: &Path) -> u64 {
    let stat = statvfs(folder).unwrap();
    stat.f_bavail * stat.f_frsize
}

#[derive(Serialize, Deserialize)]
struct Order {
    /// The gate that its functions wait for.
    gate: usize,
    goods: String,
}

/// What the functions of runs wait for, and how many wait.
struct Yard {
    gate: watch::Sender<usize>,
    waits: AtomicUsize,
}

impl Yard {
    async fn pass(&self, gate: usize) {
        self.waits.fetch_add(1, Ordering::AcqRel);
        let mut opened = self.gate.subscribe();
        opened.wait_for(|open| *open >= gate).await.unwrap();
    }
}

async fn order(ctx: Ctx, Data(yard): Data<Arc<Yard>>, order: Order) -> Result<usize> {
    let parcel = |c: &'static str| async move { Ok(c.repeat(PARCEL)) };
    let one = ctx.run("reserve", || parcel("r")).await?;
    let two = ctx.run("pick", || async {
        yard.pass(order.gate).await;
        parcel("p").await
    });
    let two = two.await?;
    ctx.sleep("rest", "300ms").await?;
    let three = ctx.run("send", || parcel("s")).await?;
    Ok(one.len() + two.len() + three.len() + order.goods.len())
}

/// A server on the disk, runners, and who starts runs.
struct World {
    disk: Disk,
    server: Option<Process>,
    port: u16,
    yard: Arc<Yard>,
}

impl World {
    fn new() -> Self {
        let yard = Arc::new(Yard { gate: watch::Sender::new(0), waits: AtomicUsize::new(0) });
        let mut world = Self { disk: Disk::open(), server: None, port: 0, yard };
        world.start();
        world
    }

    /// Starts the server, where it listened before.
    fn start(&mut self) {
        let listen = format!("127.0.0.1:{}", self.port);
        let (data, reserve) = (self.data(), self.disk.reserve.to_string());
        let process = Process::start(&[
            "start",
            "--data",
            text(&data),
            "--listen",
            &listen,
            "--access",
            "loopback",
            "--log-format",
            "json",
            "--reserve-bytes",
            &reserve,
        ]);
        self.port = process.address.port();
        self.server = Some(process);
    }

    fn data(&self) -> PathBuf {
        self.disk.folder.join("data")
    }

    fn to(&self) -> std::net::SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    fn serve(&self, runner: &str) {
        let app = App::new("shop").runner(runner).slots(200).data(self.yard.clone());
        let serving = app.workflow("order", order).serve(format!("http://{}", self.to()));
        // It serves until the test's runtime is gone.
        tokio::spawn(async move { panic!("it serves no more: {:?}", serving.await) });
    }

    async fn health(&self) -> Value {
        get(self.to(), "/healthz").await.json()
    }

    /// Starts a run that stays queued, with a key that is its number.
    async fn queue(&self, nth: usize) -> Answer {
        let goods = format!("{nth:8}").repeat(GOODS / 8);
        let input = Order { gate: 0, goods };
        let body =
            json!({"workflow": "order", "runner": "green", "key": nth.to_string(), "input": input});
        post(self.to(), "/api/v1/runs", &body).await
    }

    /// Starts runs whose functions wait for a gate, and waits until all of these do.
    async fn begin(&self, gate: usize) -> Vec<RunHandle> {
        let before = self.yard.waits.load(Ordering::Acquire);
        let client = Client::new(&format!("http://{}", self.to())).unwrap();
        let order = |_| {
            client
                .start("order", &Order { gate, goods: String::new() })
                .runner("blue")
                .into_future()
        };
        let runs = try_join_all((0..RUNNING).map(order)).await.unwrap();
        until("functions wait", async || {
            self.yard.waits.load(Ordering::Acquire) == before + RUNNING
        })
        .await;
        runs
    }

    /// Every start is refused, and every event, with what is wrong; what was accepted before is told again.
    async fn refuses(&self, known: &str) {
        let refused = self.queue(MANY).await;
        assert_eq!(
            (refused.status, refused.text("code")),
            (507, "SW1009".to_owned()),
            "{refused:?}"
        );
        assert!(
            refused.text("detail").contains("bytes free, less than the reserve of"),
            "{refused:?}"
        );
        let event = post(self.to(), "/api/v1/events", &json!({"event": "paid", "data": 1})).await;
        assert_eq!((event.status, event.text("code")), (507, "SW1009".to_owned()), "{event:?}");
        let again = self.queue(0).await;
        assert_eq!((again.status, again.text("id")), (200, known.to_owned()), "{again:?}");
        let health = self.health().await;
        assert_eq!(health["status"], json!("degraded"), "{health}");
        assert!(health["refusesStarts"].as_str().unwrap().contains("reserve"), "{health}");
        let looked = stepwell(format!("http://{}", self.to()), &["doctor"]).await;
        assert!(
            out(&looked).contains("! new runs and events are refused: the disk has"),
            "{looked:?}"
        );
    }
}

/// Waits until something is so.
async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits for the end of runs without goods; returns how many ended as they should.
async fn ended(runs: &[RunHandle]) -> usize {
    let outputs =
        try_join_all(runs.iter().map(|run| run.wait_for::<usize>(PATIENCE))).await.unwrap();
    outputs.into_iter().filter(|bytes| *bytes == 3 * PARCEL).count()
}

#[expect(clippy::print_stdout, reason = "the figures are what `make disk-full` shows")]
fn say(text: &str) {
    println!("disk full: {text}");
}

/// Runs this test on a small disk, where one can be mounted.
fn on_a_small_disk() -> bool {
    let folder = tempfile::tempdir().unwrap();
    let run = |program: &[&str]| {
        let unshare = ["-rm", "sh", "-c", MOUNT, "sh", text(folder.path())];
        Command::new("unshare").args(unshare).args(program).env(SMALL, folder.path()).status()
    };
    if !run(&["true"]).is_ok_and(|status| status.success()) {
        return false;
    }
    let me = std::env::current_exe().unwrap();
    assert!(run(&[text(&me), "--exact", TEST, "--nocapture"]).unwrap().success());
    true
}

/// While less than the reserve is free, starts and events are refused with a 507, runs that have begun go on to their
/// end, also over a `kill -9` and where nothing at all is free for a while; once there is room again, all is as
/// before, and nothing that was acknowledged is missing.
#[test]
fn a_full_disk_refuses_starts_and_lets_runs_end() {
    if std::env::var_os(SMALL).is_none() && on_a_small_disk() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(get_full());
}

async fn get_full() {
    let mut world = World::new();
    world.serve("blue");
    let to = world.to();
    until("the workflow is known", async || {
        let known = get(to, "/api/v1/workflows").await.json();
        known["workflows"].as_array().is_some_and(|known| !known.is_empty())
    })
    .await;
    let (first, last) = (world.begin(1).await, world.begin(2).await);
    let mut queued = Vec::new();
    for nth in 0..BEFORE {
        queued.push(world.queue(nth).await.text("id"));
    }
    world.disk.fill();
    while queued.len() < MANY {
        let answer = world.queue(queued.len()).await;
        if answer.status == 507 {
            break;
        }
        assert_eq!(answer.status, 201, "{answer:?}");
        queued.push(answer.text("id"));
    }
    let left = free(&world.disk.folder);
    if world.disk.small {
        // What is folded into tables leaves its place in the log: room comes back for a while.
        world.disk.take(left - world.disk.reserve / 2);
    }
    world.refuses(&queued[0]).await;
    let (runs, mib) = (queued.len(), left / MIB);
    let kind = if world.disk.small { "tmpfs of 192 MiB" } else { "reserve on the machine's disk" };
    say(&format!("{kind}: refused with 507 after {runs} runs that wait, {mib} MiB free"));

    let mut process = world.server.take().unwrap();
    process.signal(Signal::KILL);
    process.wait();
    world.start();
    world.refuses(&queued[0]).await;
    world.yard.gate.send_replace(1);
    let done = ended(&first).await;
    assert_eq!(done, RUNNING);
    world.refuses(&queued[0]).await;
    say(&format!("{done} of {RUNNING} runs that had begun ended meanwhile, after a kill -9"));

    if world.disk.small {
        world.disk.take(free(&world.disk.folder));
    }
    world.yard.gate.send_replace(2);
    tokio::time::sleep(Duration::from_secs(2)).await;
    // Without a byte for its log the node may have begun anew, which is a 503.
    let refused = world.queue(MANY).await;
    assert!(matches!(refused.status, 507 | 503), "{refused:?}");
    let left = free(&world.disk.folder) / MIB;
    world.disk.give_back();
    let done = ended(&last).await;
    assert_eq!(done, RUNNING);
    say(&format!("{done} of {RUNNING} ended that had to go on with {left} MiB free"));

    until("there is room", async || world.health().await["status"] == json!("ok")).await;
    let after = world.queue(queued.len()).await;
    assert_eq!(after.status, 201, "{after:?}");
    queued.push(after.text("id"));
    world.serve("green");
    for run in &queued {
        let ended = get(to, &format!("/api/v1/runs/{run}/result?wait=120s")).await.json();
        assert_eq!(ended["output"], json!(3 * PARCEL + GOODS), "{run}: {ended}");
    }
    let mut process = world.server.take().unwrap();
    process.signal(Signal::TERM);
    process.wait();
    let looked = offline(&["doctor", "--data", text(&world.data())]);
    assert_eq!(looked.status.code(), Some(0), "{looked:?}");
    say(&format!("normal again: {} of {} runs that waited completed", queued.len(), queued.len()));
}
