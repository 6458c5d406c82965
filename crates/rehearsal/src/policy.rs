//! A policy: its settings, and the requests that the API server asks it about.
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    request::Resource,
    selector::{NAMESPACE_NAME, Selector},
};

/// Where Kubewarden is installed. Its controller leaves this namespace out of the webhooks that it makes.
const KUBEWARDEN: [&str; 2] = ["kubewarden", "cattle-kubewarden-system"];

/// A policy as it is deployed, or settings alone, which are asked about everything.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// None: settings alone.
    pub manifest: Option<Manifest>,
    pub settings: Value,
}

/// What the manifest of a ClusterAdmissionPolicy or an AdmissionPolicy says besides its settings.
#[derive(Clone, Debug, Default)]
pub struct Manifest {
    pub name: String,
    /// The namespace of an AdmissionPolicy.
    pub namespace: Option<String>,
    pub rules: Vec<Rule>,
    pub match_policy: MatchPolicy,
    /// The selector of the webhook that Kubewarden's controller makes, and not that of the manifest.
    pub namespace_selector: Selector,
    pub object_selector: Selector,
    pub match_conditions: Vec<MatchCondition>,
    pub failure_policy: FailurePolicy,
    pub mode: Mode,
    pub mutating: bool,
    /// What a user sees in place of the policy's own words.
    pub message: Option<String>,
    /// Whether `contextAwareResources` lets it read RuntimeClasses.
    pub reads_classes: bool,
    /// Whether labels of the manifest's namespaceSelector have no effect.
    pub ignores_match_labels: bool,
}

/// See [Matching requests](https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-rules).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    pub api_groups: Vec<String>,
    pub api_versions: Vec<String>,
    pub resources: Vec<String>,
    pub operations: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// A condition in CEL that the API server evaluates before it calls a webhook.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MatchCondition {
    pub name: String,
    pub expression: String,
}

/// Whether a rule also selects requests of other versions of its resources.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub enum MatchPolicy {
    Exact,
    #[default]
    Equivalent,
}

/// What happens to a request if its policy can't be asked.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub enum FailurePolicy {
    #[default]
    Fail,
    Ignore,
}

/// Whether the policy has an effect, or is only counted.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    #[default]
    Protect,
    Monitor,
}

/// See the [CRDs](https://docs.kubewarden.io/reference/CRDs). Fields that do not matter here are left out.
#[derive(Deserialize)]
struct Written {
    kind: String,
    metadata: Metadata,
    spec: Spec,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    namespace: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    settings: Option<Value>,
    rules: Vec<Rule>,
    mutating: bool,
    mode: Option<Mode>,
    message: Option<String>,
    failure_policy: Option<FailurePolicy>,
    match_policy: Option<MatchPolicy>,
    #[serde(default, deserialize_with = "crate::null::as_default")]
    match_conditions: Vec<MatchCondition>,
    #[serde(default, deserialize_with = "crate::null::as_default")]
    namespace_selector: Selector,
    #[serde(default, deserialize_with = "crate::null::as_default")]
    object_selector: Selector,
    #[serde(default, deserialize_with = "crate::null::as_default")]
    context_aware_resources: Vec<ContextAwareResource>,
    #[serde(default, alias = "allowInsideKubewardenNamespace")]
    allow_inside_admission_controller_namespace: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContextAwareResource {
    api_version: String,
    kind: String,
}

impl Policy {
    /// Settings alone. The policy is asked about everything.
    pub fn of_settings(settings: Value) -> Self {
        Self { manifest: None, settings: if settings.is_null() { json!({}) } else { settings } }
    }

    /// Whether an object is a ClusterAdmissionPolicy or an AdmissionPolicy.
    pub fn is_manifest(object: &Value) -> bool {
        object["apiVersion"].as_str().is_some_and(|version| version.starts_with("policies.kubewarden.io/"))
            && matches!(object["kind"].as_str(), Some("ClusterAdmissionPolicy" | "AdmissionPolicy"))
    }

    /// Reads the manifest of a ClusterAdmissionPolicy or an AdmissionPolicy.
    ///
    /// # Errors
    /// The manifest does not match the CRD. The error begins with the path of the field.
    pub fn of_manifest(manifest: &Value) -> Result<Self, String> {
        let Written { kind, metadata, spec } = serde_path_to_error::deserialize(manifest).map_err(|error| {
            let path = error.path().to_string();
            if path == "." { error.inner().to_string() } else { format!("{path}: {}", error.inner()) }
        })?;
        spec.namespace_selector.check().map_err(|why| format!("spec.namespaceSelector.{why}"))?;
        spec.object_selector.check().map_err(|why| format!("spec.objectSelector.{why}"))?;
        let is_namespaced = kind == "AdmissionPolicy";
        let namespace = is_namespaced.then(|| metadata.namespace.unwrap_or_else(|| "default".to_owned()));
        let is_class = |resource: &ContextAwareResource| {
            resource.api_version == "node.k8s.io/v1" && resource.kind == "RuntimeClass"
        };
        let manifest = Manifest {
            name: metadata.name,
            reads_classes: !is_namespaced && spec.context_aware_resources.iter().any(is_class),
            ignores_match_labels: !is_namespaced
                && !spec.allow_inside_admission_controller_namespace
                && !spec.namespace_selector.match_labels.is_empty(),
            namespace_selector: match &namespace {
                Some(own) => Selector {
                    match_labels: [(NAMESPACE_NAME.to_owned(), own.clone())].into(),
                    match_expressions: vec![],
                },
                None => of_webhook(spec.namespace_selector, spec.allow_inside_admission_controller_namespace),
            },
            namespace,
            rules: spec.rules,
            match_policy: spec.match_policy.unwrap_or_default(),
            object_selector: spec.object_selector,
            match_conditions: spec.match_conditions,
            failure_policy: spec.failure_policy.unwrap_or_default(),
            mode: spec.mode.unwrap_or_default(),
            mutating: spec.mutating,
            message: spec.message.filter(|message| !message.is_empty()),
        };
        Ok(Self { settings: spec.settings.unwrap_or_else(|| json!({})), manifest: Some(manifest) })
    }

    /// Its name; none for settings alone.
    pub fn name(&self) -> Option<&str> {
        self.manifest.as_ref().map(|manifest| manifest.name.as_str())
    }

    /// Whether it may read RuntimeClasses.
    pub fn reads_classes(&self) -> bool {
        self.manifest.as_ref().is_none_or(|manifest| manifest.reads_classes)
    }

    /// Whether it may mutate.
    pub fn mutates(&self) -> bool {
        self.manifest.as_ref().is_none_or(|manifest| manifest.mutating)
    }
}

/// The namespaceSelector of the webhook that Kubewarden's controller makes: with
/// `allowInsideAdmissionControllerNamespace` that of the policy, otherwise its expressions alone, and not the namespace
/// of Kubewarden itself.
fn of_webhook(mut written: Selector, is_whole: bool) -> Selector {
    if !is_whole {
        written.match_labels.clear();
        written.leave_out(&KUBEWARDEN);
    }
    written
}

impl Manifest {
    /// The name of its webhook and of its configuration, which policy-server shows as well.
    pub fn id(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("namespaced-{namespace}-{}", self.name),
            None => format!("clusterwide-{}", self.name),
        }
    }

    /// Whether its rules select an operation on a resource.
    pub fn selects(&self, operation: &str, resource: &Resource) -> bool {
        self.rules.iter().any(|rule| rule.selects(operation, resource, self.match_policy))
    }
}

impl Rule {
    fn selects(&self, operation: &str, resource: &Resource, match_policy: MatchPolicy) -> bool {
        let lists = |list: &[String], wanted: &str| list.iter().any(|entry| entry == "*" || entry == wanted);
        lists(&self.operations, operation)
            && lists(&self.api_groups, &resource.group)
            && (match_policy == MatchPolicy::Equivalent || lists(&self.api_versions, &resource.version))
            && self.resources.iter().any(|entry| resource.is_matched_by(entry))
            && self.scope.as_deref() != Some("Cluster")
    }
}
