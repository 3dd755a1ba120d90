//! `stepwell doctor --data`: what it tells of a folder.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use stepwell_core::time::Timestamp;
use stepwell_sqlite::{Embedded, Options};
use stepwell_store::Store as _;
use stepwell_store::batch::Batch;

use crate::backup::{World, offline, text};
use crate::support::{Runner, get, out, post};

/// Looks at a folder, for programs and for people.
fn look(data: &Path) -> (Value, String) {
    let json = offline(&["doctor", "--data", text(data), "--json"]);
    assert_eq!(json.status.code(), Some(0), "{json:?}");
    let shown = offline(&["doctor", "--data", text(data)]);
    (serde_json::from_str(out(&json).trim()).unwrap(), out(&shown))
}

/// Runs by the day, the tail, who else may read it, and a clock that was set back.
#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_growth_tail_rights_and_clock() {
    let world = World::new();
    let server = world.start("data").await;
    let to = server.address();
    let mut runner = Runner::connect(to, json!([{"name": "pay"}])).await;
    for _ in 0..3 {
        let run = post(to, "/api/v1/runs", &json!({"workflow": "pay"})).await.text("id");
        runner.run_one().await;
        get(to, &format!("/api/v1/runs/{run}/result?wait=20s")).await;
    }
    drop(runner);
    server.stop().await;
    let data = world.path("data");
    // Days and rows are told of the tables; what is in the log alone is told as the tail.
    Embedded::open(&data, Options::default()).unwrap().fold_all().unwrap();
    let (told, shown) = look(&data);
    assert_eq!((&told["runs"], &told["problems"]), (&json!(3), &json!([])));
    let days = told["days"].as_array().unwrap();
    assert_eq!(days.iter().map(|day| day["runs"].as_u64().unwrap()).sum::<u64>(), 3, "{told}");
    assert!(told["tailBytes"].is_u64() && told["clockAheadMs"] == json!(0), "{told}");
    assert_eq!(told["openToOthers"], json!([]));
    let day = days[0]["day"].as_str().unwrap();
    assert!(shown.contains(&format!("{day}: ")) && shown.contains("not in tables yet"), "{shown}");
    assert!(shown.contains("✓ nothing is damaged") && !shown.contains("! "), "{shown}");

    let mode = |name: &str, mode| {
        fs::set_permissions(data.join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("stepwell.db", 0o644);
    mode(".", 0o755);
    let shown = out(&offline(&["doctor", "--data", text(&data)]));
    assert!(
        shown.contains("others may look into stepwell.db (mode 0644); now it is 0600"),
        "{shown}"
    );
    assert!(
        shown.contains("others may look into the folder (mode 0755); accepted: 0700"),
        "{shown}"
    );
    mode(".", 0o700);

    // As a clock leaves it that was an hour ahead.
    let wall = Timestamp::from_micros(0).after(std::time::UNIX_EPOCH.elapsed().unwrap());
    let store = Embedded::open(&data, Options::default()).unwrap();
    store.commit(&Batch { at: wall.after(Duration::from_hours(1)), ..Batch::default() }).unwrap();
    store.fold_all().unwrap();
    drop(store);
    let (told, shown) = look(&data);
    assert!(told["clockAheadMs"].as_u64() > Some(3_500_000), "{told}");
    assert!(shown.contains("ahead of this machine's clock"), "{shown}");
}
