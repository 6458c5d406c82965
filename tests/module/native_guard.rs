//! The native guard says the same as the guard, for any allow list.
use kubectl_runtime_class::{Capabilities, examples};
use serde_json::{Value, json};
use tests::*;

use crate::{
    cel::{evaluate, holds},
    manifests::text,
};

/// A ValidatingAdmissionPolicy that the API server evaluates once for each RuntimeClass.
struct NativeGuard {
    policy: Value,
    binding: Value,
}

impl NativeGuard {
    fn parse(manifest: &str) -> Self {
        let documents = examples::documents(manifest).expect("YAML");
        let [policy, binding] = <[Value; 2]>::try_from(documents).expect("a policy and its binding");
        Self { policy, binding }
    }

    /// The message with which the API server rejects `request`, if it does.
    fn rejection(&self, request: &Value, classes: &[Value]) -> Option<String> {
        let input = [("object", &request["object"]), ("request", request)];
        let conditions = self.policy["spec"]["matchConditions"].as_array().expect("conditions");
        let is_asked = conditions.iter().all(|condition| holds(condition, &input));
        classes.iter().filter(|_| is_asked).find_map(|class| self.violation(&request["object"], class))
    }

    fn violation(&self, object: &Value, class: &Value) -> Option<String> {
        let spec = &self.policy["spec"];
        let mut variables = json!({});
        for variable in spec["variables"].as_array().expect("variables") {
            let (name, expression) = (text(&variable["name"]), text(&variable["expression"]));
            variables[name] = evaluate(&expression, &[("object", object), ("params", class)]);
        }
        let input = [("object", object), ("params", class), ("variables", &variables)];
        let validations = spec["validations"].as_array().expect("validations");
        let violated = validations.iter().find(|validation| !holds(validation, &input))?;
        let message = violated.get("message").cloned();
        Some(text(&message.unwrap_or_else(|| evaluate(&text(&violated["messageExpression"]), &input))))
    }
}

/// The message with which the guard rejects `request`, if it does.
fn rejection_of_guard(request: &Value, settings: &Value, classes: &[Value]) -> Option<String> {
    let (answer, _) = ask(request, settings, Capabilities::cluster(classes.to_vec()));
    if answer == accepted() { None } else { Some(text(&answer["message"])) }
}

fn guard_settings() -> Value {
    yaml("deploy/guard.yml")["spec"]["settings"].take()
}

/// An allow list as a regular expression, as the comment of the manifest says.
fn pattern(list: &[&str]) -> String {
    let entries: Vec<_> =
        list.iter().map(|entry| entry.to_lowercase().replace('.', "[.]").replace('*', ".*")).collect();
    format!("'^({})$'", entries.join("|"))
}

/// The native guard with another allow list.
fn native_guard(list: &[&str]) -> NativeGuard {
    let manifest = file("deploy/native-guard.yml");
    let shipped: Vec<String> = serde_json::from_value(guard_settings()["allowedRuntimes"].take()).expect("a list");
    let shipped = pattern(&shipped.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(manifest.matches(&shipped).count(), 1, "the list of guard.yml: {shipped}");
    NativeGuard::parse(&manifest.replace(&shipped, &pattern(list)))
}

fn classes() -> Vec<Value> {
    [
        ("plain", "runc"),
        ("listed", "other"),
        ("containerd-kata", "kata"),
        ("kata", "kata-qemu"),
        ("kata-runc", "runc"),
        ("gvisor", "runsc"),
        ("nvidia", "nvidia"),
        ("v1.2", "v1"),
        ("v1x2", "v2"),
    ]
    .map(|(name, handler)| class(name, handler))
    .to_vec()
}

/// A Pod for each way to name a class, and none.
fn pods() -> Vec<Value> {
    let named = classes().into_iter().map(|class| pod_of(&text(&class["metadata"]["name"])));
    named.chain([pod(json!({})), pod_of("")]).collect()
}

#[test]
fn the_native_guard_rejects_what_the_guard_rejects_in_the_same_words() {
    let lists: [&[&str]; 9] = [
        &["kata*", "gvisor"],
        &["kata"],
        &["containerd-kata", "runsc", "listed"],
        &["runC"],
        &["*"],
        &["*-kata", "kata-*"],
        &["k*a", "n*i*a"],
        &["v1.2"],
        &["v*.2", "v2"],
    ];
    for list in lists {
        let native = native_guard(list);
        let mut settings = guard_settings();
        settings["allowedRuntimes"] = json!(list);
        for request in pods().into_iter().map(create) {
            assert_eq!(
                native.rejection(&request, &classes()),
                rejection_of_guard(&request, &settings, &classes()),
                "{list:?}: {}",
                request["object"]["spec"]
            );
        }
    }
}

#[test]
fn the_native_guard_rejects_the_default_runtime_and_what_runs_on_it() {
    let native = NativeGuard::parse(&file("deploy/native-guard.yml"));
    let rejection = |pod: Value| native.rejection(&create(pod), &classes());
    assert_eq!(rejection(pod(json!({}))).as_deref(), Some("Usage of the default runtime is reserved"));
    assert_eq!(rejection(pod_of("plain")).as_deref(), Some("runtime 'plain' is not allowed"));
    assert_eq!(rejection(pod_of("nvidia")).as_deref(), Some("runtime 'nvidia' is not allowed"));
    assert_eq!(rejection(pod_of("containerd-kata")), None);
    assert_eq!(rejection(pod_of("gvisor")), None);
}

#[test]
fn both_guards_accept_a_mirror_pod_of_a_node_alone() {
    let mut pod = pod(json!({}));
    pod["metadata"]["annotations"] = json!({ "kubernetes.io/config.mirror": "0" });
    let native = NativeGuard::parse(&file("deploy/native-guard.yml"));
    for (group, rejection) in
        [("system:nodes", None), ("system:authenticated", Some("Usage of the default runtime is reserved".to_owned()))]
    {
        let mut request = create(pod.clone());
        request["userInfo"] = json!({ "username": "somebody", "groups": [group] });
        assert_eq!(native.rejection(&request, &classes()), rejection, "{group}");
        assert_eq!(rejection_of_guard(&request, &guard_settings(), &classes()), rejection, "{group}");
    }
}

/// The API server itself rejects a Pod of a class that the cluster does not have, before it asks.
#[test]
fn a_class_that_the_cluster_does_not_have_is_left_to_the_api_server() {
    let native = NativeGuard::parse(&file("deploy/native-guard.yml"));
    let request = create(pod_of("ghost"));
    assert_eq!(native.rejection(&request, &classes()), None);
    assert_eq!(
        rejection_of_guard(&request, &guard_settings(), &classes()).as_deref(),
        Some("runtime 'ghost' is not a RuntimeClass of this cluster")
    );
    assert_eq!(native.binding["spec"]["paramRef"]["parameterNotFoundAction"], "Deny", "a cluster without classes");
}
