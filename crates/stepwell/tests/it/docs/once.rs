//! `docs/steps/at-most-once.md`.

use serde::{Deserialize, Serialize};
use stepwell::test::{CrashAt, Test};
use stepwell::{Ctx, OnUnknown, Result, RunStatus, StepStatus, Verdict};

use super::world::{Order, app, order};

/// What a bank says of a transfer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Transfer {
    id: String,
}

mod bank {
    use stepwell::Result;

    use super::Transfer;
    use crate::docs::world::Order;

    pub(super) async fn wire(_: &Order, key: &str) -> Result<Transfer> {
        Ok(Transfer { id: format!("w for {key}") })
    }

    /// The bank finds what was wired for orders of some worth.
    pub(super) async fn find(key: &str) -> Result<Option<Transfer>> {
        Ok(Some(Transfer { id: format!("found for {key}") }).filter(|_| !key.ends_with("lost")))
    }
}

async fn pay_out(ctx: Ctx, order: Order) -> Result<Transfer> {
    let order = &order;
    let transfer: Transfer = ctx
        .run_with("wire", |step| async move { bank::wire(order, &step.idempotency_key()).await })
        .timeout("1m")
        .at_most_once_verified(|step| async move {
            Ok(match bank::find(&step.idempotency_key()).await? {
                Some(found) => Verdict::Done(found),
                None => Verdict::Unknown,
            })
        })
        .on_unknown(OnUnknown::Block)
        .await?;
    Ok(transfer)
}

async fn pay_out_blindly(ctx: Ctx, order: Order) -> Result<Transfer> {
    let order = &order;
    ctx.run_with("wire", |step| async move { bank::wire(order, &step.idempotency_key()).await })
        .at_most_once()
        .await
}

/// §4.5: a lost answer is looked up; without a way to do so the run is blocked.
#[test]
fn a_lost_answer_is_looked_up_or_blocks() -> Result<()> {
    let mut test = Test::new(app(pay_out).workflow("blind", pay_out_blindly))?;
    test.crash_at(CrashAt::BeforeSend, "wire");
    let run = test.start("w", order(500))?;
    test.advance(std::time::Duration::from_mins(1));
    assert_eq!(run.output::<Transfer>()?.id, format!("found for {}:wire", run.id()));

    test.crash_at(CrashAt::BeforeSend, "wire");
    let run = test.start("blind", order(500))?;
    test.advance(std::time::Duration::from_mins(1));
    assert_eq!(run.status()?, RunStatus::Blocked);
    assert_eq!(run.step("wire")?.status, StepStatus::Unknown);
    Ok(())
}
