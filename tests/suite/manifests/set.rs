//! The objects of one rendered overlay, and how rules look at them.

use std::path::Path;

use serde_json::Value;

use super::yaml;

/// The objects of one rendered overlay.
pub(super) struct Set {
    documents: Vec<Value>,
}

impl Set {
    /// Takes a rendered file apart.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Ok(Self { documents: yaml::documents(text)? })
    }

    pub(super) fn all(&self) -> &[Value] {
        &self.documents
    }

    pub(super) fn of_kind<'a>(&'a self, kind: &str) -> impl Iterator<Item = &'a Value> {
        self.documents.iter().filter(move |document| document["kind"] == kind)
    }

    /// The object of this kind and name.
    pub(super) fn get(&self, kind: &str, name: &str) -> Option<&Value> {
        self.of_kind(kind).find(|document| document["metadata"]["name"] == name)
    }

    /// The Deployments that a label selector finds the pods of.
    pub(super) fn selected(&self, selector: &Value) -> Vec<&Value> {
        self.of_kind("Deployment").filter(|deployment| selects(selector, labels(deployment))).collect()
    }

    /// All variables of a Deployment's container, those of its ConfigMaps too; the text where it is known.
    pub(super) fn variables<'a>(&'a self, deployment: &'a Value) -> Vec<(&'a str, Option<&'a str>)> {
        let container = container(deployment);
        let maps =
            list(&container["envFrom"]).filter_map(|from| self.get("ConfigMap", text(from, "/configMapRef/name")));
        let mapped = maps.filter_map(|map| map["data"].as_object()).flatten();
        let mapped = mapped.map(|(name, value)| (name.as_str(), value.as_str()));
        mapped.chain(list(&container["env"]).map(|entry| (text(entry, "/name"), entry["value"].as_str()))).collect()
    }
}

/// `Kind/name`.
pub(super) fn called(document: &Value) -> String {
    format!("{}/{}", text(document, "/kind"), text(document, "/metadata/name"))
}

/// The labels of a Deployment's pods.
pub(super) fn labels(deployment: &Value) -> &Value {
    &deployment["spec"]["template"]["metadata"]["labels"]
}

/// The spec of a Deployment's pods.
pub(super) fn pod(deployment: &Value) -> &Value {
    &deployment["spec"]["template"]["spec"]
}

/// The one container.
pub(super) fn container(deployment: &Value) -> &Value {
    &pod(deployment)["containers"][0]
}

pub(super) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Whether labels have all that a selector asks for; a selector that asks for nothing finds nothing.
pub(super) fn selects(selector: &Value, labels: &Value) -> bool {
    selector
        .as_object()
        .is_some_and(|fields| !fields.is_empty() && fields.iter().all(|(name, value)| labels[name] == *value))
}

/// A file of the repository.
pub(super) fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A rendered overlay.
pub(super) fn rendered(name: &str) -> String {
    read(&format!("k8s/rendered/{name}.yaml"))
}
