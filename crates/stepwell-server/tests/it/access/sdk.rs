//! Programs on the SDK with keys: a runner, a client, and what each is told where its key is not for that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use stepwell::{App, Client, Ctx, ErrorKind, Result};
use stepwell_access::Role;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::keyed::Keyed;
use super::lasting::PATIENCE;
use super::tls::Papers;

async fn double(ctx: Ctx, n: u32) -> Result<u32> {
    ctx.run("double", || async { Ok(n * 2) }).await
}

fn app() -> App {
    App::new("shop").workflow("double", double)
}

fn client(url: &str, key: &str) -> Client {
    Client::builder(url).key(key).build().unwrap()
}

/// Starts a run and waits for it, once a runner has registered the workflow.
async fn doubled(client: &Client, n: u32) -> u32 {
    let wait = async {
        loop {
            match client.start("double", &n).wait::<u32>().await {
                Err(error) if error.code() == Some("SW2002") => tokio::task::yield_now().await,
                end => return end.unwrap(),
            }
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap()
}

async fn code_of(serving: JoinHandle<Result<()>>) -> Option<String> {
    let end = tokio::time::timeout(PATIENCE, serving).await.unwrap().unwrap();
    let error = end.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error:?}");
    error.code().map(ToOwned::to_owned)
}

/// A worker's key runs, a client's key starts, and neither does what is the other's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_for_what_its_role_says() {
    let keyed = Keyed::start().await;
    let url = format!("http://{}", keyed.to);
    let worker = keyed.key("default", Role::Worker).await;
    let starter = keyed.key("default", Role::Client).await;
    drop(tokio::spawn(app().serve(&url).key(&worker).into_future()));
    assert_eq!(doubled(&client(&url, &starter), 21).await, 42);

    let viewer = keyed.key("default", Role::Viewer).await;
    let revoked = keyed.revoked("default", Role::Client).await;
    let expired = keyed.expired("default", Role::Client).await;
    for (key, code) in [
        (&worker, "SW1011"),
        (&viewer, "SW1011"),
        (&revoked, "SW1010"),
        (&expired, "SW1010"),
        (&"sw_unknown".to_owned(), "SW1010"),
    ] {
        let error = client(&url, key).start("double", &1).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some(code)), "{error:?}");
    }
    for (key, code) in [(&starter, "SW1011"), (&revoked, "SW1010"), (&viewer, "SW1011")] {
        let serving = tokio::spawn(app().serve(&url).key(key).into_future());
        assert_eq!(code_of(serving).await.as_deref(), Some(code));
    }
}

/// A runner whose key is revoked lets its function end and ends; another one goes on with the run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_ends_with_its_key_and_another_one_goes_on() {
    let keyed = Keyed::start().await;
    let url = format!("http://{}", keyed.to);
    let (kept, worker) = keyed.make("default", Role::Worker).await;
    let starter = keyed.key("default", Role::Client).await;
    let (begun, mut begins) = mpsc::unbounded_channel();
    let (release, released) = oneshot::channel::<()>();
    let (released, ended) =
        (Arc::new(Mutex::new(Some(released))), Arc::new(AtomicBool::new(false)));
    let ends = Arc::clone(&ended);
    let slow = move |ctx: Ctx, n: u32| {
        let (begun, released, ends) = (begun.clone(), Arc::clone(&released), Arc::clone(&ends));
        async move {
            let wait = || async {
                begun.send(())?;
                if let Some(released) = released.lock().await.take() {
                    released.await?;
                    ends.store(true, Ordering::SeqCst);
                }
                Ok(n * 2)
            };
            ctx.run("double", wait).await
        }
    };
    let first = App::new("shop").workflow("double", slow);
    let serving = tokio::spawn(first.serve(&url).key(&worker).into_future());
    let waiting = tokio::spawn({
        let client = client(&url, &starter);
        async move { doubled(&client, 4).await }
    });
    begins.recv().await.unwrap();
    keyed.revoke(&kept).await;
    release.send(()).unwrap();
    assert_eq!(code_of(serving).await.as_deref(), Some("SW1010"));
    assert!(ended.load(Ordering::SeqCst), "the function was not let end");
    let other = keyed.key("default", Role::Worker).await;
    drop(tokio::spawn(app().serve(&url).key(&other).into_future()));
    assert_eq!(tokio::time::timeout(PATIENCE, waiting).await.unwrap().unwrap(), 8);
}

/// All of it under TLS, to a server whose authority is named.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_reach_a_server_under_tls() {
    let papers = Papers::new();
    let keyed = Keyed::of(papers.config()).await;
    let url = format!("https://localhost:{}", keyed.to.port());
    let worker = keyed.key("default", Role::Worker).await;
    let starter = keyed.key("default", Role::Client).await;
    let ca = papers.file("ca.pem");
    drop(tokio::spawn(app().serve(&url).key(&worker).ca_file(&ca).into_future()));
    let client = Client::builder(&url).key(&starter).ca_file(&ca).build().unwrap();
    assert_eq!(doubled(&client, 3).await, 6);
}
