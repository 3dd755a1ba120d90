//! Frames that are not of the protocol.

use proptest::collection::vec;
use proptest::prelude::*;
use stepwell_protocol::frame;
use stepwell_protocol::to_node::ToNode;
use stepwell_protocol::to_runner::ToRunner;

fn refusal(frame: &str) -> String {
    match frame::parse::<ToNode<'_>>(frame.as_bytes()) {
        Ok(messages) => panic!("{frame} was read as {messages:?}"),
        Err(error) => error.to_string(),
    }
}

/// What is not known is refused, with its name and its place.
#[test]
fn what_is_not_known_is_refused_with_its_place() {
    let open = r#""open":{"kind":"run","after":0,"agoUs":1}"#;
    let hello = r#"{"protocol":1,"sdk":"s","app":"a","runner":"r","instance":"i","slots":1,"creditBytes":1"#;
    let cases = [
        (String::new(), "EOF"),
        ("{}".into(), "expected a sequence"),
        ("[{\"ping\":{\"k\":1}}".into(), "EOF"),
        ("[{\"ping\":{\"k\":1}}] x".into(), "trailing"),
        ("[{\"event\":{}}]".into(), "unknown variant `event`"),
        ("[{\"ping\":{\"k\":1},\"idle\":{\"a\":1}}]".into(), "line 1 column"),
        ("[{\"ping\":{\"k\":-1}}]".into(), "invalid value: integer `-1`"),
        ("[{\"ping\":{}}]".into(), "missing field `k`"),
        ("[{\"ping\":{\"k\":1,\"at\":2}}]".into(), "unknown field `at`"),
        ("[{\"drain\":{\"now\":true}}]".into(), "unknown field `now`"),
        ("[{\"idle\":{\"a\":4294967296}}]".into(), "invalid value"),
        (format!("[{{\"hello\":{hello},\"workflows\":[],\"cpus\":2}}}}]"), "unknown field `cpus`"),
        (
            format!("[{{\"hello\":{hello},\"workflows\":[{{\"name\":\"w\",\"hooks\":[]}}]}}}}]"),
            "unknown field `hooks`",
        ),
        (format!("[{{\"hello\":{hello}}}}}]"), "missing field `workflows`"),
        (
            format!("[{{\"hello\":{hello},\"workflows\":[],\"resume\":[{{\"run\":\"x\",\"epoch\":1,\"nonce\":1,\"told\":0}}]}}}}]"),
            "`x` is not a run id",
        ),
        (
            format!("[{{\"ended\":{{\"a\":1,\"step\":\"s\",\"n\":1,\"startedAgoUs\":1,\"endedAgoUs\":0,\"compensate\":true,{open}}}}}]"),
            "unknown field `compensate`",
        ),
        (
            "[{\"skip\":{\"a\":1,\"step\":\"s\",\"open\":{\"kind\":\"waitForever\",\"after\":0,\"agoUs\":1}}}]".into(),
            "unknown variant `waitForever`",
        ),
        (
            "[{\"skip\":{\"a\":1,\"step\":\"s\",\"open\":{\"kind\":\"skip\",\"after\":0,\"agoUs\":1,\"x\":0}}}]".into(),
            "unknown field `x`",
        ),
        ("[{\"skip\":{\"a\":1,\"step\":\"s\"}}]".into(), "missing field `open`"),
        ("[{\"log\":{\"a\":1,\"lines\":[{\"agoUs\":1,\"level\":\"info\"}]}}]".into(), "missing field `message`"),
        ("[{\"block\":{\"a\":1,\"cause\":{\"kind\":\"bored\"}}}]".into(), "unknown variant `bored`"),
        ("[{\"finished\":{\"a\":1,\"output\":{]}}]".into(), "line 1 column"),
    ];
    for (frame, why) in cases {
        let error = refusal(&frame);
        assert!(error.contains(why), "{frame}: {error}");
        assert!(error.contains("line ") && error.contains("column "), "{frame}: {error}");
        assert!(error.starts_with("a frame is a JSON array of messages"), "{error}");
    }
}

/// §2.6: what is not JSON is no payload: neither the words of JavaScript nor broken text.
#[test]
fn payloads_are_json() {
    for payload in
        ["NaN", "Infinity", "undefined", "1n", "'a'", "{a:1}", "[1,]", "\"\\x\"", "\"\t\""]
    {
        refusal(&format!("[{{\"finished\":{{\"a\":1,\"output\":{payload}}}}}]"));
    }
}

/// Nesting that no stack would take is refused, not followed.
#[test]
fn deep_nesting_is_refused() {
    let deep = "[".repeat(1_000_000);
    refusal(&deep);
    refusal(&format!("[{{\"finished\":{{\"a\":1,\"output\":{deep}"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..300)) {
        let _ = frame::parse::<ToNode<'_>>(&bytes);
        let _ = frame::parse::<ToRunner<'_>>(&bytes);
    }

    #[test]
    fn damaged_frames_never_panic(changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = include_bytes!("../../fixtures/v1.json").to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for part in bytes.split(|byte| *byte == b'\n') {
            let part = [b"[", part.strip_suffix(b",").unwrap_or(part), b"]"].concat();
            let _ = frame::parse::<ToNode<'_>>(&part);
            let _ = frame::parse::<ToRunner<'_>>(&part);
        }
    }
}
