//! How an order leaves the shop.

use serde::{Deserialize, Serialize};
use stepwell::{Ctx, Data, Result};

use crate::order::Order;
use crate::shop::Shop;

/// What is to be shipped.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shipment {
    order: String,
    customer: String,
    gift: bool,
}

impl Shipment {
    /// Returns the shipment of an order.
    pub(crate) fn of(order: &Order) -> Self {
        Self { order: order.id.clone(), customer: order.customer.clone(), gift: order.gift }
    }
}

/// Labels and wraps at the same time, while the customer may change their mind, then gives the parcel to
/// the carrier. Returns the parcel's number.
pub(crate) async fn ship(ctx: Ctx, Data(shop): Data<Shop>, shipment: Shipment) -> Result<String> {
    // The pause outlives every process.
    let (parcel, (), ()) = tokio::try_join!(
        ctx.run("label", || async { Ok(shop.label(&shipment.order)) }),
        wrap(&ctx, &shipment),
        ctx.sleep("time to change one's mind", "1s"),
    )?;
    ctx.run("hand over", || async { shop.hand_over(&parcel, &shipment.customer) }).await?;
    Ok(parcel)
}

async fn wrap(ctx: &Ctx, shipment: &Shipment) -> Result<()> {
    if shipment.gift {
        ctx.run("wrap", || async { Ok(()) }).await
    } else {
        ctx.skip("wrap").reason("not a gift").await
    }
}
