//! Acts, in the audit log before and after they are done.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::http::{Response, Uri};
use axum::response::IntoResponse;
use stepwell_access::audit::{ASKED, DONE, Entry};
use stepwell_core::code::Code;
use tracing::Instrument as _;

use super::caller::{Caller, Note};
use super::guard::Spec;
use super::keys::{Keys, now};
use crate::problem::Problem;

/// Most characters of an object in the log.
const OBJECT_CHARS_MAX: usize = 300;

/// An act that is asked for.
pub(super) struct Act {
    entry: Entry,
    notes: Arc<Mutex<Note>>,
}

impl Act {
    /// Makes it from a request.
    pub(super) fn of(spec: Spec, uri: &Uri, caller: &mut Caller) -> Self {
        let entry = Entry {
            at: now(),
            namespace: caller.namespace(),
            key: caller.key().map(|key| key.id),
            key_name: caller.name().to_owned(),
            from: caller.from().to_string(),
            act: name(spec),
            object: object(spec.path, uri.path()),
            reason: None,
            outcome: ASKED.to_owned(),
            of: None,
        };
        Self { entry, notes: caller.take_notes() }
    }
}

/// Does an act with a row before and a row behind it. What was asked for and could not be written down is
/// not done.
pub(super) async fn run(
    act: Act,
    keys: Keys,
    answer: impl Future<Output = Response<Body>> + Send + 'static,
) -> Response<Body> {
    let Act { entry, notes } = act;
    let asked = match keys.record(entry.clone()).await {
        Ok(row) => row,
        Err(problem) => {
            tracing::error!(
                detail = problem.detail,
                act = entry.act,
                "the audit log takes nothing"
            );
            return problem.into_response();
        }
    };
    tracing::debug!(row = asked.n, act = entry.act, "asked for in the audit log");
    // Whoever asked may go away meanwhile; what is done is written down all the same.
    let done = async move {
        let response = answer.await;
        let Note { object, reason } = notes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let outcome = Entry {
            at: now(),
            object: object.unwrap_or(entry.object),
            reason,
            outcome: outcome(&response).to_owned(),
            of: Some(asked.n),
            ..entry
        };
        let act = outcome.act.clone();
        if let Err(problem) = keys.record(outcome).await {
            tracing::error!(detail = problem.detail, act, "an outcome is not in the audit log");
        }
        response
    };
    tokio::spawn(done.in_current_span()).await.unwrap_or_else(|_| {
        Problem::new(Code::Internal, "the handler of this request failed; the log says more")
            .into_response()
    })
}

fn outcome(response: &Response<Body>) -> &'static str {
    match response.extensions().get::<Problem>() {
        Some(problem) => problem.code.as_str(),
        None if response.status().is_success() => DONE,
        None => Code::Internal.as_str(),
    }
}

/// Names an act by its route: `runs.pause`, `keys.create`.
fn name(spec: Spec) -> String {
    let path = spec.path.strip_prefix("/api/v1").unwrap_or(spec.path);
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    let mut words: Vec<_> = parts.iter().copied().filter(|part| !part.starts_with('{')).collect();
    // A collection is a noun, and so is what it holds.
    let is_verb = words.len() > 1 || words == ["reload"];
    let ends_in_verb = is_verb && parts.last() == words.last();
    if !ends_in_verb {
        words.push(match spec.method {
            "POST" => "create",
            "DELETE" => "delete",
            "PUT" => "put",
            _ => "read",
        });
    }
    words.join(".")
}

/// Returns what stands in the address where the route has `{…}`.
fn object(template: &str, path: &str) -> String {
    let pairs = template.split('/').zip(path.split('/'));
    let parts = pairs.filter(|(of, _)| of.starts_with('{')).map(|(_, part)| part);
    parts.collect::<Vec<_>>().join("/").chars().take(OBJECT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use stepwell_access::Right;

    use super::*;

    #[test]
    fn acts_are_named_by_their_routes() {
        for (method, path, act) in [
            ("POST", "/api/v1/runs/{run}/pause", "runs.pause"),
            ("POST", "/api/v1/keys", "keys.create"),
            ("POST", "/api/v1/keys/{key}/revoke", "keys.revoke"),
            ("DELETE", "/api/v1/namespaces/{namespace}", "namespaces.delete"),
            ("GET", "/api/v1/runs/{run}/export", "runs.export"),
            ("POST", "/api/v1/runs/bulk", "runs.bulk"),
            ("POST", "/api/v1/reload", "reload"),
        ] {
            assert_eq!(name(Spec { method, path, right: Right::Act }), act);
        }
        assert_eq!(object("/api/v1/runs/{run}/pause", "/api/v1/runs/run_7/pause"), "run_7");
        assert_eq!(object("/api/v1/keys", "/api/v1/keys"), "");
    }
}
