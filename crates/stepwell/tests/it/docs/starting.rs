//! `docs/starting.md`, and the engine inside of a program of `docs/faq.md`.

#![expect(dead_code, reason = "compiled to be shown: it needs a server, or a folder")]

use serde_json::json;
use stepwell::{App, Client, Ctx, Result};

use super::world::Receipt;

async fn start() -> Result<Receipt> {
    let client = Client::new("http://127.0.0.1:7878")?;
    let run = client
        .start("checkout", &json!({ "order": "o-7", "cents": 500 }))
        .key("o-7")
        .timeout("1d")
        .search([("country", json!("DE")), ("cents", json!(500))])
        .metadata(json!({ "source": "web" }))
        .await?;
    let receipt: Receipt = run.wait_for("10m").await?;
    Ok(receipt)
}

async fn greet(_ctx: Ctx, name: String) -> Result<String> {
    Ok(name)
}

async fn inside() -> Result<String> {
    let engine = App::new("quickstart").workflow("greet", greet).embedded("./data").await?;
    let run = engine.client().start("greet", "Ada").await?;
    run.wait().await
}
