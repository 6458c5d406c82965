//! Label selectors.
use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// The label with the name of a namespace. The API server sets it.
pub const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// See [LabelSelector](https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/label-selector/).
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Selector {
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "crate::null::as_default")]
    pub match_labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::null::as_default")]
    pub match_expressions: Vec<Requirement>,
}

/// A requirement on a label.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    pub key: String,
    pub operator: Operator,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::null::as_default")]
    pub values: Vec<String>,
}

/// How a requirement compares a label with its values.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

impl Selector {
    /// Checks what the API server checks when a webhook is registered with this selector.
    ///
    /// # Errors
    /// An operator that needs values has none, or one that takes none has some.
    pub fn check(&self) -> Result<(), String> {
        let wrong = self.match_expressions.iter().find(|requirement| {
            matches!(requirement.operator, Operator::In | Operator::NotIn) == requirement.values.is_empty()
        });
        wrong.map_or(Ok(()), |Requirement { key, operator, values }| {
            let must = if values.is_empty() { "needs values" } else { "takes no values" };
            Err(format!("matchExpressions: the operator {operator} of '{key}' {must}"))
        })
    }

    /// Whether it selects an object with these labels.
    pub fn selects<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.match_labels.iter().all(|(key, value)| label(key) == Some(value))
            && self.match_expressions.iter().all(|requirement| requirement.is_met_by(label(&requirement.key)))
    }

    /// Selects what both select.
    pub fn and(mut self, other: Self) -> Self {
        let of_labels = other.match_labels.into_iter().map(|(key, value)| Requirement {
            key,
            operator: Operator::In,
            values: vec![value],
        });
        self.match_expressions.extend(of_labels.chain(other.match_expressions));
        self
    }

    /// Leaves namespaces out.
    pub fn leave_out(&mut self, namespaces: &[&str]) {
        let values = namespaces.iter().map(|&namespace| namespace.to_owned()).collect();
        self.match_expressions.push(Requirement { key: NAMESPACE_NAME.to_owned(), operator: Operator::NotIn, values });
    }

    /// Whether the answer for a namespace that is not excluded by name depends on other labels.
    pub fn needs_labels_of(&self, namespace: &str) -> bool {
        let by_name = |key: &str| key == NAMESPACE_NAME;
        let needs_others = self.match_labels.keys().any(|key| !by_name(key))
            || self.match_expressions.iter().any(|requirement| !by_name(&requirement.key));
        let mut named = self.match_expressions.iter().filter(|requirement| by_name(&requirement.key));
        let is_named = self.match_labels.get(NAMESPACE_NAME).is_none_or(|name| name == namespace);
        needs_others && is_named && named.all(|requirement| requirement.is_met_by(Some(namespace)))
    }

    /// The labels that it asks for by their values: keys and the values that it knows.
    pub fn known_values(&self) -> impl Iterator<Item = (&str, &str)> {
        let by_label = self.match_labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let listed = self
            .match_expressions
            .iter()
            .flat_map(|Requirement { key, values, .. }| values.iter().map(move |value| (key.as_str(), value.as_str())));
        by_label.chain(listed)
    }
}

impl Requirement {
    fn is_met_by(&self, label: Option<&str>) -> bool {
        let is_listed = label.is_some_and(|label| self.values.iter().any(|value| value == label));
        match self.operator {
            Operator::In => is_listed,
            Operator::NotIn => !is_listed,
            Operator::Exists => label.is_some(),
            Operator::DoesNotExist => label.is_none(),
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
