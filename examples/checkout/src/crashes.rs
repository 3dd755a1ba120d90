//! Orders come out the same wherever the process that handles them dies.

use std::io::Write;
use std::time::Duration;

use stepwell::App;
use stepwell::test::{Report, Test, TestRun, crash_everywhere};

use crate::order::{Line, Order};
use crate::shop::Shop;
use crate::workflow::{REVIEWED, Review, Shipped};

/// Moments at which the process of an order can die that is not a gift: four for each attempt of a
/// function, two for a step without one.
const POINTS: usize = 40;

fn app() -> App {
    crate::checkout_app(Shop::open())
}

fn line(sku: &str, pieces: u32, cents: u64) -> Line {
    Line { sku: sku.into(), pieces, cents }
}

/// An order with a line that is out of stock and a bank that is busy at first.
fn order(gift: bool) -> Order {
    Order {
        id: "order-1".into(),
        customer: "Ada".into(),
        lines: vec![
            line("SKU-PEN", 2, 250),
            line("SKU-TELEGRAPH", 1, 45_000),
            line("SKU-LAMP", 1, 250),
        ],
        bank_busy: 2,
        declined: false,
        gift,
        review_within: "1h".into(),
    }
}

/// An order that a person has to approve within an hour.
fn dear() -> Order {
    let lines = vec![line("SKU-CHAIR", 3, 15_000), line("SKU-PEN", 1, 250)];
    Order { lines, bank_busy: 0, ..order(false) }
}

fn review(test: &mut Test, approved: bool) -> stepwell::Result<()> {
    test.send(REVIEWED, Review { order: "order-1".into(), approved }).map(drop)
}

/// Says how an order came out, at how many moments its process died, and where.
fn show(what: &str, report: &Report) {
    let mut out = std::io::stdout();
    writeln!(out, "checkout, {what}: {report}").unwrap();
    for point in report.points() {
        writeln!(out, "  {point}").unwrap();
    }
}

/// The ids of the steps that take back, in their order.
fn taken_back(run: &TestRun) -> stepwell::Result<Vec<String>> {
    let ids = run.steps()?.into_iter().map(|step| step.id);
    Ok(ids.filter(|id| id.starts_with("compensate") || id == "onFailure").collect())
}

/// §4.1, §4.2: killed at every moment of every attempt of every step, its child's too, an order is
/// handled as if nothing had been, and what was saved is not done again.
#[test]
fn an_order_comes_out_the_same_wherever_its_process_dies() {
    for (gift, points_wanted) in [(false, POINTS), (true, POINTS + 2)] {
        let report = crash_everywhere(app, |test| {
            let run = test.start_once("checkout", order(gift), "order-1")?;
            test.advance(Duration::from_mins(1));
            let shipped = run.output::<Shipped>()?;
            assert_eq!((shipped.cents, shipped.left_out), (750, vec!["SKU-TELEGRAPH".to_owned()]));
            Ok(())
        });
        let report = report.unwrap();
        show(if gift { "a gift" } else { "no gift" }, &report);
        assert_eq!(report.crash_points(), points_wanted);
    }
}

/// §5.5, §8.4: an order that is approved in time is shipped, wherever its process dies: before the
/// approval, as it comes, or after it.
#[test]
fn an_approved_order_is_shipped_wherever_its_process_dies() {
    let report = crash_everywhere(app, |test| {
        let run = test.start("checkout", dear())?;
        test.advance(Duration::from_mins(10));
        review(test, true)?;
        test.advance(Duration::from_mins(1));
        assert_eq!(run.output::<Shipped>()?.cents, 45_250);
        assert_eq!(run.step("time limit")?.status, stepwell::StepStatus::Cancelled);
        Ok(())
    });
    let report = report.unwrap();
    show("approved", &report);
    assert!(report.points().any(|point| point.contains("review")), "{report}");
}

/// §7.3, §8.6: an order that nobody reviews in time, or that is not approved, is taken back, wherever
/// its process dies; nothing is charged.
#[test]
fn an_order_that_is_not_approved_is_taken_back_wherever_its_process_dies() {
    for (why, reviewed) in
        [("nobody reviewed the order in time", false), ("the order was not approved", true)]
    {
        let report = crash_everywhere(app, |test| {
            let run = test.start("checkout", dear())?;
            test.advance(Duration::from_mins(10));
            if reviewed {
                review(test, false)?;
            }
            test.advance(Duration::from_hours(1));
            let error = run.output::<Shipped>().unwrap_err();
            assert!(error.message().contains(why), "{error}");
            let made = taken_back(&run)?;
            assert_eq!(made.len(), 3, "{made:?}");
            assert!(run.step("charge").is_err(), "nothing is charged");
            Ok(())
        });
        show(why, &report.unwrap());
    }
}

/// §7.3: a card that is declined ends the order: what was set aside is put back, nothing is shipped.
#[test]
fn a_declined_card_is_taken_back_wherever_its_process_dies() {
    let report = crash_everywhere(app, |test| {
        let run = test.start("checkout", Order { declined: true, ..order(false) })?;
        test.advance(Duration::from_mins(1));
        let error = run.output::<Shipped>().unwrap_err();
        assert!(error.message().contains("the card is declined"), "{error}");
        let made = taken_back(&run)?;
        assert_eq!(made.last().map(String::as_str), Some("onFailure"), "{made:?}");
        assert!(made[..2].iter().all(|id| id.starts_with("compensate reserve")), "{made:?}");
        assert!(run.step("shipping").is_err(), "nothing is shipped");
        Ok(())
    });
    show("declined", &report.unwrap());
}

/// §7.3, §7.4, §9.3: where the child that ships fails, the order does, and is taken back, the money first;
/// wherever the process dies, in that too, it comes out the same.
#[test]
fn an_order_that_cannot_be_shipped_is_taken_back_wherever_its_process_dies() {
    let report = crash_everywhere(app, |test| {
        let far = Order { customer: "The Lighthouse".into(), bank_busy: 0, ..order(false) };
        let run = test.start("checkout", far)?;
        test.advance(Duration::from_mins(1));
        let error = run.output::<Shipped>().unwrap_err();
        assert!(error.message().contains("does not go to The Lighthouse"), "{error}");
        let made = taken_back(&run)?;
        assert_eq!(made[0], "compensate charge", "{made:?}");
        assert!(made[1].starts_with("compensate reserve"), "{made:?}");
        assert_eq!(made[3], "onFailure", "{made:?}");
        Ok(())
    });
    let report = report.unwrap();
    show("not shipped", &report);
    let made =
        report.points().filter(|one| one.contains("compensate") || one.contains("onFailure"));
    assert_eq!(made.count(), 4 * 4, "{report}");
}

/// A mocked refund is called once, with the order's receipt.
#[test]
fn the_money_is_paid_back_once() {
    let mut test = Test::new(app()).unwrap();
    let refund = test.mock_step("compensate charge", |_| Ok(()));
    let far = Order { customer: "The Lighthouse".into(), ..order(false) };
    let run = test.start("checkout", far).unwrap();
    test.advance(Duration::from_mins(1));
    assert_eq!(refund.calls(), 1);
    assert_eq!(run.status().unwrap(), stepwell::RunStatus::Failed);
}
