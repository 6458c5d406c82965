//! Native policies, as the API server evaluates them.
//!
//! The crate `cel` knows neither the type `JSONPatch` nor the library `jsonpatch`: an operation is a map here.
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use cel::{Context, Env, Program, to_value};
use rehearsal::api_server::kind_of;
use serde_json::{Value, json};

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// With this message.
    Rejected(String),
    /// This object, and the warnings.
    Accepted(Value, Vec<String>),
}

/// Native policies with their bindings.
pub struct Engine(Vec<Policy>);

struct Policy {
    rules: Value,
    has_params: bool,
    match_conditions: Vec<Expression>,
    variables: Vec<(String, Expression)>,
    effect: Effect,
    /// Whether a request is rejected if an expression can't be evaluated.
    fails_closed: bool,
}

enum Effect {
    Mutation(Expression),
    Validation { expression: Expression, message: Message, action: String },
}

/// The result of a policy.
enum Evaluated<'a> {
    Nothing,
    Patch(json_patch::Patch),
    /// With its message and its action.
    Violation(String, &'a str),
}

enum Message {
    Text(String),
    Expression(Expression),
}

/// A compiled expression.
struct Expression(Program, String);

impl Expression {
    #[track_caller]
    fn of(value: &Value) -> Self {
        let text = value.as_str().unwrap_or_else(|| panic!("{value} is no expression"));
        let text = text.replace("JSONPatch{op: ", "{\"op\": ").replace(", path: ", ", \"path\": ");
        let text = text.replace(", value: ", ", \"value\": ");
        let program = env().compile(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        Self(program, text)
    }

    fn evaluate(&self, context: &Context) -> Result<cel::Value, String> {
        self.0.execute(context).map_err(|error| format!("{}: {error}", self.1))
    }

    fn holds(&self, context: &Context) -> Result<bool, String> {
        Ok(self.evaluate(context)? == cel::Value::Bool(true))
    }
}

fn env() -> &'static Arc<Env> {
    static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));
    &ENV
}

/// Escapes a key of a JSON pointer.
fn escape_key(key: Arc<String>) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

impl Engine {
    /// The policies among `objects` that have a binding.
    pub fn new(objects: &[Value]) -> Self {
        let bindings = objects.iter().filter(|object| object["spec"]["policyName"].is_string());
        Self(bindings.map(|binding| Policy::new(objects, binding)).collect())
    }

    /// What becomes of a request in a cluster with these RuntimeClasses: mutating policies come first.
    pub fn judge(&self, request: &Value, classes: &[Value]) -> Outcome {
        let asked = self.0.iter().filter(|policy| policy.has_rule_for(request));
        let (mutations, validations): (Vec<_>, Vec<_>) =
            asked.partition(|policy| matches!(policy.effect, Effect::Mutation(_)));
        let mut object = request["object"].clone();
        let mut context = Context::with_env(Arc::clone(env()));
        context.add_function("jsonpatch.escapeKey", escape_key).expect("a new function");
        for (name, value) in [("request", request), ("object", &object), ("oldObject", &request["oldObject"])] {
            context.add_variable_from_value(name, value_of(value));
        }
        let mut warnings = vec![];
        for policy in mutations.into_iter().chain(validations) {
            for params in policy.params(classes) {
                let mut scope = context.new_inner_scope();
                scope.add_variable_from_value("params", value_of(params));
                match policy.evaluate(&mut scope) {
                    Ok(Evaluated::Nothing) => {}
                    Ok(Evaluated::Patch(patch)) => {
                        json_patch::patch(&mut object, &patch).expect("a patch that fits");
                        context.add_variable_from_value("object", value_of(&object));
                    }
                    Ok(Evaluated::Violation(message, action)) => match action {
                        "Deny" => return Outcome::Rejected(message),
                        "Warn" => warnings.push(message),
                        _ => {}
                    },
                    Err(error) if policy.fails_closed => return Outcome::Rejected(error),
                    Err(_) => {}
                }
            }
        }
        Outcome::Accepted(object, warnings)
    }
}

impl Policy {
    fn new(objects: &[Value], binding: &Value) -> Self {
        let name = &binding["spec"]["policyName"];
        let is_bound = |object: &&Value| object["metadata"]["name"] == *name && object["kind"] != binding["kind"];
        let policy = objects.iter().find(is_bound).unwrap_or_else(|| panic!("no policy {name}"));
        let spec = &policy["spec"];
        let list = |key: &str| spec[key].as_array().map_or(&[][..], Vec::as_slice);
        let effect = match (list("validations"), list("mutations")) {
            ([validation], []) => Effect::Validation {
                expression: Expression::of(&validation["expression"]),
                message: match validation["message"].as_str() {
                    Some(message) => Message::Text(message.to_owned()),
                    None => Message::Expression(Expression::of(&validation["messageExpression"])),
                },
                action: binding["spec"]["validationActions"][0].as_str().expect("an action").to_owned(),
            },
            ([], [mutation]) => Effect::Mutation(Expression::of(&mutation["jsonPatch"]["expression"])),
            _ => panic!("{policy} has not one effect"),
        };
        let name = |variable: &Value| variable["name"].as_str().expect("a name").to_owned();
        Self {
            rules: spec["matchConstraints"]["resourceRules"].clone(),
            has_params: binding["spec"]["paramRef"] == json!({ "selector": {}, "parameterNotFoundAction": "Allow" }),
            match_conditions: list("matchConditions").iter().map(|one| Expression::of(&one["expression"])).collect(),
            variables: list("variables").iter().map(|one| (name(one), Expression::of(&one["expression"]))).collect(),
            effect,
            fails_closed: spec["failurePolicy"] == "Fail",
        }
    }

    fn has_rule_for(&self, request: &Value) -> bool {
        let [group, kind] = ["group", "kind"].map(|key| request["kind"][key].as_str().expect("a kind"));
        let resource = match (group, kind) {
            ("node.k8s.io", "RuntimeClass") => "runtimeclasses",
            _ => kind_of(group, kind).map_or("", |kind| kind.resource),
        };
        let lists = |list: &Value, text: &str| list.as_array().expect("a list").iter().any(|entry| entry == text);
        self.rules.as_array().expect("rules").iter().any(|rule| {
            lists(&rule["apiGroups"], group)
                && lists(&rule["resources"], resource)
                && lists(&rule["operations"], request["operation"].as_str().expect("an operation"))
        })
    }

    /// The parameters that it is evaluated with, one after another.
    fn params<'a>(&self, classes: &'a [Value]) -> Vec<&'a Value> {
        if self.has_params { classes.iter().collect() } else { vec![&Value::Null] }
    }

    /// Evaluates it in a context without its variables.
    ///
    /// The API server evaluates a variable when it is used: one that can't be evaluated is none here.
    fn evaluate(&self, context: &mut Context) -> Result<Evaluated<'_>, String> {
        for condition in &self.match_conditions {
            if !condition.holds(context)? {
                return Ok(Evaluated::Nothing);
            }
        }
        let mut variables: HashMap<String, cel::Value> = HashMap::new();
        for (name, expression) in &self.variables {
            if let Ok(value) = expression.evaluate(context) {
                variables.insert(name.clone(), value);
                context.add_variable_from_value("variables", variables.clone());
            }
        }
        Ok(match &self.effect {
            Effect::Mutation(patch) => {
                let patch = patch.evaluate(context)?.json().expect("a patch");
                Evaluated::Patch(serde_json::from_value(patch).expect("a patch"))
            }
            Effect::Validation { expression, .. } if expression.holds(context)? => Evaluated::Nothing,
            Effect::Validation { message, action, .. } => Evaluated::Violation(message.text(context)?, action),
        })
    }
}

fn value_of(value: &Value) -> cel::Value {
    to_value(value).expect("a value of CEL")
}

impl Message {
    fn text(&self, context: &Context) -> Result<String, String> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::Expression(expression) => match expression.evaluate(context)? {
                cel::Value::String(text) => Ok(text.to_string()),
                other => panic!("{other:?} is no message"),
            },
        }
    }
}
