//! The [match conditions](https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-matchconditions)
//! of a policy: expressions in CEL that the API server evaluates before it calls a webhook.
use std::sync::Arc;

use cel::{Context, Env, ExecutionError, Program, Value, extensions};

use crate::{
    outcome::{Matched, NotEvaluated},
    policy::MatchCondition,
};

/// Match conditions that can be evaluated.
pub struct Conditions {
    env: Arc<Env>,
    programs: Vec<(String, Program)>,
}

impl Conditions {
    /// Compiles the conditions, and returns those that can't be evaluated.
    pub fn compile(conditions: &[MatchCondition]) -> (Self, Vec<NotEvaluated>) {
        let env = env();
        let (mut programs, mut not_evaluated) = (vec![], vec![]);
        for MatchCondition { name, expression } in conditions {
            match env.compile(expression) {
                Ok(program) => programs.push((name.clone(), program)),
                Err(error) => not_evaluated.push(NotEvaluated { why: uncapitalized(&error), name: name.clone() }),
            }
        }
        (Self { env, programs }, not_evaluated)
    }

    pub fn is_empty(&self) -> bool {
        self.programs.is_empty()
    }

    /// Evaluates the conditions, and returns those that could not be evaluated.
    pub fn evaluate(
        &self,
        request: &serde_json::Value,
        object: &serde_json::Value,
        old_object: &serde_json::Value,
    ) -> (Matched, Vec<NotEvaluated>) {
        self.evaluate_in(&context(&self.env, request, object, old_object))
    }

    /// The same, with these variables.
    pub fn evaluate_in(&self, context: &Context) -> (Matched, Vec<NotEvaluated>) {
        let (mut matched, mut not_evaluated) = (Matched::Yes, vec![]);
        for (name, program) in &self.programs {
            match program.execute(context) {
                Ok(Value::Bool(true)) => {}
                Ok(Value::Bool(false)) => return (Matched::No, vec![]),
                Err(error @ ExecutionError::NoSuchKey(_)) => {
                    matched = Matched::Failed(format!("match condition '{name}' fails: {}", uncapitalized(&error)));
                }
                Ok(value) => {
                    not_evaluated.push(NotEvaluated::new(name, format!("it is a {}, not a bool", value.type_of())))
                }
                Err(error) => not_evaluated.push(NotEvaluated::new(name, uncapitalized(&error))),
            }
        }
        (matched, not_evaluated)
    }
}

impl NotEvaluated {
    fn new(name: &str, why: String) -> Self {
        Self { name: name.to_owned(), why }
    }
}

/// The functions of expressions: those of CEL, and of its strings, which Kubernetes has as well.
pub fn env() -> Arc<Env> {
    let mut env = Env::stdlib();
    // This fails only if a function is declared twice.
    let _ = env.add_extension(extensions::strings);
    Arc::new(env)
}

/// The variables that each expression of the API server has.
pub fn context(
    env: &Arc<Env>,
    request: &serde_json::Value,
    object: &serde_json::Value,
    old_object: &serde_json::Value,
) -> Context<'static, 'static> {
    let mut context = Context::with_env(Arc::clone(env));
    context.add_variable_from_value("request", to_cel(request));
    context.add_variable_from_value("object", to_cel(object));
    context.add_variable_from_value("oldObject", to_cel(old_object));
    context
}

/// The first line of an error, as part of a sentence.
pub fn uncapitalized(error: &impl ToString) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    let mut letters = line.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// JSON as Kubernetes passes it to CEL: a whole number is an `int`.
pub fn to_cel(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => (*value).into(),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(number) => number.into(),
            None => number.as_f64().unwrap_or_default().into(),
        },
        serde_json::Value::String(text) => text.as_str().into(),
        serde_json::Value::Array(items) => items.iter().map(to_cel).collect::<Vec<_>>().into(),
        serde_json::Value::Object(members) => {
            let members = members.iter().map(|(key, value)| (key.clone(), to_cel(value)));
            members.collect::<std::collections::HashMap<_, _>>().into()
        }
    }
}
