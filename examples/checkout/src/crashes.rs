//! Orders come out the same wherever the process that handles them dies.

use std::io::Write;
use std::time::Duration;

use stepwell::App;
use stepwell::test::{Test, crash_everywhere};

use crate::order::{Line, Order};
use crate::shop::Shop;
use crate::workflow::{Shipped, checkout};

fn app() -> App {
    App::new("checkout").data(Shop::open()).workflow("checkout", checkout)
}

fn line(sku: &str, pieces: u32) -> Line {
    Line { sku: sku.into(), pieces, cents: 250 }
}

/// An order with everything: a line that is out of stock, a bank that is busy at first, a gift or none.
fn order(gift: bool) -> Order {
    let lines = vec![line("SKU-PEN", 2), line("SKU-TELEGRAPH", 1), line("SKU-LAMP", 1)];
    Order { id: "order-1".into(), customer: "Ada".into(), lines, bank_busy: 2, gift }
}

fn ship(test: &mut Test, gift: bool) -> stepwell::Result<()> {
    let run = test.start_once("checkout", order(gift), "order-1")?;
    test.advance(Duration::from_mins(1));
    let shipped = run.output::<Shipped>()?;
    assert_eq!((shipped.cents, shipped.left_out), (750, vec!["SKU-TELEGRAPH".to_owned()]));
    Ok(())
}

/// §4.1, §4.2: killed at every moment of every attempt of every step, an order is handled as if nothing
/// had been, and what was saved is not done again.
#[test]
fn an_order_comes_out_the_same_wherever_its_process_dies() {
    for (gift, points_wanted) in [(false, 36), (true, 38)] {
        let report = crash_everywhere(app, |test| ship(test, gift)).unwrap();
        let mut out = std::io::stdout();
        writeln!(out, "checkout, gift {gift}: {report}").unwrap();
        for point in report.points() {
            writeln!(out, "  {point}").unwrap();
        }
        assert_eq!(report.crash_points(), points_wanted);
    }
}

/// A card that is declined ends the order; nothing is handed over.
#[test]
fn a_payment_that_fails_ends_the_order() {
    let mut test = Test::new(app()).unwrap();
    let charge = test.mock_step("charge", |_| {
        Err::<String, _>(stepwell::Error::terminal("the card is declined").named("Declined"))
    });
    let run = test.start("checkout", order(false)).unwrap();
    let error = run.output::<Shipped>().unwrap_err();
    assert!(error.message().contains("the card is declined"), "{error}");
    assert_eq!(charge.calls(), 1);
    let steps: Vec<String> = run.steps().unwrap().into_iter().map(|step| step.id).collect();
    assert_eq!(steps.last().map(String::as_str), Some("charge"), "{steps:?}");
}
