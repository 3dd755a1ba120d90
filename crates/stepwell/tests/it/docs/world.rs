//! What the pages take for granted: an order, and code that is the reader's own.

use serde::{Deserialize, Serialize};
use stepwell::{App, Ctx, Handler, Result, WorkflowOptions};

/// What most workflows of the pages are about.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) customer: String,
    pub(super) cents: u64,
    pub(super) items: Vec<Item>,
}

/// A line of an order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) sku: String,
}

/// What a charge gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Receipt {
    pub(super) tx: String,
}

/// An order over so many cents.
pub(super) fn order(cents: u64) -> Order {
    let item = |sku: &str| Item { sku: sku.into() };
    Order { id: "o-7".into(), customer: "Ada".into(), cents, items: vec![item("a"), item("b")] }
}

/// An app with one workflow, `w`.
pub(super) fn app<Args: 'static>(handler: impl Handler<Args>) -> App {
    App::new("shop").workflow("w", handler)
}

/// The same with options.
pub(super) fn app_with<Args: 'static>(
    handler: impl Handler<Args>,
    options: WorkflowOptions,
) -> App {
    App::new("shop").workflow_with("w", handler, options)
}

/// The order's id, as the one result of a workflow.
pub(super) async fn shipped(ctx: Ctx, order: serde_json::Value) -> Result<String> {
    ctx.run("pack", || async { Ok(format!("p-{}", order["order"])) }).await
}

pub(super) mod pay {
    use std::time::Duration;

    use stepwell::Result;

    use super::{Order, Receipt};

    /// What the bank answers.
    pub(in super::super) enum Answer {
        Declined,
        Busy(Duration),
        Paid(Receipt),
    }

    pub(in super::super) async fn charge(_: &Order, key: &str) -> Result<Receipt> {
        Ok(Receipt { tx: format!("tx for {key}") })
    }

    pub(in super::super) async fn refund(_: &str, _: &str) -> Result<()> {
        Ok(())
    }

    pub(in super::super) async fn check(_: &Order) -> Result<()> {
        Ok(())
    }

    pub(in super::super) async fn ask(order: &Order, key: &str) -> Result<Answer> {
        Ok(match order.cents {
            0 => Answer::Declined,
            1 => Answer::Busy(Duration::from_mins(5)),
            _ => Answer::Paid(Receipt { tx: format!("tx for {key}") }),
        })
    }
}

pub(super) mod mail {
    use stepwell::{Error, Result};

    pub(in super::super) async fn send(to: &str, _: &str) -> Result<()> {
        if to == "Ada" { Err(Error::terminal("no such mailbox")) } else { Ok(()) }
    }
}

pub(super) mod parcels {
    use stepwell::Result;

    pub(in super::super) async fn send(what: &str) -> Result<String> {
        Ok(format!("parcel of {what}"))
    }

    pub(in super::super) async fn quote(_: &str) -> Result<u32> {
        Ok(490)
    }

    pub(in super::super) async fn letter(_: &str) -> Result<()> {
        Ok(())
    }
}

pub(super) mod stock {
    use stepwell::Result;

    pub(in super::super) async fn reserve(id: &str) -> Result<String> {
        Ok(format!("shelf of {id}"))
    }

    pub(in super::super) async fn put_back(_: &str) -> Result<()> {
        Ok(())
    }

    pub(in super::super) async fn wrap(_: &str) -> Result<()> {
        Ok(())
    }

    pub(in super::super) async fn level(sku: &str) -> Result<u64> {
        Ok(sku.len() as u64)
    }
}
