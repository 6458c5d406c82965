//! The parts of an object that the rehearsal itself reads.
use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;
use serde_json::Value;

/// The group, version and kind of an object, and its metadata.
#[derive(Clone, Debug, Default)]
pub struct Header {
    pub group: String,
    pub version: String,
    pub kind: String,
    pub metadata: Arc<Metadata>,
}

/// See [ObjectMeta](https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, expecting = "an object")]
pub struct Metadata {
    pub name: Option<String>,
    pub generate_name: Option<String>,
    pub namespace: Option<String>,
    #[serde(deserialize_with = "crate::null::as_default")]
    pub labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "crate::null::as_default")]
    pub annotations: BTreeMap<String, String>,
    #[serde(deserialize_with = "crate::null::as_default")]
    pub owner_references: Vec<Owner>,
}

/// The owner of an object.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Owner {
    pub api_version: String,
    pub kind: String,
    pub name: String,
    pub controller: Option<bool>,
}

/// The workload that a row of the report names.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Workload {
    pub kind: String,
    pub name: String,
}

impl Header {
    /// Reads the head of an object.
    ///
    /// # Errors
    /// A field of it has a type that the API server refuses. The error begins with its path.
    pub fn of(object: &Value) -> Result<Self, String> {
        let text = |key: &str| match &object[key] {
            Value::String(text) => Ok(text.as_str()),
            Value::Null => Err(format!("{key}: missing field")),
            other => Err(format!("{key}: expected a string, got {other}")),
        };
        let (kind, api_version) = (text("kind")?, text("apiVersion")?);
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let metadata = match &object["metadata"] {
            Value::Null => Metadata::default(),
            metadata => serde_path_to_error::deserialize(metadata)
                .map_err(|error| format!("metadata.{}: {}", error.path(), error.inner()))?,
        };
        Ok(Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            metadata: Arc::new(metadata),
        })
    }

    /// The kind in the form of kubectl: `Service`, `Ingress.networking.k8s.io`.
    pub fn kind_and_group(&self) -> String {
        if self.group.is_empty() { self.kind.clone() } else { format!("{}.{}", self.kind, self.group) }
    }
}

impl Metadata {
    /// Its name, or its `generateName`, which ends in `-`.
    pub fn name(&self) -> &str {
        self.name.as_deref().or(self.generate_name.as_deref()).unwrap_or_default()
    }

    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.get(key).map(String::as_str)
    }

    /// The controller that owns it.
    pub fn controller(&self) -> Option<&Owner> {
        self.owner_references.iter().find(|owner| owner.controller == Some(true))
    }
}

impl Owner {
    /// The group of its kind.
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }
}

impl From<&Owner> for Workload {
    fn from(owner: &Owner) -> Self {
        Self { kind: owner.kind.clone(), name: owner.name.clone() }
    }
}
