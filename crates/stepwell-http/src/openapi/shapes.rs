//! The form of values whose types are of other crates: these stand in for them where a type is described.

use std::borrow::Cow;

use stepwell_access::bulk::{Act, State as Stage};
use stepwell_access::{Right, Role};
use stepwell_core::status::{Dialect, Kind, RunStatus, StepStatus};
use stepwell_core::{duration, name, search};
use stepwell_node::Cause;
use stepwell_telemetry::event::Said;
use stepwell_telemetry::keep::Window;
use stepwell_telemetry::status::RunStatus as Observed;
use stepwell_telemetry::view::StepStatus as ObservedStep;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Describes a type under a name.
macro_rules! shape {
    ($($(#[doc = $doc:literal])+ $shape:ident as $name:literal = $schema:expr;)*) => {
        $(
            $(#[doc = $doc])+
            pub(crate) struct $shape;

            impl PartialSchema for $shape {
                fn schema() -> RefOr<Schema> {
                    let text = concat!($($doc),+).trim();
                    let describe: fn(&str) -> RefOr<Schema> = $schema;
                    describe(text)
                }
            }

            impl ToSchema for $shape {
                fn name() -> Cow<'static, str> {
                    Cow::Borrowed($name)
                }
            }
        )*
    };
}

shape! {
    /// The id of a run: `run_` and 32 hexadecimal digits. Ids sort by the time of their start.
    Id as "RunId" = |text| string(text).pattern(Some("^run_[0-9a-fA-F]{32}$")).into();
    /// An instant: ISO 8601 in UTC with microseconds.
    Instant as "Instant" = |text| {
        let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
        string(text).format(Some(format)).into()
    };
    /// An instant in ISO 8601 with a time zone.
    GivenInstant as "GivenInstant" = |text| string(text).into();
    /// A name: 1 to 256 bytes of UTF-8 without control characters.
    Name as "Name" = |text| {
        let name = string(text).min_length(Some(1)).max_length(Some(name::BYTES_MAX));
        name.pattern(Some("^[^\\u0000-\\u001f\\u007f-\\u009f]+$")).into()
    };
    /// Any JSON value.
    Json as "Json" = |text| {
        ObjectBuilder::new().schema_type(SchemaType::AnyValue).description(Some(text)).into()
    };
    /// A whole number; no format, since it may be larger than that of any.
    Whole as "Whole" = |text| {
        let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
        number.description(Some(text)).into()
    };
    /// The name of a namespace.
    NamespaceName as "NamespaceName" = |text| {
        string(text).pattern(Some("^[a-z0-9][a-z0-9._-]{0,63}$")).into()
    };
    /// An `OpenAPI` document.
    Document as "OpenApi" = |text| {
        ObjectBuilder::new().schema_type(Type::Object).description(Some(text)).into()
    };
    /// Where a run stands.
    Status as "RunStatus" = |text| words(text, RunStatus::ALL.map(RunStatus::as_str));
    /// Where a step stands; with `dialect` in a word of that system.
    StepStatusWord as "StepStatus" = |text| {
        words(text, spoken(&StepStatus::ALL.map(StepStatus::as_str), &StepStatus::ALL))
    };
    /// A system whose words for steps are known.
    DialectWord as "Dialect" = |text| words(text, Dialect::ALL.map(Dialect::as_str));
    /// What a step is made by.
    KindWord as "StepKind" = |text| words(text, Kind::ALL.map(Kind::as_str));
    /// Why a run is not moving.
    CauseWord as "Cause" = |text| words(text, Cause::ALL.map(Cause::as_str));
    /// What is done to each of many runs.
    ActWord as "BulkAct" = |text| words(text, Act::ALL.map(Act::as_str));
    /// How far an act on many runs is.
    StageWord as "BulkState" = |text| words(text, Stage::ALL.map(Stage::as_str));
    /// What a key may be used for in its namespace.
    RoleWord as "Role" = |text| words(text, Role::ALL.map(Role::as_str));
    /// What a request needs.
    RightWord as "Right" = |text| words(text, Right::ALL.map(Right::as_str));
    /// A stable code; `docs/errors` has a page for each.
    CodeWord as "Code" = |text| string(text).pattern(Some("^SW[0-9]{4}$")).into();
    /// A duration.
    DurationText as "Duration" = |text| string(&accepted(text)).examples(["1h30m"]).into();
    /// A duration: a text, or milliseconds.
    Span as "Span" = |text| {
        let span = OneOfBuilder::new().description(Some(accepted(text)));
        let number = ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0));
        span.item(string("")).item(number).into()
    };
    /// The slug of a flow, the name of an observed run, or the key of a step: 1 to 200 characters, none of them a
    /// control character.
    Slug as "Slug" = |text| {
        let name = string(text).min_length(Some(1)).max_length(Some(200));
        name.pattern(Some("^[^\\u0000-\\u001f\\u007f-\\u009f]+$")).into()
    };
    /// The slug of a flow.
    FlowWord as "FlowSlug" = |text| string(text).into();
    /// An id that a client makes.
    EventId as "ClientId" = |text| string(text).pattern(Some("^[A-Za-z0-9_.:-]{1,64}$")).into();
    /// What an event of a step says.
    EventWord as "StepEvent" = |text| words(text, Said::ALL.map(Said::as_str));
    /// An instant: milliseconds since 1970 with fractions, or ISO 8601 with a time zone.
    GivenTime as "GivenTime" = |text| {
        let at = OneOfBuilder::new().description(Some(text));
        at.item(ObjectBuilder::new().schema_type(Type::Number)).item(string("")).into()
    };
    /// How far back statistics look.
    WindowWord as "Window" = |text| words(text, Window::ALL.map(Window::as_str));
    /// Which runs a list has.
    RunKind as "RunKind" = |text| words(text, ["durable", "observed", "all"]);
    /// Where an observed run stands.
    ObservedStatus as "ObservedStatus" = |text| words(text, Observed::ALL.map(Observed::as_str));
    /// Where a step of an observed run stands; with `dialect` in a word of that system.
    ObservedStepStatus as "ObservedStepStatus" = |text| {
        words(text, spoken(&ObservedStep::ALL.map(ObservedStep::as_str), &[StepStatus::Running, StepStatus::Completed, StepStatus::Failed, StepStatus::Skipped]))
    };
    /// Where a call of a step stands; with `dialect` in a word of that system.
    AttemptWord as "ObservedAttemptStatus" = |text| {
        words(text, spoken(&["running", "success", "error"], &[StepStatus::Running, StepStatus::Completed, StepStatus::Failed]))
    };
    /// The value of a search attribute; a text has at most 256 bytes.
    Attribute as "Attribute" = |text| {
        let of = |of| ObjectBuilder::new().schema_type(of);
        let value = OneOfBuilder::new().description(Some(text)).item(of(Type::Boolean));
        let text = of(Type::String).max_length(Some(search::VALUE_BYTES_MAX));
        value.item(of(Type::Number)).item(text).into()
    };
}

fn accepted(text: &str) -> String {
    format!("{text} Accepted: {}.", duration::ACCEPTED)
}

fn string(text: &str) -> ObjectBuilder {
    let description = Some(text).filter(|text| !text.is_empty());
    ObjectBuilder::new().schema_type(Type::String).description(description)
}

/// Puts behind words the others that systems have for these statuses.
fn spoken(words: &[&'static str], statuses: &[StepStatus]) -> Vec<&'static str> {
    let mut known = words.to_vec();
    for status in statuses {
        for word in Dialect::ALL.map(|dialect| dialect.says(*status)) {
            if !known.contains(&word) {
                known.push(word);
            }
        }
    }
    known
}

fn words(text: &str, words: impl IntoIterator<Item = &'static str>) -> RefOr<Schema> {
    string(text).enum_values(Some(words)).into()
}

/// An error of user code.
#[derive(ToSchema)]
#[schema(as = Failure)]
#[expect(dead_code, reason = "it stands for a type of the core, and is never made")]
pub(crate) struct Failed {
    /// The error's name.
    name: String,
    /// What went wrong.
    message: String,
    /// Where in the code, if the language tells.
    #[schema(nullable = false)]
    stack: Option<String>,
    /// The error behind this one.
    #[schema(required = false)]
    cause: Json,
    /// The run that it is about, where it is a child's.
    #[schema(value_type = Id, required = false)]
    run: Id,
}

/// An error, cut for lists.
#[derive(ToSchema)]
#[schema(as = ErrorLine)]
#[expect(dead_code, reason = "it stands for a type of the core, and is never made")]
pub(crate) struct ErrorText {
    /// The error's name.
    name: String,
    /// What went wrong.
    message: String,
}
