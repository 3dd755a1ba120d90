//! Orders come out the same wherever the process that handles them dies.

use std::io::Write;
use std::time::Duration;

use stepwell::App;
use stepwell::test::{Test, crash_everywhere};

use crate::order::{Line, Order};
use crate::shop::Shop;
use crate::workflow::Shipped;

fn app() -> App {
    crate::checkout_app(Shop::open())
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

/// An order that the carrier does not take.
fn unreachable() -> Order {
    Order { customer: "The Lighthouse".into(), bank_busy: 0, ..order(false) }
}

/// §7.3, §7.4: an order that fails late is taken back, the money first, then what was set aside; wherever
/// the process dies, in that too, it comes out the same.
#[test]
fn an_order_that_fails_is_taken_back_wherever_its_process_dies() {
    let report = crash_everywhere(app, |test| {
        let run = test.start("checkout", unreachable())?;
        test.advance(Duration::from_mins(1));
        let error = run.output::<Shipped>().unwrap_err();
        assert!(error.message().contains("does not go to The Lighthouse"), "{error}");
        let steps: Vec<String> = run.steps()?.into_iter().map(|step| step.id).collect();
        let made: Vec<&str> = steps.iter().rev().take(4).rev().map(String::as_str).collect();
        assert_eq!(made[0], "compensate charge", "{made:?}");
        assert!(made[1].starts_with("compensate reserve"), "{made:?}");
        assert_eq!(made[3], "onFailure", "{made:?}");
        Ok(())
    });
    let report = report.unwrap();
    let made =
        report.points().filter(|one| one.contains("compensate") || one.contains("onFailure"));
    assert_eq!(made.count(), 4 * 4, "{report}");
    writeln!(std::io::stdout(), "checkout, taken back: {report}").unwrap();
}

/// What a shop does about an order that it cannot deliver.
#[test]
fn what_is_taken_back_is_what_was_done() {
    let shop = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&shop);
    let mut test = Test::new(app()).unwrap();
    let mock = test.mock_step("compensate charge", move |call| {
        seen.lock().unwrap().push(call.step().to_owned());
        Ok(())
    });
    let run = test.start("checkout", unreachable()).unwrap();
    test.advance(Duration::from_mins(1));
    assert_eq!((mock.calls(), shop.lock().unwrap().len()), (1, 1));
    assert_eq!(run.status().unwrap(), stepwell::RunStatus::Failed);
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
    // What was set aside is put back.
    assert!(!steps.iter().any(|id| id == "hand over"), "{steps:?}");
    assert_eq!(steps.last().map(String::as_str), Some("onFailure"), "{steps:?}");
}
