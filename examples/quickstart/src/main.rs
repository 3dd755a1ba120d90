//! The program that the README shows.

use stepwell::{App, Ctx, Error, Result, Retry};

async fn greet(ctx: Ctx, name: String) -> Result<String> {
    // A step: its result is saved, and its function is not called again once it is.
    let greeting = ctx
        .run("compose", || async {
            if name.is_empty() {
                return Err(Error::terminal("nobody to greet"));
            }
            Ok(format!("Hello, {name}!"))
        })
        .retry(Retry::exponential(5, "1s"))
        .timeout("30s")
        .await?;

    // A pause that outlives every process; steps side by side with tokio's own macros.
    let (shout, ()) = tokio::try_join!(
        ctx.run("shout", || async { Ok(greeting.to_uppercase()) }),
        ctx.sleep("think", "10s"),
    )?;
    Ok(shout)
}

#[tokio::main]
async fn main() -> Result<()> {
    let url = std::env::var("STEPWELL_URL").unwrap_or_else(|_| "http://127.0.0.1:7878".into());
    App::new("quickstart").workflow("greet", greet).serve(url).await
}
