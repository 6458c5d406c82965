//! The CEL of the manifests, evaluated.
use std::sync::Arc;

use cel::{Context, Env};
use serde_json::Value;

/// The value of `expression`, where it can use these variables.
#[track_caller]
pub fn evaluate(expression: &str, variables: &[(&str, &Value)]) -> Value {
    let env = Arc::new(Env::stdlib());
    let program = env.compile(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
    let mut context = Context::with_env(env);
    for (name, value) in variables {
        context.add_variable(*name, value).expect("a value of CEL");
    }
    let value = program.execute(&context).unwrap_or_else(|error| panic!("{expression}: {error}"));
    value.json().unwrap_or_else(|error| panic!("{expression}: {error}"))
}

/// Whether `condition` is true, where it can use these variables.
#[track_caller]
pub fn holds(condition: &Value, variables: &[(&str, &Value)]) -> bool {
    let expression = condition["expression"].as_str().expect("an expression");
    evaluate(expression, variables).as_bool().unwrap_or_else(|| panic!("{expression} is not a condition"))
}
