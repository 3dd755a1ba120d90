//! What happens to an order.

use std::fmt;
use std::sync::Arc;

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use stepwell::{Ctx, Data, Error, ErrorKind, Result, Retry, RunFailure};

use crate::order::{Line, Order};
use crate::shop::Shop;

/// What becomes of an order.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shipped {
    pub(crate) order: String,
    pub(crate) parcel: String,
    pub(crate) receipt: String,
    pub(crate) cents: u64,
    pub(crate) left_out: Vec<String>,
}

impl fmt::Display for Shipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (euros, cents) = (self.cents / 100, self.cents % 100);
        write!(f, "order {}: {}, {euros}.{cents:02}, {}", self.order, self.parcel, self.receipt)?;
        if !self.left_out.is_empty() {
            write!(f, ", without {}", self.left_out.join(", "))?;
        }
        Ok(())
    }
}

/// Reserves every line at the same time, charges once, and ships. Where an order fails after that, what
/// was done is taken back, the last first: the money, then what was set aside.
pub(crate) async fn checkout(ctx: Ctx, Data(shop): Data<Shop>, order: Order) -> Result<Shipped> {
    let reserved = order.lines.iter().map(|line| reserve(&ctx, &shop, line));
    let reserved = try_join_all(reserved).await?;
    let (mut cents, mut left_out) = (0, Vec::new());
    for (line, is_there) in order.lines.iter().zip(reserved) {
        if is_there {
            cents += line.cents * u64::from(line.pieces);
        } else {
            left_out.push(line.sku.clone());
        }
    }
    if left_out.len() == order.lines.len() {
        return Err(Error::terminal(format!("nothing of order {} is in stock", order.id)));
    }

    // The bank takes a payment once for each key: an attempt that is repeated charges nothing more.
    let receipt = ctx
        .run_with("charge", |step| {
            let (shop, busy) = (&shop, order.bank_busy);
            async move {
                step.log.info(format!("charging {cents} cents, attempt {}", step.attempt));
                shop.charge(&step.idempotency_key(), cents, step.attempt, busy)
            }
        })
        .retry(Retry::exponential(6, "100ms"))
        .timeout("10s")
        .metadata(serde_json::json!({ "cents": cents }))
        .compensate_with({
            let shop = Arc::clone(&shop);
            move |step, receipt: String| {
                step.log.info(shop.refund(&step.idempotency_key(), &receipt));
                async { Ok(()) }
            }
        })
        .await?;

    // Three branches at the same time; the pause outlives every process.
    let (parcel, (), ()) = tokio::try_join!(
        ctx.run_with("label", |step| {
            let shop = &shop;
            async move { Ok(shop.label(&step.idempotency_key())) }
        }),
        wrap(&ctx, &order),
        ctx.sleep("time to change one's mind", "1s"),
    )?;
    ctx.run("hand over", || async { shop.hand_over(&parcel, &order.customer) }).await?;
    ctx.log().info(format!("order {} of {} is on its way", order.id, order.customer));
    Ok(Shipped { order: order.id, parcel, receipt, cents, left_out })
}

/// Says what became of an order that failed; a shop would write to the customer.
pub(crate) async fn sorry(ctx: Ctx, Data(shop): Data<Shop>, failure: RunFailure) -> Result<()> {
    ctx.log().warn(format!("the order failed: {}", failure.error));
    shop.say_sorry(&failure.uncertain_steps);
    Ok(())
}

/// Reserves a line; false where it is out of stock, which is no reason to keep the rest.
async fn reserve(ctx: &Ctx, shop: &Arc<Shop>, line: &Line) -> Result<bool> {
    let id = format!("reserve {}", line.sku);
    let (sku, pieces, again) = (line.sku.clone(), line.pieces, Arc::clone(shop));
    let reserved = ctx
        .run(id, || async { shop.reserve(&line.sku, line.pieces) })
        .compensate(move |shelf: String| {
            again.put_back(&sku, pieces, &shelf);
            async { Ok(()) }
        })
        .await;
    match reserved {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::Step => Ok(false),
        Err(error) => Err(error),
    }
}

async fn wrap(ctx: &Ctx, order: &Order) -> Result<()> {
    if order.gift {
        ctx.run("wrap", || async { Ok(()) }).await
    } else {
        ctx.skip("wrap").reason("not a gift").await
    }
}
