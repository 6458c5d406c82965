//! The objects that native policies consist of.
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Rendered,
    error::NotExpressible,
    scope::{Scope, Subject},
};
use crate::{
    policy::{FailurePolicy, MatchCondition, Mode, Rule},
    selector::Selector,
};

/// The most characters that the API server takes in an expression.
const MAX_EXPRESSION: usize = 100_000;

/// The objects of a policy.
pub struct Objects<'a> {
    pub scope: &'a Scope,
    objects: Vec<Value>,
}

/// What a native policy has besides its validations or mutations.
pub struct Head<'a> {
    pub suffix: &'a str,
    pub match_constraints: Value,
    pub match_conditions: Vec<MatchCondition>,
    /// Names and expressions.
    pub variables: Vec<(&'a str, String)>,
    /// Whether it is evaluated for each RuntimeClass.
    pub has_params: bool,
}

/// What the API server does if a validation fails.
#[derive(Clone, Copy, PartialEq)]
pub enum Action {
    /// It rejects the request, or notes it in monitor mode.
    Reject,
    /// It warns of it, or notes it in monitor mode.
    Warn,
}

/// What a policy says to those whom it rejects: its own words, or `message` of the manifest.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Message<'a> {
    Message(&'a str),
    MessageExpression(&'a str),
}

impl<'a> Objects<'a> {
    pub fn new(scope: &'a Scope) -> Self {
        Self { scope, objects: vec![] }
    }

    /// Adds a policy that is violated unless the variable `name` is empty, which says why.
    pub fn push_validation(&mut self, head: Head, action: Action, name: &str, reason: String) {
        let variable = format!("variables.{name}");
        let message = match &self.scope.message {
            Some(message) if action == Action::Reject => Message::Message(message),
            _ => Message::MessageExpression(&variable),
        };
        let mut validation = json!(message);
        validation["expression"] = json!(format!("{variable} == \"\""));
        validation["reason"] = json!("Forbidden");
        let (failure_policy, actions) = match (self.scope.mode, action) {
            (Mode::Monitor, Action::Warn) => (FailurePolicy::Ignore, "Audit"),
            (Mode::Protect, Action::Warn) => (FailurePolicy::Ignore, "Warn"),
            (Mode::Monitor, Action::Reject) => (self.scope.failure_policy, "Audit"),
            (Mode::Protect, Action::Reject) => (self.scope.failure_policy, "Deny"),
        };
        let mut head = head;
        head.variables.push((name, reason));
        let (policy_name, mut spec, mut binding) = self.common(&head);
        spec["failurePolicy"] = json!(failure_policy);
        spec["validations"] = json!([validation]);
        binding["validationActions"] = json!([actions]);
        self.push("v1", "ValidatingAdmissionPolicy", &policy_name, spec);
        self.push("v1", "ValidatingAdmissionPolicyBinding", &policy_name, binding);
    }

    /// Adds a policy that mutates Pods. In monitor mode it has no binding, and so no effect.
    pub fn push_mutation(&mut self, version: &str, head: &Head, patch: &str) {
        let (name, mut spec, binding) = self.common(head);
        spec["failurePolicy"] = json!(self.scope.failure_policy);
        spec["reinvocationPolicy"] = json!("Never");
        spec["mutations"] = json!([{ "patchType": "JSONPatch", "jsonPatch": { "expression": patch } }]);
        self.push(version, "MutatingAdmissionPolicy", &name, spec);
        if self.scope.mode == Mode::Protect {
            self.push(version, "MutatingAdmissionPolicyBinding", &name, binding);
        }
    }

    /// Its name, its spec and that of its binding, as far as they do not depend on what it does.
    fn common(&self, head: &Head) -> (String, Value, Value) {
        let name = format!("{}-{}", self.scope.name, head.suffix);
        let mut spec = json!({ "matchConstraints": head.match_constraints });
        let mut binding = json!({ "policyName": name });
        if !head.match_conditions.is_empty() {
            spec["matchConditions"] = json!(head.match_conditions);
        }
        if !head.variables.is_empty() {
            let variables = head.variables.iter();
            spec["variables"] =
                variables.map(|(name, expression)| json!({ "name": name, "expression": expression })).collect();
        }
        if head.has_params {
            spec["paramKind"] = json!({ "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass" });
            // With Deny, a cluster without RuntimeClasses would reject every Pod, mirror Pods too.
            binding["paramRef"] = json!({ "selector": {}, "parameterNotFoundAction": "Allow" });
        }
        (name, spec, binding)
    }

    fn push(&mut self, version: &str, kind: &str, name: &str, spec: Value) {
        self.objects.push(json!({
            "apiVersion": format!("admissionregistration.k8s.io/{version}"),
            "kind": kind,
            "metadata": { "name": name },
            "spec": spec,
        }));
    }

    /// Which requests a policy on workloads is for.
    pub fn match_constraints(&self, subject: Subject) -> Value {
        let scope = self.scope;
        let mut constraints = match_constraints(scope.rules(subject));
        constraints["matchPolicy"] = json!(scope.match_policy);
        let selectors = [("namespaceSelector", &scope.namespace_selector), ("objectSelector", &scope.object_selector)];
        for (key, selector) in selectors.into_iter().filter(|(_, selector)| **selector != Selector::default()) {
            constraints[key] = json!(selector);
        }
        constraints
    }

    /// # Errors
    /// An expression is too long for the API server, or there are no objects.
    pub fn finish(self, notes: Vec<String>) -> Result<Rendered, Vec<NotExpressible>> {
        let mut errors = vec![];
        for object in &self.objects {
            find_long_expressions(object, &mut |characters| {
                let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
                errors.push(NotExpressible::TooLong { name, characters });
            });
        }
        if self.objects.is_empty() {
            errors.push(NotExpressible::NothingToReject);
        }
        if errors.is_empty() { Ok(Rendered { objects: self.objects, notes }) } else { Err(errors) }
    }
}

/// Constraints of these rules alone.
pub fn match_constraints(rules: &[Rule]) -> Value {
    json!({ "resourceRules": rules })
}

fn find_long_expressions(value: &Value, found: &mut impl FnMut(usize)) {
    match value {
        Value::Object(members) => members.values().for_each(|member| find_long_expressions(member, found)),
        Value::Array(items) => items.iter().for_each(|item| find_long_expressions(item, found)),
        Value::String(text) => {
            let characters = text.chars().count();
            if characters > MAX_EXPRESSION {
                found(characters);
            }
        }
        _ => {}
    }
}
