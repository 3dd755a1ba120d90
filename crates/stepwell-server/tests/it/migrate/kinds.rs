//! Runs of all kinds, before and after.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use stepwell::{App, Client, Ctx, Error, Result, RunId};
use stepwell_postgres::testing::place;
use stepwell_server::config::Config;
use stepwell_server::server::{self, Server};
use tokio::task::JoinHandle;

use super::calls::{database, folder, moved, on_folder, sums};
use crate::backup::{World, offline, text};
use crate::postgres::on;
use crate::support::{Runner, config, get, out, post};

async fn waiter(ctx: Ctx, word: String) -> Result<String> {
    ctx.set_search([("word", word.as_str())])?;
    ctx.run("first", || async { Ok(1) }).await?;
    ctx.wait_for_event::<Value>("word", "said").matching(json!({ "word": word })).await?;
    Ok(format!("heard {word}"))
}

async fn parent(ctx: Ctx, word: String) -> Result<String> {
    let heard: String = ctx.invoke("child", "waiter").input(word).await?;
    Ok(format!("child {heard}"))
}

async fn napper(ctx: Ctx) -> Result<()> {
    ctx.sleep("nap", "10s").await
}

async fn fails(_: Ctx) -> Result<()> {
    Err(Error::terminal("no"))
}

async fn done(_: Ctx, number: u32) -> Result<u32> {
    Ok(number)
}

/// The same workflows, but for one whose code is another one from the second time on.
fn app(is_changed: bool) -> App {
    let changed = Arc::new(AtomicBool::new(is_changed));
    let odd = move |ctx: Ctx| {
        let changed = Arc::clone(&changed);
        async move {
            if changed.load(Ordering::Acquire) {
                ctx.sleep("one", "1ms").await?;
            } else {
                ctx.run("one", || async { Ok(1) }).await?;
            }
            ctx.wait_for_event::<Value>("word", "odd").await?;
            Ok(())
        }
    };
    App::new("shop")
        .workflow("waiter", waiter)
        .workflow("parent", parent)
        .workflow("napper", napper)
        .workflow("fails", fails)
        .workflow("done", done)
        .workflow("odd", odd)
}

fn serve(server: &Server, is_changed: bool) -> JoinHandle<Result<()>> {
    let url = format!("http://{}", server.address());
    tokio::spawn(app(is_changed).runner("green").serve(url).into_future())
}

fn client(server: &Server) -> Client {
    Client::new(&format!("http://{}", server.address())).unwrap()
}

/// Waits until a run shows a status.
async fn until(server: &Server, run: RunId, status: &str) {
    let begun = std::time::Instant::now();
    loop {
        let shown = get(server.address(), &format!("/api/v1/runs/{run}")).await.json();
        if shown["status"] == status {
            return;
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "{run} is not {status}: {shown}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn say(server: &Server, word: &str) {
    let said = json!({"event": "said", "id": format!("said-{word}"), "data": {"word": word}});
    let sent = post(server.address(), "/api/v1/events", &said).await;
    assert_eq!(sent.status, 201, "{sent:?}");
}

/// The runs of the test, by what becomes of them.
struct Runs {
    naps: RunId,
    heard: [RunId; 3],
    parents: RunId,
    pinned: RunId,
    later: RunId,
    blocked: RunId,
    keyed: RunId,
}

/// Starts runs of all kinds, and waits until each of them is where it stays.
async fn start(server: &Server) -> Runs {
    let to = server.address();
    drop(Runner::connect(to, json!([{"name": "pinned"}])).await);
    let runner = serve(server, false);
    while !get(to, "/api/v1/workflows").await.body.contains("napper") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let client = client(server);
    let begin = async |workflow: &'static str, input: Value| {
        client.start(workflow, &input).app("shop").await.unwrap().id()
    };
    let mut heard = Vec::new();
    for word in ["zero", "one", "two"] {
        heard.push(begin("waiter", json!(word)).await);
    }
    let parents = begin("parent", json!("three")).await;
    let blocked = begin("odd", Value::Null).await;
    let failed = begin("fails", Value::Null).await;
    let keyed = client
        .start("done", &7)
        .app("shop")
        .key("order-7")
        .search([("of", "DE")])
        .await
        .unwrap()
        .id();
    let pinned = client.start("pinned", &()).app("shop").runner("elsewhere").await.unwrap().id();
    let later = client.start("done", &8).app("shop").delay("1h").await.unwrap().id();
    for run in [heard[0], heard[1], heard[2], parents, blocked] {
        until(server, run, "waiting").await;
    }
    until(server, failed, "failed").await;
    until(server, keyed, "completed").await;
    say(server, "zero").await;
    until(server, heard[0], "completed").await;
    runner.abort();
    // Its code is another one now: what it did before is not what it asks for.
    let runner = serve(server, true);
    let sent = post(to, "/api/v1/events", &json!({"event": "odd"})).await;
    assert_eq!(sent.status, 201, "{sent:?}");
    until(server, blocked, "blocked").await;
    let naps = begin("napper", Value::Null).await;
    until(server, naps, "waiting").await;
    let bulk = json!({"act": "cancel", "filter": {"workflow": "nothing"}, "reason": "none"});
    let bulk = post(to, "/api/v1/bulk", &bulk).await;
    assert!(bulk.status < 300, "{bulk:?}");
    runner.abort();
    let heard = heard.try_into().unwrap();
    Runs { naps, heard, parents, pinned, later, blocked, keyed }
}

/// A folder with runs in sleeps, waits, queues, with children, keys, attributes, blocked, failed and ended, goes to
/// PostgreSQL, where all that can go on does, and from there to another folder: nothing is lost on the way, byte by
/// byte, and nobody goes on where it was.
#[tokio::test(flavor = "multi_thread")]
async fn runs_of_all_kinds_move_there_and_back_and_go_on() {
    let Some(place) = place().unwrap() else { return };
    let world = World::new();
    let data = world.path("data");
    let first = on_folder(&data).await;
    let runs = start(&first).await;
    first.stop().await;
    let key = world.path("key");
    let made = ["keys", "create", "--name", "ops", "--role", "admin", "--out", text(&key)];
    let made = offline(&[&made[..], &["--data", text(&data)]].concat());
    assert_eq!(made.status.code(), Some(0), "{made:?}");

    let told = moved(&folder("from", &data), &database("to", &place));
    for (kind, count, _) in sums(&told) {
        let may_be_none = ["messages", "runs of bulk acts"].contains(&kind.as_str());
        assert!(count > 0 || may_be_none, "no {kind}: {told}");
    }
    let again = Config { data: Some(data.clone()), ..config() };
    let refused = server::start(&again).await.map(drop).unwrap_err().to_string();
    assert!(refused.contains("were moved to database") && refused.contains("MOVED"), "{refused}");

    let second = server::start(&on(&place, "a")).await.unwrap();
    let runner = serve(&second, true);
    // What slept past its time goes on.
    until(&second, runs.naps, "completed").await;
    say(&second, "one").await;
    until(&second, runs.heard[1], "completed").await;
    for (run, status) in
        [(runs.blocked, "blocked"), (runs.pinned, "queued"), (runs.parents, "waiting")]
    {
        until(&second, run, status).await;
    }
    let again = client(&second).start("done", &7).app("shop").key("order-7").await.unwrap();
    assert_eq!((again.id(), again.is_created()), (runs.keyed, false));
    let later = get(second.address(), &format!("/api/v1/runs/{}", runs.later)).await.json();
    assert_eq!(
        (&later["status"], &later["cause"]),
        (&json!("waiting"), &json!("delayed")),
        "{later}"
    );
    runner.abort();
    second.stop().await;

    let back = world.path("back");
    let told = moved(&database("from", &place), &folder("to", &back));
    let refused = server::start(&on(&place, "b")).await.map(drop).unwrap_err().to_string();
    assert!(refused.contains("were moved to the folder"), "{refused}");
    // Once more, from the folder to a folder: what is there is what was there.
    let third = on_folder(&back).await;
    let runner = serve(&third, true);
    say(&third, "two").await;
    say(&third, "three").await;
    until(&third, runs.heard[2], "completed").await;
    until(&third, runs.parents, "completed").await;
    for (run, status) in [(runs.blocked, "blocked"), (runs.pinned, "queued")] {
        until(&third, run, status).await;
    }
    let repeated = json!({"event": "said", "id": "said-zero", "data": {"word": "zero"}});
    let repeated = post(third.address(), "/api/v1/events", &repeated).await;
    assert_eq!(
        repeated.status, 200,
        "an event that was sent before the moves is known: {repeated:?}"
    );
    runner.abort();
    third.stop().await;
    let doctor = offline(&["doctor", "--data", text(&back)]);
    assert_eq!(doctor.status.code(), Some(0), "{doctor:?}");
    assert!(out(&doctor).contains("nothing is damaged"), "{doctor:?}");
    assert!(told["written"].as_u64() > Some(8), "{told}");
}

/// A folder that is moved there and back without a server in between has the same hash of every kind on all sides.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_touched_has_the_same_hashes_on_all_sides() {
    let Some(place) = place().unwrap() else { return };
    let world = World::new();
    let data = world.path("data");
    let first = on_folder(&data).await;
    start(&first).await;
    first.stop().await;
    let there = moved(&folder("from", &data), &database("to", &place));
    let back = moved(&database("from", &place), &folder("to", &world.path("back")));
    assert_eq!(sums(&there), sums(&back));
}
