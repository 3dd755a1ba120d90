use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Waker};

use super::*;
use crate::machine::Cell;
use crate::moment::{Clock, Moment};
use crate::{App, Ctx, Result};

struct Still;

impl Clock for Still {
    fn now(&self) -> Moment {
        Moment::from_micros(1)
    }
}

impl Blocking for Still {
    fn spawn(&self, function: Box<dyn FnOnce() + Send>) {
        function();
    }
}

fn welcomed(app: App) -> Session {
    let mut session = crate::sim::session(app, "i", Arc::new(Still), Arc::new(Still)).unwrap();
    session.on_connected(Still.now());
    let welcome = br#"[{"welcome":{"server":"0","pingMs":1000,"ttlMs":1000,"lingerMs":1000,
        "graceMs":1000,"payloadBytesMax":1000,"stepsMax":100,"branchesMax":100,"creditBytes":9000}}]"#;
    session.on_frame(welcome, Still.now()).unwrap();
    session
}

const ACTIVATE: &[u8] = br#"[{"activate":{"a":1,"run":"run_01930000000070008000000000000001",
    "epoch":1,"nonce":7,"namespace":"default","workflow":"w","createdAtUs":0}}]"#;

/// A run that is over leaves nothing behind, though its steps kept wakers that hold it.
#[test]
fn a_run_that_is_over_is_freed() {
    let seen: Arc<Mutex<Weak<Cell>>> = Arc::default();
    let inner = seen.clone();
    let workflow = move |ctx: Ctx| {
        *inner.lock().unwrap() = Arc::downgrade(ctx.cell());
        async move {
            ctx.run("a", || async { Ok(()) }).await?;
            let never = ctx.run("never", || async { std::future::pending::<Result<()>>().await });
            futures_util::future::select(never, ctx.run("b", || async { Ok(()) })).await;
            Ok(())
        }
    };
    let mut session = welcomed(App::new("shop").workflow("w", workflow));
    session.on_frame(ACTIVATE, Still.now()).unwrap();
    {
        let mut run = pin!(session.take_runs().remove(0));
        let mut cx = Context::from_waker(Waker::noop());
        for step in ["a", "b"] {
            assert!(run.as_mut().poll(&mut cx).is_pending());
            let settled = format!(r#"[{{"settled":{{"a":1,"step":"{step}","atUs":1}}}}]"#);
            session.on_frame(settled.as_bytes(), Still.now()).unwrap();
        }
        assert!(run.as_mut().poll(&mut cx).is_ready());
        assert!(seen.lock().unwrap().upgrade().is_some());
    }
    session.on_frame(br#"[{"done":{"a":1}}]"#, Still.now()).unwrap();
    assert!(seen.lock().unwrap().upgrade().is_none());
}

/// A session that is closed drops its runs, whatever they wait for.
#[test]
fn a_closed_session_drops_its_runs() {
    let seen: Arc<Mutex<Weak<Cell>>> = Arc::default();
    let inner = seen.clone();
    let workflow = move |ctx: Ctx| {
        *inner.lock().unwrap() = Arc::downgrade(ctx.cell());
        async move { ctx.sleep("nap", "1h").await }
    };
    let mut session = welcomed(App::new("shop").workflow("w", workflow));
    session.on_frame(ACTIVATE, Still.now()).unwrap();
    {
        let mut run = pin!(session.take_runs().remove(0));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(run.as_mut().poll(&mut cx).is_pending());
        session.close();
        assert!(run.as_mut().poll(&mut cx).is_ready());
    }
    assert_eq!(session.held(), 0);
    assert!(seen.lock().unwrap().upgrade().is_none());
}

/// §12: frames stay below 256 KiB, and a large payload travels in a frame of its own.
#[test]
fn frames_are_closed_before_they_are_large() {
    async fn workflow(ctx: Ctx) -> Result<()> {
        let big = |n: u32| ctx.run(format!("s{n}"), || async { Ok("x".repeat(100_000)) });
        futures_util::future::try_join_all((0..5).map(big)).await?;
        Ok(())
    }
    let mut session = welcomed(App::new("shop").workflow("w", workflow));
    let terms = br#"[{"welcome":{"server":"0","pingMs":1000,"ttlMs":1000,"lingerMs":1000,
        "graceMs":1000,"payloadBytesMax":1000000,"stepsMax":100,"branchesMax":100,
        "creditBytes":150000}}]"#;
    session.on_frame(terms, Still.now()).unwrap();
    while session.next_frame().is_some() {}
    session.on_frame(ACTIVATE, Still.now()).unwrap();
    let mut run = pin!(session.take_runs().remove(0));
    assert!(run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    // Two results fit a frame; after the first frame the credit is used up.
    assert_eq!(session.next_frame().unwrap().len() / 100_000, 2);
    assert!(session.next_frame().is_none());
    session.on_frame(br#"[{"credit":{"bytes":500000}}]"#, Still.now()).unwrap();
    assert_eq!(session.next_frame().unwrap().len() / 100_000, 2);
    assert_eq!(session.next_frame().unwrap().len() / 100_000, 1);
    assert!(session.next_frame().is_none());
}
