//! `docs/events.md`.

use serde::{Deserialize, Serialize};
use serde_json::json;
use stepwell::test::Test;
use stepwell::{App, Client, Ctx, Result, RunStatus, WorkflowOptions};

use super::world::mail;

/// Sends an event as the page does; there is no server here.
#[expect(dead_code, reason = "compiled to be shown: it needs a server")]
async fn send(client: &Client) -> Result<bool> {
    let sent =
        client.send("order.paid", &json!({ "order": "o-7", "cents": 500 })).id("bank-123").await?;
    Ok(sent.accepted)
}

#[derive(Debug, Serialize, Deserialize)]
struct Joined {
    user: String,
}

async fn welcome(ctx: Ctx, joined: Joined) -> Result<()> {
    ctx.log().info(format!("started by {:?}", ctx.event()));
    ctx.run("greet", || mail::send(&joined.user, "welcome")).await
}

fn crm() -> App {
    let options = WorkflowOptions::new().trigger_matching("user.joined", json!({ "plan": "pro" }));
    let app = App::new("crm").workflow_with("welcome", welcome, options);
    app.build("1")
}

/// §8.1, §8.3: an event that fits starts a run, with its data as the input.
#[test]
fn an_event_starts_what_triggers_on_it() -> Result<()> {
    let mut test = Test::new(crm())?;
    test.send("user.joined", json!({ "user": "Bob", "plan": "free" }))?;
    assert_eq!(test.runs().len(), 0);
    test.send("user.joined", json!({ "user": "Bob", "plan": "pro" }))?;
    let statuses: Vec<RunStatus> = test.runs().iter().map(|run| run.status().unwrap()).collect();
    assert_eq!(statuses, [RunStatus::Completed]);
    Ok(())
}
