//! `docs/quickstart.md`: the program as it stands there.

#![expect(dead_code, clippy::print_stdout, reason = "the program of a newcomer, who looks at it")]

use serde_json::{Value, json};
use stepwell::{App, Ctx, Error, Result, Retry};

async fn greet(ctx: Ctx, name: String) -> Result<Value> {
    // A step: its result is saved, and its function is not called again once it is.
    let greeting = ctx
        .run("compose", || async {
            if name.is_empty() {
                return Err(Error::terminal("nobody to greet"));
            }
            println!("composing");
            Ok(format!("Hello, {name}!"))
        })
        .retry(Retry::exponential(5, "1s"))
        .timeout("30s")
        .await?;

    // A pause that outlives every process, and a wait for an event that may never come.
    ctx.sleep("think", "20s").await?;
    let reply = ctx
        .wait_for_event::<Value>("reply", "greeting.answered")
        .matching(json!({ "name": name }))
        .timeout("1h")
        .await?;
    Ok(json!({ "greeting": greeting, "reply": reply }))
}

#[tokio::main]
async fn main() -> Result<()> {
    let url = std::env::var("STEPWELL_URL").unwrap_or_else(|_| "http://127.0.0.1:7878".into());
    App::new("quickstart").workflow("greet", greet).serve(url).await
}

/// What the page says that comes out.
#[test]
fn the_quickstart_does_what_its_page_says() -> Result<()> {
    let mut test = stepwell::test::Test::new(App::new("quickstart").workflow("greet", greet))?;
    let run = test.start("greet", "Ada")?;
    test.crash();
    test.advance(std::time::Duration::from_secs(20));
    test.send("greeting.answered", json!({ "name": "Bob", "text": "hi" }))?;
    assert_ne!(run.status()?, stepwell::RunStatus::Completed);
    test.send("greeting.answered", json!({ "name": "Ada", "text": "hi" }))?;
    let reply = json!({ "name": "Ada", "text": "hi" });
    assert_eq!(run.output::<Value>()?, json!({ "greeting": "Hello, Ada!", "reply": reply }));
    let failed = test.start("greet", "")?;
    assert_eq!(failed.step("compose")?.attempts, 1);
    Ok(())
}
