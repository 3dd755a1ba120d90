//! Which command runs what, and the exit code.

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use stepwell_core::operation::Operation;

use super::args::{Cli, Command, Runs};
use super::fault::Fault;
use super::{
    acts, audit, backup, bulk, bundles, client, config, dev, docs, doctor, events, flows, health,
    history, keys, known, mcp, migrate, namespaces, out, reload, remake, restore, resume, runs,
    serve, show, tail,
};

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Clap shows help and versions on standard output, errors on standard error.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let known = client::use_key(cli.key_file.as_deref());
    match known.and_then(|()| run(cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            out::fault(&fault);
            fault.exit_code()
        }
    }
}

fn run(command: Command) -> Result<(), Fault> {
    match command {
        Command::Dev(dev) => dev::run(dev),
        Command::Start(start) => serve::run(start),
        Command::Runs(runs) => match runs {
            Runs::List(list) => runs::list(&list),
            Runs::Counts(which) => runs::counts(&which),
            Runs::Show { run, full, reach } => show::run(&run, full, &reach),
            Runs::Tail { run, reach } => tail::run(&run, &reach),
            Runs::History { run, full, reach } => history::run(&run, full, &reach),
            Runs::Why { run, reach } => show::why(&run, &reach),
            Runs::Start(start) => runs::start(&start),
            Runs::Cancel(on) => acts::act("cancel", &on),
            Runs::Pause(on) => acts::act(Operation::Pause.as_str(), &on),
            Runs::Resume(on) => acts::act(Operation::Resume.as_str(), &on),
            Runs::Terminate(on) => acts::act(Operation::Terminate.as_str(), &on),
            Runs::Retry(on) => acts::act(Operation::Retry.as_str(), &on),
            Runs::Resolve(asked) => remake::resolve(&asked),
            Runs::Rerun(asked) => remake::rerun(&asked),
            Runs::Fork(asked) => remake::fork(&asked),
            Runs::Export(asked) => bundles::export(&asked),
            Runs::Import(asked) => bundles::import(&asked),
            Runs::Delete { run, reason, reach } => acts::delete(&run, reason.as_deref(), &reach),
        },
        Command::Bulk(asked) => bulk::run(&asked),
        Command::Events(asked) => events::run(&asked),
        Command::Flows(asked) => flows::run(&asked),
        Command::Workflows(known) => known::workflows(&known),
        Command::Runners(known) => known::runners(&known),
        Command::Mcp(asked) => mcp::run(asked),
        Command::Docs(asked) => docs::run(&asked),
        Command::Openapi => out::json(&stepwell_http::openapi::document()),
        Command::Keys(asked) => keys::run(&asked),
        Command::Namespaces(asked) => namespaces::run(&asked),
        Command::Audit(asked) => audit::run(&asked),
        Command::Backup(backup) => backup::run(&backup),
        Command::Restore(restore) => restore::run(&restore),
        Command::Migrate(asked) => migrate::run(&asked),
        Command::Reload(reach) => reload::run(&reach),
        Command::Health(asked) => health::run(&asked),
        Command::Config(asked) => config::run(&asked),
        Command::Resume(resume) => resume::run(&resume),
        Command::Doctor(doctor) => doctor::run(&doctor),
        Command::Bench(bench) => crate::bench::run(&bench),
        Command::BenchRunner(runner) => crate::bench::serve(&runner),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "stepwell", &mut script);
            out::text(&String::from_utf8_lossy(&script))
        }
    }
}
