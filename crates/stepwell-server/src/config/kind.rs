//! What settings take, and their values.

use std::fmt;
use std::time::Duration;

use stepwell_core::duration;
use stepwell_driver::KeepRule;

use super::database;
use super::otlp::{self, Endpoint, NAME_CHARS_MAX, SecretText};
use super::rules;
use super::values::{Bytes, Span};

/// What a setting takes. Ranges include both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An address and a port.
    Address,
    /// A file or a folder.
    Path,
    /// One of some words.
    Choice,
    /// `true` or `false`.
    Flag,
    /// What is logged.
    Filter,
    /// The address of a receiver of traces.
    Url,
    /// The address of a database.
    Database,
    /// Headers of requests to it.
    Headers,
    /// The name of a service.
    Name,
    /// A whole number.
    Count {
        /// The least.
        min: u32,
        /// The most.
        max: u32,
    },
    /// A number of bytes.
    Size {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// A duration.
    Span {
        /// The least.
        min: Duration,
        /// The most.
        max: Duration,
    },
    /// Tables of `retention_rule`.
    Rules,
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// An address, a path, a word, a filter.
    Text(String),
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Count(u32),
    /// Bytes.
    Size(u64),
    /// A duration.
    Span(Duration),
    /// Tables of `retention_rule`.
    Rules(Vec<KeepRule>),
}

impl Kind {
    /// Tells whether a value is in the range.
    pub(super) fn holds(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Count { min, max }, Value::Count(found)) => (min..=max).contains(&found),
            (Self::Size { min, max }, Value::Size(found)) => (min..=max).contains(&found),
            (Self::Span { min, max }, Value::Span(found)) => (min..=max).contains(&found),
            (Self::Url, Value::Text(text)) => Endpoint::parse(text).is_some(),
            (Self::Database, Value::Text(text)) => database::is_address(text),
            (Self::Headers, Value::Text(text)) => {
                text.parse().is_ok_and(|text: SecretText| text.headers().is_some())
            }
            (Self::Name, Value::Text(text)) => {
                (1..=NAME_CHARS_MAX).contains(&text.chars().count())
                    && !text.contains(char::is_control)
            }
            _ => true,
        }
    }

    /// Says the range; empty where there is none.
    pub fn range(&self) -> String {
        match self {
            Self::Count { min, max } => format!("{min} to {max}"),
            Self::Size { min, max } => format!("{} to {}", Bytes(*min), Bytes(*max)),
            Self::Span { min, max } => format!("{} to {}", Span(*min), Span(*max)),
            Self::Address
            | Self::Path
            | Self::Choice
            | Self::Flag
            | Self::Filter
            | Self::Url
            | Self::Database
            | Self::Headers
            | Self::Name
            | Self::Rules => String::new(),
        }
    }

    /// Names the type, for tables.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Path => "path",
            Self::Choice => "word",
            Self::Flag => "true or false",
            Self::Filter => "filter",
            Self::Url | Self::Database => "URL",
            Self::Headers => "headers",
            Self::Name => "name",
            Self::Count { .. } => "number",
            Self::Size { .. } => "size",
            Self::Span { .. } => "duration",
            Self::Rules => "tables",
        }
    }

    /// Says what is accepted, of one that is not a choice.
    pub(super) fn accepted(&self) -> String {
        match self {
            Self::Address => "a text with an IP address or `localhost`, a colon and a port".into(),
            Self::Path => "a text with a path".into(),
            Self::Choice => "one of its words".into(),
            Self::Flag => "true or false".into(),
            Self::Filter => {
                "a text: error, warn, info, debug, or targets such as stepwell_server=debug".into()
            }
            Self::Url => format!("a text: {}", otlp::ENDPOINT),
            Self::Database => format!("a text: {}", database::ADDRESS),
            Self::Headers => format!("a text: {}", otlp::HEADERS),
            Self::Name => {
                format!("a text of 1 to {NAME_CHARS_MAX} characters that are no control characters")
            }
            Self::Count { .. } => format!("a whole number, {}", self.range()),
            Self::Size { .. } => {
                format!("{}, in bytes or as a text with KiB, MiB or GiB", self.range())
            }
            Self::Span { .. } => format!("{}: {}", self.range(), duration::ACCEPTED),
            Self::Rules => "tables `[[retention_rule]]`".into(),
        }
    }
}

impl Value {
    /// Returns it as a text of TOML; of rules, their tables.
    pub(super) fn to_toml(&self) -> String {
        match self {
            Self::Text(_) | Self::Size(_) | Self::Span(_) => {
                toml::Value::String(self.to_string()).to_string()
            }
            Self::Flag(_) | Self::Count(_) | Self::Rules(_) => self.to_string(),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Flag(flag) => flag.fmt(f),
            Self::Count(count) => count.fmt(f),
            Self::Size(bytes) => Bytes(*bytes).fmt(f),
            Self::Span(span) => Span(*span).fmt(f),
            Self::Rules(rules) => f.write_str(&rules::to_toml(rules)),
        }
    }
}
