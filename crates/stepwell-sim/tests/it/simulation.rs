//! The simulator on itself: a seed repeats, seeds pass. Planted bugs are looked for by `stepwell-sim --hunt`.

use stepwell_sim::world::{Outcome, Settings, run};

fn seed(seed: u64) -> Outcome {
    run(seed, Settings::default()).unwrap()
}

fn shared(seed: u64, nodes: usize) -> Outcome {
    run(seed, Settings { nodes, ..Settings::default() }).unwrap()
}

/// The same seed gives the same trace, and another seed another.
#[test]
fn a_seed_repeats_exactly() {
    let hashes: Vec<u64> = (1..=4).map(|one| seed(one).hash).collect();
    for (number, hash) in (1..).zip(&hashes) {
        assert_eq!(seed(number).hash, *hash, "seed {number}");
    }
    assert!(hashes.windows(2).all(|pair| pair[0] != pair[1]));
    for nodes in [2, 3] {
        assert_eq!(shared(1, nodes).hash, shared(1, nodes).hash, "{nodes} nodes");
    }
}

/// Some seeds, none of which may show a violation; each has enough going on to be worth its time.
#[test]
fn seeds_pass() {
    for number in 1..=60 {
        let outcome = seed(number);
        assert_eq!(outcome.violations, [], "seed {number}");
        let Outcome { runs, commands, table, .. } = outcome;
        assert!(runs >= 20, "seed {number} has {runs} runs");
        assert!(commands >= 300, "seed {number} has {commands} commands");
        assert!(table.total() >= 20, "seed {number} has {} faults", table.total());
    }
}

/// The same where several nodes share a database.
#[test]
fn seeds_of_several_nodes_pass() {
    for number in 1..=40 {
        let nodes = if number % 4 == 0 { 2 } else { 3 };
        let outcome = shared(number, nodes);
        assert_eq!(outcome.violations, [], "seed {number} with {nodes} nodes");
        let Outcome { runs, commands, table, .. } = outcome;
        assert!(runs >= 20, "seed {number} has {runs} runs");
        assert!(commands >= 300, "seed {number} has {commands} commands");
        assert!(table.total() >= 20, "seed {number} has {} faults", table.total());
    }
}
