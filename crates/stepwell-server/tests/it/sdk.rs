//! The Rust SDK and the server: what the API shows of its runs, what limits leave room for.

use std::time::Duration;

use futures_util::future::try_join_all;
use serde_json::json;
use stepwell::client::RunHandle;
use stepwell::{App, Client, Ctx, Result};
use stepwell_core::limits::Limits;
use stepwell_server::config::Config;
use stepwell_server::server::{self, Server};

use crate::support::{Runner, config, get, server};

/// Starts a run of workflow `w`, and serves the app that has it.
async fn start(server: &Server, app: App) -> RunHandle {
    let to = server.address();
    let url = format!("http://{to}");
    // Once a runner has registered the workflow, a start can be pinned to one that comes later.
    let _registers = Runner::connect(to, json!([{"name": "w"}])).await;
    let run = Client::new(&url).unwrap().start("w", &()).runner("green").await.unwrap();
    // It serves until the test's runtime is gone.
    drop(tokio::spawn(app.runner("green").serve(url).into_future()));
    run
}

/// §3.4: steps without a function show their duration, instant or reason as their input.
#[tokio::test]
async fn steps_without_a_function_show_their_input() {
    async fn pauses(ctx: Ctx) -> Result<()> {
        ctx.sleep("short", Duration::from_micros(1_500)).await?;
        ctx.sleep_until("past", "1970-01-01T02:00:09+02:00").await?;
        ctx.skip("not today").reason("closed").await
    }
    let server = server().await;
    let run = start(&server, App::new("shop").workflow("w", pauses)).await;
    run.wait::<()>().await.unwrap();
    let shown = get(server.address(), &format!("/api/v1/runs/{}", run.id())).await.json();
    let inputs: Vec<_> = shown["steps"].as_array().unwrap().iter().map(|s| &s["input"]).collect();
    let past = json!({"until": "1970-01-01T00:00:09.000000Z"});
    assert_eq!(inputs, [&json!({"duration": "1.5ms"}), &past, &json!({"reason": "closed"})]);
}

/// §12: a small limit on payloads does not stop many small messages in one frame.
#[tokio::test]
async fn a_small_payload_limit_leaves_room_for_many_messages() {
    async fn fan(ctx: Ctx) -> Result<usize> {
        let ctx = &ctx;
        let step = |n: usize| ctx.run(format!("s{n}"), || async { Ok("x".repeat(900)) });
        let texts: Vec<String> = try_join_all((0..600).map(step)).await?;
        Ok(texts.iter().map(String::len).sum())
    }
    let limits = Limits { payload_bytes_max: 1024, ..Limits::default() };
    let server = server::start(&Config { limits, ..config() }).await.unwrap();
    let run = start(&server, App::new("shop").workflow("w", fan)).await;
    assert_eq!(run.wait::<usize>().await.unwrap(), 600 * 900);
}
