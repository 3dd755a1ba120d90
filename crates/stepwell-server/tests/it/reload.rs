//! Settings that change while the server runs: what is safe does, the rest is told, a wrong file changes
//! nothing.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use stepwell_access::Role;
use stepwell_http::gate::Mode;
use stepwell_server::config::{Config, Effect, SETTINGS};
use stepwell_server::reload::Source;
use stepwell_server::server;

use crate::access::Keyed;
use crate::process::Process;
use crate::support::{config, out, stepwell};

/// A file of settings, and a server that was started with it.
struct Served {
    keyed: Keyed,
    key: String,
    file: PathBuf,
    _folder: tempfile::TempDir,
}

impl Served {
    async fn with(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("stepwell.toml");
        std::fs::write(&file, text).unwrap();
        let source = Source { file: Some(file.clone()), ..Source::default() };
        let read = source.read().unwrap();
        let mut access = read.access.clone();
        access.mode = Mode::Keys;
        let in_force = Config { listen: config().listen, access, ..read };
        let server = server::start_from(&in_force, source, false).await.unwrap();
        let to = server.address();
        let keyed = Keyed { server, to };
        let key = keyed.key("default", Role::Admin).await;
        Self { keyed, key, file, _folder: folder }
    }

    fn write(&self, text: &str) {
        std::fs::write(&self.file, text).unwrap();
    }

    async fn reload(&self) -> (u16, Value) {
        let answer = self.keyed.ask("POST /api/v1/reload", Some(&self.key), None).await;
        (answer.status, answer.json())
    }
}

/// The server of these tests listens on a port of its own, which the file says as well.
const LISTEN: &str = "listen = \"127.0.0.1:0\"\n";

#[tokio::test]
async fn what_is_safe_changes_and_the_rest_needs_a_restart() {
    let served = Served::with(LISTEN).await;
    assert_eq!(served.reload().await, (200, json!({"applied": [], "needsRestart": []})));
    served.write(&format!(
        "{LISTEN}steps_max = 7\nretention = \"3d\"\nwrong_keys_per_minute = 2\n\
         [[retention_rule]]\nkeep = \"30d\"\n"
    ));
    let applied = ["wrong_keys_per_minute", "retention", "retention_rule"];
    let told = json!({"applied": applied, "needsRestart": ["steps_max"]});
    assert_eq!(served.reload().await, (200, told));
    // What counts now is no change any more; what needs a restart is told until it comes.
    let left = json!({"applied": [], "needsRestart": ["steps_max"]});
    assert_eq!(served.reload().await, (200, left));
    let wrong = format!("sw_{}", "x".repeat(60));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(served.keyed.ask("GET /api/v1/runs", Some(&wrong), None).await.status);
    }
    assert_eq!(statuses, [401, 401, 429]);
}

#[tokio::test]
async fn a_wrong_file_changes_nothing() {
    let served = Served::with(&format!("{LISTEN}wrong_keys_per_minute = 2\n")).await;
    served.write(&format!("{LISTEN}wrong_keys_per_minute = 9\nsteps = 7\nretention = \"1h\"\n"));
    let (status, problem) = served.reload().await;
    assert_eq!((status >= 400, problem["code"].as_str()), (true, Some("SW4005")), "{problem}");
    let detail = problem["detail"].as_str().unwrap();
    for part in ["line 3", "did you mean `steps_max`?", "line 4", "1d to 36500d"] {
        assert!(detail.contains(part), "{detail}");
    }
    // The rate of before counts still.
    let mut last = 0;
    for _ in 0..3 {
        last = served.keyed.ask("GET /api/v1/runs", Some("sw_no"), None).await.status;
    }
    assert_eq!(last, 429);
    std::fs::remove_file(&served.file).unwrap();
    let (status, problem) = served.reload().await;
    assert!(status >= 400 && problem["detail"].to_string().contains("cannot be read"), "{problem}");
}

/// An act of operators: only an admin of the server may, and it is in the audit log.
#[tokio::test]
async fn a_reload_is_an_act_that_is_audited() {
    let served = Served::with(LISTEN).await;
    let operator = served.keyed.key("default", Role::Operator).await;
    let refused = served.keyed.ask("POST /api/v1/reload", Some(&operator), None).await;
    assert_eq!(refused.status, 403);
    assert_eq!(served.reload().await.0, 200);
    served.keyed.server.reload("SIGHUP").await.unwrap();
    served.write("steps = 7");
    served.keyed.server.reload("SIGHUP").await.unwrap_err();
    let rows = served.keyed.get("/api/v1/audit?limit=100", &served.key).await.json();
    let rows: Vec<_> =
        rows["rows"].as_array().unwrap().iter().filter(|row| row["act"] == "reload").collect();
    let outcomes: Vec<_> = rows.iter().map(|row| row["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes.iter().filter(|one| **one == "asked").count(), 3, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|one| **one == "done").count(), 2, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|one| **one == "SW4005").count(), 1, "{outcomes:?}");
    assert!(rows.iter().any(|row| row["keyName"] == "SIGHUP"), "{rows:?}");
}

/// What the table calls safe is what a reload changes, all of it.
#[tokio::test]
async fn every_setting_that_the_table_calls_safe_changes() {
    let served = Served::with(LISTEN).await;
    let safe: Vec<_> = SETTINGS.iter().filter(|one| one.effect == Effect::Reload).collect();
    let mut text = LISTEN.to_owned();
    let mut names = Vec::new();
    for setting in safe.iter().filter(|one| !one.name.starts_with("tls_")) {
        text += match setting.name {
            "key_requests_per_second" => "key_requests_per_second = 5000\n",
            "wrong_keys_per_minute" => "wrong_keys_per_minute = 3\n",
            "unknown_connections_max" => "unknown_connections_max = 9\n",
            "log" => "log = \"warn\"\n",
            "retention" => "retention = \"2d\"\n",
            "telemetry_retention" => "telemetry_retention = \"2d\"\n",
            "retention_rule" => "[[retention_rule]]\nkeep = \"9d\"\n",
            other => panic!("this test does not change `{other}`"),
        };
        names.push(setting.name);
    }
    served.write(&text);
    assert_eq!(served.reload().await, (200, json!({"applied": names, "needsRestart": []})));
    assert_eq!(served.reload().await, (200, json!({"applied": [], "needsRestart": []})));
}

fn start(folder: &Path, file: &Path) -> Process {
    let (data, file) = (folder.to_str().unwrap(), file.to_str().unwrap());
    Process::start(&["start", "--config", file, "--data", data, "--access", "loopback"])
}

/// By the command and by the signal, of a server in a process of its own; a flag wins over the file then too.
#[tokio::test]
async fn the_command_and_the_signal_reload() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stepwell.toml");
    std::fs::write(
        &file,
        format!("{LISTEN}log = \"warn,stepwell_http=info\"\naccess = \"keys\"\n"),
    )
    .unwrap();
    let process = start(&folder.path().join("data"), &file);
    let url = format!("http://{}", process.address);
    let told = |output| out(&output);
    assert_eq!(told(stepwell(url.clone(), &["reload"]).await), "nothing has changed\n");
    std::fs::write(&file, format!("{LISTEN}log = \"info\"\nlinger = \"2s\"\n")).unwrap();
    let text = told(stepwell(url.clone(), &["reload"]).await);
    assert_eq!(text, "changed: log\nneeds a restart: linger\n");
    std::fs::write(&file, format!("{LISTEN}log = \"info\"\nretention = \"2d\"\n")).unwrap();
    process.hang_up();
    // The signal has been served once its outcome is in the audit log.
    let served = async |rows: usize| loop {
        let text = told(stepwell(url.clone(), &["audit", "list", "--json"]).await);
        if text.lines().filter(|line| line.contains("\"SIGHUP\"")).count() >= rows {
            break;
        }
    };
    served(2).await;
    assert_eq!(told(stepwell(url.clone(), &["reload"]).await), "nothing has changed\n");
    std::fs::write(&file, "nonsense").unwrap();
    process.hang_up();
    served(4).await;
    let refused = stepwell(url.clone(), &["reload"]).await;
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("SW4005") && said.contains("line 1"), "{said}");
    // It serves all the same.
    assert_eq!(told(stepwell(url, &["health"]).await), "ok\n");
}

/// Exit codes are what health checks look at.
#[tokio::test]
async fn health_is_an_exit_code() {
    let served = Served::with(LISTEN).await;
    let url = format!("http://{}", served.keyed.to);
    let fine = stepwell(url.clone(), &["health"]).await;
    assert_eq!((fine.status.code(), out(&fine).as_str()), (Some(0), "ok\n"));
    served.keyed.server.stop().await;
    assert_eq!(stepwell(url, &["health"]).await.status.code(), Some(3));
    // Something that takes connections and says nothing.
    let deaf = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", deaf.local_addr().unwrap());
    let late = stepwell(url, &["health", "--timeout", "200ms"]).await;
    assert_eq!(late.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&late.stderr).contains("200ms"));
}

fn config_command(arguments: &[&str]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepwell"));
    command.arg("config").args(arguments).stderr(Stdio::piped()).output().unwrap()
}

#[test]
fn the_sample_is_checked_and_mistakes_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stepwell.toml");
    let path = file.to_str().unwrap();
    std::fs::write(&file, config_command(&["sample"]).stdout).unwrap();
    let fine = config_command(&["check", path]);
    assert_eq!(fine.status.code(), Some(0), "{fine:?}");
    std::fs::write(&file, "lisen = \"127.0.0.1:1\"\nsteps_max = 0\n").unwrap();
    let wrong = config_command(&["check", path]);
    assert_eq!((wrong.status.code(), out(&wrong).lines().count()), (Some(1), 2), "{wrong:?}");
    let schema: Value = serde_json::from_slice(&config_command(&["schema"]).stdout).unwrap();
    assert_eq!(schema["additionalProperties"], false);
}
