//! The manifest of a policy: its settings, and the requests that it selects.
use std::{fs, path::Path};

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    conditions::{Condition, Conditions, NotEvaluated},
    selector::{NAMESPACE_NAME, Selector},
    workload::Kind,
};

/// The requests that a policy selects. The default is all.
#[derive(Default)]
pub struct Scope {
    pub name: Option<String>,
    pub settings: Value,
    /// None: all.
    rules: Option<Vec<Rule>>,
    pub namespaces: Selector,
    pub objects: Selector,
    pub conditions: Option<Conditions>,
    pub not_evaluated: Vec<NotEvaluated>,
    /// Whether a request is rejected if its match conditions fail.
    pub fails_closed: bool,
    pub may_read_classes: bool,
    /// The name that policy-server gives to the policy, if it may not mutate.
    pub validating: Option<String>,
    pub notes: Vec<String>,
}

#[derive(Deserialize)]
struct Manifest {
    kind: String,
    metadata: Metadata,
    spec: Spec,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    namespace: Option<String>,
}

/// See the [CRDs](https://docs.kubewarden.io/reference/CRDs). Fields that do not matter here are left out.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default = "no_settings")]
    settings: Value,
    rules: Vec<Rule>,
    mutating: bool,
    mode: Option<String>,
    failure_policy: Option<String>,
    match_policy: Option<String>,
    #[serde(default)]
    match_conditions: Vec<Condition>,
    #[serde(default)]
    namespace_selector: Selector,
    #[serde(default)]
    object_selector: Selector,
    #[serde(default)]
    context_aware_resources: Vec<Resource>,
    #[serde(default, alias = "allowInsideKubewardenNamespace")]
    allow_inside_admission_controller_namespace: bool,
}

/// See [RuleWithOperations](https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-rules).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    api_groups: Vec<String>,
    api_versions: Vec<String>,
    resources: Vec<String>,
    operations: Vec<String>,
    scope: Option<String>,
    #[serde(skip)]
    any_version: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    api_version: String,
    kind: String,
}

fn no_settings() -> Value {
    json!({})
}

impl Scope {
    /// Selects all requests, with these settings.
    pub fn everything(settings: Value) -> Self {
        Self { settings, may_read_classes: true, ..Self::default() }
    }

    /// Reads the manifest of a ClusterAdmissionPolicy or an AdmissionPolicy.
    ///
    /// # Errors
    /// The file has no policy, or several, or the policy does not match the CRD.
    pub fn read(path: &Path) -> Result<Self> {
        let name = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
        Self::parse(&text).with_context(|| format!("cannot use {name} as a policy"))
    }

    fn parse(text: &str) -> Result<Self> {
        let documents = serde_yaml_ng::Deserializer::from_str(text).map(Value::deserialize);
        let documents: Vec<Value> = documents.collect::<Result<_, _>>()?;
        let is_policy = |document: &&Value| {
            document["apiVersion"].as_str().is_some_and(|version| version.starts_with("policies.kubewarden.io/"))
                && matches!(document["kind"].as_str(), Some("ClusterAdmissionPolicy" | "AdmissionPolicy"))
        };
        let policies: Vec<&Value> = documents.iter().filter(is_policy).collect();
        match policies.as_slice() {
            [policy] => {
                let manifest = Manifest::deserialize(*policy).map_err(|error| anyhow!("{error}"))?;
                Ok(Self::of(manifest))
            }
            [] => bail!("it has no ClusterAdmissionPolicy and no AdmissionPolicy"),
            several => bail!("it has {} policies, and a rehearsal is of one", several.len()),
        }
    }

    fn of(Manifest { kind, metadata, spec }: Manifest) -> Self {
        let notes = spec.notes();
        let mut namespaces = spec.namespace_selector;
        // Kubewarden's controller copies only the expressions.
        namespaces.match_labels.clear();
        let is_namespaced = kind == "AdmissionPolicy";
        if is_namespaced {
            let own = metadata.namespace.clone().unwrap_or_else(|| "default".to_owned());
            namespaces.match_labels.insert(NAMESPACE_NAME.to_owned(), own);
        } else if !spec.allow_inside_admission_controller_namespace {
            namespaces.leave_out("kubewarden");
        }
        let any_version = spec.match_policy.as_deref() != Some("Exact");
        let rules = spec.rules.into_iter().map(|rule| Rule { any_version, ..rule }).collect();
        let is_class =
            |resource: &Resource| resource.api_version == "node.k8s.io/v1" && resource.kind == "RuntimeClass";
        let (conditions, not_evaluated) = Conditions::compile(spec.match_conditions);
        let id = match metadata.namespace {
            Some(namespace) if is_namespaced => format!("namespaced-{namespace}-{}", metadata.name),
            _ => format!("clusterwide-{}", metadata.name),
        };
        Self {
            name: Some(metadata.name),
            settings: spec.settings,
            rules: Some(rules),
            namespaces,
            objects: spec.object_selector,
            conditions: Some(conditions).filter(|conditions| !conditions.is_empty()),
            not_evaluated,
            fails_closed: spec.failure_policy.as_deref() != Some("Ignore"),
            may_read_classes: !is_namespaced && spec.context_aware_resources.iter().any(is_class),
            validating: (!spec.mutating).then_some(id),
            notes,
        }
    }

    /// Whether the rules select the creation of this kind.
    pub fn asks_for(&self, kind: &Kind, version: &str) -> bool {
        self.rules.as_ref().is_none_or(|rules| rules.iter().any(|rule| rule.asks_for(kind, version)))
    }
}

impl Spec {
    fn notes(&self) -> Vec<String> {
        let mut notes = vec![];
        if self.mode.as_deref() == Some("monitor") {
            notes.push("The policy has mode: monitor. The report shows mode: protect.".to_owned());
        }
        if !self.namespace_selector.match_labels.is_empty() {
            notes.push(
                "Kubewarden ignores namespaceSelector.matchLabels, and so does this rehearsal: use matchExpressions."
                    .to_owned(),
            );
        }
        notes
    }
}

impl Rule {
    fn asks_for(&self, kind: &Kind, version: &str) -> bool {
        let lists = |list: &[String], wanted: &str| list.iter().any(|entry| entry == "*" || entry == wanted);
        lists(&self.operations, "CREATE")
            && lists(&self.api_groups, kind.group)
            && (self.any_version || lists(&self.api_versions, version))
            && (lists(&self.resources, kind.resource) || self.resources.iter().any(|entry| entry == "*/*"))
            && self.scope.as_deref() != Some("Cluster")
    }
}
