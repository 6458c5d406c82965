//! The policies of a cluster, in the order in which the API server asks them.
use serde_json::Value;

use crate::{
    conditions::Conditions,
    guards::Guard,
    outcome::NotEvaluated,
    policy::{FailurePolicy, Manifest, Policy},
};

/// Part of the name of this policy's module, in whatever registry.
const MODULE: &str = "runtime-class";

/// Kinds that decide on Pods as well, and are not rehearsed.
const NOT_REHEARSED: [&str; 3] = ["ClusterAdmissionPolicyGroup", "AdmissionPolicyGroup", "MutatingAdmissionPolicy"];

const NO_POLICY: &str =
    "there is no ClusterAdmissionPolicy, no AdmissionPolicy and no ValidatingAdmissionPolicy with a binding";

/// Policies in the order of their webhooks' names.
pub struct Policies {
    asked: Vec<Asked>,
    /// What the API server evaluates itself, after all policies.
    pub guards: Vec<Guard>,
    /// What decides on Pods as well, and is not rehearsed: its kind and its name.
    pub not_rehearsed: Vec<String>,
}

/// A policy that is ready to be asked.
pub struct Asked {
    pub policy: Policy,
    /// None: no conditions.
    pub conditions: Option<Conditions>,
    /// Conditions that can't be evaluated, and count as true.
    pub not_evaluated: Vec<NotEvaluated>,
}

impl Policies {
    /// Settings alone.
    pub fn of_settings(settings: Value) -> Self {
        Self { asked: vec![Asked::new(Policy::of_settings(settings))], guards: vec![], not_rehearsed: vec![] }
    }

    /// The policies among the objects of files. A policy of another module is not one of them, unless it is alone.
    ///
    /// # Errors
    /// An object is not what its CRD says, two have the same name, or there is no policy.
    pub fn of_objects(objects: &[Value]) -> Result<Self, String> {
        let manifests: Vec<&Value> = objects.iter().filter(|object| Policy::is_manifest(object)).collect();
        let is_ours = |object: &&Value| {
            let module = object["spec"]["module"].as_str().unwrap_or(MODULE);
            module.rsplit('/').next().is_some_and(|name| name.contains(MODULE))
        };
        let guards = Guard::of_objects(objects)?;
        let (ours, others): (Vec<&Value>, Vec<&Value>) = match manifests.as_slice() {
            [] if guards.is_empty() => return Err(NO_POLICY.to_owned()),
            [alone] => (vec![*alone], vec![]),
            several => several.iter().partition(|object| is_ours(object)),
        };
        let mut policies = ours.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        policies.sort_by_key(id);
        if let Some([policy, _]) = policies.array_windows().find(|[one, other]| id(one) == id(other)) {
            return Err(format!("there are two policies {}", policy.name().unwrap_or_default()));
        }
        if policies.is_empty() && !manifests.is_empty() {
            return Err("no policy has the module pod-runtime-class-policy".to_owned());
        }
        let is_other = |object: &&Value| NOT_REHEARSED.iter().any(|kind| object["kind"] == *kind);
        let others = others.into_iter().chain(objects.iter().filter(is_other));
        let asked = policies.into_iter().map(Asked::new).collect();
        Ok(Self { asked, guards, not_rehearsed: others.map(named).collect() })
    }

    pub fn iter(&self) -> impl Iterator<Item = &Asked> {
        self.asked.iter()
    }

    pub fn len(&self) -> usize {
        self.asked.len()
    }

    pub fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }
}

fn read(manifest: &Value) -> Result<Policy, String> {
    Policy::of_manifest(manifest).map_err(|error| format!("{}: {error}", named(manifest)))
}

fn id(policy: &Policy) -> Option<String> {
    policy.manifest.as_ref().map(Manifest::id)
}

/// The kind and the name of an object.
fn named(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"]))
}

impl Asked {
    fn new(policy: Policy) -> Self {
        let written = policy.manifest.as_ref().map(|manifest| manifest.match_conditions.as_slice()).unwrap_or_default();
        let (conditions, not_evaluated) = Conditions::compile(written);
        Self { conditions: Some(conditions).filter(|conditions| !conditions.is_empty()), not_evaluated, policy }
    }
}

impl Policy {
    /// What happens if it can't be asked.
    pub fn failure_policy(&self) -> FailurePolicy {
        self.manifest.as_ref().map(|manifest| manifest.failure_policy).unwrap_or_default()
    }

    /// What a user sees in place of the policy's own words.
    pub fn message(&self) -> Option<&str> {
        self.manifest.as_ref()?.message.as_deref()
    }
}
