//! Messages between runs: there until they are heard, with the records that say so.

use std::sync::Arc;

use stepwell_core::id::RunId;

use super::Case;
use crate::batch::Batch;
use crate::conformance::world::World;
use crate::inbox::{Message, MessageId, MessageKind};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("an_empty_store_holds_no_message", |world| {
            assert_eq!(world.store().inbox(None, 9).unwrap(), []);
        }),
        Case::new("a_message_comes_back_whole", |world| {
            let text = "{\"text\":\"Grüße 🦀 \\\"q\\\" \\\\ \\u007f \u{2028}\"}";
            say(world, vec![message(1, 2, MessageKind::ChildEnded, text)]);
            world.check_inbox();
        }),
        Case::new("a_message_of_four_megabytes_comes_back_whole", |world| {
            let text = format!("\"{}\"", "payload ".repeat(512 * 1024));
            say(world, vec![message(1, 2, MessageKind::ChildEnded, &text)]);
            world.check_inbox();
        }),
        Case::new("a_message_that_was_heard_is_gone", |world| {
            let kinds = [(1, 2, MessageKind::Cancel), (1, 2, MessageKind::ChildEnded)];
            say(world, kinds.map(|(to, from, kind)| message(to, from, kind, "{}")).into());
            world.settle();
            hear(world, &[message(1, 2, MessageKind::Cancel, "").id]);
            world.check_inbox();
            assert_eq!(world.store().inbox(None, 9).unwrap().len(), 1);
        }),
        Case::new("a_message_that_nobody_sent_can_be_heard", |world| {
            hear(world, &[message(1, 2, MessageKind::Cancel, "").id]);
            world.check_inbox();
        }),
        Case::new("a_message_sent_again_is_there_once_and_gone_once_heard", |world| {
            for _ in 0..2 {
                say(world, vec![message(1, 2, MessageKind::Cancel, "{}")]);
            }
            assert_eq!(world.store().inbox(None, 9).unwrap().len(), 1);
            hear(world, &[message(1, 2, MessageKind::Cancel, "").id]);
            assert_eq!(world.store().inbox(None, 9).unwrap(), []);
        }),
        Case::new("a_message_sent_after_it_was_heard_is_there_again", |world| {
            let one = || message(1, 2, MessageKind::Cancel, "{}");
            say(world, vec![one()]);
            hear(world, &[one().id]);
            say(world, vec![one()]);
            world.settle();
            world.check_inbox();
            assert_eq!(world.store().inbox(None, 9).unwrap().len(), 1);
        }),
        Case::new("messages_are_in_the_order_of_receiver_sender_kind", |world| {
            let mut all = Vec::new();
            for (to, from) in [(3, 1), (1, 3), (2, 2), (1, 2), (2, 1)] {
                for kind in MessageKind::ALL {
                    all.push(message(to, from, kind, "{}"));
                }
            }
            let late = all.split_off(4);
            say(world, all);
            world.settle();
            say(world, late);
            world.check_inbox();
        }),
        Case::new("a_message_is_with_the_records_of_its_commit", |world| {
            let (at, mut run) = (world.tick(), world.start());
            let messages = vec![message(1, 2, MessageKind::ChildEnded, "{}")];
            let heard = messages[0].id;
            world.commit(&Batch { at, runs: vec![run.write()], messages, ..Batch::default() });
            run.activate();
            let (runs, consumed) = (vec![run.write()], vec![heard]);
            world.commit(&Batch { at, runs, consumed, ..Batch::default() });
            world.check();
        }),
    ]
}

fn message(to: u128, from: u128, kind: MessageKind, body: &str) -> Arc<Message> {
    let run = |number: u128| RunId::from_u128(number << 80);
    let id = MessageId { to: run(to), from: run(from), kind };
    Arc::new(Message { id, body: body.into() })
}

fn say(world: &mut World<'_>, messages: Vec<Arc<Message>>) {
    let at = world.tick();
    world.commit(&Batch { at, messages, ..Batch::default() });
}

fn hear(world: &mut World<'_>, heard: &[MessageId]) {
    let at = world.tick();
    world.commit(&Batch { at, consumed: heard.to_vec(), ..Batch::default() });
}
