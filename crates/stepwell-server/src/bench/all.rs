//! All workloads, several times each, held against the marks.

use serde::Serialize;

use super::args::{All, Bench, Common, Workload};
use super::machine::Machine;
use super::report::Line;
use super::table::Table;
use super::workload::{Runtime, measure};
use crate::cli::{Fault, print_json, print_line};

/// In the order in which they are measured.
const WORKLOADS: [Workload; 11] = [
    Workload::Sequential,
    Workload::Throughput,
    Workload::Noop,
    Workload::Fanout,
    Workload::Parked,
    Workload::Events,
    Workload::Replay,
    Workload::Lists,
    Workload::Telemetry,
    Workload::Share,
    Workload::Nodes,
];

#[derive(Serialize)]
struct Summary<'a> {
    commit: Option<&'a str>,
    version: &'static str,
    machine: &'a Machine,
    #[serde(flatten)]
    table: &'a Table,
}

/// Measures, prints the table, and fails where a mark is missed or a measurement does not count.
pub(super) fn run(runtime: &Runtime, args: &All) -> Result<(), Fault> {
    let machine = Machine::look()?;
    let common = Common { json: false, runner: args.runner, store: args.store.clone() };
    let wanted = |one: &Workload| {
        one.is_for(args.store.kind()).is_ok() && (args.only.is_empty() || args.only.contains(one))
    };
    let mut lines: Vec<Line> = Vec::new();
    for workload in WORKLOADS.into_iter().filter(wanted) {
        for _ in 0..args.times.unwrap_or_else(|| times(workload)) {
            let line = measure(runtime, &Bench::of(workload, common.clone()))?;
            if args.json {
                print_json(&line)?;
            } else {
                print_line(line.text())?;
            }
            lines.push(line);
        }
    }
    let table = Table::of(&lines);
    let commit = args.commit.as_deref();
    let version = env!("CARGO_PKG_VERSION");
    if args.json {
        print_json(&Summary { commit, version, machine: &machine, table: &table })?;
    } else {
        print_line("")?;
        print_line(format_args!("- machine: {}", machine.text()))?;
        print_line(format_args!("- build: stepwell {version}, {}", commit.unwrap_or("unknown")))?;
        let runner = args.runner.text()?;
        print_line(format_args!(
            "- settings: as `stepwell bench all` has them, runner {runner}\n"
        ))?;
        if let Some(database) = lines.iter().find_map(|line| line.database.as_ref()) {
            print_line(format_args!("- database: {}\n", database.text()))?;
        }
        print_line(table.markdown())?;
    }
    if table.missed.is_empty() {
        return Ok(());
    }
    Err(Fault::Machine(format!("not reached:\n  {}", table.missed.join("\n  "))))
}

/// How often a workload is measured: short ones more often.
fn times(workload: Workload) -> u32 {
    match workload {
        Workload::Sequential | Workload::Fanout => 5,
        Workload::Throughput
        | Workload::Noop
        | Workload::Parked
        | Workload::Events
        | Workload::Telemetry
        | Workload::Replay => 3,
        Workload::Lists | Workload::Share | Workload::Nodes | Workload::Soak => 1,
    }
}
