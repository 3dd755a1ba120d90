//! `docs/deploying.md`.

use serde_json::json;
use stepwell::test::Test;
use stepwell::{App, Ctx, Result, RunStatus, WorkflowOptions};

use super::world::{Order, Receipt, app, app_with, order, pay};

#[expect(dead_code, reason = "compiled to be shown: it needs a server")]
async fn serve() -> Result<()> {
    App::new("shop")
        .build(option_env!("GIT_SHA").unwrap_or("unknown"))
        .workflow("checkout", checkout)
        .serve("http://127.0.0.1:7878")
        .await
}

async fn checkout(ctx: Ctx, order: Order) -> Result<Receipt> {
    // New in version 2; runs that began before go on without it.
    if ctx.started_version() == Some("2") {
        ctx.run("check fraud", || pay::check(&order)).await?;
    }
    let order = &order;
    ctx.run_with("charge", |step| async move { pay::charge(order, &step.idempotency_key()).await })
        .await
}

/// §9.9: code branches by the version that began the run.
#[test]
fn a_branch_by_version_is_for_runs_of_that_version() -> Result<()> {
    for (version, steps) in [("1", 1), ("2", 2)] {
        let mut test = Test::new(app_with(checkout, WorkflowOptions::new().version(version)))?;
        let run = test.start("w", order(500))?;
        assert_eq!((run.status()?, run.steps()?.len()), (RunStatus::Completed, steps));
    }
    assert_eq!(Test::new(app(checkout))?.start("w", json!(order(500)))?.steps()?.len(), 1);
    Ok(())
}
