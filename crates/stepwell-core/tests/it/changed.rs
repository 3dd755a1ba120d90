//! What a view says about which of its steps changed since the journal was shorter.

use std::collections::BTreeMap;

use serde_json::Value;
use stepwell_core::id::RunId;
use stepwell_core::record::decode_at;
use stepwell_core::view::View;

type Steps = BTreeMap<u32, Value>;

fn steps(view: &View<'_>, since: u64) -> Steps {
    let changed = view.steps.iter().filter(|step| step.changed_at > since);
    changed.map(|step| (step.position, serde_json::to_value(step).unwrap())).collect()
}

/// Whoever has seen the steps at any earlier record, and is then told of those that changed since, knows all.
pub(crate) fn check(id: RunId, journal: &[u8]) {
    let full = View::of(id, journal).unwrap();
    let all = steps(&full, 0);
    assert_eq!(all.len(), full.steps.len());
    for (end, _) in decode_at(journal).map(Result::unwrap) {
        let before = View::of(id, &journal[..end]).unwrap();
        let mut known = steps(&before, 0);
        known.extend(steps(&full, end as u64));
        assert_eq!(known, all, "since {end} of {}", journal.len());
    }
}
