//! Taking in copies of runs: a bundle, read run by run as it comes.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode, Uri, header};
use futures_util::future::join_all;
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use stepwell_core::code::Code;
use stepwell_core::id::RunId;
use stepwell_core::run::Unfinished;
use stepwell_node::{ImportRequest, Signed, Taken};
use stepwell_store::bundle::{self, Copied, Item, Reader};

use utoipa::{IntoParams, ToSchema};

use super::acts::check_signed;
use super::answer::json;
use super::body;
use super::routes::Api;
use crate::gate::Caller;
use crate::openapi::{About, shapes};
use crate::problem::Problem;

/// Most bytes of a bundle that one request brings.
const BUNDLE_BYTES_MAX: u64 = 1 << 30;

/// Most runs whose outcomes are told one by one; all are counted. Those that were refused count apart.
const TOLD_MAX: usize = 1_000;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct ImportQuery {
    /// What becomes of runs that had not ended where they were copied: `refuse` or `end`.
    #[param(default = "refuse", pattern = "^(refuse|end)$")]
    unfinished: Option<String>,
    /// Why, for the history of runs that are ended.
    #[param(value_type = Option<shapes::Name>)]
    reason: Option<String>,
}

/// What became of a run of a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportOutcome)]
enum Outcome {
    /// It is there now, as it was.
    Imported,
    /// It is there now, and was ended.
    Ended,
    /// It was there before.
    Known,
    /// It was refused.
    Refused,
}

/// A run of a bundle, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportedRun)]
struct Told {
    #[schema(value_type = shapes::Id)]
    id: RunId,
    outcome: Outcome,
    #[schema(value_type = Option<shapes::CodeWord>, required)]
    code: Option<&'static str>,
    /// Why it was refused.
    #[schema(required)]
    detail: Option<String>,
}

/// What became of a bundle.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Imported)]
struct Sum {
    imported: u64,
    known: u64,
    refused: u64,
    runs: Vec<Told>,
}

impl Sum {
    fn add(&mut self, id: RunId, outcome: Outcome, problem: Option<Problem>) {
        let count = match outcome {
            Outcome::Imported | Outcome::Ended => &mut self.imported,
            Outcome::Known => &mut self.known,
            Outcome::Refused => &mut self.refused,
        };
        *count += 1;
        let same =
            |told: &&Told| (told.outcome == Outcome::Refused) == (outcome == Outcome::Refused);
        if self.runs.iter().filter(same).count() < TOLD_MAX {
            let code = problem.as_ref().map(|problem| problem.code.as_str());
            self.runs.push(Told { id, outcome, code, detail: problem.map(|one| one.detail) });
        }
    }

    fn broke_off(&self, why: &str) -> Problem {
        let Self { imported, known, refused, .. } = self;
        let detail = format!(
            "{why}; of the runs before it {imported} were imported, {known} were there already and \
             {refused} were refused"
        );
        Problem::new(Code::ImportRefused, detail)
    }
}

/// How copies are taken in.
struct Importer<'a> {
    api: &'a Api,
    caller: &'a Caller,
    unfinished: Unfinished,
    signed: Signed,
}

/// Describes [`import`].
pub(super) fn about() -> About {
    About::new("importRuns", "Takes in the runs of a bundle")
        .more("Each run is taken in by itself: those in front of a damaged line are there, and repeating is harmless.")
        .query::<ImportQuery>()
        .body_as(bundle::MEDIA_TYPE)
        .answer::<Sum>(200, "What became of each run.")
        .refuses(&[Code::ImportRefused])
}

/// Takes in the runs of a bundle. Those in front of a damaged place are taken in.
pub(super) async fn import(
    State(api): State<Api>,
    caller: Caller,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let ImportQuery { unfinished, reason } = body::query(&uri)?;
    let unfinished = match unfinished.as_deref() {
        None | Some("refuse") => Unfinished::Refuse,
        Some("end") => Unfinished::End,
        Some(other) => {
            let why = format!("`unfinished` is `{other}`; accepted: refuse or end");
            return Err(Problem::bad_request(why));
        }
    };
    expect_bundle(&headers)?;
    let mut signed = check_signed(&caller, None, reason)?;
    signed.reason.get_or_insert_with(|| "it had not ended where it was copied".to_owned());
    let importer = Importer { api: &api, caller: &caller, unfinished, signed };
    let imported = importer.read(body).await?;
    let Sum { imported: new, known, refused, .. } = &imported;
    caller.note_object(format!("{new} imported, {known} known, {refused} refused"));
    json(StatusCode::OK, &imported)
}

fn expect_bundle(headers: &HeaderMap) -> Result<(), Problem> {
    let found = headers.get(header::CONTENT_TYPE).map_or("", |value| value.to_str().unwrap_or("?"));
    let media = found.split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case(bundle::MEDIA_TYPE) {
        return Ok(());
    }
    let detail = format!("the Content-Type is `{found}`; accepted: {}", bundle::MEDIA_TYPE);
    Err(Problem::new(Code::UnsupportedMedia, detail))
}

impl Importer<'_> {
    async fn read(&self, mut body: Body) -> Result<Sum, Problem> {
        let mut reader = Reader::new(self.api.limits.journal_bytes_max);
        let (mut imported, mut items, mut bytes) = (Sum::default(), Vec::new(), 0_u64);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| {
                imported.broke_off(&format!("the body could not be read: {error}"))
            })?;
            let Ok(piece) = frame.into_data() else { continue };
            bytes += piece.len() as u64;
            if bytes > BUNDLE_BYTES_MAX {
                let why =
                    format!("the bundle has more; accepted: at most {BUNDLE_BYTES_MAX} bytes");
                return Err(Problem { code: Code::BodyTooLarge, ..imported.broke_off(&why) });
            }
            let read = reader.read(&piece, &mut items);
            self.take_all(&mut items, &mut imported).await?;
            read.map_err(|error| imported.broke_off(&error.to_string()))?;
        }
        let end = reader.finish(&mut items);
        self.take_all(&mut items, &mut imported).await?;
        end.map_err(|error| imported.broke_off(&error.to_string()))?;
        Ok(imported)
    }

    /// Takes in what one piece of the body brought, together: one sync is for all of it.
    async fn take_all(&self, items: &mut Vec<Item>, to: &mut Sum) -> Result<(), Problem> {
        let runs = items.drain(..).filter_map(|item| match item {
            Item::Run(copied) => Some(self.take(copied)),
            // Whoever wrote the bundle could not read it; there is nothing to take in.
            Item::Skipped { .. } => None,
        });
        for (id, taken) in join_all(runs).await {
            match taken {
                Ok(Taken::New) => to.add(id, Outcome::Imported, None),
                Ok(Taken::Ended) => to.add(id, Outcome::Ended, None),
                Ok(Taken::Known) => to.add(id, Outcome::Known, None),
                Err(problem) => match problem.code {
                    // What is wrong with this run is not wrong with the next one.
                    Code::ImportRefused | Code::ImportConflict | Code::Quarantined => {
                        to.add(id, Outcome::Refused, Some(problem));
                    }
                    code => {
                        return Err(Problem { code, ..to.broke_off(&problem.detail) });
                    }
                },
            }
        }
        Ok(())
    }

    async fn take(&self, copied: Copied) -> (RunId, Result<Taken, Problem>) {
        let Copied { run, journal } = copied;
        let import = ImportRequest { journal, unfinished: self.unfinished };
        let (namespace, signed) = (self.caller.namespace(), self.signed.clone());
        let taken = self.api.node.import(namespace, run, import, signed).await;
        (run, taken.map(|(taken, _)| taken).map_err(Problem::from))
    }
}
