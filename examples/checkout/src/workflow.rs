//! What happens to an order.

use std::fmt;
use std::sync::Arc;

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::json;
use stepwell::{Ctx, Data, Error, ErrorKind, Result, Retry, RunFailure};

use crate::order::{Line, Order};
use crate::shipping::Shipment;
use crate::shop::Shop;

/// From this total on a person has to approve an order.
const APPROVAL_FROM: u64 = 40_000;

/// The event that says what a person thinks of an order.
pub(crate) const REVIEWED: &str = "order.reviewed";

/// What a person says about an order.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Review {
    pub(crate) order: String,
    pub(crate) approved: bool,
}

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

/// Reserves every line at the same time, has dear orders approved, charges once, and has the order
/// shipped by a run of its own. Where an order fails, what was done for it is taken back, the last
/// first: the money, then what was set aside.
pub(crate) async fn checkout(ctx: Ctx, Data(shop): Data<Shop>, order: Order) -> Result<Shipped> {
    let reserved = try_join_all(order.lines.iter().map(|line| reserve(&ctx, &shop, line))).await?;
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

    if cents >= APPROVAL_FROM {
        approve(&ctx, &order).await?;
    } else {
        ctx.skip("approval").reason("it costs less than what has to be approved").await?;
    }
    let receipt = charge(&ctx, &shop, &order, cents).await?;

    // Another run, with a history of its own. Where it fails, this line does.
    let shipment = Shipment::of(&order);
    let parcel = ctx.invoke("shipping", "ship").input(&shipment).timeout("7d").await?;

    ctx.log().info(format!("order {} of {} is on its way", order.id, order.customer));
    Ok(Shipped { order: order.id, parcel, receipt, cents, left_out })
}

/// Waits for what a person says, or for as long as the order says: whatever comes first. The run is
/// parked meanwhile, for days if need be, and takes no place in this program.
async fn approve(ctx: &Ctx, order: &Order) -> Result<()> {
    let won = ctx
        .race("approval")
        .branch("review", |ctx| async move {
            let review = ctx.wait_for_event::<Review>("review", REVIEWED);
            review.matching(json!({ "order": order.id })).await
        })
        .branch("time limit", |ctx| async move {
            ctx.sleep("time limit", order.review_within.as_str()).await?;
            Ok(None)
        })
        .await?;
    match won.value {
        Some(review) if review.approved => Ok(()),
        Some(_) => Err(Error::terminal("the order was not approved").named("NotApproved")),
        None => Err(Error::terminal("nobody reviewed the order in time").named("NotReviewed")),
    }
}

/// Takes the money. The bank takes a payment once for each key: an attempt that is repeated charges
/// nothing more.
async fn charge(ctx: &Ctx, shop: &Arc<Shop>, order: &Order, cents: u64) -> Result<String> {
    let refunds = Arc::clone(shop);
    ctx.run_with("charge", |step| async move {
        step.log.info(format!("charging {cents} cents, attempt {}", step.attempt));
        shop.charge(&step.idempotency_key(), order, cents, step.attempt)
    })
    .retry(Retry::exponential(6, "100ms"))
    .timeout("10s")
    .metadata(json!({ "cents": cents }))
    .compensate_with(move |step, receipt: String| {
        step.log.info(refunds.refund(&step.idempotency_key(), &receipt));
        async { Ok(()) }
    })
    .await
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

/// Says what became of an order that failed; a shop would write to the customer.
pub(crate) async fn sorry(ctx: Ctx, Data(shop): Data<Shop>, failure: RunFailure) -> Result<()> {
    ctx.log().warn(format!("the order failed: {}", failure.error));
    shop.say_sorry(&failure.uncertain_steps);
    Ok(())
}
