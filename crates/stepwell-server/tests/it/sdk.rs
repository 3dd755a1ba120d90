//! The Rust SDK and the server: what the API shows of its runs.

use std::time::Duration;

use serde_json::json;
use stepwell::{App, Client, Ctx, Result};

use crate::support::{Runner, get, server};

async fn pauses(ctx: Ctx) -> Result<()> {
    ctx.sleep("short", Duration::from_micros(1_500)).await?;
    ctx.sleep_until("past", "1970-01-01T02:00:09+02:00").await?;
    ctx.skip("not today").reason("closed").await
}

/// §3.4: steps without a function show their duration, instant or reason as their input.
#[tokio::test]
async fn steps_without_a_function_show_their_input() {
    let server = server().await;
    let to = server.address();
    let url = format!("http://{to}");
    // Once a runner has registered the workflow, a start can be pinned to one that comes later.
    let _registers = Runner::connect(to, json!([{"name": "pauses"}])).await;
    let client = Client::new(&url).unwrap();
    let run = client.start("pauses", &()).runner("green").await.unwrap();
    let app = App::new("shop").runner("green").workflow("pauses", pauses);
    let serving = tokio::spawn(app.serve(url).into_future());
    run.wait::<()>().await.unwrap();
    let shown = get(to, &format!("/api/v1/runs/{}", run.id())).await.json();
    let inputs: Vec<_> = shown["steps"].as_array().unwrap().iter().map(|s| &s["input"]).collect();
    let past = json!({"until": "1970-01-01T00:00:09.000000Z"});
    assert_eq!(inputs, [&json!({"duration": "1.5ms"}), &past, &json!({"reason": "closed"})]);
    serving.abort();
}
