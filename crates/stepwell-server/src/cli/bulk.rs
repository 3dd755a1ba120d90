//! `bulk`: acts on all runs that a filter names.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::{Args, Subcommand};
use owo_colors::OwoColorize;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::args::{Reach, Which};
use super::client::{Client, segment, with_query};
use super::fault::Fault;
use super::out;

/// Pause between looks at a job.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What to do with many runs.
#[derive(Debug, Subcommand)]
pub(super) enum Bulk {
    /// Cancel runs: what is in flight gets time to return
    Cancel(ActOnMany),
    /// Hold runs back
    Pause(ActOnMany),
    /// Let paused runs go on
    Resume(ActOnMany),
    /// End runs at once
    Terminate(ActOnMany),
    /// End the backoffs of runs, and try blocked runs again
    Retry(ActOnMany),
    /// Delete runs that have ended
    Delete(ActOnMany),
    /// List acts on many runs, newest first
    List {
        /// Most to list, 1 to 200
        #[arg(long, default_value = "50", value_name = "N")]
        limit: String,
        #[command(flatten)]
        reach: Reach,
    },
    /// Show how far an act on many runs is
    Show {
        /// Its id
        bulk: String,
        #[command(flatten)]
        reach: Reach,
    },
    /// Stop an act on many runs; what it has done stays done
    Stop {
        /// Its id
        bulk: String,
        /// Why
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        reach: Reach,
    },
}

/// Which runs, and how.
#[derive(Debug, Args)]
pub(super) struct ActOnMany {
    /// Only runs with these statuses, divided by commas
    #[arg(long, value_name = "STATUSES")]
    status: Option<String>,
    #[command(flatten)]
    which: Which,
    /// Say which runs these are, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not wait for the end
    #[arg(long, conflicts_with = "dry_run")]
    no_wait: bool,
    /// Idempotency key of the act: a repeat gives the first one
    #[arg(long = "act-key", value_name = "KEY")]
    act_key: Option<String>,
    /// Why, for the runs' histories
    #[arg(long)]
    reason: Option<String>,
    /// Who acts, for the runs' histories
    #[arg(long, env = "USER", hide_env_values = true)]
    by: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Job {
    id: String,
    act: String,
    state: String,
    matched: u64,
    done: u64,
    refused: u64,
    failed: u64,
    refusals: Vec<Refusal>,
    created_at: String,
    why: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    code: String,
    runs: u64,
    sample: String,
    detail: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DryRun {
    matched: Count,
    by_status: BTreeMap<String, Count>,
    sample: Vec<Sampled>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Count {
    runs: u64,
    or_more: bool,
}

#[derive(Deserialize)]
struct Sampled {
    id: String,
    workflow: String,
    status: String,
}

#[derive(Deserialize)]
struct Jobs {
    jobs: Vec<Box<RawValue>>,
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.runs, if self.or_more { "+" } else { "" })
    }
}

impl Job {
    fn is_ended(&self) -> bool {
        matches!(self.state.as_str(), "done" | "stopped")
    }

    fn line(&self) -> String {
        let Self { id, act, state, matched, done, refused, failed, .. } = self;
        let others = match (refused, failed) {
            (0, 0) => String::new(),
            (refused, failed) => format!(", {refused} refused, {failed} failed"),
        };
        format!("{act} {id} {state}: {done} of {matched} done{others}")
    }
}

/// Does it.
pub(super) fn run(bulk: &Bulk) -> Result<(), Fault> {
    match bulk {
        Bulk::Cancel(asked) => act("cancel", asked),
        Bulk::Pause(asked) => act("pause", asked),
        Bulk::Resume(asked) => act("resume", asked),
        Bulk::Terminate(asked) => act("terminate", asked),
        Bulk::Retry(asked) => act("retry", asked),
        Bulk::Delete(asked) => act("delete", asked),
        Bulk::List { limit, reach } => list(limit, reach),
        Bulk::Show { bulk, reach } => {
            let answer = Client::new(&reach.url)?.get(&address(bulk))?;
            if reach.json { out::line(answer.text()) } else { tell(&answer.read()?) }
        }
        Bulk::Stop { bulk, reason, reach } => {
            let body = json!({ "reason": reason });
            let path = format!("{}/stop", address(bulk));
            let answer = Client::new(&reach.url)?.post(&path, body.to_string().into_bytes())?;
            if reach.json { out::line(answer.text()) } else { tell(&answer.read()?) }
        }
    }
}

fn address(bulk: &str) -> String {
    format!("/api/v1/bulk/{}", segment(bulk))
}

fn act(act: &str, asked: &ActOnMany) -> Result<(), Fault> {
    let reach = &asked.which.reach;
    let mut filter: BTreeMap<&str, &str> = BTreeMap::new();
    let parameters = asked.which.parameters();
    let all = parameters.iter().copied().chain([("status", asked.status.as_deref())]);
    filter.extend(all.filter_map(|(name, value)| Some((name, value?))));
    let by = asked.by.as_deref().filter(|by| !by.is_empty());
    let body = json!({
        "act": act, "filter": filter, "dryRun": asked.dry_run, "by": by,
        "reason": asked.reason, "key": asked.act_key,
    });
    let client = Client::new(&reach.url)?;
    let answer = client.post("/api/v1/bulk", body.to_string().into_bytes())?;
    if asked.dry_run {
        return if reach.json { out::line(answer.text()) } else { would(act, &answer.read()?) };
    }
    let mut answer = answer;
    let mut job: Job = answer.read()?;
    let mut told = String::new();
    while !job.is_ended() && !asked.no_wait {
        let line = job.line();
        if line != told {
            out::note(&line);
            told = line;
        }
        // The server is asked now and then: nothing is pushed to the command line.
        std::thread::sleep(LOOK_EVERY);
        answer = client.get(&address(&job.id))?;
        job = answer.read()?;
    }
    if reach.json {
        out::line(answer.text())?;
    } else {
        tell(&job)?;
    }
    let left = job.refused + job.failed;
    if asked.no_wait || left == 0 && job.state == "done" {
        Ok(())
    } else {
        Err(Fault::NotCompleted)
    }
}

fn would(act: &str, dry: &DryRun) -> Result<(), Fault> {
    out::line(format_args!("{act} would reach {} runs", dry.matched.bold()))?;
    for (status, count) in &dry.by_status {
        out::line(format_args!("  {} {status:12} {count}", out::sign(status)))?;
    }
    for Sampled { id, workflow, status } in &dry.sample {
        let workflow = out::printable(workflow);
        out::line(format_args!("{id} {} {status} {workflow}", out::sign(status)))?;
    }
    Ok(())
}

fn tell(job: &Job) -> Result<(), Fault> {
    out::line(job.line())?;
    if let Some(why) = &job.why {
        out::line(format_args!("  {}", out::printable(why)))?;
    }
    for Refusal { code, runs, sample, detail } in &job.refusals {
        let detail = out::printable(detail);
        out::line(format_args!("  {runs} {code}, such as {sample}: {detail}"))?;
    }
    Ok(())
}

fn list(limit: &str, reach: &Reach) -> Result<(), Fault> {
    let path = with_query("/api/v1/bulk", &[("limit", Some(limit))]);
    let Jobs { jobs } = Client::new(&reach.url)?.get(&path)?.read()?;
    if reach.json {
        return jobs.iter().try_for_each(out::json);
    }
    let head = ["id", "act", "state", "matched", "done", "refused", "failed", "at"];
    let mut table = out::table(&head);
    for raw in &jobs {
        let job: Job = serde_json::from_str(raw.get()).map_err(|error| {
            Fault::Unreachable(format!("the answer is not understood: {error}"))
        })?;
        table.add_row([
            job.id,
            job.act,
            job.state,
            job.matched.to_string(),
            job.done.to_string(),
            job.refused.to_string(),
            job.failed.to_string(),
            job.created_at.get(..19).unwrap_or(&job.created_at).replace('T', " "),
        ]);
    }
    out::line(table)
}
