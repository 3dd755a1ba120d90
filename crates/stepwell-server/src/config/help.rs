//! Settings as flags, whose help says ranges and defaults by the table.

use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

use super::kind::Value;
use super::resolve::Config;
use super::settings::Settings;
use super::table::{Setting, Shown, setting};

/// Settings that were given as flags and variables.
#[derive(Clone, Debug)]
pub struct Given(pub Settings);

impl FromArgMatches for Given {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Settings::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl Args for Given {
    fn augment_args(command: Command) -> Command {
        explained(Settings::augment_args(command))
    }

    fn augment_args_for_update(command: Command) -> Command {
        explained(Settings::augment_args_for_update(command))
    }
}

fn explained(command: Command) -> Command {
    let default = Config::default();
    command.mut_args(|arg| match setting(arg.get_id().as_str()) {
        Some(setting) => {
            let help = help(setting, setting.value(&default).as_ref());
            arg.hide_env_values(setting.shown == Shown::Never).help(help)
        }
        None => arg,
    })
}

fn help(setting: &Setting, default: Option<&Value>) -> String {
    let mut help = setting.about();
    let range = setting.kind.range();
    if !range.is_empty() {
        help = format!("{help}, {range}");
    }
    match default {
        Some(default) => format!("{help} [default: {default}]"),
        None => help,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::table::SETTINGS;

    /// The help of each flag has the default and the range that count.
    #[test]
    fn help_says_ranges_and_defaults() {
        let command = Given::augment_args(Command::new("start"));
        let mut said = 0;
        for setting in SETTINGS {
            let Some(arg) = command.get_arguments().find(|arg| arg.get_id() == setting.name) else {
                continue;
            };
            let help = arg.get_help().unwrap().to_string();
            if let Some(default) = setting.value(&Config::default()) {
                assert!(help.ends_with(&format!("[default: {default}]")), "{help}");
                said += 1;
            }
            assert!(help.contains(&setting.kind.range()), "{help}");
        }
        assert!(said > 15, "only {said} defaults are said");
    }
}
