//! The document, made of the table of routes and of what each route says of itself.

use std::collections::BTreeMap;

use serde_json::json;
use stepwell_access::Right;
use stepwell_core::code::Code;
use utoipa::PartialSchema;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{
    HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::schema::{ComponentsBuilder, ObjectBuilder, Ref, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    Content, Header, HeaderBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Paths,
    PathsBuilder, RefOr, Required, Response, ResponseBuilder, Schema, Tag,
};

use super::about::About;
use super::shapes::{Id, Name, Slug};
use crate::api::{Route, routes};
use crate::{problem, request_id};

/// Errors that any route may answer with.
const ANY: [Code; 9] = [
    Code::BadRequest,
    Code::Forbidden,
    Code::TooManyRequests,
    Code::Internal,
    Code::StoreFailed,
    Code::LogCorrupt,
    Code::Unavailable,
    Code::InDoubt,
    Code::DiskFull,
];

/// What the parts of the API are called: the first word of an address below `/api/v1`, and what stands behind it.
const TAGS: [(&str, &str); 15] = [
    ("runs", "Starting, finding and changing runs."),
    ("bulk", "Acts on all runs that a filter names."),
    ("events", "Sending events, and what they did."),
    ("telemetry", "Events of observed runs, from code that is not durable."),
    ("flows", "Observed runs, and what is declared of their flows."),
    ("workflows", "What runners have registered."),
    ("runners", "Who runs it."),
    ("stream", "What changes, as it does."),
    ("worker", "The connection of runners."),
    ("access", "Who a caller is, and the session of a browser."),
    ("keys", "API keys."),
    ("namespaces", "Namespaces."),
    ("audit", "The audit log."),
    ("backups", "Copies of the store."),
    ("server", "The server as a whole."),
];

/// Returns the document of everything that the server answers, pages of the console aside.
pub fn document() -> OpenApi {
    let mut paths = PathsBuilder::new().build();
    let mut schemas: BTreeMap<String, RefOr<Schema>> = BTreeMap::new();
    schemas.insert("Problem".into(), problem::Document::schema());
    let mut told = Vec::new();
    <problem::Document<'_> as utoipa::ToSchema>::schemas(&mut told);
    for route in routes() {
        let mut about = (route.about)();
        told.append(&mut about.schemas);
        add(&mut paths, &route, about);
    }
    schemas.extend(told);
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .header("RequestId", request_id())
        .security_scheme("key", key())
        .security_scheme("session", session())
        .build();
    let license = LicenseBuilder::new().name("MIT OR Apache-2.0");
    let license = license.identifier(Some("MIT OR Apache-2.0")).build();
    let info = InfoBuilder::new()
        .title("Stepwell")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "The HTTP API of a Stepwell server. Each operation says in `x-right` which right its \
             caller needs, and each error in `x-codes` with which stable codes it comes. A request may \
             name itself in the header `X-Request-Id`.",
        ))
        .license(Some(license));
    let tag = |(name, what): (&str, &str)| {
        let mut tag = Tag::new(name);
        tag.description = Some(what.into());
        tag
    };
    OpenApiBuilder::new()
        .info(info.build())
        .paths(paths)
        .components(Some(components))
        .tags(Some(TAGS.map(tag)))
        .build()
}

fn add(paths: &mut Paths, route: &Route, about: About) {
    let About { id, summary, description, parameters, body, answers, codes, .. } = about;
    let parts = route.path.split('/').filter_map(|part| part.strip_prefix('{'));
    let parts = parts.map(|part| part.trim_end_matches('}')).map(part);
    let right = json!(route.right.as_str());
    let mut operation = OperationBuilder::new()
        .operation_id(Some(id))
        .summary(Some(summary))
        .description(description)
        .tag(tag(route.path))
        .parameters(Some(parts.chain(parameters)))
        .request_body(body)
        .extensions(Some(ExtensionsBuilder::new().add("x-right", right).build()));
    for (status, mut answer) in answers.into_iter().chain(errors(route.right, &codes)) {
        let id = Ref::new("#/components/headers/RequestId");
        answer.headers.insert("X-Request-Id".to_owned(), RefOr::Ref(id));
        operation = operation.response(status.to_string(), answer);
    }
    if route.right != Right::Public {
        for scheme in ["key", "session"] {
            let none: [&str; 0] = [];
            operation = operation.security(SecurityRequirement::new(scheme, none));
        }
    }
    paths.add_path_operation(route.path, vec![method(route.method)], operation.build());
}

fn method(name: &str) -> HttpMethod {
    match name {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

/// Returns the part of the API that an address belongs to.
fn tag(path: &str) -> &'static str {
    let word = path.strip_prefix("/api/v1/").and_then(|rest| rest.split('/').next());
    match word {
        Some("me" | "session") => "access",
        Some(word) => TAGS.iter().find(|(tag, _)| *tag == word).map_or("server", |(tag, _)| tag),
        None => "server",
    }
}

/// Describes what stands in an address in place of `{…}`.
fn part(name: &str) -> Parameter {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let (what, schema) = match name {
        "run" => ("The id of the run.", Id::schema()),
        "bulk" => ("The id of an act on many runs.", text().into()),
        "event" => ("The id of the event.", text().into()),
        "key" => ("The id of the key.", text().pattern(Some("^[a-z2-7]{10}$")).into()),
        "flow" => ("The slug of the flow.", Slug::schema()),
        "observed" => ("What its client calls the observed run.", Slug::schema()),
        "namespace" => ("The name of the namespace.", Name::schema()),
        _ => ("", text().into()),
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(what))
        .schema(Some(schema))
        .build()
}

/// Describes errors, by status.
fn errors(right: Right, codes: &[Code]) -> BTreeMap<u16, Response> {
    let mut all: Vec<Code> = ANY.into_iter().chain(codes.iter().copied()).collect();
    if right != Right::Public {
        all.push(Code::Unauthenticated);
    }
    if !matches!(right, Right::Public | Right::Any) {
        all.push(Code::NotPermitted);
    }
    all.sort_unstable();
    all.dedup();
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in all {
        by_status.entry(code.http_status()).or_default().push(code);
    }
    by_status.into_iter().map(|(status, codes)| (status, refusal(status, &codes))).collect()
}

fn refusal(status: u16, codes: &[Code]) -> Response {
    let titles: Vec<_> = codes.iter().map(|code| format!("{code}: {}.", code.title())).collect();
    let words: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
    let content = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
    let mut response = ResponseBuilder::new()
        .description(titles.join(" "))
        .content("application/problem+json", content)
        .extensions(Some(ExtensionsBuilder::new().add("x-codes", json!(words)).build()));
    if matches!(status, 429 | 503 | 507) {
        let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
        let header = HeaderBuilder::new().schema(Some(seconds));
        let what = "After how many seconds to try again.";
        response = response.header("Retry-After", header.description(Some(what)).build());
    }
    response.build()
}

/// Describes the header that each answer has.
fn request_id() -> Header {
    let form = ObjectBuilder::new().schema_type(Type::String).pattern(Some(request_id::PATTERN));
    let what = "The id of the request: its own where that has this form, else one that the server made. \
                Lines of the server's log on the request have it too.";
    HeaderBuilder::new().schema(Some(form)).description(Some(what)).build()
}

fn key() -> SecurityScheme {
    let what = "An API key, `sw_…`; `stepwell keys create` makes one. Where the server has \
                `access = \"loopback\"` none is needed.";
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(what));
    SecurityScheme::Http(scheme.build())
}

fn session() -> SecurityScheme {
    let what = "The session of a browser, which `POST /api/v1/session` gives; under TLS its name \
                is `__Host-stepwell_session`.";
    SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description("stepwell_session", what)))
}
