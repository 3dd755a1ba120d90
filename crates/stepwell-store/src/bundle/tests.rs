//! Bundles read back, whole and in pieces; damage is told, and never becomes a run.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::value::RawValue;
use stepwell_core::id::RunId;
use stepwell_core::limits::Limits;
use stepwell_core::run::{Command, Env, Import, Origin, Outcome, Run, Start, Unfinished, flat};
use stepwell_core::time::Timestamp;

use super::{Copied, Error, Item, Reader, end, head, run, skipped};

const LIMIT: u64 = 64 * 1024;

/// Runs with payloads that have line breaks, commas, and texts that look like lines of a bundle.
fn runs() -> Vec<Copied> {
    let inputs = ["{\n \"a\": 1,\r\n\"b\": \"\\n\" }", "\"{\\\"end\\\":{\\\"runs\\\":0}}\"", "[]"];
    let limits = Limits::default();
    let all = inputs.into_iter().zip(1_u32..).map(|(input, n)| {
        let input = RawValue::from_string(input.to_owned()).unwrap();
        let env = |seconds: i64| {
            let now = Timestamp::from_millis(seconds * 1_000);
            Env { now, entropy: u64::from(n), limits: &limits }
        };
        let start = Start {
            namespace: "default",
            app: "shop",
            workflow: "pay",
            input: Some(&input),
            key: None,
            timeout: None,
            not_before: None,
            metadata: None,
            runner: None,
            ends: None,
            event: None,
            search: None,
            traceparent: None,
            origin: Origin::default(),
        };
        let id = RunId::new(Timestamp::from_millis(5), u128::from(n) << 64);
        let mut outcome = Outcome::default();
        let mut run = Run::start(id, start, env(5), &mut outcome);
        if n != 2 {
            let cancel = Command::Cancel { by: Some("ann, {\"x\":1}"), reason: None };
            run.apply(cancel, env(6), &mut outcome).unwrap();
        }
        Copied { run: id, journal: outcome.records }
    });
    all.collect()
}

fn bundle(runs: &[Copied]) -> Vec<u8> {
    let mut all = head("0.1.0", Timestamp::from_millis(7));
    for copied in runs {
        all.extend(run(copied.run, &copied.journal).unwrap());
    }
    all.extend(skipped(RunId::MIN, "it is damaged"));
    all.extend(end(runs.len() as u64, 1));
    all
}

/// Reads a bundle in pieces of these sizes, again and again.
fn read(bytes: &[u8], sizes: &[usize]) -> (Vec<Item>, Result<u64, Error>) {
    let (mut reader, mut items, mut rest) = (Reader::new(LIMIT), Vec::new(), bytes);
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, behind) = rest.split_at((*size).clamp(1, rest.len()));
        if let Err(error) = reader.read(piece, &mut items) {
            return (items, Err(error));
        }
        rest = behind;
    }
    let count = reader.finish(&mut items);
    (items, count)
}

fn whole(bytes: &[u8]) -> (Vec<Item>, Result<u64, Error>) {
    read(bytes, &[usize::MAX])
}

fn as_items(runs: &[Copied]) -> Vec<Item> {
    let flat = |one: &Copied| Copied { run: one.run, journal: flat(&one.journal).into_owned() };
    runs.iter().map(|one| Item::Run(flat(one))).collect()
}

#[test]
fn a_bundle_reads_back() {
    let runs = runs();
    let (mut items, count) = whole(&bundle(&runs));
    assert_eq!(count, Ok(3));
    let last = items.pop();
    assert_eq!(last, Some(Item::Skipped { run: RunId::MIN, why: "it is damaged".into() }));
    assert_eq!(items, as_items(&runs));
    // Copied again, it is the same.
    let again = items.iter().filter_map(|item| match item {
        Item::Run(copied) => Some(copied.clone()),
        Item::Skipped { .. } => None,
    });
    assert_eq!(bundle(&again.collect::<Vec<_>>()), bundle(&runs));
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let runs = runs();
    let good = String::from_utf8(bundle(&runs)).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    let with = |at: usize, line: &str| {
        let mut lines = lines.clone();
        lines[at] = line;
        lines.join("\n")
    };
    let cut = lines[..lines.len() - 1].join("\n");
    let doubled = [&*good, lines[1]].join("");
    let other = good.replacen("\"version\":1", "\"version\":2", 1);
    let large = good.replacen("\"bytes\":", "\"bytes\":99", 1);
    let hash = good.replacen("\"sha256\":\"", "\"sha256\":\"0", 1);
    let fewer = good.replacen("\"runs\":3", "\"runs\":2", 1);
    let renamed = good.replacen(&runs[0].run.to_string(), &RunId::MIN.to_string(), 1);
    let last = lines.len();
    for (text, line, why) in [
        (&*with(0, "{}"), 1, "which is not the head of a bundle"),
        (&*other, 1, "is of `bundle`, version 2; accepted: `bundle`, version 1"),
        (&*with(1, "{\"walk\":1}"), 2, "which is not a run, or the end"),
        (&*with(1, "[]"), 2, "which is not a run, or the end"),
        (&*with(3, "{\"woken\":{\"at\":7}}"), 5, "damaged: its hash is"),
        (&*renamed, 5, "damaged: its hash is"),
        (&*hash, 5, "damaged: its hash is"),
        (&*large, 2, "accepted: at most 65536"),
        (&*fewer, last, "tells of 2 runs and 1 that were skipped; there were 3 and 1"),
        (&*cut, last, "is not there: the bundle was cut off"),
        (&*doubled, last + 1, "stands behind the end"),
        ("", 1, "is not there: the bundle was cut off"),
    ] {
        let error = whole(text.as_bytes()).1.unwrap_err();
        assert_eq!(u64::try_from(line), Ok(error.line), "{error}");
        assert!(error.to_string().contains(why), "{why}: {error}");
    }
    let long = "x".repeat(usize::try_from(LIMIT).unwrap() + 70_000);
    let error = whole(long.as_bytes()).1.unwrap_err();
    assert!(error.to_string().contains("has more than 131072 bytes"), "{error}");
    // As editors and other systems write lines.
    let crlf = whole(good.replace('\n', "\r\n").as_bytes());
    assert_eq!((crlf.0.len(), crlf.1), (4, Ok(3)));
}

/// A change of some bytes.
#[derive(Clone, Debug)]
enum Damage {
    Flip(usize, u8),
    Insert(usize, Vec<u8>),
    Cut(usize, usize),
    Double(usize, usize),
    End(usize),
}

impl Damage {
    fn any() -> impl Strategy<Value = Self> {
        let place = 0..8_192_usize;
        prop_oneof![
            (place.clone(), 1..=255_u8).prop_map(|(at, bits)| Self::Flip(at, bits)),
            (place.clone(), vec(any::<u8>(), 1..40)).prop_map(|(at, with)| Self::Insert(at, with)),
            (place.clone(), 1..200_usize).prop_map(|(at, len)| Self::Cut(at, len)),
            (place.clone(), 1..400_usize).prop_map(|(at, len)| Self::Double(at, len)),
            place.prop_map(Self::End),
        ]
    }

    fn hits(&self, bytes: &mut Vec<u8>) {
        let len = bytes.len().max(1);
        match self {
            Self::Flip(at, bits) => {
                if let Some(byte) = bytes.get_mut(at % len) {
                    *byte ^= bits;
                }
            }
            Self::Insert(at, with) => {
                let at = (at % len).min(bytes.len());
                bytes.splice(at..at, with.iter().copied());
            }
            Self::Cut(at, long) => {
                let at = (at % len).min(bytes.len());
                let to = (at + long).min(bytes.len());
                bytes.drain(at..to);
            }
            Self::Double(at, long) => {
                let at = (at % len).min(bytes.len());
                let to = (at + long).min(bytes.len());
                let part = bytes.get(at..to).unwrap_or_default().to_vec();
                bytes.splice(at..at, part);
            }
            Self::End(at) => bytes.truncate(at % len),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    /// Whatever is done to a bundle: what is read of it are runs as they were, and how it comes in
    /// pieces makes no difference.
    #[test]
    fn damage_never_becomes_a_run(
        damages in vec(Damage::any(), 0..6),
        sizes in vec(1..200_usize, 1..8),
    ) {
        let runs = runs();
        let mut bytes = bundle(&runs);
        for one in &damages {
            one.hits(&mut bytes);
        }
        let (items, count) = whole(&bytes);
        let known = as_items(&runs);
        for item in items.iter().filter(|item| matches!(item, Item::Run(_))) {
            prop_assert!(known.contains(item), "{item:?}");
        }
        if damages.is_empty() {
            prop_assert_eq!(&count, &Ok(3));
        }
        let (in_pieces, same) = read(&bytes, &sizes);
        prop_assert_eq!((in_pieces, same), (items, count));
    }

    /// Whoever makes up a journal makes the hash as well: it is refused, or is a run that has ended and
    /// reads back.
    #[test]
    fn a_made_up_journal_is_refused_or_is_a_run_that_has_ended(
        which in 0..3_usize,
        damages in vec(Damage::any(), 0..4),
        end in any::<bool>(),
    ) {
        let mut copied = runs().swap_remove(which);
        for one in &damages {
            one.hits(&mut copied.journal);
        }
        let limits = Limits::default();
        let env = Env { now: Timestamp::from_millis(9_000), entropy: 1, limits: &limits };
        let unfinished = if end { Unfinished::End } else { Unfinished::Refuse };
        let import = Import {
            journal: &copied.journal, namespace: "other", unfinished, by: None, reason: None,
        };
        let mut journal = Vec::new();
        if let Ok((run, _)) = Run::import(copied.run, &import, env, &mut journal) {
            prop_assert!(run.status().is_ended() && &**run.namespace() == "other");
            prop_assert_eq!(run.next_timer(), None);
            prop_assert_eq!(Some(run), Run::replay(copied.run, &journal).ok());
            prop_assert!(Run::is_copied_from(&journal, &import));
        } else {
            prop_assert!(journal.is_empty());
        }
    }
}
