//! First pages of lists, by every pair of filters, among many stored runs.

use std::cell::RefCell;
use std::time::Instant;

use serde::Deserialize;
use stepwell_core::time::Timestamp;

use super::args::Lists;
use super::filler::{self, Filled};
use super::load::Measured;
use super::report::{Line, percentile};
use super::stage::Stage;
use super::workload::{Runtime, base};
use crate::cli::{Client, Fault};

/// How often each question is asked.
const TIMES: u32 = 5;
/// How many of the slowest are told.
const TOLD: usize = 40;

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    runs: Vec<serde::de::IgnoredAny>,
    next: Option<String>,
    stale: bool,
}

/// Questions beside the pairs: counts, minutes, texts. The first is of everything.
const OTHERS: [&str; 9] = [
    "/counts?",
    "/counts?app=shop",
    "/counts?search=amount%3E%3D0",
    "/counts?search=tier%3Dgold%2Ccountry%3DIT",
    "/counts?q=declined",
    "/activity?minutes=1440",
    "/activity?minutes=1440&app=rare",
    "?q=nowhere",
    "?id=00000000",
];

/// What one question took.
struct Asked {
    what: String,
    rows: usize,
    /// It stopped looking before its page was full.
    short: bool,
    p50_ms: f64,
    max_ms: f64,
}

/// Measures; returns the figures, and the pairs as a table for people.
pub(super) fn measure(runtime: &Runtime, args: &Lists) -> Result<(Line, String), Fault> {
    let filled = RefCell::new(None);
    let stage = Stage::set_filled(runtime, (&args.common, &[]), |folder| {
        *filled.borrow_mut() = Some(filler::fill(folder, args.runs)?);
        Ok(())
    })?;
    let filled = filled.into_inner().ok_or_else(|| Fault::Machine("nothing was filled".into()))?;
    let client = Client::new(&stage.url)?;
    let filters = filters(&filled);
    let mut asked = Vec::new();
    for (number, one) in filters.iter().enumerate() {
        for other in filters.iter().skip(number) {
            let query = pair(one, other).map(|query| format!("?{query}"));
            asked.extend(query.map(|query| ask(&client, &query)).transpose()?);
        }
    }
    asked.sort_by(|one, other| other.max_ms.total_cmp(&one.max_ms));
    let mut middle: Vec<f64> = asked.iter().map(|one| one.p50_ms).collect();
    middle.sort_by(f64::total_cmp);
    let others: Vec<Asked> =
        OTHERS.iter().map(|query| ask(&client, query)).collect::<Result<_, _>>()?;
    let line = Line {
        workload: "lists",
        list_p50_ms: percentile(&middle, 0.5),
        list_worst_ms: asked.first().map(|one| one.max_ms),
        counts_ms: others.first().map(|one| one.max_ms),
        ..base(&stage, &Measured::default())?
    };
    let text = format!("{} pairs; the slowest of them:\n{}", asked.len(), table(&asked));
    Ok((line, format!("{text}\n\nbeside them:\n{}\n", table(&others))))
}

/// A filter of each kind, with much, little and nothing that fits.
fn filters(filled: &Filled) -> Vec<(&'static str, String)> {
    let iso = |at: Timestamp| at.to_string().replace(':', "%3A");
    let minute = std::time::Duration::from_mins(1);
    vec![
        ("app", "shop".into()),
        ("app", "rare".into()),
        ("workflow", "checkout".into()),
        ("workflow", "legacy".into()),
        ("workflow", "send".into()),
        ("status", "completed".into()),
        ("status", "cancelled".into()),
        ("status", "failed,timed_out".into()),
        ("key", "order-100".into()),
        ("parent", filled.parent.to_string()),
        ("from", iso(filled.to.before(minute))),
        ("from", iso(filled.from.before(minute))),
        ("to", iso(filled.from.after(minute))),
        ("to", iso(filled.to.before(minute))),
        ("search", "tier%3Dgold".into()),
        ("search", "odd%3Dtrue".into()),
        ("search", "country%3DIT".into()),
        ("search", "country%3DXX".into()),
        ("search", "amount%3E%3D0".into()),
        ("search", "amount%3C0".into()),
        ("search", "amount%3E%3D999.9".into()),
        ("search", "amount%3C500".into()),
        ("search", "country%3CE".into()),
    ]
}

/// Puts two filters together; `None` where one parameter would have two values.
fn pair(one: &(&str, String), other: &(&str, String)) -> Option<String> {
    let part = |(name, value): &(&str, String)| format!("{name}={value}");
    if one == other {
        return Some(part(one));
    }
    if one.0 != other.0 {
        return Some(format!("{}&{}", part(one), part(other)));
    }
    (one.0 == "search").then(|| format!("search={}%2C{}", one.1, other.1))
}

fn ask(client: &Client, query: &str) -> Result<Asked, Fault> {
    let path = format!("/api/v1/runs{query}");
    let (mut took, mut rows, mut short) = (Vec::new(), 0, false);
    for _ in 0..TIMES {
        let begun = Instant::now();
        let page: Page = client.get(&path)?.read()?;
        took.push(begun.elapsed().as_secs_f64() * 1e3);
        if page.stale {
            return Err(Fault::Machine("a list is stale though nothing is written".into()));
        }
        rows = page.runs.len();
        short = page.next.is_some() && rows < 50;
    }
    took.sort_by(f64::total_cmp);
    let max_ms = took.last().copied().unwrap_or(f64::NAN);
    let p50_ms = percentile(&took, 0.5).unwrap_or(f64::NAN);
    let what = query.replace("%3D", "=").replace("%3E", ">").replace("%3C", "<");
    Ok(Asked { what: what.replace("%2C", ",").replace("%3A", ":"), rows, short, p50_ms, max_ms })
}

fn table(asked: &[Asked]) -> String {
    let mut lines = vec![format!("{:>8} {:>8} {:>5}  question", "p50 ms", "max ms", "rows")];
    lines.extend(asked.iter().take(TOLD).map(|one| {
        let Asked { what, rows, short, p50_ms, max_ms } = one;
        let short = if *short { "+" } else { " " };
        format!("{p50_ms:>8.1} {max_ms:>8.1} {rows:>4}{short}  {what}")
    }));
    lines.join("\n")
}
