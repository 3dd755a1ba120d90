//! Messages and answers between members.

use std::sync::Arc;
use std::time::Duration;

use stepwell_core::id::RunId;
use stepwell_core::status::RunStatus;
use stepwell_core::time::Timestamp;

use super::cluster::{ALL, Cluster, Node};
use super::harness::Case;
use crate::batch::Batch;
use crate::inbox::{Message, MessageId, MessageKind};
use crate::shared::{Answer, Share};

pub(super) const CASES: &[Case] = &[
    Case::new("mail_is_for_runs_that_are_not_anothers", filtered),
    Case::new("mail_is_paged_in_the_order_of_the_inbox", paged),
    Case::new("an_answer_is_there_until_it_is_tidied_away", answers),
    Case::new("of_two_answers_the_first_counts", first_answer),
    Case::new("runs_that_ended_or_are_not_stored_are_over", over),
];

fn message(to: RunId, from: u128, kind: MessageKind) -> Arc<Message> {
    let id = MessageId { to, from: RunId::from_u128(from), kind };
    Arc::new(Message { id, body: "{\"n\":1}".into() })
}

fn send(cluster: &mut Cluster<'_>, node: &Node, messages: Vec<Arc<Message>>) {
    let at = cluster.tick();
    node.store.commit(&Batch { at, messages, ..Batch::default() }).unwrap();
}

fn mail(node: &Node) -> Vec<Arc<Message>> {
    node.shared().mail(None, ALL).unwrap()
}

fn filtered(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let (mine, theirs) = (cluster.put(&a, |_| {}), cluster.put(&b, |_| {}));
    let free = cluster.put_free(&a, |_| {});
    let nobody = RunId::from_u128(7);
    let to_nobody = message(nobody, 1, MessageKind::Ask);
    let to_mine = message(mine.id(), 1, MessageKind::Event);
    let to_theirs = message(theirs.id(), 1, MessageKind::Cancel);
    let to_free = message(free.id(), 1, MessageKind::ChildEnded);
    let all = vec![to_nobody.clone(), to_mine.clone(), to_theirs.clone(), to_free.clone()];
    send(cluster, &b, all.clone());
    assert_eq!(mail(&a), [to_nobody.clone(), to_mine, to_free.clone()]);
    assert_eq!(mail(&b), [to_nobody.clone(), to_theirs.clone(), to_free.clone()]);
    assert_eq!(a.store.inbox(None, ALL).unwrap(), all, "the inbox has them all");
    cluster.release(&b, &theirs, None);
    assert_eq!(mail(&a), all);
    assert!(a.has(&free));
    let at = cluster.tick();
    let consumed = vec![to_free.id, to_nobody.id];
    a.store.commit(&Batch { at, consumed, ..Batch::default() }).unwrap();
    assert_eq!(mail(&b), [to_theirs]);
}

fn paged(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let (theirs, mine) = (cluster.put(&b, |_| {}), cluster.put(&a, |_| {}));
    let to = |run, from| message(run, from, MessageKind::Ask);
    let all: Vec<_> =
        (1..8).flat_map(|from| [to(mine.id(), from), to(theirs.id(), from)]).collect();
    send(cluster, &b, all);
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = a.shared().mail(after.as_ref(), 3).unwrap();
        assert!(page.len() <= 3);
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        found.extend(page);
    }
    let expected: Vec<_> = (1..8).map(|from| to(mine.id(), from)).collect();
    assert_eq!(found, expected);
}

fn answer(ask: u128, body: &str) -> Answer {
    Answer { ask: RunId::from_u128(ask), body: body.into() }
}

fn answers(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let asks: Vec<_> = (1..4).map(RunId::from_u128).collect();
    assert_eq!(a.shared().answers(&asks).unwrap(), []);
    let given = vec![answer(1, "{\"ok\":true}"), answer(2, "null"), answer(9, "9")];
    cluster.say(&b, Share { answers: given.clone(), ..Share::default() });
    let first = a.shared().renew().unwrap().now;
    let mut found = a.shared().answers(&asks).unwrap();
    found.sort_by_key(|answer| answer.ask);
    assert_eq!(found, given[..2]);
    cluster.pass(Duration::from_secs(1), &[&a, &b]);
    cluster.say(&b, Share { answers: vec![answer(3, "3")], ..Share::default() });
    let until = first.after(Duration::from_millis(500));
    assert_eq!(a.shared().tidy(until, 2).unwrap(), 2, "at most so many");
    assert_eq!(a.shared().tidy(until, 2).unwrap(), 1);
    assert_eq!(b.shared().tidy(until, 2).unwrap(), 0);
    assert_eq!(a.shared().answers(&asks).unwrap(), [answer(3, "3")], "what is younger stays");
    assert_eq!(a.shared().tidy(Timestamp::MAX, ALL).unwrap(), 1);
}

fn first_answer(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    cluster.say(&a, Share { answers: vec![answer(1, "1")], ..Share::default() });
    cluster.say(&b, Share { answers: vec![answer(1, "2")], ..Share::default() });
    assert_eq!(b.shared().answers(&[RunId::from_u128(1)]).unwrap(), [answer(1, "1")]);
}

fn over(cluster: &mut Cluster<'_>) {
    let (a, b) = (cluster.join("a"), cluster.join("b"));
    let open = cluster.put(&a, |_| {});
    let ended = cluster.put(&a, |run| {
        run.activate().ended(RunStatus::Failed);
    });
    let nobody = RunId::from_u128(7);
    let mut found = b.shared().over(&[open.id(), ended.id(), nobody]).unwrap();
    found.sort();
    assert_eq!(found, [nobody, ended.id()]);
}
