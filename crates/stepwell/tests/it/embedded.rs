//! The engine inside of the program: the same promises as with a server (feature `embedded`).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use stepwell::{App, Client, Ctx, Data, ErrorKind, Result, RunStatus};

#[derive(Clone, Default)]
struct Calls(Arc<AtomicU32>);

impl Calls {
    fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

async fn order(ctx: Ctx, calls: Data<Calls>, cents: u32) -> Result<u32> {
    let calls = calls.0.clone();
    let charged = ctx
        .run("charge", || async {
            calls.0.fetch_add(1, Ordering::SeqCst);
            Ok(cents)
        })
        .await?;
    ctx.sleep("settle", "300ms").await?;
    Ok(charged + 1)
}

fn app(calls: &Calls) -> App {
    App::new("shop").data(calls.clone()).workflow("order", order)
}

/// §4.9, §4.1: what a folder holds goes on when a program opens it again, and a saved step's function
/// is not called again. Stops the engine while a run sleeps, and opens another on its folder.
#[tokio::test]
async fn runs_go_on_when_the_folder_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let calls = Calls::default();
    let engine = app(&calls).embedded(folder.path()).await.unwrap();
    let run = engine.client().start("order", &41).await.unwrap();
    while calls.count() == 0 {
        tokio::task::yield_now().await;
    }
    engine.stop().await.unwrap();
    let engine = app(&calls).embedded(folder.path()).await.unwrap();
    let run = engine.client().run(run.id());
    assert_eq!(run.wait::<u32>().await.unwrap(), 42);
    assert_eq!(calls.count(), 1);
    engine.stop().await.unwrap();
}

/// An engine that listens is a server to others, who see the runs of the program.
#[tokio::test]
async fn an_engine_that_listens_is_seen_by_others() {
    let calls = Calls::default();
    let engine = app(&calls).embedded_in_memory().listen("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", engine.address().unwrap());
    let run = Client::new(&url).unwrap().start("order", &1).await.unwrap();
    assert_eq!(run.wait::<u32>().await.unwrap(), 2);
    assert_eq!(engine.client().run(run.id()).status().await.unwrap(), RunStatus::Completed);
    engine.stop().await.unwrap();
}

/// A folder has one owner; addresses of other machines and texts that are none are refused.
#[tokio::test]
async fn what_cannot_be_had_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let calls = Calls::default();
    let engine = app(&calls).embedded(folder.path()).await.unwrap();
    let locked = app(&calls).embedded(folder.path()).await.unwrap_err();
    assert_eq!(locked.code(), Some("SW4001"), "{locked}");
    engine.stop().await.unwrap();
    let memory = || app(&calls).embedded_in_memory();
    let bad = memory().listen("here").await.unwrap_err();
    assert_eq!(bad.kind(), ErrorKind::Argument, "{bad}");
    let far = memory().listen("0.0.0.0:0").await.unwrap_err();
    assert_eq!(far.code(), Some("SW4006"), "{far}");
    let unnamed = App::new("").workflow("order", order).data(calls.clone());
    let unnamed = unnamed.embedded_in_memory().await.unwrap_err();
    assert_eq!(unnamed.kind(), ErrorKind::Argument, "{unnamed}");
}
