//! Commands and flags.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use super::audit::Audit;
use super::backup::Backup;
use super::bulk::Bulk;
use super::bundles::{Export, Import};
use super::docs::Docs;
use super::flows::Flows;
use super::keys::Keys;
use super::mcp::Mcp;
use super::migrate::Migrate;
use super::namespaces::Namespaces;
use super::place::Database;
use super::restore::Restore;
use super::resume::Resume;
use crate::bench::{Bench, BenchRunner};
use crate::config::{Given, Span};

const EXIT_CODES: &str = "Exit codes: 0 done; 1 refused or failed; 2 not understood; 3 the server \
    cannot be reached; 4 the run that was waited for did not complete.\n\
    Errors have codes such as SW2001; `stepwell docs SW2001` says more about each.";

/// Durable functions that survive kill -9.
#[derive(Debug, Parser)]
#[command(name = "stepwell", version, about = "Durable functions that survive kill -9", after_help = EXIT_CODES, propagate_version = true)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    /// File that holds the API key [default: the key in `STEPWELL_KEY`]
    #[arg(long, global = true, env = "STEPWELL_KEY_FILE", value_name = "FILE")]
    pub(super) key_file: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a server for development, and a runner that is restarted when its files change
    Dev(Dev),
    /// Run the server on a data folder
    Start(Start),
    /// List, show, follow and start runs, and act on them
    #[command(subcommand)]
    Runs(Runs),
    /// Act on all runs that a filter names, at once
    #[command(subcommand)]
    Bulk(Bulk),
    /// Send events, list them, and show what one did
    #[command(subcommand)]
    Events(Events),
    /// Declare flows of observed runs, list and show them
    #[command(subcommand)]
    Flows(Flows),
    /// List workflows that were ever registered
    Workflows(Known),
    /// List runners that are connected or awaited
    Runners(Known),
    /// Let agents and editors look at a server, by the Model Context Protocol on standard input and output
    Mcp(Mcp),
    /// Print a page of the documents: by its name, or about an error by its code
    Docs(Docs),
    /// Make, list, rotate and revoke API keys
    #[command(subcommand)]
    Keys(Keys),
    /// Make, list and delete namespaces
    #[command(subcommand)]
    Namespaces(Namespaces),
    /// Read and check the log of what keys and operators did
    #[command(subcommand)]
    Audit(Audit),
    /// Make a backup of a server that runs, list and verify backups
    Backup(Backup),
    /// Make a data folder from a backup
    Restore(Restore),
    /// Move everything of a store that nobody uses to an empty one: from a folder to PostgreSQL, or back
    Migrate(Migrate),
    /// Show every setting with its default, check a file of settings, print their schema
    #[command(subcommand)]
    Config(ConfigAsk),
    /// Have a server read its settings again: what can change without a restart does
    Reload(Reach),
    /// Say whether a server serves: exit code 0 where it does, else another one
    Health(Health),
    /// Let the runs of a restored server go on
    Resume(Resume),
    /// Check a server, with --data a folder whose server is stopped, with --store a database beside its nodes
    Doctor(Doctor),
    /// Measure a server of its own on a temporary folder, with a Rust runner, as three processes
    #[command(subcommand)]
    Bench(Bench),
    /// The runner of `bench`
    #[command(hide = true)]
    BenchRunner(BenchRunner),
    /// Print the description of the HTTP API that programs read: an `OpenAPI` 3.1 document
    Openapi,
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// How a server is reached and how answers are shown.
#[derive(Clone, Debug, Args)]
pub(super) struct Reach {
    /// Address of the server, or those of its nodes with commas between
    #[arg(long, env = "STEPWELL_URL", default_value = "http://127.0.0.1:7878", value_name = "URL")]
    pub(super) url: String,
    /// Print JSON; lists have one object a line
    #[arg(long)]
    pub(super) json: bool,
}

/// See [`Command::Start`].
#[derive(Debug, Args)]
pub(super) struct Start {
    /// File of settings (TOML); its keys are the long flags with `_` for `-`
    #[arg(long, env = "STEPWELL_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Print the settings in force as a file of settings, and exit
    #[arg(long)]
    pub(super) print_config: bool,
    /// Let the runs of a restored folder go on
    #[arg(long)]
    pub(super) resume: bool,
    /// Delete runs so soon after their end, and their keys with them: for measurements, sooner than §4.8 lets
    /// `retention` be
    #[arg(long, hide = true, value_name = "DURATION")]
    pub(super) measured_retention: Option<Span>,
    #[command(flatten)]
    pub(super) settings: Given,
}

/// See [`Command::Health`].
#[derive(Debug, Args)]
pub(super) struct Health {
    /// Longest time for an answer
    #[arg(long, default_value = "4s", value_name = "DURATION")]
    pub(super) timeout: String,
    #[command(flatten)]
    pub(super) reach: Reach,
}

/// See [`Command::Config`].
#[derive(Debug, Subcommand)]
pub(super) enum ConfigAsk {
    /// Print a file of settings with every default, commented
    Sample,
    /// Say everything that is wrong with a file of settings
    Check {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Print the JSON Schema of such files, for editors
    Schema,
}

/// See [`Command::Dev`].
#[derive(Debug, Args)]
pub(super) struct Dev {
    /// File of settings (TOML)
    #[arg(long, env = "STEPWELL_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// File or folder that is watched, may be repeated [default: the current folder]
    #[arg(long, value_name = "PATH")]
    pub(super) watch: Vec<PathBuf>,
    /// Do not restart the command when files change
    #[arg(long, conflicts_with = "watch")]
    pub(super) no_watch: bool,
    #[command(flatten)]
    pub(super) settings: Given,
    /// Command that runs the runner; its `STEPWELL_URL` leads to this server
    #[arg(last = true, value_name = "COMMAND")]
    pub(super) command: Vec<String>,
}

/// See [`Command::Runs`].
#[derive(Debug, Subcommand)]
pub(super) enum Runs {
    /// List runs, newest first
    List(List),
    /// Count runs by status
    Counts(Which),
    /// Show a run with its steps on a time line
    Show {
        /// The run's id
        run: String,
        /// Show inputs, outputs and logs whole
        #[arg(long)]
        full: bool,
        #[command(flatten)]
        reach: Reach,
    },
    /// Follow a run's steps and logs until it ends
    Tail {
        /// The run's id
        run: String,
        #[command(flatten)]
        reach: Reach,
    },
    /// Print the event log of a run: every record of its journal, oldest first
    History {
        /// The run's id
        run: String,
        /// Print each record whole
        #[arg(long)]
        full: bool,
        #[command(flatten)]
        reach: Reach,
    },
    /// Say why a run is not moving
    Why {
        /// The run's id
        run: String,
        #[command(flatten)]
        reach: Reach,
    },
    /// Start a run
    Start(StartRun),
    /// Cancel a run: what is in flight gets time to return
    Cancel(ActOn),
    /// Hold a run back: no function of it begins until it is resumed
    Pause(ActOn),
    /// Let a paused run go on
    Resume(ActOn),
    /// End a run at once; nothing that is in flight is awaited
    Terminate(ActOn),
    /// End the backoffs of a run's steps now, and try a blocked run again
    Retry(ActOn),
    /// Say how a step ended whose outcome nobody else knows
    Resolve(ResolveStep),
    /// Start a run again, with the same input or another one
    Rerun(RerunRun),
    /// Start a run that goes on from a step of another one; that one ends where it has not
    Fork(ForkRun),
    /// Copy runs into a file, with their whole histories
    Export(Export),
    /// Take in runs from a file that `runs export` made
    Import(Import),
    /// Delete a run that has ended, with its history, its key and what is found by it
    Delete {
        /// The run's id
        run: String,
        /// Why, for the audit log
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        reach: Reach,
    },
}

/// See [`Runs::Resolve`].
#[derive(Debug, Args)]
#[group(id = "outcome", required = true, args = ["completed", "failed", "not_done"])]
pub(super) struct ResolveStep {
    #[command(flatten)]
    pub(super) on: ActOn,
    /// The step
    #[arg(long)]
    pub(super) step: String,
    /// It completed, with this result: JSON, @FILE, or nothing
    #[arg(long, value_name = "JSON", num_args = 0..=1, default_missing_value = "")]
    pub(super) completed: Option<String>,
    /// It failed, with this message
    #[arg(long, value_name = "MESSAGE")]
    pub(super) failed: Option<String>,
    /// The name of that error
    #[arg(long, value_name = "NAME", default_value = "Error")]
    pub(super) error_name: String,
    /// Its function did nothing: it starts again
    #[arg(long)]
    pub(super) not_done: bool,
}

/// See [`Runs::Rerun`].
#[derive(Debug, Args)]
pub(super) struct RerunRun {
    #[command(flatten)]
    pub(super) on: ActOn,
    /// Another input: JSON, @FILE, or @- for standard input
    #[arg(long, value_name = "JSON")]
    pub(super) input: Option<String>,
}

/// See [`Runs::Fork`].
#[derive(Debug, Args)]
pub(super) struct ForkRun {
    #[command(flatten)]
    pub(super) on: ActOn,
    /// The step to go on from; the last one that failed where this is not given
    #[arg(long, value_name = "STEP")]
    pub(super) from: Option<String>,
    /// Another input: JSON, @FILE, or @- for standard input
    #[arg(long, value_name = "JSON")]
    pub(super) input: Option<String>,
    /// Another result of an earlier step; may be given several times
    #[arg(long, value_name = "STEP=JSON")]
    pub(super) output: Vec<String>,
}

/// See [`Command::Events`].
#[derive(Debug, Subcommand)]
pub(super) enum Events {
    /// Send an event: it starts workflows that trigger on it, and wakes runs that wait for it
    Send(SendEvent),
    /// List events that are kept: all, newest first, or those of a name, oldest first
    List {
        /// The events' name
        event: Option<String>,
        /// Which come first: newest or oldest
        #[arg(long, value_name = "ORDER")]
        order: Option<String>,
        /// Accepted at or after this instant, such as 2026-11-21T14:02:05Z
        #[arg(long, value_name = "INSTANT")]
        from: Option<String>,
        /// Most events to list, 1 to 500
        #[arg(long, default_value = "50", value_name = "N")]
        limit: String,
        /// Go on behind the page before
        #[arg(long)]
        cursor: Option<String>,
        #[command(flatten)]
        reach: Reach,
    },
    /// Show an event, what it did, and which waits nearly matched
    Show {
        /// The event's id
        id: String,
        #[command(flatten)]
        reach: Reach,
    },
}

/// See [`Events::Send`].
#[derive(Debug, Args)]
pub(super) struct SendEvent {
    /// The event's name
    pub(super) event: String,
    /// Its data: JSON, @FILE, or @- for standard input
    #[arg(long, value_name = "JSON")]
    pub(super) data: Option<String>,
    /// What waits are held against in place of the data
    #[arg(long = "match", value_name = "JSON")]
    pub(super) matching: Option<String>,
    /// Its id: sent again with the same id, it does nothing more
    #[arg(long)]
    pub(super) id: Option<String>,
    /// Only for this app
    #[arg(long)]
    pub(super) app: Option<String>,
    /// Only for the waits of this run
    #[arg(long, conflicts_with = "key")]
    pub(super) run: Option<String>,
    /// Only for the waits of the run that this idempotency key started
    #[arg(long)]
    pub(super) key: Option<String>,
    /// The workflow of the key, where several have it
    #[arg(long, requires = "key")]
    pub(super) workflow: Option<String>,
    #[command(flatten)]
    pub(super) reach: Reach,
}

/// An act on one run.
#[derive(Debug, Args)]
pub(super) struct ActOn {
    /// The run's id
    pub(super) run: String,
    /// Why, for the run's history
    #[arg(long)]
    pub(super) reason: Option<String>,
    /// Who acts, for the run's history
    #[arg(long, env = "USER", hide_env_values = true)]
    pub(super) by: Option<String>,
    #[command(flatten)]
    pub(super) reach: Reach,
}

/// Which runs are meant.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Only runs of this app
    #[arg(long)]
    pub(super) app: Option<String>,
    /// Only runs of this workflow
    #[arg(long)]
    pub(super) workflow: Option<String>,
    /// Only runs that this one invoked
    #[arg(long, value_name = "RUN")]
    pub(super) parent: Option<String>,
    /// Only the run with this idempotency key
    #[arg(long)]
    pub(super) key: Option<String>,
    /// Created at or after: an instant, or a duration back such as 7d
    #[arg(long, value_name = "WHEN")]
    pub(super) from: Option<String>,
    /// Created before: an instant, or a duration back
    #[arg(long, value_name = "WHEN")]
    pub(super) to: Option<String>,
    /// Only runs with these search attributes, such as `amount>=10,country=DE`
    #[arg(long, value_name = "TERMS")]
    pub(super) search: Option<String>,
    /// Only the run with this id, or those whose ids end so: at least 4 digits
    #[arg(long)]
    pub(super) id: Option<String>,
    /// Only runs in whose workflow, key, id, attributes or error this text is found
    #[arg(long, value_name = "TEXT")]
    pub(super) query: Option<String>,
    #[command(flatten)]
    pub(super) reach: Reach,
}

/// See [`Runs::List`].
#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    pub(super) which: Which,
    /// Only runs with these statuses, divided by commas
    #[arg(long, value_name = "STATUSES")]
    pub(super) status: Option<String>,
    /// Most runs to list, 1 to 500
    #[arg(long, default_value = "50", value_name = "N")]
    pub(super) limit: String,
    /// Go on behind the page before
    #[arg(long)]
    pub(super) cursor: Option<String>,
}

/// See [`Runs::Start`].
#[derive(Debug, Args)]
pub(super) struct StartRun {
    /// The workflow
    pub(super) workflow: String,
    /// The input: JSON, @FILE, or @- for standard input
    #[arg(long, value_name = "JSON")]
    pub(super) input: Option<String>,
    /// The app, where several have the workflow
    #[arg(long)]
    pub(super) app: Option<String>,
    /// Idempotency key: a repeat returns the first run
    #[arg(long)]
    pub(super) key: Option<String>,
    /// Most time for the run
    #[arg(long, value_name = "DURATION")]
    pub(super) timeout: Option<String>,
    /// Let the run begin after this time
    #[arg(long, value_name = "DURATION", conflicts_with = "at")]
    pub(super) delay: Option<String>,
    /// Let the run begin at this instant, such as 2026-11-21T14:02:05Z
    #[arg(long, value_name = "INSTANT")]
    pub(super) at: Option<String>,
    /// What is kept with the run, as JSON
    #[arg(long, value_name = "JSON")]
    pub(super) metadata: Option<String>,
    /// Name of the only runner that may run it
    #[arg(long)]
    pub(super) runner: Option<String>,
    /// Search attributes: a JSON object
    #[arg(long, value_name = "JSON")]
    pub(super) search: Option<String>,
    /// Wait for the end: as long as it takes, or at most a duration
    #[arg(long, value_name = "DURATION", num_args = 0..=1, default_missing_value = "")]
    pub(super) wait: Option<String>,
    #[command(flatten)]
    pub(super) reach: Reach,
}

/// See [`Command::Workflows`] and [`Command::Runners`].
#[derive(Debug, Args)]
pub(super) struct Known {
    /// Only those of this app
    #[arg(long)]
    pub(super) app: Option<String>,
    #[command(flatten)]
    pub(super) reach: Reach,
}

/// See [`Command::Doctor`].
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Folder to read whole and check; its server has to be stopped
    #[arg(long, value_name = "DIR", conflicts_with = "store")]
    pub(super) data: Option<PathBuf>,
    /// Make everything that is derived anew from the histories
    #[arg(long, requires = "data")]
    pub(super) rebuild: bool,
    #[command(flatten)]
    pub(super) database: Database,
    #[command(flatten)]
    pub(super) reach: Reach,
}
