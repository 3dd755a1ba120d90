//! What a route says of itself; the rest of its operation follows from its row in the table of routes.

use std::collections::BTreeMap;

use stepwell_core::code::Code;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Ref, SchemaType, Type};
use utoipa::openapi::{Content, HeaderBuilder, RefOr, Required, Response, ResponseBuilder, Schema};
use utoipa::{IntoParams, ToSchema};

const JSON: &str = "application/json";

/// What a route says of itself: what it does, what it reads, and what it answers.
pub(crate) struct About {
    /// The name of the operation, for code that is made of the document.
    pub(super) id: &'static str,
    /// What it does, in a line.
    pub(super) summary: &'static str,
    /// More of it, in Markdown.
    pub(super) description: Option<&'static str>,
    /// What stands in the query and in headers.
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<RequestBody>,
    /// Answers that are no errors, by status.
    pub(super) answers: BTreeMap<u16, Response>,
    /// The codes of errors beside those that every route may answer with.
    pub(super) codes: Vec<Code>,
    /// The types that are spoken of.
    pub(super) schemas: Vec<(String, RefOr<Schema>)>,
}

impl About {
    /// Says what a route does, in a line, and how code names it.
    pub(crate) fn new(id: &'static str, summary: &'static str) -> Self {
        Self {
            id,
            summary,
            description: None,
            parameters: Vec::new(),
            body: None,
            answers: BTreeMap::new(),
            codes: Vec::new(),
            schemas: Vec::new(),
        }
    }

    /// Says more, in Markdown.
    pub(crate) fn more(mut self, text: &'static str) -> Self {
        self.description = Some(text);
        self
    }

    /// The parameters behind `?`.
    pub(crate) fn query<T: IntoParams>(mut self) -> Self {
        self.parameters.extend(T::into_params(|| Some(ParameterIn::Query)));
        self.parameters.iter_mut().for_each(|one| one.schema = one.schema.take().map(not_null));
        self
    }

    /// Takes parameters away again, for a route that reads the same query without them.
    pub(crate) fn without(mut self, names: &[&str]) -> Self {
        self.parameters.retain(|parameter| !names.contains(&&*parameter.name));
        self
    }

    /// A header that may be left out.
    pub(crate) fn header(mut self, name: &str, what: &str) -> Self {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let header = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Header);
        self.parameters.push(header.description(Some(what)).schema(Some(text)).build());
        self
    }

    /// The body is a JSON object of this type.
    pub(crate) fn body<T: ToSchema>(self) -> Self {
        self.json_body::<T>(Required::True)
    }

    /// The body is a JSON object of this type, or there is none.
    pub(crate) fn optional_body<T: ToSchema>(self) -> Self {
        self.json_body::<T>(Required::False)
    }

    /// The body is a text of another media type.
    pub(crate) fn body_as(mut self, media: &str) -> Self {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let content = ContentBuilder::new().schema(Some(text)).build();
        let body = RequestBodyBuilder::new().content(media, content);
        self.body = Some(body.required(Some(Required::True)).build());
        self.refuses(&[Code::BodyTooLarge, Code::UnsupportedMedia])
    }

    /// An answer in JSON.
    pub(crate) fn answer<T: ToSchema>(mut self, status: u16, what: &str) -> Self {
        let content = Content::new(Some(self.refer::<T>()));
        let response = ResponseBuilder::new().description(what).content(JSON, content).build();
        self.answers.insert(status, response);
        self
    }

    /// An answer of another media type.
    pub(crate) fn answer_as(mut self, status: u16, media: &str, what: &str) -> Self {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let content = ContentBuilder::new().schema(Some(text)).build();
        let response = ResponseBuilder::new().description(what).content(media, content).build();
        self.answers.insert(status, response);
        self
    }

    /// An answer without a body.
    pub(crate) fn empty(mut self, status: u16, what: &str) -> Self {
        self.answers.insert(status, Response::new(what));
        self
    }

    /// A header of the answer with this status, which has been described before.
    pub(crate) fn with_header(mut self, status: u16, name: &str, what: &str) -> Self {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let header = HeaderBuilder::new().schema(Some(text)).description(Some(what)).build();
        if let Some(answer) = self.answers.get_mut(&status) {
            answer.headers.insert(name.to_owned(), RefOr::T(header));
        }
        self
    }

    /// Errors that it answers with, beside those that every route may answer with.
    pub(crate) fn refuses(mut self, codes: &[Code]) -> Self {
        self.codes.extend_from_slice(codes);
        self
    }

    fn json_body<T: ToSchema>(mut self, required: Required) -> Self {
        let content = Content::new(Some(self.refer::<T>()));
        let body = RequestBodyBuilder::new().content(JSON, content).required(Some(required));
        self.body = Some(body.build());
        self.refuses(&[Code::BodyTooLarge, Code::UnsupportedMedia])
    }

    fn refer<T: ToSchema>(&mut self) -> RefOr<Schema> {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
        Ref::from_schema_name(T::name()).into()
    }
}

/// A parameter that may be left out is never null: there is no null in an address.
fn not_null(schema: RefOr<Schema>) -> RefOr<Schema> {
    let is_null = |of: &SchemaType| *of == SchemaType::Type(Type::Null);
    match schema {
        RefOr::T(Schema::Object(mut object)) => {
            if let SchemaType::Array(types) = &object.schema_type
                && let Some(of) = types.iter().find(|of| **of != Type::Null)
            {
                object.schema_type = SchemaType::Type(of.clone());
            }
            RefOr::T(Schema::Object(object))
        }
        RefOr::T(Schema::OneOf(one_of)) => {
            let other = one_of.items.iter().find(|item| match item {
                RefOr::T(Schema::Object(object)) => !is_null(&object.schema_type),
                _ => true,
            });
            other.cloned().unwrap_or(RefOr::T(Schema::OneOf(one_of)))
        }
        other => other,
    }
}
