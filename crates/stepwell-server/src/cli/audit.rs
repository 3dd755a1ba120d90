//! `audit list`, `verify`.

use std::sync::Arc;

use clap::Subcommand;
use data_encoding::HEXLOWER;
use serde::Deserialize;
use serde_json::value::RawValue;
use stepwell_access::audit::{Chain, Entry, Hash, Row};
use stepwell_core::code::Code;
use stepwell_core::time::Timestamp;

use super::args::Reach;
use super::client::{Client, with_query};
use super::fault::Fault;
use super::out;

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// List rows, newest first
    List {
        /// Only those of this namespace
        #[arg(long)]
        namespace: Option<String>,
        /// Only what was done with the key of this id
        #[arg(long, value_name = "ID")]
        key: Option<String>,
        /// Only this act, such as runs.pause, or all that begin with a word, such as runs
        #[arg(long)]
        act: Option<String>,
        /// Only rows of this instant and later, or of this long back, such as 7d
        #[arg(long, value_name = "INSTANT|DURATION")]
        from: Option<String>,
        /// Only rows before this instant
        #[arg(long, value_name = "INSTANT|DURATION")]
        to: Option<String>,
        /// Which come first: newest or oldest
        #[arg(long, value_name = "ORDER")]
        order: Option<String>,
        /// Only rows with a number below this
        #[arg(long, value_name = "N")]
        before: Option<String>,
        /// Only rows with a number above this
        #[arg(long, value_name = "N")]
        after: Option<String>,
        /// Most rows to list, 1 to 1000
        #[arg(long, default_value = "50", value_name = "N")]
        limit: String,
        #[command(flatten)]
        reach: Reach,
    },
    /// Read the whole log and check its chain of hashes, here and not at the server
    Verify {
        /// A row noted before, as `N:HASH`: it has to be there still
        #[arg(long, value_name = "N:HASH")]
        expect: Option<String>,
        #[command(flatten)]
        reach: Reach,
    },
}

#[derive(Deserialize)]
struct List {
    rows: Vec<Box<RawValue>>,
    next: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    n: u64,
    at: String,
    namespace: String,
    key: Option<String>,
    key_name: String,
    from: String,
    act: String,
    object: String,
    reason: Option<String>,
    outcome: String,
    of: Option<u64>,
    hash: String,
}

/// Does it.
pub(super) fn run(audit: &Audit) -> Result<(), Fault> {
    match audit {
        Audit::List { namespace, key, act, from, to, order, before, after, limit, reach } => {
            let parameters = [
                ("namespace", namespace.as_deref()),
                ("key", key.as_deref()),
                ("act", act.as_deref()),
                ("from", from.as_deref()),
                ("to", to.as_deref()),
                ("order", order.as_deref()),
                ("before", before.as_deref()),
                ("after", after.as_deref()),
                ("limit", Some(limit.as_str())),
            ];
            list(&with_query("/api/v1/audit", &parameters), reach)
        }
        Audit::Verify { expect, reach } => verify(expect.as_deref(), reach),
    }
}

fn list(path: &str, reach: &Reach) -> Result<(), Fault> {
    let list: List = Client::new(&reach.url)?.get(path)?.read()?;
    if reach.json {
        return list.rows.iter().try_for_each(out::json);
    }
    let mut table =
        out::table(&["n", "at", "namespace", "key", "from", "act", "object", "outcome", "why"]);
    for raw in &list.rows {
        let one: Shown = read(raw)?;
        let outcome = match one.of {
            Some(of) => format!("{} ({of})", one.outcome),
            None => one.outcome,
        };
        table.add_row([
            one.n.to_string(),
            one.at.get(..19).unwrap_or(&one.at).replace('T', " "),
            one.namespace,
            out::printable(&one.key_name),
            one.from,
            one.act,
            out::printable(&one.object),
            outcome,
            one.reason.as_deref().map(out::printable).unwrap_or_default(),
        ]);
    }
    out::line(table)
}

fn verify(expect: Option<&str>, reach: &Reach) -> Result<(), Fault> {
    let expected = expect.map(parse_expected).transpose()?;
    let client = Client::new(&reach.url)?;
    let (mut chain, mut seen) = (Chain::default(), false);
    loop {
        let after = chain.head().0.to_string();
        let page = [("order", Some("oldest")), ("limit", Some("1000")), ("after", Some(&*after))];
        let list: List = client.get(&with_query("/api/v1/audit", &page))?.read()?;
        for raw in &list.rows {
            let row = row(read(raw)?)?;
            let checked = chain.check(&row);
            checked.map_err(|error| {
                Fault::refused(Code::StoreFailed, format!("audit log: {error}"))
            })?;
            if let Some((n, hash)) = expected.filter(|(n, _)| *n == row.n) {
                if hash != row.hash {
                    let text = format!("audit log: row {n} is another one than was noted");
                    return Err(Fault::refused(Code::StoreFailed, text));
                }
                seen = true;
            }
        }
        if list.next.is_none() {
            break;
        }
    }
    let (rows, hash) = chain.head();
    if let Some((n, _)) = expected.filter(|_| !seen) {
        let text = format!("audit log: row {n} was noted, and there are {rows} rows");
        return Err(Fault::refused(Code::StoreFailed, text));
    }
    let head = HEXLOWER.encode(&hash.0);
    if reach.json {
        return out::json(&serde_json::json!({ "rows": rows, "hash": head }));
    }
    out::line(format_args!("✓ {rows} rows, the chain holds; note {rows}:{head} to check it again"))
}

fn parse_expected(text: &str) -> Result<(u64, Hash), Fault> {
    let parts = text.split_once(':').and_then(|(n, hash)| Some((n.parse().ok()?, hash_of(hash)?)));
    parts.ok_or_else(|| {
        let text = "--expect: accepted: the number of a row, a colon and its hash".to_owned();
        Fault::Usage(text)
    })
}

fn hash_of(text: &str) -> Option<Hash> {
    Some(Hash(HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()?))
}

fn read(raw: &RawValue) -> Result<Shown, Fault> {
    serde_json::from_str(raw.get())
        .map_err(|error| Fault::Unreachable(format!("the answer is not understood: {error}")))
}

fn row(shown: Shown) -> Result<Row, Fault> {
    let refuse = || Fault::Unreachable(format!("row {} of the answer is not understood", shown.n));
    let hash = hash_of(&shown.hash).ok_or_else(refuse)?;
    let key = shown.key.as_deref().map(str::parse).transpose().map_err(|_| refuse())?;
    let entry = Entry {
        at: Timestamp::parse_iso(&shown.at).map_err(|_| refuse())?,
        namespace: Arc::from(&*shown.namespace),
        key,
        key_name: shown.key_name,
        from: shown.from,
        act: shown.act,
        object: shown.object,
        reason: shown.reason,
        outcome: shown.outcome,
        of: shown.of,
    };
    Ok(Row { n: shown.n, entry, hash })
}
