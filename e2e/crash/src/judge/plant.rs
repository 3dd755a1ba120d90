//! Ledgers that are wrong on purpose: one plant for each kind of finding.
//!
//! A plant changes a ledger in which nothing is wrong, be it the sample or a real one, so that exactly
//! what its name says is wrong with it, and perhaps what follows from that.

use std::collections::{BTreeMap, BTreeSet};

use super::plant_kinds as kinds;
use super::verdict::Demands;
use crate::ledger::{Fact, Hash, Sheet, Source, Stamp, StepRead, Target, What, parse};
use crate::plan::{Fate, Starts};

/// A way to make a ledger wrong.
#[derive(Clone, Copy, Debug)]
pub struct Plant {
    /// The kind of finding that it must lead to, one of [`super::Finding::KINDS`].
    pub kind: &'static str,
    /// What was done, as the end of "a ledger in which …".
    pub what: &'static str,
    put: fn(&mut Bed<'_>),
}

impl Plant {
    /// Puts the violation into the ledger. `None` where the ledger has nothing to put it on.
    #[must_use]
    pub fn put(&self, sheets: &mut Vec<Sheet>, demands: &mut Demands) -> Option<()> {
        let mut bed = Bed::of(sheets, demands)?;
        (self.put)(&mut bed);
        Some(())
    }
}

const fn plant(kind: &'static str, what: &'static str, put: fn(&mut Bed<'_>)) -> Plant {
    Plant { kind, what, put }
}

/// One plant for each kind of finding, in the order of [`super::Finding::KINDS`].
pub const PLANTS: [Plant; 38] = [
    plant("start gone", "an accepted start has no run", |bed| bed.drop(is_end)),
    plant("not completed", "a run is blocked", |bed| {
        bed.ends(|end| {
            *end.status = "blocked".into();
            *end.why = Some("crashes its runner".into());
        });
    }),
    plant("run unknown", "functions ran for a run that nobody started or read", |bed| {
        bed.drop(is_end);
        bed.drop(|what| matches!(what, What::AckedStart { .. }));
    }),
    plant("result gone", "a step with an acknowledged result is not there", |bed| {
        bed.ends_at(|end, step| {
            end.steps.remove(step);
        });
    }),
    plant("steps missing", "a run completed without one of its steps", |bed| {
        bed.ends_at(|end, step| {
            end.output.remove(step);
        });
    }),
    plant("attempt gone", "an attempt that ended is not recorded", |bed| {
        bed.at_step(|read| read.attempts = 0);
    }),
    plant("cancel gone", "a run completed after its cancel was accepted", |bed| {
        let Some(run) = bed.a_cancelled_run() else { return };
        bed.run = run;
        bed.ends(|end| *end.status = "completed".into());
    }),
    plant("not born", "an accepted event started no run", kinds::not_born),
    plant("not taken back", "a step was not taken back", kinds::not_taken_back),
    plant("two results", "the code was given two results of one step", |bed| {
        let (run, step, value) = (bed.run.clone(), bed.step.clone(), bed.value.other());
        let from = Source::Function;
        bed.add(bed.given_ns + 1, What::AckedResult { run, step, value, from });
    }),
    plant("other than acked", "the recorded result is not the acknowledged one", |bed| {
        bed.at_step(|read| read.value = read.value.map(Hash::other));
    }),
    plant("output disagrees", "a run's output was made of another result", |bed| {
        bed.ends_at(|end, step| {
            if let Some(value) = end.output.get_mut(step) {
                *value = value.other();
            }
        });
    }),
    plant("invented", "no function returned the acknowledged result", |bed| {
        bed.drop_at(|what| matches!(what, What::FnEnd { .. }));
    }),
    plant("never given", "the code was never given a recorded result", |bed| {
        bed.drop_at(|what| matches!(what, What::AckedResult { .. }));
    }),
    plant("two ends", "a run ended twice, differently", |bed| {
        let Some(mut again) = bed.an_end() else { return };
        if let What::RunEnd { status, .. } = &mut again {
            *status = "failed".into();
        }
        bed.add(bed.ended_ns + 1, again);
    }),
    plant("event invented", "nobody had sent an event that was given", kinds::event_invented),
    plant("child disagrees", "a child returned something else", kinds::child_disagrees),
    plant("taken back otherwise", "another result was taken back", kinds::taken_back_otherwise),
    plant(
        "told otherwise",
        "a run was told of a step that had not completed",
        kinds::told_otherwise,
    ),
    plant("after result", "a function began after its result was acknowledged", |bed| {
        bed.start_again(bed.given_ns + 1_000, Starts::Any);
    }),
    plant("after end", "a function began after the run had ended", |bed| {
        bed.step = "late".into();
        bed.start_again(bed.ended_ns + 1_000, Starts::Any);
    }),
    plant("two runs", "one key started two runs", |bed| {
        let run = "run_other".to_owned();
        let (key, fate) = (bed.key.clone(), Fate::Completes);
        bed.add(bed.given_ns, What::AckedStart { key, run, steps: 1, fate });
    }),
    plant("more than once", "a function that may begin once began twice", |bed| {
        bed.start_again(0, Starts::One);
    }),
    plant("too many attempts", "an attempt began beyond the last", |bed| {
        bed.each(|what, run, step| match what {
            What::FnStart { run: r, step: s, attempts_max, .. } if r == run && s == step => {
                *attempts_max = 0;
            }
            _ => {}
        });
    }),
    plant("event twice", "an event was given to two waits", kinds::event_twice),
    plant("no verdict", "a function began twice and nobody had looked", kinds::no_verdict),
    plant("out of order", "a step was taken back after all others", kinds::out_of_order),
    plant("undone for nothing", "a step of a completed run was taken back", |bed| {
        let (run, step, value) = (bed.run.clone(), bed.step.clone(), bed.value);
        bed.add(bed.given_ns + 1, What::UndoStart { run, step, value });
    }),
    plant("unreadable", "a line is no fact", |bed| bed.add_text(b"{\"kind\":\"fn-start\"}\n")),
    plant("torn", "a process that was not killed left a torn line", |bed| {
        bed.add_text(b"{\"at\":{");
    }),
    plant("foreign fact", "a sheet has a fact of another process", |bed| {
        let fact = bed.sheets.iter_mut().find_map(|sheet| sheet.facts.first_mut());
        if let Some(fact) = fact {
            fact.process = "someone".into();
        }
    }),
    plant("end without start", "a function ended that never began", |bed| {
        bed.drop_at(|what| matches!(what, What::FnStart { .. }));
    }),
    plant("after death", "a killed process wrote on", |bed| {
        let Some((target, killed)) = bed.a_kill() else { return };
        let victim = "nobody".to_owned();
        bed.add_as(&killed, u64::MAX, Some(What::Kill { target, victim }));
    }),
    plant("clock went back", "the clock of a process went back", |bed| {
        let Some(fact) = bed.sheets.iter().find_map(|sheet| sheet.facts.last().cloned()) else {
            return;
        };
        bed.add_as(&fact.process, 0, Some(fact.what));
    }),
    plant("too few", "less happened than was demanded", |bed| bed.demands.runs = usize::MAX),
    plant("seen otherwise", "a step was seen with another result", |bed| {
        bed.see(bed.ended_ns + 1_000, |sight| {
            if let Some(read) = sight.at_step() {
                read.value = read.value.map(Hash::other);
            }
        });
    }),
    plant("stale read", "a node answered with what had been", |bed| {
        bed.see(bed.ended_ns + 1_000, |sight| *sight.status = "running".into());
    }),
    plant("stale grant", "a result was taken of a runner that had lost the run", |bed| {
        let Some(begun_ns) = bed.begun_ns() else { return };
        bed.step = "elsewhere".into();
        bed.start_again(begun_ns + 1, Starts::Any);
    }),
];

/// A ledger, and a completed run and step in it on which something can be planted.
pub(super) struct Bed<'a> {
    sheets: &'a mut Vec<Sheet>,
    demands: &'a mut Demands,
    run: String,
    step: String,
    key: String,
    value: Hash,
    /// When the code was last given the result of the step.
    given_ns: u64,
    /// When the run was last read as ended.
    ended_ns: u64,
}

/// The changeable parts of a read of an ended run.
struct EndRead<'a> {
    status: &'a mut String,
    why: &'a mut Option<String>,
    output: &'a mut BTreeMap<String, Hash>,
    steps: &'a mut BTreeMap<String, StepRead>,
}

/// The changeable parts of a read of a run.
struct SightRead<'a> {
    status: &'a mut String,
    steps: &'a mut BTreeMap<String, StepRead>,
    step: &'a str,
}

impl SightRead<'_> {
    fn at_step(&mut self) -> Option<&mut StepRead> {
        self.steps.get_mut(self.step)
    }
}

impl<'a> Bed<'a> {
    fn of(sheets: &'a mut Vec<Sheet>, demands: &'a mut Demands) -> Option<Self> {
        let facts = || sheets.iter().flat_map(|sheet| &sheet.facts);
        let started: BTreeSet<&str> = facts()
            .filter_map(|fact| match &fact.what {
                What::AckedStart { run, .. } => Some(run.as_str()),
                _ => None,
            })
            .collect();
        // Of the simplest workflow, so that nothing else can be the matter with it.
        let completed: BTreeSet<&str> = facts()
            .filter_map(|fact| match &fact.what {
                What::RunEnd { run, status, workflow, .. }
                    if status == "completed" && workflow == "chain" =>
                {
                    Some(run.as_str())
                }
                _ => None,
            })
            .collect();
        let (run, step, value) = facts().find_map(|fact| match &fact.what {
            What::AckedResult { run, step, value, .. }
                if completed.contains(run.as_str()) && started.contains(run.as_str()) =>
            {
                Some((run.clone(), step.clone(), *value))
            }
            _ => None,
        })?;
        let key = facts().find_map(|fact| match &fact.what {
            What::AckedStart { key, run: of, .. } if *of == run => Some(key.clone()),
            _ => None,
        })?;
        let latest = |counts: &dyn Fn(&What) -> bool| {
            let counted = facts().filter(|fact| counts(&fact.what));
            counted.map(|fact| fact.at.mono_ns).max()
        };
        let given_ns = latest(
            &|what| matches!(what, What::AckedResult { run: r, step: s, .. } if *r == run && *s == step),
        )?;
        let ended_ns = latest(&|what| matches!(what, What::RunEnd { run: of, .. } if *of == run))?;
        Some(Self { sheets, demands, run, step, key, value, given_ns, ended_ns })
    }

    /// Adds a fact in a sheet of its own.
    pub(super) fn add(&mut self, mono_ns: u64, what: What) {
        self.add_as("planted", mono_ns, Some(what));
    }

    fn add_as(&mut self, process: &str, mono_ns: u64, what: Option<What>) {
        let at = Stamp { wall_us: 0, mono_ns };
        let facts = what.into_iter().map(|what| Fact { at, process: process.to_owned(), what });
        if let Some(sheet) = self.sheets.iter_mut().find(|sheet| sheet.name == process) {
            sheet.facts.extend(facts);
        } else {
            let (name, facts) = (process.to_owned(), facts.collect());
            self.sheets.push(Sheet { name, facts, ..Sheet::default() });
        }
    }

    fn add_text(&mut self, text: &[u8]) {
        self.sheets.push(parse("planted", text));
    }

    fn start_again(&mut self, mono_ns: u64, starts: Starts) {
        let (run, step) = (self.run.clone(), self.step.clone());
        let (attempt, attempts_max, racing, undo) = (1, 1, false, false);
        self.add(mono_ns, What::FnStart { run, step, attempt, attempts_max, starts, racing, undo });
    }

    /// Returns what it finds in the first fact that has it, with the fact's instant.
    pub(super) fn find<T>(&self, wanted: impl Fn(&What) -> Option<T>) -> Option<(u64, T)> {
        let mut facts = self.sheets.iter().flat_map(|sheet| &sheet.facts);
        facts.find_map(|fact| Some((fact.at.mono_ns, wanted(&fact.what)?)))
    }

    /// Returns what is wanted of all facts, with when each was.
    pub(super) fn all<T>(&self, wanted: impl Fn(&What) -> Option<T>) -> Vec<(T, u64)> {
        let facts = self.sheets.iter().flat_map(|sheet| &sheet.facts);
        facts.filter_map(|fact| Some((wanted(&fact.what)?, fact.at.mono_ns))).collect()
    }

    /// Drops facts about whatever.
    pub(super) fn drop_all(&mut self, wanted: impl Fn(&What) -> bool) {
        for sheet in self.sheets.iter_mut() {
            sheet.facts.retain(|fact| !wanted(&fact.what));
        }
    }

    pub(super) fn each(&mut self, change: impl Fn(&mut What, &str, &str)) {
        for fact in self.sheets.iter_mut().flat_map(|sheet| &mut sheet.facts) {
            change(&mut fact.what, &self.run, &self.step);
        }
    }

    /// Drops facts about the run.
    fn drop(&mut self, wanted: impl Fn(&What) -> bool) {
        let run = &self.run;
        for sheet in self.sheets.iter_mut() {
            sheet.facts.retain(|fact| about(&fact.what).0 != Some(run) || !wanted(&fact.what));
        }
    }

    /// Drops facts about the step.
    fn drop_at(&mut self, wanted: impl Fn(&What) -> bool) {
        let place = (Some(&self.run), Some(&self.step));
        for sheet in self.sheets.iter_mut() {
            sheet.facts.retain(|fact| about(&fact.what) != place || !wanted(&fact.what));
        }
    }

    fn ends(&mut self, change: impl Fn(EndRead<'_>)) {
        self.ends_at(|end, _| change(end));
    }

    fn ends_at(&mut self, change: impl Fn(EndRead<'_>, &str)) {
        self.each(|what, run, step| match what {
            What::RunEnd { run: of, status, why, output, steps, .. } if of == run => {
                change(EndRead { status, why, output, steps }, step);
            }
            _ => {}
        });
    }

    fn at_step(&mut self, change: impl Fn(&mut StepRead)) {
        self.ends_at(|end, step| {
            if let Some(read) = end.steps.get_mut(step) {
                change(read);
            }
        });
    }

    /// Has the run seen as it ended, but for a change, by somebody who asked at an instant.
    fn see(&mut self, asked_ns: u64, change: impl Fn(&mut SightRead<'_>)) {
        let Some(What::RunEnd { run, mut status, mut steps, .. }) = self.an_end() else { return };
        change(&mut SightRead { status: &mut status, steps: &mut steps, step: &self.step });
        let status = Some(status);
        self.add(asked_ns + 1, What::Seen { run, asked_ns, status, steps });
    }

    /// Returns when the function began whose result was given.
    fn begun_ns(&self) -> Option<u64> {
        let (run, step, value) = (&self.run, &self.step, self.value);
        let sheet = self.sheets.iter().find(|sheet| {
            sheet.facts.iter().any(|fact| {
                about(&fact.what) == (Some(run), Some(step))
                    && matches!(fact.what, What::FnEnd { value: Some(found), .. } if found == value)
            })
        })?;
        let starts = sheet.facts.iter().filter(|fact| {
            about(&fact.what) == (Some(run), Some(step))
                && matches!(fact.what, What::FnStart { .. })
        });
        starts.map(|fact| fact.at.mono_ns).max()
    }

    fn an_end(&self) -> Option<What> {
        let facts = self.sheets.iter().flat_map(|sheet| &sheet.facts);
        let mut ends = facts.filter(|fact| matches!(fact.what, What::RunEnd { .. }));
        let end = ends.find(|fact| about(&fact.what).0 == Some(&self.run))?;
        Some(end.what.clone())
    }

    fn a_cancelled_run(&self) -> Option<String> {
        let facts = self.sheets.iter().flat_map(|sheet| &sheet.facts);
        let mut runs = facts.filter_map(|fact| match &fact.what {
            What::AckedCancel { run, status } if status != "completed" => Some(run.clone()),
            _ => None,
        });
        runs.next()
    }

    fn a_kill(&self) -> Option<(Target, String)> {
        let facts = self.sheets.iter().flat_map(|sheet| &sheet.facts);
        let mut kills = facts.filter_map(|fact| match &fact.what {
            What::Kill { target, victim } => Some((*target, victim.clone())),
            _ => None,
        });
        kills.next()
    }
}

fn is_end(what: &What) -> bool {
    matches!(what, What::RunEnd { .. })
}

/// The run and the step that a fact is about.
fn about(what: &What) -> (Option<&String>, Option<&String>) {
    match what {
        What::FnStart { run, step, .. }
        | What::FnEnd { run, step, .. }
        | What::Verified { run, step, .. }
        | What::UndoStart { run, step, .. }
        | What::AckedResult { run, step, .. } => (Some(run), Some(step)),
        What::AckedStart { run, .. }
        | What::Born { run, .. }
        | What::Told { run, .. }
        | What::AskedCancel { run }
        | What::AckedCancel { run, .. }
        | What::Seen { run, .. }
        | What::RunEnd { run, .. } => (Some(run), None),
        What::AskedEvent { .. }
        | What::AckedEvent { .. }
        | What::Fault { .. }
        | What::Kill { .. } => (None, None),
    }
}
