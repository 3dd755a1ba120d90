//! The one place that prints.
//!
//! Colour is written where it is shown only: `anstream` takes it out for files, pipes and
//! `NO_COLOR`. A reader that closes its end (`| head`) ends the printing quietly.

use std::fmt::Display;
use std::io::{ErrorKind, Write};

use comfy_table::{Cell, Color, ColumnConstraint, ContentArrangement, Table, presets};
use owo_colors::{OwoColorize, Style};
use serde::Serialize;

use super::fault::Fault;

/// Prints a line on standard output.
pub(crate) fn line(text: impl Display) -> Result<(), Fault> {
    let mut out = anstream::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        other => Ok(other?),
    }
}

/// Prints text on standard output as it is.
pub(super) fn text(text: &str) -> Result<(), Fault> {
    line(text.strip_suffix('\n').unwrap_or(text))
}

/// Prints a value as a line of JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Fault> {
    line(serde_json::to_string(value).map_err(|error| Fault::Machine(error.to_string()))?)
}

/// Prints a line for people on standard error.
pub(super) fn note(text: impl Display) {
    let mut out = anstream::stderr().lock();
    // There is nobody left to tell that nobody listens.
    let _ = writeln!(out, "{text}");
}

/// Prints an error on standard error.
pub(super) fn fault(fault: &Fault) {
    let text = fault.to_string();
    let Some((head, rest)) = text.split_once(": ") else { return };
    note(format_args!("{}: {rest}", head.red().bold()));
}

/// Returns the width of the terminal in columns; 100 where there is none.
pub(super) fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let asked = || rustix::termios::tcgetwinsize(std::io::stdout()).ok();
    let found = columns.or_else(|| asked().map(|size| usize::from(size.ws_col)));
    found.filter(|columns| *columns > 0).unwrap_or(100).clamp(40, 240)
}

/// Columns that are wrapped where the terminal is narrow.
pub(super) const WRAPPED: [&str; 2] = ["key", "why"];

/// Makes a table with a head.
pub(super) fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    // Colour is taken out where it is not shown, by what prints.
    table.enforce_styling();
    table.set_width(u16::try_from(width()).unwrap_or(100));
    table.set_header(head.iter().map(|text| text.to_uppercase()));
    // Ids are copied and numbers compared: only what people named is wrapped.
    for (column, name) in table.column_iter_mut().zip(head) {
        if !WRAPPED.contains(name) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table
}

/// Makes a cell of a status and what there is to say of it.
pub(super) fn status_cell(status: &str, text: &str) -> Cell {
    let cell = Cell::new(format!("{} {text}", sign(status)));
    match status {
        "completed" => cell.fg(Color::Green),
        "failed" | "timed_out" => cell.fg(Color::Red),
        "blocked" | "paused" => cell.fg(Color::Magenta),
        "running" | "compensating" => cell.fg(Color::Blue),
        _ => cell,
    }
}

/// Text of user code may hold anything: what would steer the terminal is escaped.
pub(super) fn printable(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        if c.is_control() {
            shown.extend(c.escape_debug());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Returns the colour of a status.
pub(super) fn style(status: &str) -> Style {
    let style = Style::new();
    match status {
        "completed" => style.green(),
        "failed" | "timed_out" | "lost" => style.red(),
        "blocked" | "paused" => style.magenta(),
        "running" | "compensating" => style.blue(),
        "retrying" => style.yellow(),
        "cancelled" | "skipped" | "sleeping" | "waiting" | "queued" | "pending" => style.dimmed(),
        _ => style,
    }
}

/// Returns a sign for a status, so that colour is not needed to read it.
pub(super) fn sign(status: &str) -> char {
    match status {
        "completed" => '✓',
        "failed" | "timed_out" | "lost" => '✗',
        "cancelled" => '⊘',
        "skipped" => '–',
        "blocked" => '!',
        "paused" => '‖',
        "running" | "compensating" => '▸',
        "retrying" => '↻',
        _ => '·',
    }
}
