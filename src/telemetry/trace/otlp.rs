//! Spans as OTLP over HTTP carries them in JSON. <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>

use serde_json::{Value, json};

use super::span::{Attribute, Span};

/// Name and value of each attribute of the process.
pub(super) type Resource = Vec<(String, String)>;

/// The body of an export request.
pub(super) fn body(resource: &Resource, version: &str, spans: &[Span]) -> Vec<u8> {
    let resource: Vec<Value> =
        resource.iter().map(|(key, value)| json!({"key": key, "value": {"stringValue": value}})).collect();
    let request = json!({"resourceSpans": [{
        "resource": {"attributes": resource},
        "scopeSpans": [{
            "scope": {"name": "phasor", "version": version},
            "spans": spans.iter().map(span).collect::<Vec<_>>(),
        }],
    }]});
    request.to_string().into_bytes()
}

/// Ids in hexadecimal, 64-bit numbers as texts, names of fields in camel case: so says the specification.
fn span(span: &Span) -> Value {
    // Bit 0: sampled, or it would not be here. Bits 8 and 9: whether it is known where the parent is, and that it is remote.
    let flags = 1 | 1 << 8 | u32::from(span.remote_parent) << 9;
    let mut told = json!({
        "traceId": span.trace.to_string(),
        "spanId": span.id.to_string(),
        "flags": flags,
        "name": span.name,
        "kind": span.kind as u8,
        "startTimeUnixNano": span.begun.to_string(),
        "endTimeUnixNano": span.ended.max(span.begun).to_string(),
        "attributes": span.attributes.iter().map(|(key, value)| attribute(key, value)).collect::<Vec<_>>(),
    });
    if let Some(parent) = span.parent {
        told["parentSpanId"] = parent.to_string().into();
    }
    if !span.state.is_empty() {
        told["traceState"] = span.state.as_str().into();
    }
    if let Some(reason) = &span.failed {
        told["status"] = json!({"code": 2, "message": reason});
    }
    told
}

fn attribute(key: &str, value: &Attribute) -> Value {
    let value = match value {
        Attribute::Text(text) => json!({"stringValue": text}),
        Attribute::Number(number) => json!({"intValue": number.to_string()}),
        Attribute::Flag(flag) => json!({"boolValue": flag}),
    };
    json!({"key": key, "value": value})
}

/// How many spans a collector that took the request did not take.
pub(super) fn rejected(answer: &[u8]) -> u64 {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let rejected = &answer["partialSuccess"]["rejectedSpans"];
    rejected.as_u64().or_else(|| rejected.as_str()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::ids::{SpanId, TraceId};
    use super::super::span::SpanKind;
    use super::*;

    #[test]
    fn a_span_looks_as_the_specification_writes_it() {
        let span = Span {
            trace: TraceId([0x5b; 16]),
            id: SpanId([0xee; 8]),
            parent: Some(SpanId([1; 8])),
            remote_parent: true,
            state: "a=1".to_owned(),
            name: "GET /resize".to_owned(),
            kind: SpanKind::Server,
            begun: 1_544_712_660_000_000_000,
            ended: 1_544_712_661_000_000_000,
            attributes: vec![("http.response.status_code", 200_u64.into()), ("phasor.fell_back", false.into())],
            failed: Some("why".to_owned()),
        };
        let body = body(&vec![("service.name".to_owned(), "phasor".to_owned())], "1.2.3", &[span]);
        let told: Value = serde_json::from_slice(&body).unwrap();
        let expected = json!({"resourceSpans": [{
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "phasor"}}]},
            "scopeSpans": [{
                "scope": {"name": "phasor", "version": "1.2.3"},
                "spans": [{
                    "traceId": "5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b",
                    "spanId": "eeeeeeeeeeeeeeee",
                    "flags": 0x301,
                    "name": "GET /resize",
                    "kind": 2,
                    "startTimeUnixNano": "1544712660000000000",
                    "endTimeUnixNano": "1544712661000000000",
                    "attributes": [
                        {"key": "http.response.status_code", "value": {"intValue": "200"}},
                        {"key": "phasor.fell_back", "value": {"boolValue": false}},
                    ],
                    "parentSpanId": "0101010101010101",
                    "traceState": "a=1",
                    "status": {"code": 2, "message": "why"},
                }],
            }],
        }]});
        assert_eq!(told, expected);
    }

    #[test]
    fn partial_success_is_understood() {
        assert_eq!(rejected(br#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"x"}}"#), 3);
        assert_eq!(rejected(br#"{"partialSuccess":{"rejectedSpans":2}}"#), 2);
        assert_eq!((rejected(b"{}"), rejected(b"")), (0, 0));
    }
}
