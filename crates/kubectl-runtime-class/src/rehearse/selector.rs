//! Label selectors.
use std::collections::BTreeMap;

use serde::Deserialize;

/// The label with the name of a namespace. The API server sets it.
pub const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// See [LabelSelector](https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/label-selector/).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Selector {
    pub match_labels: BTreeMap<String, String>,
    pub match_expressions: Vec<Requirement>,
}

/// A requirement on a label.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    pub key: String,
    operator: Operator,
    #[serde(default)]
    values: Vec<String>,
}

#[derive(Debug, Deserialize)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

impl Selector {
    /// Whether it selects an object with these labels.
    pub fn selects<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.match_labels.iter().all(|(key, value)| label(key) == Some(value))
            && self.match_expressions.iter().all(|requirement| requirement.is_met_by(label(&requirement.key)))
    }

    /// Leaves a namespace out.
    pub fn leave_out(&mut self, namespace: &str) {
        let key = NAMESPACE_NAME.to_owned();
        let values = vec![namespace.to_owned()];
        self.match_expressions.push(Requirement { key, operator: Operator::NotIn, values });
    }

    /// Whether the answer for a namespace that is not excluded by name depends on other labels.
    pub fn needs_labels_of(&self, namespace: &str) -> bool {
        let (by_name, others): (Vec<_>, Vec<_>) =
            self.match_expressions.iter().partition(|requirement| requirement.key == NAMESPACE_NAME);
        !others.is_empty() && by_name.iter().all(|requirement| requirement.is_met_by(Some(namespace)))
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
