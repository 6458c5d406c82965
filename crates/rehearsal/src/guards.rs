//! [ValidatingAdmissionPolicies](https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/)
//! beside the policies: the API server evaluates them last, and itself.
use std::{collections::HashMap, sync::Arc};

use cel::{Context, Env, ExecutionError, Program, Value as Cel};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    cluster::Cluster,
    conditions::{Conditions, context, env, to_cel, uncapitalized},
    outcome::{Matched, NotEvaluated},
    policy::{FailurePolicy, Manifest, MatchCondition, MatchPolicy, Mode, Rule},
    request::Subject,
    selector::Selector,
    tally::Tally,
};

/// A ValidatingAdmissionPolicy with one of its bindings.
pub struct Guard {
    /// Which requests it is evaluated for.
    pub manifest: Manifest,
    binding: String,
    conditions: Conditions,
    env: Arc<Env>,
    variables: Vec<(String, Program)>,
    validations: Vec<Validation>,
    /// The RuntimeClasses that it is evaluated with, if it has parameters.
    classes: Option<Selector>,
}

struct Validation {
    expression: Program,
    text: String,
    message: Option<String>,
    message_expression: Option<Program>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    failure_policy: Option<FailurePolicy>,
    param_kind: Option<Value>,
    match_constraints: Constraints,
    #[serde(default, deserialize_with = "crate::null::as_default")]
    match_conditions: Vec<MatchCondition>,
    #[serde(default, deserialize_with = "crate::null::as_default")]
    variables: Vec<MatchCondition>,
    #[serde(default, deserialize_with = "crate::null::as_default")]
    validations: Vec<Written>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Constraints {
    #[serde(deserialize_with = "crate::null::as_default")]
    resource_rules: Vec<Rule>,
    match_policy: Option<MatchPolicy>,
    #[serde(deserialize_with = "crate::null::as_default")]
    namespace_selector: Selector,
    #[serde(deserialize_with = "crate::null::as_default")]
    object_selector: Selector,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    expression: String,
    message: Option<String>,
    message_expression: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Binding {
    validation_actions: Vec<String>,
    param_ref: Option<ParamRef>,
    #[serde(default)]
    match_resources: Constraints,
}

#[derive(Deserialize)]
struct ParamRef {
    #[serde(default)]
    selector: Selector,
}

impl Guard {
    /// The guards among the objects of files: each policy with each of its bindings.
    ///
    /// # Errors
    /// A policy or a binding is not what its API says, or has an expression that can't be evaluated here.
    pub fn of_objects(objects: &[Value]) -> Result<Vec<Self>, String> {
        let of_kind = |kind: &'static str| objects.iter().filter(move |object| object["kind"] == kind);
        let mut guards = vec![];
        for binding in of_kind("ValidatingAdmissionPolicyBinding") {
            let name = binding["metadata"]["name"].as_str().unwrap_or_default();
            let wanted = &binding["spec"]["policyName"];
            let Some(policy) =
                of_kind("ValidatingAdmissionPolicy").find(|policy| policy["metadata"]["name"] == *wanted)
            else {
                continue;
            };
            let guard = Self::new(policy, binding, name);
            guards.push(guard.map_err(|error| format!("ValidatingAdmissionPolicyBinding {name}: {error}"))?);
        }
        Ok(guards)
    }

    fn new(policy: &Value, binding: &Value, binding_name: &str) -> Result<Self, String> {
        let spec: Spec = read(&policy["spec"])?;
        let binding: Binding = read(&binding["spec"])?;
        let env = env();
        let compile = |text: &str| env.compile(text).map_err(|error| format!("{text}: {}", uncapitalized(&error)));
        let variables = spec.variables.iter().map(|one| Ok((one.name.clone(), compile(&one.expression)?)));
        let variables = variables.collect::<Result<_, String>>()?;
        let validation = |written: Written| {
            Ok(Validation {
                expression: compile(&written.expression)?,
                text: written.expression,
                message: written.message,
                message_expression: written.message_expression.as_deref().map(compile).transpose()?,
            })
        };
        let validations = spec.validations.into_iter().map(validation).collect::<Result<_, String>>()?;
        let (conditions, not_evaluated) = Conditions::compile(&spec.match_conditions);
        if let Some(condition) = not_evaluated.first() {
            return Err(format!("matchCondition '{}': {}", condition.name, condition.why));
        }
        let Constraints { resource_rules, match_policy, namespace_selector, object_selector } = spec.match_constraints;
        let manifest = Manifest {
            name: policy["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
            namespace: None,
            rules: resource_rules,
            match_policy: match_policy.unwrap_or_default(),
            namespace_selector: namespace_selector.and(binding.match_resources.namespace_selector),
            object_selector: object_selector.and(binding.match_resources.object_selector),
            match_conditions: spec.match_conditions,
            failure_policy: spec.failure_policy.unwrap_or_default(),
            mode: if binding.validation_actions.iter().any(|action| action == "Deny") {
                Mode::Protect
            } else {
                Mode::Monitor
            },
            mutating: false,
            message: None,
            reads_classes: true,
            ignores_match_labels: false,
        };
        let classes = spec.param_kind.map(|_| binding.param_ref.map(|param| param.selector).unwrap_or_default());
        let binding = binding_name.to_owned();
        Ok(Self { manifest, binding, conditions, env, variables, validations, classes })
    }

    /// Why it rejects a request that its rules and selectors select, in the words that a user sees; none if it does not,
    /// or leaves the request out. An expression that can't be evaluated here counts as true, and is counted.
    pub fn rejection(&self, subject: &Subject, cluster: &Cluster, tally: &mut Tally) -> Option<String> {
        let request = subject.request_for_conditions();
        let classes: Vec<&Value> = match &self.classes {
            None => vec![&Value::Null],
            Some(selector) => cluster.runtime_classes.values().filter(|class| selects(selector, class)).collect(),
        };
        classes.into_iter().find_map(|params| {
            let mut context = context(&self.env, &request, &subject.object, &subject.old_object);
            context.add_variable_from_value("params", to_cel(params));
            let (matched, not_evaluated) = self.conditions.evaluate_in(&context);
            not_evaluated.into_iter().for_each(|condition| tally.not_evaluated(condition, 1));
            match matched {
                Matched::Yes => {}
                Matched::No => return None,
                Matched::Failed(message) => return self.failure(message),
            }
            self.add_variables(&mut context);
            self.validations.iter().find_map(|validation| self.broken(validation, &context, tally))
        })
    }

    /// The API server evaluates a variable when it is used: one that can't be evaluated is none here.
    fn add_variables(&self, context: &mut Context) {
        let mut variables: HashMap<String, Cel> = HashMap::new();
        context.add_variable_from_value("variables", Cel::from(variables.clone()));
        for (name, program) in &self.variables {
            if let Ok(value) = program.execute(context) {
                variables.insert(name.clone(), value);
                context.add_variable_from_value("variables", Cel::from(variables.clone()));
            }
        }
    }

    fn broken(&self, validation: &Validation, context: &Context, tally: &mut Tally) -> Option<String> {
        match validation.expression.execute(context) {
            Ok(Cel::Bool(true)) => None,
            Ok(Cel::Bool(false)) => {
                let written = validation.message_expression.as_ref().and_then(|program| program.execute(context).ok());
                let message = match written {
                    Some(Cel::String(text)) => text.to_string(),
                    _ => {
                        validation.message.clone().unwrap_or_else(|| format!("failed expression: {}", validation.text))
                    }
                };
                Some(self.denied(&message))
            }
            Ok(value) => self.failure(format!("expression '{}' is a {}, not a bool", validation.text, value.type_of())),
            Err(error @ ExecutionError::NoSuchKey(_)) => {
                self.failure(format!("expression '{}' fails: {}", validation.text, uncapitalized(&error)))
            }
            Err(error) => {
                tally.not_evaluated(NotEvaluated { name: validation.text.clone(), why: uncapitalized(&error) }, 1);
                None
            }
        }
    }

    fn failure(&self, message: String) -> Option<String> {
        (self.manifest.failure_policy == FailurePolicy::Fail).then(|| self.denied(&message))
    }

    fn denied(&self, message: &str) -> String {
        let (policy, binding) = (&self.manifest.name, &self.binding);
        format!("ValidatingAdmissionPolicy '{policy}' with binding '{binding}' denied request: {message}")
    }
}

fn read<T: for<'de> Deserialize<'de>>(spec: &Value) -> Result<T, String> {
    serde_path_to_error::deserialize(spec).map_err(|error| format!("spec.{}: {}", error.path(), error.inner()))
}

fn selects(selector: &Selector, object: &Value) -> bool {
    selector.selects(|key| object["metadata"]["labels"][key].as_str())
}
