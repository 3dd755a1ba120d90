//! Runs at a glance: what a row of a list says of each beside its columns.

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use stepwell_core::id::RunId;
use stepwell_core::status::{Kind, RunStatus, StepStatus};
use stepwell_core::view::{StepView, View};
use stepwell_node::RunnerInfo;
use stepwell_store::{Error as StoreError, Store};
use utoipa::{IntoParams, ToSchema};

use super::answer::json;
use super::body;
use super::routes::Api;
use super::run::because;
use crate::gate::Caller;
use crate::openapi::{About, shapes};
use crate::problem::Problem;

/// Most runs of one question.
const RUNS_MAX: usize = 100;

/// Most letters of a strip.
const STRIP_MAX: usize = 60;

/// Most characters of an output or a message.
const TEXT_MAX: usize = 200;

/// Larger journals are not looked at: a list does not wait for them.
const JOURNAL_BYTES_MAX: usize = 4 * 1024 * 1024;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct GlanceQuery {
    /// The ids of 1 to 100 runs, divided by commas.
    ids: String,
}

/// Runs at a glance; those that are not there are left out.
#[derive(Serialize, ToSchema)]
struct Glances {
    runs: Vec<Glance>,
}

/// What a row of a list says of a run beside its columns.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Glance {
    #[schema(value_type = shapes::Id)]
    id: RunId,
    #[schema(value_type = shapes::Status)]
    status: RunStatus,
    journal_bytes: u64,
    /// Why it does not move, as a sentence.
    #[schema(required)]
    doing: Option<String>,
    #[schema(value_type = Option<shapes::CauseWord>, required)]
    cause: Option<&'static str>,
    /// A letter for each step, a capital for one that cleans up.
    strip: String,
    /// JSON, cut.
    #[schema(required)]
    output: Option<String>,
    #[schema(value_type = Option<shapes::ErrorText>, required)]
    error: Option<Error>,
}

#[derive(Serialize)]
struct Error {
    name: String,
    message: String,
}

/// Describes [`glance`].
pub(super) fn about() -> About {
    About::new("glanceAtRuns", "Tells what each of some runs is doing, in short")
        .query::<GlanceQuery>()
        .answer::<Glances>(200, "Those of the runs that are there.")
}

/// Tells of each run what it is doing, or how it ended, and how its steps stand.
pub(super) async fn glance(
    State(api): State<Api>,
    caller: Caller,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    let GlanceQuery { ids } = body::query(&uri)?;
    let ids: Vec<RunId> = ids.split(',').map(body::run_id).collect::<Result<_, _>>()?;
    if ids.len() > RUNS_MAX {
        return Err(Problem::bad_request(format!(
            "`ids` are {}; accepted: 1 to {RUNS_MAX} ids of runs, divided by commas",
            ids.len()
        )));
    }
    let runners = api.node.runners(caller.namespace()).await?;
    let found = api.node.read(move |store| {
        let mut runs = Vec::new();
        for id in ids {
            runs.extend(look(store, &caller, id, &runners)?);
        }
        Ok(runs)
    });
    json(StatusCode::OK, &Glances { runs: found.await? })
}

/// Looks at a run; `None` where it is not there, is damaged, or is too large for a glance.
fn look(
    store: &dyn Store,
    caller: &Caller,
    id: RunId,
    runners: &[RunnerInfo],
) -> Result<Option<Glance>, StoreError> {
    let journal = match store.load(id) {
        Ok(Some(journal)) if journal.len() <= JOURNAL_BYTES_MAX => journal,
        Ok(_) | Err(StoreError::Quarantined { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let Ok(view) = View::of(id, &journal) else { return Ok(None) };
    if view.namespace != caller.namespace() {
        return Ok(None);
    }
    let why = if view.status.is_ended() { None } else { Some(because(store, &view, runners)?) };
    Ok(Some(Glance {
        id,
        status: view.status,
        journal_bytes: view.journal_bytes,
        cause: why.as_ref().map(|why| why.cause.as_str()),
        doing: why.map(|why| why.text),
        strip: strip(&view.steps),
        output: view.output.map(|output| cut(output.get())),
        error: view
            .error
            .as_ref()
            .map(|error| Error { name: cut(&error.name), message: cut(&error.message) }),
    }))
}

/// Cuts a text to [`TEXT_MAX`] characters; where some were cut, it ends with `…`.
fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// One letter for each step; where they are more than [`STRIP_MAX`], one for each of that many groups of
/// neighbours, that of the step which needs a look most.
fn strip(steps: &[StepView<'_>]) -> String {
    let groups = steps.len().min(STRIP_MAX);
    let bounds = |group: usize| group * steps.len() / groups;
    (0..groups)
        .filter_map(|group| {
            let steps = steps.get(bounds(group)..bounds(group + 1)).unwrap_or_default();
            steps.iter().max_by_key(|step| urgency(step.status)).map(letter)
        })
        .collect()
}

/// How much a step needs a look among others.
fn urgency(status: StepStatus) -> u8 {
    match status {
        StepStatus::Skipped => 0,
        StepStatus::Completed => 1,
        StepStatus::Cancelled => 2,
        StepStatus::Pending => 3,
        StepStatus::Sleeping => 4,
        StepStatus::Waiting => 5,
        StepStatus::Running => 6,
        StepStatus::Retrying => 7,
        StepStatus::TimedOut => 8,
        StepStatus::Failed => 9,
        StepStatus::Unknown => 10,
    }
}

/// The letter of a step, a capital for one of the clean-up.
fn letter(step: &StepView<'_>) -> char {
    let letter = match step.status {
        StepStatus::Completed => 'c',
        StepStatus::Running => 'r',
        StepStatus::Pending => 'p',
        StepStatus::Waiting => 'w',
        StepStatus::Sleeping => 's',
        StepStatus::Retrying => 'y',
        StepStatus::Failed => 'f',
        StepStatus::TimedOut => 't',
        StepStatus::Skipped => 'k',
        StepStatus::Cancelled => 'x',
        StepStatus::Unknown => 'u',
    };
    if matches!(step.kind, Kind::Compensate | Kind::OnFailure) {
        letter.to_ascii_uppercase()
    } else {
        letter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"ä".repeat(TEXT_MAX)), "ä".repeat(TEXT_MAX));
        assert_eq!(cut(&"ä".repeat(TEXT_MAX + 1)), format!("{}…", "ä".repeat(TEXT_MAX)));
    }
}
