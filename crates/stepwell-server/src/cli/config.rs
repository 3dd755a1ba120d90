//! `config`: a sample of all settings, a file checked, their schema.

use super::args::ConfigAsk;
use super::fault::Fault;
use super::out;
use crate::config::{self, Error};

/// Prints or checks.
pub(super) fn run(asked: &ConfigAsk) -> Result<(), Fault> {
    match asked {
        ConfigAsk::Sample => out::text(&config::sample()),
        ConfigAsk::Schema => {
            let text = serde_json::to_string_pretty(&config::schema());
            out::text(&text.map_err(|error| Fault::Machine(error.to_string()))?)
        }
        ConfigAsk::Check { file } => match config::check(file) {
            Err(Error::File { file, mistakes }) => {
                for mistake in &mistakes {
                    out::line(format_args!("{file}, {mistake}"))?;
                }
                let what = if mistakes.len() == 1 { "mistake" } else { "mistakes" };
                let text = format!("{} {what} in {file}", mistakes.len());
                Err(Fault::refused(stepwell_core::code::Code::ConfigInvalid, text))
            }
            Err(error) => Err(error.into()),
            Ok(()) => out::line(format_args!("{}: nothing is wrong", file.display())),
        },
    }
}
