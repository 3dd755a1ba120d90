//! Workflows and runners that members tell each other of.

use std::sync::Arc;

use super::cluster::{Cluster, Node};
use super::harness::Case;
use crate::batch::{Batch, Workflow};
use crate::shared::{Presence, Share};

pub(super) const CASES: &[Case] = &[
    Case::new("workflows_are_told_by_the_version_of_their_list", registered),
    Case::new("runners_are_listed_with_the_members_they_are_connected_to", listed),
    Case::new("a_runner_that_connected_elsewhere_is_told_of", moved),
];

fn register(cluster: &mut Cluster<'_>, node: &Node, name: &str, options: &str) -> Workflow {
    let at = cluster.tick();
    let workflow = Workflow {
        namespace: "default".into(),
        app: "shop".into(),
        name: name.into(),
        options: options.into(),
        first_at: at,
        changed_at: at,
    };
    let workflows = vec![workflow.clone()];
    node.store.commit(&Batch { at, workflows, ..Batch::default() }).unwrap();
    workflow
}

fn registered(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let since = |node: &Node, version| {
        let (version, mut found) = node.shared().registered(version).unwrap();
        found.sort();
        (version, found)
    };
    let (empty, found) = since(&b, 0);
    assert_eq!(found, []);
    let first = register(cluster, &a, "checkout", "{}");
    let (one, found) = since(&b, empty);
    assert!(one > empty);
    assert_eq!(found, [first]);
    assert_eq!(since(&b, one), (one, vec![]));
    cluster.put(&a, |_| {});
    assert_eq!(since(&b, one).1, [], "other batches change no workflow");
    let second = register(cluster, &b, "refund", "{}");
    let (two, found) = since(&a, one);
    assert_eq!(found, std::slice::from_ref(&second));
    let again = register(cluster, &b, "checkout", "{\"n\":1}");
    assert_eq!(since(&a, two).1, std::slice::from_ref(&again));
    let mut both = vec![again, second];
    both.sort();
    assert_eq!(since(&a, 0).1, both, "as they are now");
    assert_eq!(since(&b, one).1, both);
}

fn presence(cluster: &mut Cluster<'_>, name: &str, instance: &str) -> Presence {
    Presence {
        namespace: "default".into(),
        app: "shop".into(),
        name: name.into(),
        instance: instance.into(),
        since: cluster.tick(),
        body: "{\"slots\":4}".into(),
    }
}

fn listed(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let (ids, nobody) =
        ((a.shared().lease().member, b.shared().lease().member), Vec::<Arc<str>>::new());
    assert_eq!(a.shared().runners().unwrap(), []);
    let (one, two) = (presence(cluster, "w", "i-2"), presence(cluster, "w", "i-1"));
    let three = presence(cluster, "v", "i-9");
    assert_eq!(a.shared().meet(&[one.clone(), three.clone()]).unwrap(), nobody);
    assert_eq!(b.shared().meet(std::slice::from_ref(&two)).unwrap(), nobody);
    let all = [(ids.0, three.clone()), (ids.1, two.clone()), (ids.0, one)];
    assert_eq!(a.shared().runners().unwrap(), all);
    assert_eq!(b.shared().runners().unwrap(), all);
    a.shared().meet(std::slice::from_ref(&three)).unwrap();
    assert_eq!(b.shared().runners().unwrap(), [(ids.0, three), (ids.1, two.clone())], "in place");
    cluster.lapse(&a, &[&b]);
    assert_eq!(b.shared().runners().unwrap(), [(ids.1, two)], "nobody is connected to who is gone");
}

fn moved(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let nobody = Vec::<Arc<str>>::new();
    let (before, stays) = (presence(cluster, "w", "i-1"), presence(cluster, "w", "i-2"));
    let after = presence(cluster, "w", "i-1");
    assert_eq!(a.shared().meet(&[before.clone(), stays.clone()]).unwrap(), nobody);
    assert_eq!(b.shared().meet(std::slice::from_ref(&after)).unwrap(), nobody);
    assert_eq!(a.shared().meet(&[before, stays.clone()]).unwrap(), ["i-1".into()]);
    assert_eq!(a.shared().meet(&[stays]).unwrap(), nobody);
    let back = presence(cluster, "w", "i-1");
    assert_eq!(a.shared().meet(&[back]).unwrap(), nobody);
    assert_eq!(b.shared().meet(&[after]).unwrap(), ["i-1".into()]);
    cluster.say(&a, Share::default());
}
