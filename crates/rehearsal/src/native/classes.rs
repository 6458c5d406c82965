//! The RuntimeClasses that are baked into native policies.
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Classes, cel};

/// A [RuntimeClass](https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/runtime-class-v1/).
#[derive(Clone, Debug, Deserialize)]
pub struct Class {
    metadata: Metadata,
    handler: String,
    #[serde(default, deserialize_with = "crate::null::as_default")]
    scheduling: Scheduling,
}

#[derive(Clone, Debug, Deserialize)]
struct Metadata {
    name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Scheduling {
    #[serde(deserialize_with = "crate::null::as_default")]
    node_selector: BTreeMap<String, String>,
    #[serde(deserialize_with = "crate::null::as_default")]
    tolerations: Vec<Toleration>,
}

/// A [toleration](https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Toleration {
    key: Option<String>,
    operator: Option<String>,
    value: Option<String>,
    effect: Option<String>,
    toleration_seconds: Option<i64>,
}

impl Class {
    /// Reads a RuntimeClass.
    ///
    /// # Errors
    /// It is none; the error says why.
    pub fn of(object: &Value) -> Result<Self, String> {
        let kind = object["kind"].as_str();
        if kind != Some("RuntimeClass") {
            return Err(format!("expected a RuntimeClass, got {}", kind.unwrap_or("an object without a kind")));
        }
        Self::deserialize(object).map_err(|error| {
            let name = object["metadata"]["name"].as_str().unwrap_or("without a name");
            format!("RuntimeClass {name}: {error}")
        })
    }

    pub(super) fn handler(&self) -> String {
        cel::string(&self.handler)
    }

    /// Its nodeSelector, if it has one.
    pub(super) fn node_selector(&self) -> Option<String> {
        let pairs = &self.scheduling.node_selector;
        let pairs = pairs.iter().map(|(key, value)| format!("{}: {}", cel::string(key), cel::string(value)));
        Some(format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))).filter(|pairs| pairs != "{}")
    }

    /// What its tolerations mean, if it has some.
    pub(super) fn tolerations(&self) -> Option<String> {
        let tolerations = &self.scheduling.tolerations;
        (!tolerations.is_empty()).then(|| cel::list(tolerations.iter().map(Toleration::meaning)))
    }
}

impl Toleration {
    /// The values of its fields, of those that are left out as well.
    fn meaning(&self) -> String {
        let Self { key, operator, value, effect, toleration_seconds } = self;
        let seconds = toleration_seconds.map(|seconds| seconds.to_string());
        let fields = [(key, ""), (operator, "Equal"), (value, ""), (effect, ""), (&seconds, "")];
        cel::list(fields.into_iter().map(|(field, default)| cel::string(field.as_deref().unwrap_or(default))))
    }
}

/// The same of the toleration `toleration`, in CEL. The API server takes no list of values whose types differ, or are not
/// known.
pub(super) const MEANING: &str = r#"[
  has(toleration.key) ? string(toleration.key) : "",
  has(toleration.operator) ? string(toleration.operator) : "Equal",
  has(toleration.value) ? string(toleration.value) : "",
  has(toleration.effect) ? string(toleration.effect) : "",
  has(toleration.tolerationSeconds) ? string(toleration.tolerationSeconds) : ""
]"#;

/// The classes that are baked in, by their names.
pub(super) fn by_name(classes: &Classes) -> BTreeMap<&str, &Class> {
    match classes {
        Classes::Live => BTreeMap::new(),
        Classes::Baked(classes) => classes.iter().map(|class| (class.metadata.name.as_str(), class)).collect(),
    }
}
