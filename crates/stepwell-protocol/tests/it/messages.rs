//! Every message, as it stands in the fixture of the wire format.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stepwell_protocol::frame::{self, Writer};
use stepwell_protocol::to_node::ToNode;
use stepwell_protocol::to_runner::ToRunner;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fixture<'a> {
    protocol: u32,
    #[serde(borrow)]
    to_node: Vec<&'a RawValue>,
    #[serde(borrow)]
    to_runner: Vec<&'a RawValue>,
}

const V1: &str = include_str!("../../fixtures/v1.json");

fn fixture() -> Fixture<'static> {
    let fixture: Fixture<'_> = serde_json::from_str(V1).unwrap();
    assert_eq!(fixture.protocol, 1);
    fixture
}

/// Reads each message alone and writes it again: not a byte differs.
fn round_trip<'a, M: Deserialize<'a> + Serialize>(messages: &[&'a RawValue]) -> Vec<M> {
    let read = messages.iter().map(|text| {
        let message: M =
            serde_json::from_str(text.get()).unwrap_or_else(|e| panic!("{}: {e}", text.get()));
        assert_eq!(serde_json::to_string(&message).unwrap(), text.get());
        message
    });
    read.collect()
}

/// Version 1 is what the fixture holds, to the byte: it is read for ever.
#[test]
fn messages_to_nodes_keep_their_form() {
    let messages: Vec<ToNode<'_>> = round_trip(&fixture().to_node);
    let names: BTreeSet<&str> = messages.iter().map(name_to_node).collect();
    assert_eq!(names.len(), 23, "{names:?}");
}

#[test]
fn messages_to_runners_keep_their_form() {
    let messages: Vec<ToRunner<'_>> = round_trip(&fixture().to_runner);
    let names: BTreeSet<&str> = messages.iter().map(name_to_runner).collect();
    assert_eq!(names.len(), 17, "{names:?}");
}

/// A new message has to come to the fixture: this does not compile without its name.
fn name_to_node(message: &ToNode<'_>) -> &'static str {
    match message {
        ToNode::Hello(_) => "hello",
        ToNode::Ping { .. } => "ping",
        ToNode::Credit { .. } => "credit",
        ToNode::Drain {} => "drain",
        ToNode::Started(_) => "started",
        ToNode::Ended(_) => "ended",
        ToNode::Sleep(_) => "sleep",
        ToNode::Skip(_) => "skip",
        ToNode::Dropped(_) => "dropped",
        ToNode::Log(_) => "log",
        ToNode::Order(_) => "order",
        ToNode::Block(_) => "block",
        ToNode::Idle { .. } => "idle",
        ToNode::Busy { .. } => "busy",
        ToNode::Released { .. } => "released",
        ToNode::Finished(_) => "finished",
        ToNode::Verified(_) => "verified",
        ToNode::Race(_) => "race",
        ToNode::Raced(_) => "raced",
        ToNode::Invoke(_) => "invoke",
        ToNode::Wait(_) => "wait",
        ToNode::Emit(_) => "emit",
        ToNode::Search(_) => "search",
    }
}

fn name_to_runner(message: &ToRunner<'_>) -> &'static str {
    match message {
        ToRunner::Welcome(_) => "welcome",
        ToRunner::Refused(_) => "refused",
        ToRunner::Pong { .. } => "pong",
        ToRunner::Credit { .. } => "credit",
        ToRunner::Draining {} => "draining",
        ToRunner::Activate(_) => "activate",
        ToRunner::History(_) => "history",
        ToRunner::Resumed(_) => "resumed",
        ToRunner::Gone { .. } => "gone",
        ToRunner::Settled(_) => "settled",
        ToRunner::Retry(_) => "retry",
        ToRunner::End { .. } => "end",
        ToRunner::Pause { .. } => "pause",
        ToRunner::Unpause { .. } => "unpause",
        ToRunner::Evict { .. } => "evict",
        ToRunner::Done { .. } => "done",
        ToRunner::Begin(_) => "begin",
    }
}

/// A frame of all messages is read as it was written.
#[test]
fn frames_hold_any_messages() {
    let fixture = fixture();
    let mut writer = Writer::default();
    assert_eq!((writer.take(), writer.is_empty()), (None, true));
    for message in round_trip::<ToNode<'_>>(&fixture.to_node) {
        writer.push(&message);
    }
    let len = writer.len();
    let bytes = writer.take().unwrap();
    assert_eq!((bytes.len(), writer.is_empty(), writer.len()), (len + 1, true, 0));
    let texts: Vec<&str> = fixture.to_node.iter().map(|text| text.get()).collect();
    assert_eq!(String::from_utf8(bytes.clone()).unwrap(), format!("[{}]", texts.join(",")));
    let messages: Vec<ToNode<'_>> = frame::parse(&bytes).unwrap();
    assert_eq!(messages.len(), texts.len());
}

/// §2.6: `null` is a value, and absent is none.
#[test]
fn null_is_told_from_no_value() {
    let ended = |output: &str| {
        let text = format!(
            r#"{{"ended":{{"a":1,"step":"s","n":1,"startedAgoUs":1,"endedAgoUs":0{output}}}}}"#
        );
        let ToNode::Ended(ended) = serde_json::from_str(&text).unwrap() else { panic!("{text}") };
        ended.output.map(|output| output.get().to_owned())
    };
    assert_eq!(ended(r#","output":null"#).as_deref(), Some("null"));
    assert_eq!(ended(""), None);
    // A payload passes as it is spelt.
    assert_eq!(
        ended(r#","output": { "b":1,"a" : [ 1e3 ] }"#).unwrap(),
        r#"{ "b":1,"a" : [ 1e3 ] }"#
    );
}

/// Frames are closed before the message that does not fit any more, and lose none.
#[test]
fn a_frame_is_bounded_unless_one_message_is_larger() {
    let message = |k: u64| ToNode::Ping { k };
    let one = serde_json::to_string(&message(1)).unwrap().len();
    let mut frames = Vec::new();
    let mut writer = Writer::default();
    for k in 1..=9 {
        frames.extend(writer.push_within(&message(k), 2 * one + 3));
    }
    frames.extend(writer.take());
    let sizes: Vec<usize> = frames.iter().map(Vec::len).collect();
    assert_eq!(sizes, [2 * one + 3, 2 * one + 3, 2 * one + 3, 2 * one + 3, one + 2]);
    let all = frames.iter().flat_map(|bytes| frame::parse::<ToNode<'_>>(bytes).unwrap());
    let numbers = all.map(|message| match message {
        ToNode::Ping { k } => k,
        other => panic!("{other:?}"),
    });
    assert_eq!(numbers.collect::<Vec<u64>>(), (1..=9).collect::<Vec<u64>>());
    let mut writer = Writer::default();
    assert_eq!(writer.push_within(&message(1), 5), None, "a message alone is never refused");
    assert_eq!(writer.len(), one + 1);
}
