//! Does what can happen to several nodes under load, and has the ledger judged.

use std::process::ExitCode;

use clap::Parser;
use stepwell_crash::cluster::{Options, drive};
use stepwell_crash::report::tell;

fn main() -> ExitCode {
    match drive(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            tell(&format!("the test could not go on: {error}"));
            ExitCode::from(2)
        }
    }
}
