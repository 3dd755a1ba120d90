//! Requests of the protocol (`ExportTraceServiceRequest`), and what answers say.

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;

use crate::attributes::text;

/// Most spans of one request; receivers take some megabytes.
pub const SPANS_MAX: usize = 512;

/// Writes a request with these spans, in Protocol Buffers; `service` is who they are of.
pub fn request(service: &str, spans: &[Span]) -> Vec<u8> {
    let version = env!("CARGO_PKG_VERSION");
    let attributes = vec![text("service.name", service), text("service.version", version)];
    let resource = Resource { attributes, ..Resource::default() };
    let scope = InstrumentationScope {
        name: "stepwell".to_owned(),
        version: version.to_owned(),
        ..InstrumentationScope::default()
    };
    let spans = ScopeSpans { scope: Some(scope), spans: spans.to_vec(), ..ScopeSpans::default() };
    let of_service = ResourceSpans {
        resource: Some(resource),
        scope_spans: vec![spans],
        ..ResourceSpans::default()
    };
    ExportTraceServiceRequest { resource_spans: vec![of_service] }.encode_to_vec()
}

/// Tells how many spans the answer to a request says were not taken, and why.
pub fn rejected(answer: &[u8]) -> Option<(u64, String)> {
    let partial = ExportTraceServiceResponse::decode(answer).ok()?.partial_success?;
    let spans = u64::try_from(partial.rejected_spans).unwrap_or(0);
    (spans > 0).then_some((spans, partial.error_message))
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTracePartialSuccess;

    use super::*;

    #[test]
    fn an_answer_says_what_was_not_taken() {
        let answer = |rejected_spans| {
            let partial =
                ExportTracePartialSuccess { rejected_spans, error_message: "too old".into() };
            ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec()
        };
        assert_eq!(rejected(&answer(3)), Some((3, "too old".into())));
        // A message without spans is a warning.
        for answer in [answer(0), answer(-1), Vec::new(), b"<html>".to_vec()] {
            assert_eq!(rejected(&answer), None);
        }
    }

    #[test]
    fn a_request_reads_back() {
        let span = Span { name: "charge".into(), ..Span::default() };
        let read =
            ExportTraceServiceRequest::decode(&*request("shop", std::slice::from_ref(&span)))
                .unwrap();
        let of_service = &read.resource_spans[0];
        let service = &of_service.resource.as_ref().unwrap().attributes[0];
        assert_eq!(*service, text("service.name", "shop"));
        assert_eq!(of_service.scope_spans[0].spans, [span]);
    }
}
