//! Judges ledgers: says what was lost, what changed, what was done again, and what was stale.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use stepwell_crash::judge::{Demands, judge};
use stepwell_crash::ledger::load;
use stepwell_crash::report::{self_test, tell};

/// Judges the ledger of a crash test, and ends with 1 when something is wrong with it
#[derive(Parser)]
#[command(name = "crash-judge")]
struct Options {
    /// Sheets of the ledger, or folders with sheets (*.jsonl)
    #[arg(value_name = "LEDGER", required_unless_present = "self_test")]
    ledger: Vec<PathBuf>,
    /// Puts each kind of violation into the ledger, or into a small one that it has with it, and ends
    /// with 1 unless each is refused
    #[arg(long)]
    self_test: bool,
    /// Fewest kills of servers that prove something
    #[arg(long, value_name = "N", default_value_t = 0)]
    server_kills: usize,
    /// Fewest kills of runners that prove something
    #[arg(long, value_name = "N", default_value_t = 0)]
    runner_kills: usize,
    /// Fewest faults that prove something, kills included
    #[arg(long, value_name = "N", default_value_t = 0)]
    faults: usize,
    /// Fewest runs that prove something
    #[arg(long, value_name = "N", default_value_t = 0)]
    runs: usize,
    /// Steps of every kind have to be there
    #[arg(long)]
    all_kinds: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let sheets = match load(&options.ledger) {
        Ok(sheets) => sheets,
        Err(error) => {
            tell(&format!("the ledger cannot be read: {error}"));
            return ExitCode::from(2);
        }
    };
    let demands = Demands {
        server_kills: options.server_kills,
        runner_kills: options.runner_kills,
        faults: options.faults,
        runs: options.runs,
        all_kinds: options.all_kinds,
    };
    if options.self_test {
        return self_test(&sheets, &demands);
    }
    report_on(&judge(&sheets, &demands))
}

fn report_on(verdict: &stepwell_crash::judge::Verdict) -> ExitCode {
    tell(&stepwell_crash::report::text(verdict));
    if verdict.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
