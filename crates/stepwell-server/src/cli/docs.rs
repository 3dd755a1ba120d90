//! `docs`: the documents, as this version has them.

use clap::Args;
use stepwell_core::code::Code;

use super::fault::Fault;
use super::out;

/// See [`Command::Docs`](super::args::Command::Docs).
#[derive(Debug, Args)]
pub(super) struct Docs {
    /// A page, or how its name begins: api, testing, SW2001, adr/0013; all are listed where this is not given
    topic: Option<String>,
}

/// Prints a page, or lists them.
pub(super) fn run(asked: &Docs) -> Result<(), Fault> {
    if let Some(topic) = &asked.topic {
        let page = stepwell_docs::find(topic).map_err(|error| Fault::Usage(error.to_string()))?;
        return out::text(&page.text);
    }
    let pages = stepwell_docs::all();
    // Pages about codes have the code as their name: one line is enough for them.
    let is_code = |topic: &str| {
        let name = topic.strip_prefix("errors/");
        name.is_some_and(|name| Code::ALL.iter().any(|code| code.as_str() == name))
    };
    let mut table = out::table(&["topic", "is about"]);
    for page in pages.iter().filter(|page| !is_code(page.topic())) {
        table.add_row([page.topic(), page.title()]);
    }
    table.add_row(["SW2001, …", "an error, by its code"]);
    out::line(table)
}
