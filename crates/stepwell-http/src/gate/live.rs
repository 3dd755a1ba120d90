//! What lasts ends with the key that it was begun with: a runner's connection, a stream, a request that
//! waits.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Frame, SizeHint};
use stepwell_access::keyring::Credential;

use super::caller::Caller;
use super::keys::{Keys, now};
use crate::problem::Problem;

/// Longest time between two looks at a key that ends by itself: the machine's clock may be set.
const LOOK: Duration = Duration::from_secs(2);

/// How long a body whose reader's key has ended may take to say so itself.
const GRACE: Duration = Duration::from_millis(500);

/// What a request was let in with, to look again.
#[derive(Clone, Debug)]
pub(crate) struct Lasting {
    pub(crate) credential: Credential,
    pub(crate) keys: Keys,
}

impl Lasting {
    /// Returns once this is not taken any more, with why.
    pub(super) async fn ended(self) -> Problem {
        let mut changed = self.keys.watch();
        loop {
            // Seen before it is looked at, so that no change is missed.
            changed.borrow_and_update();
            let live = match self.keys.keyring().recheck(&self.credential, now()) {
                Ok(live) => live,
                Err(refused) => return refused.into(),
            };
            match live.ends_at {
                None => {
                    if changed.changed().await.is_err() {
                        // The keyring is gone, and with it the server.
                        std::future::pending::<()>().await;
                    }
                }
                Some(at) => {
                    let left = at.since(now()).clamp(Duration::from_millis(1), LOOK);
                    // Either way it is looked at again.
                    let _ = tokio::time::timeout(left, changed.changed()).await;
                }
            }
        }
    }
}

/// A body that is cut off once its reader's key is not taken any more.
struct Ending {
    body: UnsyncBoxBody<Bytes, axum::Error>,
    ended: BoxFuture<'static, Problem>,
}

/// Bounds a body that may go on for long by the key of who reads it.
pub(super) fn until_ended(caller: &Caller, body: Body) -> Body {
    if caller.lasting().is_none() || body.size_hint().exact().is_some() {
        return body;
    }
    let body = http_body_util::BodyExt::boxed_unsync(body);
    let ended = caller.ended();
    let ended = async move {
        let problem = ended.await;
        // Whoever makes the body sees the end by a clock of its own, a moment earlier or later.
        tokio::time::sleep(GRACE).await;
        problem
    };
    Body::new(Ending { body, ended: ended.boxed() })
}

impl HttpBody for Ending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        // The body comes first: one that ends by itself says why.
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame);
        }
        match self.ended.poll_unpin(context) {
            Poll::Ready(problem) => {
                Poll::Ready(Some(Err(axum::Error::new(std::io::Error::other(problem.detail)))))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
