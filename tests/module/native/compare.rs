//! A native outcome beside the module's answer.
use rehearsal::{
    native::{self, Class, Classes, NotExpressible, Options},
    policy::Policy,
};
use serde_json::{Value, json};

use super::engine::{Engine, Outcome};

/// What the native engine says of a class that it does not know.
const UNKNOWN: &str = "a RuntimeClass that this policy knows: render it again with kubectl runtime-class native";

/// A policy that is asked about everything, or Pods alone, and may read RuntimeClasses or not.
pub fn policy(settings: &Value, reads_classes: bool, is_for_pods: bool) -> Policy {
    let resources = json!([if is_for_pods { "pods" } else { "*" }]);
    let mut class = json!([{ "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass" }]);
    if !reads_classes {
        class = json!([]);
    }
    let manifest = json!({
        "apiVersion": "policies.kubewarden.io/v1",
        "kind": "ClusterAdmissionPolicy",
        "metadata": { "name": "test" },
        "spec": {
            "module": "registry://example.com/policy:v1",
            "mutating": true,
            "settings": settings,
            "rules": [{ "apiGroups": ["*"], "apiVersions": ["v1"], "resources": resources, "operations": ["*"] }],
            "contextAwareResources": class,
        },
    });
    Policy::of_manifest(&manifest).expect("a policy")
}

/// The classes of a cluster, as they are baked in.
pub fn baked(classes: &[Value]) -> Classes {
    let class = |class: &Value| {
        let mut class = class.clone();
        class["kind"] = json!("RuntimeClass");
        Class::of(&class).expect("a class")
    };
    Classes::Baked(classes.iter().map(class).collect())
}

/// All that the native engine does for a policy: it mutates if there is a fallback.
pub fn options(policy: &Policy, classes: Classes) -> Options {
    Options { mutate: policy.settings.get("fallbackRuntime").is_some(), ..Options::new(classes) }
}

/// The native engine of a policy.
pub fn engine(policy: &Policy, classes: Classes) -> Result<Vec<Value>, Vec<NotExpressible>> {
    Ok(native::render(policy, &options(policy, classes))?.objects)
}

/// How the native outcome differs from the module's answer.
pub fn difference(
    engine: &Engine,
    request: &Value,
    answer: &Value,
    classes: &[Value],
    is_live: bool,
) -> Option<String> {
    let class_of = |object: &Value| object["spec"]["runtimeClassName"].clone();
    let is_missing = |object: &Value| {
        let class = class_of(object);
        class.is_string() && !classes.iter().any(|known| known["metadata"]["name"] == class)
    };
    // Without a class there is no parameter. The API server has rejected such a Pod before.
    if is_live && is_missing(&request["object"]) {
        return None;
    }
    let outcome = engine.judge(request, classes);
    let is_mutated = answer.get("mutated_object").is_some();
    let object = answer.get("mutated_object").unwrap_or(&request["object"]);
    // A MutatingAdmissionPolicy warns of nothing.
    let warnings = answer["warnings"].as_array().filter(|_| !is_mutated).cloned().unwrap_or_default();
    let message = answer["message"].as_str();
    let unknown = message.and_then(|message| message.strip_suffix("a RuntimeClass of this cluster"));
    let is_right = match (&outcome, message) {
        (Outcome::Accepted(accepted, told), None) => accepted == object && json!(told) == json!(warnings),
        // The policy can't give the fallback. The API server rejects a class that does not exist, and a Pod keeps its
        // class.
        (Outcome::Accepted(accepted, _), Some(_)) => {
            answer["code"] == 500 && (is_missing(accepted) || class_of(accepted) == class_of(&request["oldObject"]))
        }
        (Outcome::Rejected(_), Some(_)) if answer["code"] == 500 => true,
        (Outcome::Rejected(words), Some(message)) => match unknown {
            Some(start) => *words == format!("{start}{UNKNOWN}"),
            None => words == message,
        },
        (Outcome::Rejected(_), None) => false,
    };
    (!is_right).then(|| format!("{request}\nmodule: {answer}\nnative: {outcome:?}"))
}
