//! The values of a JSON text, by their places in it: no text is copied.

use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::Range;

use super::hash::Hash;
use super::number::Number;
use super::text::Text;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Null,
    False,
    True,
    Number,
    String { escaped: bool },
    Array,
    Object,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    shape: Shape,
    start: u32,
    end: u32,
    edges_from: u32,
    edges_to: u32,
    /// Of a scalar: other values have another one, but for a chance of one in 2^64.
    hash: u64,
}

const NONE: Node =
    Node { shape: Shape::Null, start: 0, end: 0, edges_from: 0, edges_to: 0, hash: 0 };

#[derive(Clone, Copy, Debug)]
struct Edge {
    /// Where the key stands, without quotes; of nothing in arrays.
    key_start: u32,
    key_end: u32,
    key_escaped: bool,
    node: u32,
}

/// The values of a text. The text itself is kept beside it.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    root: u32,
}

impl Tree {
    /// Reads a text whose syntax, size (32 bits) and nesting have been checked.
    ///
    /// Of members with the same key the last one counts. Members are kept in the order of their keys,
    /// elements of arrays as a set: scalars in an order of their own and each once, then the others.
    pub(super) fn read(text: &str) -> Self {
        let mut reader = Reader { text, at: 0, nodes: Vec::new(), edges: Vec::new() };
        let root = reader.value();
        Self { nodes: reader.nodes, edges: reader.edges, root }
    }

    /// Returns the whole value.
    pub(super) fn root<'a>(&'a self, text: &'a str) -> Value<'a> {
        Value { text, nodes: &self.nodes, edges: &self.edges, node: self.root }
    }

    /// Returns how many values there are, at any depth.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }
}

/// One value of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'a> {
    text: &'a str,
    nodes: &'a [Node],
    edges: &'a [Edge],
    node: u32,
}

impl<'a> Value<'a> {
    fn node(self) -> Node {
        self.nodes.get(self.node as usize).copied().unwrap_or(NONE)
    }

    fn slice(self, range: Range<u32>) -> &'a str {
        self.text.get(range.start as usize..range.end as usize).unwrap_or("")
    }

    fn edges(self) -> &'a [Edge] {
        let node = self.node();
        self.edges.get(node.edges_from as usize..node.edges_to as usize).unwrap_or(&[])
    }

    fn key(self, edge: &Edge) -> Text<'a> {
        Text { raw: self.slice(edge.key_start..edge.key_end), escaped: edge.key_escaped }
    }

    fn at(self, edge: &Edge) -> Self {
        Self { node: edge.node, ..self }
    }

    pub(super) fn shape(self) -> Shape {
        self.node().shape
    }

    /// Returns the value as it is written.
    pub(super) fn written(self) -> &'a str {
        let node = self.node();
        self.slice(node.start..node.end)
    }

    /// Returns the text of a string.
    pub(super) fn string(self, escaped: bool) -> Text<'a> {
        let written = self.written();
        let inner = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        Text { raw: inner.unwrap_or(written), escaped }
    }

    pub(super) fn number(self) -> Number<'a> {
        Number::read(self.written())
    }

    /// Tells whether it is neither array nor object.
    pub(super) fn is_scalar(self) -> bool {
        is_scalar(self.shape())
    }

    /// Returns how many members or different elements it has.
    pub(super) fn len(self) -> usize {
        self.edges().len()
    }

    /// Returns the members of an object in the order of their keys.
    pub(super) fn members(self) -> impl Iterator<Item = (Text<'a>, Value<'a>)> {
        self.edges().iter().map(move |edge| (self.key(edge), self.at(edge)))
    }

    /// Returns the elements of an array: scalars in order, then the others.
    pub(super) fn elements(self) -> impl Iterator<Item = Value<'a>> {
        self.edges().iter().map(move |edge| self.at(edge))
    }

    /// Returns the elements of an array that are arrays or objects.
    pub(super) fn nested(self) -> impl Iterator<Item = Value<'a>> {
        let edges = self.edges();
        let scalars = edges.partition_point(|edge| self.at(edge).is_scalar());
        edges.iter().skip(scalars).map(move |edge| self.at(edge))
    }

    /// Returns a member of an object.
    pub(super) fn member(self, key: Text<'_>) -> Option<Value<'a>> {
        let edges = self.edges();
        let at = edges.binary_search_by(|edge| self.key(edge).compare(key)).ok()?;
        edges.get(at).map(|edge| self.at(edge))
    }

    /// Tells whether an array has an element that is this scalar.
    pub(super) fn has(self, scalar: Value<'_>) -> bool {
        self.edges().binary_search_by(|edge| self.at(edge).compare(scalar)).is_ok()
    }

    /// Returns the hash of a scalar; 0 for an array and an object.
    pub(super) fn hash(self) -> u64 {
        self.node().hash
    }

    /// Compares scalars in an order that knows the same values. What is not a scalar comes behind.
    pub(super) fn compare(self, other: Value<'_>) -> Ordering {
        let (one, two) = (self.node(), other.node());
        // Nearly always the hashes decide.
        let order = |node: Node| (!is_scalar(node.shape), node.hash, node.shape.rank());
        order(one).cmp(&order(two)).then_with(|| match (one.shape, two.shape) {
            (Shape::String { escaped: one }, Shape::String { escaped: two }) => {
                self.string(one).compare(other.string(two))
            }
            (Shape::Number, Shape::Number) => self.number().compare(other.number()),
            _ => Ordering::Equal,
        })
    }
}

impl Shape {
    /// Returns a number for the kind.
    fn rank(self) -> u8 {
        match self {
            Self::Null => 0,
            Self::False => 1,
            Self::True => 2,
            Self::Number => 3,
            Self::String { .. } => 4,
            Self::Array => 5,
            Self::Object => 6,
        }
    }
}

fn is_scalar(shape: Shape) -> bool {
    match shape {
        Shape::Array | Shape::Object => false,
        Shape::Null | Shape::False | Shape::True | Shape::Number | Shape::String { .. } => true,
    }
}

/// Reads values one after the other. Every step goes on in the text or ends it.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn value(&mut self) -> u32 {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
        let start = self.at;
        let (shape, edges) = match self.peek() {
            Some(b'{') => (Shape::Object, self.children(b'}')),
            Some(b'[') => (Shape::Array, self.children(b']')),
            Some(b'"') => {
                let (.., escaped) = self.string();
                (Shape::String { escaped }, 0..0)
            }
            first => {
                let in_word = |byte: u8| !b",]}:".contains(&byte) && !byte.is_ascii_whitespace();
                self.at += 1;
                while self.peek().is_some_and(in_word) {
                    self.at += 1;
                }
                let shape = match first {
                    Some(b't') => Shape::True,
                    Some(b'f') => Shape::False,
                    Some(b'n') | None => Shape::Null,
                    Some(_) => Shape::Number,
                };
                (shape, 0..0)
            }
        };
        let (start, end) = (short(start), short(self.at));
        let (edges_from, edges_to) = (edges.start, edges.end);
        let mut node = Node { shape, start, end, edges_from, edges_to, hash: 0 };
        let here = Value { text: self.text, nodes: &[node], edges: &[], node: 0 };
        node.hash = match shape {
            Shape::Null => Hash::NULL.finished(),
            Shape::False => Hash::FALSE.finished(),
            Shape::True => Hash::TRUE.finished(),
            Shape::Number => Hash::number(here.number()).finished(),
            Shape::String { escaped } => Hash::string(here.string(escaped)).finished(),
            Shape::Array | Shape::Object => 0,
        };
        self.nodes.push(node);
        short(self.nodes.len() - 1)
    }

    /// Reads a string; gives the place between its quotes and whether it holds escapes.
    fn string(&mut self) -> (u32, u32, bool) {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        while let Some(byte) = self.peek().filter(|byte| *byte != b'"') {
            escaped |= byte == b'\\';
            self.at += if byte == b'\\' { 2 } else { 1 };
        }
        let end = self.at;
        self.at += 1;
        (short(start), short(end), escaped)
    }

    /// Reads an array or an object to its end, and puts its edges in order.
    fn children(&mut self, close: u8) -> Range<u32> {
        self.at += 1;
        let mut edges = Vec::new();
        while let Some(byte) = self.peek() {
            if byte == close {
                break;
            }
            if byte == b',' || byte.is_ascii_whitespace() {
                self.at += 1;
                continue;
            }
            let (mut key_start, mut key_end, mut key_escaped) = (0, 0, false);
            if close == b'}' {
                (key_start, key_end, key_escaped) = self.string();
                while self.peek().is_some_and(|byte| byte == b':' || byte.is_ascii_whitespace()) {
                    self.at += 1;
                }
            }
            let node = self.value();
            edges.push(Edge { key_start, key_end, key_escaped, node });
        }
        self.at += 1;
        self.put_in_order(&mut edges, close == b'}');
        let from = short(self.edges.len());
        self.edges.extend(edges);
        from..short(self.edges.len())
    }

    fn put_in_order(&self, edges: &mut Vec<Edge>, keyed: bool) {
        let (text, nodes, children) = (self.text, &*self.nodes, &*self.edges);
        let any = Value { text, nodes, edges: children, node: 0 };
        let same = |one: &Edge, two: &Edge| {
            if keyed {
                any.key(one).compare(any.key(two))
            } else {
                any.at(one).compare(any.at(two))
            }
        };
        if keyed {
            // The last of members with one key comes first, and is the one that is kept.
            edges.reverse();
        }
        edges.sort_by(same);
        edges.dedup_by(|two, one| {
            (keyed || any.at(one).is_scalar()) && same(one, two) == Ordering::Equal
        });
    }
}

/// Texts are checked to be shorter than 4 GiB before they are read.
fn short(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
