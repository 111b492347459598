//! The JSON of `/pipeline`.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::endpoint::Endpoint;
use super::params::{Fault, Params, set};
use super::resolve::PlanError;

/// One operation as written.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Operation {
    /// Name; case counts.
    #[serde(rename = "operation")]
    pub name: String,
    /// A failure leaves the picture as it was.
    pub ignore_failure: bool,
    /// Parameters by name.
    pub params: Option<Map<String, Value>>,
}

/// Most operations of a pipeline.
pub(super) const MOST: usize = 10;
/// Longest JSON text that is read.
const LONGEST: usize = 64 << 10;

/// Reads the list; fewer than two bytes, and `null`, are an empty one.
pub(super) fn read(text: &str) -> Result<Vec<Operation>, String> {
    if text.len() < 2 {
        return Ok(Vec::new());
    }
    if text.len() > LONGEST {
        return Err(format!("longer than {LONGEST} bytes"));
    }
    let list: Option<Vec<Option<Operation>>> = serde_json::from_str(text).map_err(|e| e.to_string())?;
    Ok(list.unwrap_or_default().into_iter().map(Option::unwrap_or_default).collect())
}

/// Checks names and parameters of all operations.
pub(super) fn check(operations: &[Operation]) -> Result<Vec<(Endpoint, Params, bool)>, PlanError> {
    if operations.is_empty() {
        return Err(PlanError::Failed("Missing or invalid pipeline operations JSON".into()));
    }
    if operations.len() > MOST {
        return Err(PlanError::Failed("Maximum allowed pipeline operations exceeded".into()));
    }
    operations
        .iter()
        .map(|operation| {
            let endpoint = Endpoint::from_operation(&operation.name)
                .ok_or_else(|| PlanError::Failed(format!("Unsupported operation name: {}", operation.name)))?;
            let mut params = Params::default();
            for (name, value) in operation.params.iter().flatten() {
                assign(&mut params, name, value).map_err(|fault| PlanError::Failed(fault.to_string()))?;
            }
            Ok((endpoint, params, operation.ignore_failure))
        })
        .collect()
}

/// Sets one parameter from JSON. Numbers keep their sign; unknown names are ignored.
fn assign(params: &mut Params, name: &str, value: &Value) -> Result<(), Fault> {
    if !super::PARAMS.iter().any(|p| p.name == name) || name == "operations" {
        return Ok(());
    }
    let unsupported = || Fault::new(name, &value.to_string(), "unsupported value");
    match value {
        Value::String(text) => set(params, name, text),
        Value::Number(number) => {
            let number = number.as_f64().ok_or_else(unsupported)?;
            if let Some(slot) = params.integer_mut(name) {
                *slot = number.trunc().max(-f64::from(u32::MAX)).min(f64::from(u32::MAX)) as i64;
            } else if let Some(slot) = params.float_mut(name) {
                *slot = number;
            } else {
                return Err(unsupported());
            }
            Ok(())
        }
        Value::Bool(on) => {
            if name == "nocrop" {
                params.nocrop = Some(*on);
            } else if let Some(slot) = params.boolean_mut(name) {
                *slot = *on;
            } else {
                return Err(unsupported());
            }
            Ok(())
        }
        Value::Null | Value::Array(_) | Value::Object(_) => Err(unsupported()),
    }
}
