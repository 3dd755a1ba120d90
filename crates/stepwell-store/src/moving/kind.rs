//! Kinds of things, and the columns of their rows.

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A text.
    Text,
    /// An integer; of instants microseconds since 1970 in UTC.
    Number,
    /// An integer of few values.
    Small,
    /// Yes or no.
    Flag,
    /// A number with a fraction.
    Real,
    /// Bytes.
    Bytes,
    /// The id of a run.
    Run,
    /// Ids of runs in their order, 16 bytes each.
    Runs,
    /// The kind of a message between runs, as its word.
    Word,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, in every store.
    pub name: &'static str,
    /// What it holds.
    pub of: Type,
}

/// What is stored, in the order in which it is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Workflows that were registered.
    Workflows,
    /// Journals of runs, each whole.
    Journals,
    /// Rows of runs, which follow from their journals.
    Runs,
    /// Search attributes, which follow from journals.
    Attributes,
    /// Parked waits, which follow from journals.
    Waits,
    /// Which run each idempotency key finds; it follows from the rows of runs.
    Keys,
    /// Events, with whether they were routed and are kept whole.
    Events,
    /// What events did.
    Did,
    /// What runs told each other and was not heard yet. Asks are left behind: they are of a node's life, and
    /// were acknowledged to nobody.
    Messages,
    /// Namespaces.
    Namespaces,
    /// API keys, as hashes.
    ApiKeys,
    /// The audit log.
    Audit,
    /// Acts on many runs.
    Bulks,
    /// The runs of such acts that have not ended.
    BulkRuns,
    /// Single facts: engine time, what is void of a past that was lost, under what API keys are hashed, how far
    /// traces were exported.
    Facts,
}

const fn text(name: &'static str) -> Column {
    Column { name, of: Type::Text }
}

const fn number(name: &'static str) -> Column {
    Column { name, of: Type::Number }
}

const fn run(name: &'static str) -> Column {
    Column { name, of: Type::Run }
}

const fn flag(name: &'static str) -> Column {
    Column { name, of: Type::Flag }
}

const fn bytes(name: &'static str) -> Column {
    Column { name, of: Type::Bytes }
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::Workflows,
        Self::Journals,
        Self::Runs,
        Self::Attributes,
        Self::Waits,
        Self::Keys,
        Self::Events,
        Self::Did,
        Self::Messages,
        Self::Namespaces,
        Self::ApiKeys,
        Self::Audit,
        Self::Bulks,
        Self::BulkRuns,
        Self::Facts,
    ];

    /// Returns the words that people read.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Workflows => "workflows",
            Self::Journals => "journals",
            Self::Runs => "runs",
            Self::Attributes => "attributes",
            Self::Waits => "waits",
            Self::Keys => "idempotency keys",
            Self::Events => "events",
            Self::Did => "what events did",
            Self::Messages => "messages",
            Self::Namespaces => "namespaces",
            Self::ApiKeys => "API keys",
            Self::Audit => "audit log",
            Self::Bulks => "bulk acts",
            Self::BulkRuns => "runs of bulk acts",
            Self::Facts => "facts",
        }
    }

    /// Tells whether rows follow from others, and are written with these.
    pub const fn is_derived(self) -> bool {
        matches!(self, Self::Runs | Self::Attributes | Self::Waits | Self::Keys)
    }

    /// Tells whether it belongs to what operators own, and not to runs.
    pub const fn is_ledger(self) -> bool {
        matches!(
            self,
            Self::Namespaces | Self::ApiKeys | Self::Audit | Self::Bulks | Self::BulkRuns
        )
    }

    /// Returns how many of the first columns say where a row stands: rows are in their order, and no two have
    /// the same.
    pub const fn places(self) -> usize {
        match self {
            Self::Journals
            | Self::Runs
            | Self::Namespaces
            | Self::ApiKeys
            | Self::Audit
            | Self::Bulks
            | Self::Facts => 1,
            Self::Attributes | Self::Events | Self::BulkRuns => 2,
            Self::Workflows | Self::Messages => 3,
            Self::Keys | Self::Did => 4,
            Self::Waits => 5,
        }
    }

    /// Returns the columns of its rows.
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::Workflows => WORKFLOWS,
            Self::Journals => const { &[run("run"), bytes("journal")] },
            Self::Runs => RUNS,
            Self::Attributes => ATTRIBUTES,
            Self::Waits => WAITS,
            Self::Keys => {
                const { &[text("namespace"), text("key"), text("app"), text("workflow"), run("run")] }
            }
            Self::Events => EVENTS,
            Self::Did => const { &[text("namespace"), text("event"), run("run"), text("step")] },
            Self::Messages => {
                const {
                    &[
                        run("recipient"),
                        run("sender"),
                        Column { name: "kind", of: Type::Word },
                        text("body"),
                    ]
                }
            }
            Self::Namespaces => {
                const { &[text("name"), number("created_at"), text("created_by"), number("closed_at")] }
            }
            Self::ApiKeys => API_KEYS,
            Self::Audit => AUDIT,
            Self::Bulks => {
                const {
                    &[
                        number("n"),
                        text("id"),
                        text("namespace"),
                        text("key"),
                        number("ended_at"),
                        text("body"),
                    ]
                }
            }
            Self::BulkRuns => {
                const { &[text("bulk"), number("portion"), Column { name: "runs", of: Type::Runs }] }
            }
            Self::Facts => const { &[text("name"), number("number"), bytes("bytes")] },
        }
    }
}

const RUNS: &[Column] = &[
    run("id"),
    run("parent"),
    number("created_at"),
    number("started_at"),
    number("ended_at"),
    number("ready_at"),
    number("timer_at"),
    flag("active"),
    text("status"),
    text("namespace"),
    text("app"),
    text("workflow"),
    text("key"),
    text("version"),
    text("blocked"),
    text("error"),
    number("steps"),
    number("steps_ended"),
    number("steps_failed"),
    number("journal_bytes"),
];

const EVENTS: &[Column] = &[
    text("namespace"),
    text("id"),
    text("name"),
    number("accepted_at"),
    text("data"),
    text("offer"),
    text("app"),
    text("workflow"),
    run("run"),
    text("key"),
    flag("routed"),
    flag("kept"),
];

const API_KEYS: &[Column] = &[
    number("n"),
    text("id"),
    text("name"),
    text("namespace"),
    text("role"),
    bytes("hash"),
    number("generation"),
    bytes("previous_hash"),
    number("previous_until"),
    number("created_at"),
    text("created_by"),
    number("expires_at"),
    number("revoked_at"),
    number("last_used_at"),
];

const AUDIT: &[Column] = &[
    number("n"),
    bytes("hash"),
    number("at"),
    text("namespace"),
    text("key"),
    text("key_name"),
    text("address"),
    text("act"),
    text("object"),
    text("reason"),
    text("outcome"),
    number("of_n"),
];

const WORKFLOWS: &[Column] = &[
    text("namespace"),
    text("app"),
    text("name"),
    text("options"),
    number("first_at"),
    number("changed_at"),
];

const ATTRIBUTES: &[Column] = &[
    run("run"),
    text("name"),
    text("namespace"),
    Column { name: "kind", of: Type::Small },
    Column { name: "number", of: Type::Real },
    text("text"),
];

const WAITS: &[Column] = &[
    text("namespace"),
    text("event"),
    number("leaf"),
    run("run"),
    text("step"),
    text("app"),
    text("wanted"),
    number("since"),
];
