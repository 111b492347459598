//! The JSON of `/pipeline`: its shape is a matter of parameters, what it asks for one of the plan.

use serde_json::{Map, Value};

use super::endpoint::Endpoint;
use super::error::PlanError;
use super::goquote::quote;
use super::params::{ParamFault, Params};
use super::table::PARAMS;

/// Most operations of a pipeline.
pub const MAX_OPERATIONS: usize = 10;
/// Most bytes of the JSON.
pub const MAX_JSON_BYTES: usize = 64 << 10;
/// Deepest nesting of the JSON; three levels are of use.
const MAX_JSON_DEPTH: usize = 8;

/// One operation as written: its name and parameters are not checked yet.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Operation {
    /// Name, perhaps of no operation.
    pub name: String,
    /// Whether the pipeline goes on without this operation when it fails.
    pub ignore_failure: bool,
    /// Parameters by name.
    pub params: Map<String, Value>,
}

/// One operation, typed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TypedOperation {
    pub(super) endpoint: Endpoint,
    pub(super) ignore_failure: bool,
    pub(super) params: Params,
}

/// Reads the list. Fewer than two bytes are an empty list; what follows the first JSON value is passed over.
///
/// # Errors
/// What is wrong, in one line: not JSON, a wrong shape, an unknown field, too long or too deep.
pub(super) fn parse(text: &str) -> Result<Vec<Operation>, String> {
    if text.len() < 2 {
        return Ok(Vec::new());
    }
    if text.len() > MAX_JSON_BYTES {
        return Err(format!("json: more than {MAX_JSON_BYTES} bytes"));
    }
    let list = match serde_json::Deserializer::from_str(text).into_iter::<Value>().next() {
        None => return Err("unexpected EOF".to_owned()),
        Some(value) => value.map_err(|e| format!("json: {e}"))?,
    };
    if depth(&list) > MAX_JSON_DEPTH {
        return Err(format!("json: nested deeper than {MAX_JSON_DEPTH}"));
    }
    match list {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => items.into_iter().map(operation).collect(),
        _ => Err("json: operations must be a list".to_owned()),
    }
}

fn operation(item: Value) -> Result<Operation, String> {
    let mut operation = Operation::default();
    let fields = match item {
        Value::Null => return Ok(operation),
        Value::Object(fields) => fields,
        _ => return Err("json: an operation must be an object".to_owned()),
    };
    for (name, value) in fields {
        // As in Go, field names match in any case and null leaves a field alone.
        match (name.to_ascii_lowercase().as_str(), value) {
            ("operation" | "ignore_failure" | "params", Value::Null) => {}
            ("operation", Value::String(text)) => operation.name = text,
            ("ignore_failure", Value::Bool(on)) => operation.ignore_failure = on,
            ("params", Value::Object(params)) => operation.params = params,
            ("operation" | "ignore_failure" | "params", _) => {
                return Err(format!("json: wrong kind of value for {}", quote(name.as_bytes())));
            }
            _ => return Err(format!("json: unknown field {}", quote(name.as_bytes()))),
        }
    }
    Ok(operation)
}

/// Levels of lists and objects. The parser has refused anything beyond its own limit (128), so this cannot exhaust the
/// stack.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Checks the number of operations, then every name and every parameter, before anything is planned.
pub(super) fn check(operations: &[Operation]) -> Result<Vec<TypedOperation>, PlanError> {
    if operations.is_empty() {
        return Err(PlanError::NoOperations);
    }
    if operations.len() > MAX_OPERATIONS {
        return Err(PlanError::TooManyOperations);
    }
    operations.iter().map(typed).collect()
}

fn typed(operation: &Operation) -> Result<TypedOperation, PlanError> {
    let endpoint = Endpoint::from_operation_name(&operation.name)
        .ok_or_else(|| PlanError::UnknownOperation(operation.name.clone()))?;
    let mut params = Params::default();
    for (name, value) in &operation.params {
        let Some(spec) = PARAMS.iter().find(|spec| spec.name == name) else { continue };
        spec.kind
            .read_json(&mut params, value)
            .map_err(|reason| PlanError::OperationParam(ParamFault { name: spec.name, value: shown(value), reason }))?;
    }
    Ok(TypedOperation { endpoint, ignore_failure: operation.ignore_failure, params })
}

/// A value as the reference's message shows it: strings quoted, other kinds as Go's `%!q(…)`.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quote(text.as_bytes()),
        Value::Null => "%!q(<nil>)".to_owned(),
        Value::Bool(on) => format!("%!q(bool={on})"),
        Value::Number(n) => format!("%!q(float64={n})"),
        other => quote(other.to_string().as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_that_are_lists_of_operations() {
        for empty in ["", "x", "null", "[]", "[] trailing"] {
            assert_eq!(parse(empty), Ok(Vec::new()), "{empty}");
        }
        let list = parse(r#"[{"operation":"crop","params":null},{"Ignore_Failure":true,"params":{"width":3}},null]"#);
        let list = list.unwrap();
        assert_eq!(list.len(), 3);
        assert_eq!((list[0].name.as_str(), list[0].ignore_failure, list[0].params.len()), ("crop", false, 0));
        assert_eq!((list[1].name.as_str(), list[1].ignore_failure, list[1].params.len()), ("", true, 1));
        assert_eq!(list[2], Operation::default());
    }

    #[test]
    fn wrong_shapes_are_refused() {
        for bad in [
            "{}",
            "  ",
            "\"abc\"",
            "[1]",
            "[[]]",
            "[{\"operation\":1}]",
            "[{\"ignore_failure\":\"x\"}]",
            "[{\"params\":[]}]",
            "[{\"operation\":\"crop\",\"extra\":1}]",
            "[{\"operation\":\"crop\"",
            "[{\"params\":{\"width\":1e400}}]",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
        let deep = format!("[{{\"params\":{{\"x\":{}1{}}}}}]", "[".repeat(6), "]".repeat(6));
        assert!(parse(&deep).unwrap_err().contains("deeper"));
        assert!(parse(&format!("[{{\"operation\":\"{}\"}}]", "x".repeat(MAX_JSON_BYTES))).is_err());
    }

    #[test]
    fn names_and_parameters_of_all_operations_are_checked() {
        let message = |json: &str| check(&parse(json).unwrap()).unwrap_err().to_string();
        let prefix = "Error while processing the image: ";
        assert_eq!(message("[{}]"), format!("{prefix}Unsupported operation name: "));
        assert_eq!(
            message(r#"[{"operation":"flip","ignore_failure":true},{"operation":"Crop","ignore_failure":true}]"#),
            format!("{prefix}Unsupported operation name: Crop")
        );
        assert_eq!(
            message(r#"[{"operation":"resize","params":{"width":"abc"}}]"#),
            format!(
                "{prefix}error while processing parameter \"width\" with value \"abc\", error: strconv.ParseFloat: parsing \"abc\": invalid syntax"
            )
        );
        assert_eq!(
            message(r#"[{"operation":"resize","params":{"width":null}}]"#),
            format!(
                "{prefix}error while processing parameter \"width\" with value %!q(<nil>), error: unsupported value"
            )
        );
        assert_eq!(message("[]"), format!("{prefix}Missing or invalid pipeline operations JSON"));
        let eleven = [r#"{"operation":"flip"}"#; 11].join(",");
        assert_eq!(message(&format!("[{eleven}]")), format!("{prefix}Maximum allowed pipeline operations exceeded"));
        assert!(check(&parse(r#"[{"operation":"resize","params":{"unknown":[],"type":"bogus"}}]"#).unwrap()).is_ok());
    }
}
