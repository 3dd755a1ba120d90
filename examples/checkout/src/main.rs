//! Orders of a shop: reserve what was ordered, have it approved where it is dear, charge for it, ship it.
//! Where an order fails, what was done for it is taken back.
//!
//! The program is a runner and also starts the runs, one per line of a file. Each order's number is
//! its run's idempotency key: started twice, it is still shipped once.
//!
//! | file | holds |
//! | --- | --- |
//! | `main` | arguments, the runner, starting the orders |
//! | `workflow` | what happens to an order: a saga with a race and a child run |
//! | `shipping` | the child run |
//! | `order` | what an order is, and reading a file of them |
//! | `shop` | the world outside: stock, payments, parcels |
//! | `crashes` | tests: an order whose process dies at every moment there is |

#[cfg(test)]
mod crashes;
mod order;
mod shipping;
mod shop;
mod workflow;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use futures_util::future::join_all;
use stepwell::client::RunHandle;
use stepwell::{App, Client, ErrorKind, Result, WorkflowOptions};
use tokio::sync::oneshot;

use crate::order::Order;
use crate::shipping::ship;
use crate::shop::Shop;
use crate::workflow::{Shipped, checkout, sorry};

/// How long the server and this program's own registration are waited for.
const READY: Duration = Duration::from_secs(20);

/// Handles orders of a shop with durable runs.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where the server is.
    #[arg(long, env = "STEPWELL_URL", default_value = "http://127.0.0.1:7878")]
    url: String,
    /// A file with the key of the runner, which is of role `admin` where orders are started here, else of
    /// `worker`; without one, the key in `STEPWELL_KEY`.
    #[arg(long, env = "STEPWELL_KEY_FILE", value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// A file with one order as JSON on each line; one without any leaves starting to others.
    #[arg(long, default_value = "examples/checkout/orders.jsonl")]
    orders: PathBuf,
    /// End once all orders are handled; 0 is returned if every run completed.
    #[arg(long)]
    once: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match handle(&Arguments::parse()).await {
        Ok(code) => code,
        Err(error) => {
            say(&mut std::io::stderr(), &format!("checkout: {error:?}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes a line; a reader that has gone away is no reason to stop handling orders.
fn say(to: &mut impl Write, line: &str) {
    drop(writeln!(to, "{line}"));
}

/// The shop's workflows, with what they do about orders that fail.
fn checkout_app(shop: Shop) -> App {
    let options = WorkflowOptions::new().on_failure(sorry).compensate_on_cancel();
    App::new("checkout")
        .data(shop)
        .workflow_with("checkout", checkout, options)
        .workflow("ship", ship)
}

async fn handle(arguments: &Arguments) -> Result<ExitCode> {
    let orders = order::read(&arguments.orders)?;
    let (stop, stopped) = oneshot::channel::<()>();
    let key = arguments.key_file.as_deref().map(order::text).transpose()?;
    let app = checkout_app(Shop::open());
    let mut serve = app.serve(&arguments.url);
    let mut client = Client::builder(&arguments.url);
    if let Some(key) = &key {
        serve = serve.key(key.trim());
        client = client.key(key.trim());
    }
    let client = client.build()?;
    let serve = serve.with_graceful_shutdown(async move {
        tokio::select! {
            _ = stopped => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    });
    let mut serving = tokio::spawn(serve.into_future());
    let failed = tokio::select! {
        failed = handle_all(&client, &orders) => failed?,
        // Stopped, or not accepted by the server: nothing will handle the orders.
        served = &mut serving => return served?.map(|()| ExitCode::SUCCESS),
    };
    let handled = orders.len() - failed;
    say(&mut std::io::stdout(), &format!("{handled} of {} orders shipped", orders.len()));
    if !arguments.once {
        return serving.await?.map(|()| ExitCode::SUCCESS);
    }
    // The runner may have ended by itself; then its end says why.
    let _ = stop.send(());
    serving.await??;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Starts a run for each order and waits for all; returns how many did not complete.
async fn handle_all(client: &Client, orders: &[Order]) -> Result<usize> {
    let Some(first) = orders.first() else { return Ok(0) };
    start_when_ready(client, first).await?;
    let ends = join_all(orders.iter().map(|order| async {
        let run = start(client, order).await?;
        let shipped = run.wait::<Shipped>().await;
        let line = match &shipped {
            Ok(shipped) => format!("{}  {shipped}", run.id()),
            Err(error) => format!("{}  order {}: {error}", run.id(), order.id),
        };
        say(&mut std::io::stdout(), &line);
        Ok(usize::from(shipped.is_err()))
    }));
    ends.await.into_iter().sum()
}

async fn start(client: &Client, order: &Order) -> Result<RunHandle> {
    client.start("checkout", order).app("checkout").key(&order.id).await
}

/// The server may still be starting, and the workflow be on its way to it.
async fn start_when_ready(client: &Client, order: &Order) -> Result<RunHandle> {
    let begin = tokio::time::Instant::now();
    loop {
        let error = match start(client, order).await {
            Ok(run) => return Ok(run),
            Err(error) => error,
        };
        let unknown_workflow = error.code() == Some("SW2002");
        let is_early = error.kind() == ErrorKind::Connection || unknown_workflow;
        if !is_early || begin.elapsed() > READY {
            return Err(error);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
