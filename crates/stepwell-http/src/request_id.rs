//! The id of a request: its answer has it, and so does each line that is logged while it is handled.
//!
//! A caller, or a proxy in front, may give it, so that one id leads through the logs of all of them.

use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Frame, SizeHint};
use stepwell_core::id::RunId;
use tracing::Span;
use tracing::field::{Empty, display};

use crate::problem::Problem;

/// The header that it stands in.
pub(crate) static NAME: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken from a request, in bytes.
const BYTES_MAX: usize = 64;

/// What an id looks like, as a regular expression.
pub(crate) const PATTERN: &str = "^[A-Za-z0-9_.:+/=-]{1,64}$";

/// What an id that is taken may hold beside letters and digits: what UUIDs, base64 and numbers of traces are
/// made of, and nothing that could end a line or a header.
const SIGNS: &[u8] = b"_.:+/=-";

/// Tells the ids of this process from those of others, also of the one before.
static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(std::process::id()));

/// How many ids were made.
static MADE: AtomicU64 = AtomicU64::new(0);

/// The id of a request. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestId(Arc<str>);

impl RequestId {
    /// Takes the id that a request names, once and in good form, else makes one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut given = headers.get_all(&NAME).iter();
        let (Some(one), None) = (given.next(), given.next()) else { return Self::make() };
        match one.to_str() {
            Ok(text) if is_well_formed(text) => Self(text.into()),
            _ => Self::make(),
        }
    }

    fn make() -> Self {
        let number = MADE.fetch_add(1, Ordering::Relaxed) + 1;
        Self(format!("{:016x}-{number}", *PROCESS).into())
    }

    /// Makes the span that a request is handled in. What is known later is noted with [`note_namespace`]
    /// and [`note_run`].
    pub(crate) fn span(&self) -> Span {
        // A span is left out where its level is, and the ids are to stand in every line.
        tracing::error_span!("request", request_id = %self.0, namespace = Empty, run_id = Empty)
    }

    /// Makes the span of a runner's connection, which lasts longer than the request that it began with.
    pub(crate) fn span_of_session(&self, session: u64, namespace: &str) -> Span {
        tracing::error_span!(parent: None, "runner", request_id = %self.0, session, namespace)
    }

    /// Puts the id into an answer, and has what is left to do for its body done in the span.
    pub(crate) fn mark(&self, span: Span, mut response: Response<Body>) -> Response<Body> {
        if let Ok(value) = HeaderValue::from_str(&self.0) {
            response.headers_mut().insert(&NAME, value);
        }
        if let Some(problem) = response.extensions().get::<Problem>() {
            let body = Body::from(problem.document(Some(&self.0)));
            response.headers_mut().remove(header::CONTENT_LENGTH);
            return response.map(|_| body);
        }
        if response.body().size_hint().exact().is_some() {
            return response;
        }
        response.map(|body| {
            let body = http_body_util::BodyExt::boxed_unsync(body);
            Body::new(Spanned { body, span })
        })
    }
}

/// Has lines on the request that is handled name its namespace.
pub(crate) fn note_namespace(namespace: &str) {
    Span::current().record("namespace", namespace);
}

/// Has lines on the request that is handled name its run.
pub(crate) fn note_run(run: RunId) {
    Span::current().record("run_id", display(run));
}

fn is_well_formed(text: &str) -> bool {
    (1..=BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || SIGNS.contains(&byte))
}

/// A body that is made while it is read, in the span of its request.
struct Spanned {
    body: UnsyncBoxBody<Bytes, axum::Error>,
    span: Span,
}

impl HttpBody for Spanned {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let _entered = this.span.enter();
        Pin::new(&mut this.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> String {
        let values =
            values.iter().map(|value| (NAME.clone(), HeaderValue::from_str(value).unwrap()));
        RequestId::of(&values.collect()).0.to_string()
    }

    #[test]
    fn an_id_in_good_form_is_kept() {
        let longest = "7".repeat(BYTES_MAX);
        let uuid = "0193b5e4-0000-7000-8000-000000000000";
        for id in ["a", "Root=1-5759e988", "AbC+/d0=", "web:7.2_x", uuid, &longest] {
            assert_eq!(of(&[id]), id);
        }
    }

    #[test]
    fn in_place_of_another_one_is_made() {
        let long = "7".repeat(BYTES_MAX + 1);
        let cases: [&[&str]; 8] =
            [&[], &[""], &["a b"], &["a\"b"], &["a,b"], &["ü"], &[&long], &["one", "two"]];
        let made: Vec<_> = cases.into_iter().map(of).collect();
        for (id, given) in made.iter().zip(cases) {
            assert!(is_well_formed(id) && !given.contains(&id.as_str()), "{given:?}: {id}");
        }
        let process = made[0].split_once('-').unwrap().0;
        assert!(made.iter().all(|id| id.starts_with(process)), "{made:?}");
        let all: std::collections::BTreeSet<_> = made.iter().collect();
        assert_eq!(all.len(), made.len(), "{made:?}");
    }

    #[test]
    fn the_pattern_says_what_is_taken() {
        let signs = std::str::from_utf8(SIGNS).unwrap();
        assert_eq!(PATTERN, format!("^[A-Za-z0-9{signs}]{{1,{BYTES_MAX}}}$"));
    }

    #[tokio::test]
    async fn a_problem_names_the_request() {
        use axum::response::IntoResponse as _;
        let id = RequestId("web-7".into());
        let marked = id.mark(Span::none(), Problem::bad_request("no").into_response());
        assert_eq!(marked.headers()[&NAME], "web-7");
        let body = http_body_util::BodyExt::collect(marked.into_body()).await.unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["requestId"], "web-7");
    }
}
