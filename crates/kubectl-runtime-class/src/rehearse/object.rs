//! The head of an object: its kind, its name and its owner.
use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use serde::Deserialize;

use super::documents::{Document, without_line};

/// The head of an object.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, expecting = "an object")]
pub struct Header {
    pub api_version: Option<String>,
    pub kind: Option<String>,
    pub metadata: Option<Metadata>,
}

/// See [ObjectMeta](https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    pub name: Option<String>,
    pub generate_name: Option<String>,
    pub namespace: Option<String>,
    pub labels: Option<BTreeMap<String, String>>,
    pub annotations: Option<BTreeMap<String, String>>,
    pub owner_references: Option<Vec<Owner>>,
}

/// The owner of an object.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Owner {
    pub kind: String,
    pub name: String,
    pub controller: Option<bool>,
}

/// An object whose head is read.
pub struct Object {
    pub group: String,
    pub version: String,
    pub kind: String,
    pub metadata: Metadata,
}

impl Object {
    /// Reads the head of an object.
    ///
    /// # Errors
    /// The object has no kind, or its metadata is invalid.
    pub fn of(document: &Document) -> Result<Self> {
        let header = header(document.text.get())?;
        let listed_as = document.listed_as.clone();
        let (api_version, kind) = match (header.api_version, header.kind, listed_as) {
            (api_version, Some(kind), _) => (api_version, kind),
            (_, None, Some(listed_as)) => (Some(listed_as.api_version), listed_as.kind),
            (_, None, None) => return Err(anyhow!("kind: missing field")),
        };
        let api_version = api_version.ok_or_else(|| anyhow!("apiVersion: missing field"))?;
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        let metadata = header.metadata.unwrap_or_default();
        Ok(Self { group: group.to_owned(), version: version.to_owned(), kind, metadata })
    }
}

/// Reads the head. The error names the field.
fn header(text: &str) -> Result<Header> {
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(text)).map_err(|error| {
        let why = without_line(error.inner());
        match error.path().to_string().as_str() {
            "." => anyhow!("{why}"),
            path => anyhow!("{path}: {why}"),
        }
    })
}

impl Object {
    /// Its kind in the form of kubectl: `Service`, `Ingress.networking.k8s.io`.
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
        self.labels.as_ref()?.get(key).map(String::as_str)
    }

    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(key).map(String::as_str)
    }

    /// The controller that owns it.
    pub fn controller(&self) -> Option<&Owner> {
        self.owner_references.iter().flatten().find(|owner| owner.controller == Some(true))
    }
}
