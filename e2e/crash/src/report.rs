//! What the programs print.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use crate::judge::{Class, Demands, PLANTS, Verdict, judge, sample};
use crate::ledger::Sheet;

/// Most findings of a class that are printed.
const SHOWN: usize = 20;

/// Prints a line, or several. A reader that went away is not waited for.
pub fn tell(text: &str) {
    let mut out = std::io::stdout().lock();
    let _gone = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Returns figures, findings and, as the last line, the verdict.
pub fn text(verdict: &Verdict) -> String {
    let mut text = format!("{}\n", verdict.figures);
    for class in [Class::Unsound, Class::Lost, Class::Changed, Class::Repeated, Class::Stale] {
        let of_class = || verdict.findings.iter().filter(|finding| finding.class() == class);
        for finding in of_class().take(SHOWN) {
            let _ok = writeln!(text, "{class}: {finding}");
        }
        let more = of_class().count().saturating_sub(SHOWN);
        if more > 0 {
            let _ok = writeln!(text, "{class}: and {more} more");
        }
    }
    let _ok = write!(text, "{verdict}");
    text
}

/// Shows that the judge accepts a ledger and refuses it with each kind of violation put in.
///
/// Without sheets it takes a small ledger of its own.
pub fn self_test(sheets: &[Sheet], demands: &Demands) -> ExitCode {
    let own = if sheets.is_empty() { sample() } else { sheets.to_vec() };
    let sound = judge(&own, demands);
    if !sound.is_sound() {
        tell(&format!("{}\nself-test: the ledger is not sound to begin with", text(&sound)));
        return ExitCode::FAILURE;
    }
    let mut refused = 0;
    for plant in &PLANTS {
        let (mut sheets, mut demands) = (own.clone(), *demands);
        if plant.put(&mut sheets, &mut demands).is_none() {
            tell(&format!("  no place    {}", plant.what));
            continue;
        }
        let verdict = judge(&sheets, &demands);
        let finding = verdict.findings.iter().find(|finding| finding.kind() == plant.kind);
        match finding {
            Some(finding) => {
                refused += 1;
                tell(&format!("  refused     {}\n              {finding}", plant.what));
            }
            None => tell(&format!("  ACCEPTED    {}", plant.what)),
        }
    }
    tell(&format!("self-test: {refused} of {} kinds of violation refused", PLANTS.len()));
    if refused == PLANTS.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
