//! The command line as a process.

use std::process::{Command, Output};

/// Runs the command line against a server.
pub(crate) async fn stepwell(url: String, arguments: &[&str]) -> Output {
    let arguments: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
    let run = move || {
        Command::new(env!("CARGO_BIN_EXE_stepwell"))
            .args(arguments)
            .env("STEPWELL_URL", url)
            .env("COLUMNS", "90")
            .env("USER", "ann")
            .output()
            .unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// What it printed.
pub(crate) fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
