//! The SDK and the real node, with frames that are late or lost, runners that die or stall, nodes that
//! restart, and a virtual clock.

mod cluster;
mod flows;
mod ledger;

use std::collections::BTreeSet;

use cluster::Cluster;

/// §4.1, §4.2, §4.9, §5.4, §6.1, §7.1: whatever happens, every run ends as it should, no function starts
/// again once its result was given to code, and ends reach the code in the same order on each replay.
#[test]
fn runs_end_as_they_should_whatever_happens() {
    let (mut completed, mut faults) = (0, BTreeSet::new());
    for seed in 1..=150 {
        let mut cluster = Cluster::new(seed);
        cluster.run(8_000);
        cluster.heal();
        cluster.judge();
        let (count, met) = cluster.met();
        completed += count;
        faults.extend(met);
    }
    // What was not met was not shown.
    assert!(completed > 2_000, "only {completed} runs completed");
    let all = ["killed runner", "lost connection", "node restart", "stalled runner"];
    assert_eq!(faults, BTreeSet::from(all));
}

/// The same seed does the same: a failure can be looked at again.
#[test]
fn a_seed_replays() {
    let tell = || {
        let mut cluster = Cluster::new(7);
        cluster.run(1_500);
        cluster.heal();
        cluster.fingerprint()
    };
    assert_eq!(tell(), tell());
}
