//! Random settings, clusters and requests, weighted so that the faults of a renderer show.
use model::{Access, Cluster};
use proptest::{prelude::*, sample::select, strategy::ValueTree, test_runner::TestRunner};
use rehearsal::api_server::KINDS;
use serde_json::{Value, json};

/// Settings, a cluster and requests.
#[derive(Clone, Debug)]
pub struct Case {
    pub settings: Value,
    pub classes: Vec<Value>,
    pub reads_classes: bool,
    pub requests: Vec<Value>,
}

impl Case {
    pub fn cluster(&self) -> Cluster {
        let access = if self.reads_classes {
            Access::Granted
        } else {
            Access::NotGranted(
                "Policy has not been granted access to Kubernetes node.k8s.io/v1/RuntimeClass resources. The violation has \
                 been reported."
                    .to_owned(),
            )
        };
        Cluster { classes: self.classes.clone(), access }
    }
}

const CASES: usize = 400;
const REQUESTS: usize = 24;

/// Names that entries match in whole, in part, or but for a dot.
const NAMES: [&str; 9] = ["runc", "runc-2", "my-runc", "kata", "kata-qemu", "v1.2", "v1x2", "gvisor", "a.kata"];
const HANDLERS: [&str; 7] = ["runc", "runc-2", "kata", "v1x2", "runsc", "my-runc", "qemu"];
const ENTRIES: [&str; 12] =
    ["runC", "runc", "RUNC-*", "*-runc", "kata", "Kata*", "v1.2", "*.kata", "runsc", "k*a", "gvisor", "qemu"];

/// The same cases each time.
pub fn cases() -> Vec<Case> {
    let mut runner = TestRunner::deterministic();
    let case = case();
    (0..CASES).map(|_| case.new_tree(&mut runner).expect("a case").current()).collect()
}

fn case() -> impl Strategy<Value = Case> {
    let classes = prop::collection::btree_map(select(&NAMES[..]), (select(&HANDLERS[..]), scheduling()), 3..8);
    let classes =
        classes.prop_map(|classes| classes.into_iter().map(|(name, of_class)| class(name, of_class)).collect());
    let requests = prop::collection::vec(request(), REQUESTS);
    (settings(), classes, prop::bool::weighted(0.9), requests).prop_map(
        |(settings, classes, reads_classes, requests): (_, Vec<Value>, _, Vec<Request>)| {
            let requests = requests.into_iter().map(|request| request.in_cluster(&classes)).collect();
            Case { settings, classes, reads_classes, requests }
        },
    )
}

fn settings() -> impl Strategy<Value = Value> {
    let list =
        (select(&["reservedRuntimes", "allowedRuntimes"][..]), prop::collection::vec(select(&ENTRIES[..]), 1..4));
    let fallback = prop::option::weighted(0.7, (select(&NAMES[..]), any::<bool>()));
    let match_handlers = prop::option::weighted(0.2, any::<bool>());
    (prop::option::weighted(0.9, list), fallback, any::<bool>(), match_handlers).prop_map(
        |(list, fallback, default_reserved, match_handlers)| {
            let mut settings = json!({ "defaultRuntimeReserved": default_reserved });
            if let Some((key, entries)) = list {
                settings[key] = json!(entries);
            }
            if let Some((fallback, is_for_default)) = fallback {
                settings["fallbackRuntime"] = json!(fallback);
                if is_for_default {
                    settings["fallbackFor"] = json!("default");
                }
            }
            if let Some(match_handlers) = match_handlers {
                settings["matchHandlers"] = json!(match_handlers);
            }
            settings
        },
    )
}

const PAIRS: [(&str, &str); 5] =
    [("runtime", "runc"), ("example.com/runtime", "kata"), ("a~b", "c"), ("runtime", "kata"), ("disk", "ssd")];

fn tolerations() -> [Value; 7] {
    [
        json!({ "key": "kata", "operator": "Exists", "effect": "NoSchedule" }),
        json!({ "key": "kata", "operator": "Exists", "effect": "NoExecute" }),
        json!({ "key": "kata", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60 }),
        json!({ "key": "kata", "value": "yes" }),
        json!({ "key": "kata", "operator": "Equal", "value": "yes" }),
        json!({ "key": "runc", "operator": "Equal", "value": "yes" }),
        json!({ "operator": "Exists" }),
    ]
}

type Scheduling = (Option<(Vec<(&'static str, &'static str)>, Vec<Value>)>, bool);

/// A scheduling, and whether there is an overhead.
fn scheduling() -> impl Strategy<Value = Scheduling> {
    (prop::option::weighted(0.7, own()), any::<bool>())
}

/// Pairs of a nodeSelector, and tolerations.
fn own() -> impl Strategy<Value = (Vec<(&'static str, &'static str)>, Vec<Value>)> {
    let tolerations = prop::sample::subsequence(tolerations().to_vec(), 0..3);
    let tolerations = tolerations.prop_filter("no toleration twice", |tolerations| {
        !tolerations.iter().enumerate().any(|(at, one)| tolerations[..at].iter().any(|other| are_equal(one, other)))
    });
    (prop::sample::subsequence(&PAIRS[..], 0..3), tolerations)
}

/// Whether two of these tolerations are the same: the operator `Equal` is the default.
fn are_equal(one: &Value, other: &Value) -> bool {
    let with_operator = |toleration: &Value| {
        let mut toleration = toleration.clone();
        toleration.as_object_mut().expect("a toleration").entry("operator").or_insert_with(|| json!("Equal"));
        toleration
    };
    with_operator(one) == with_operator(other)
}

fn class(name: &str, (handler, (scheduling, has_overhead)): (&str, Scheduling)) -> Value {
    let mut class = json!({
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": { "name": name },
        "handler": handler,
    });
    if let Some((pairs, tolerations)) = scheduling {
        class["scheduling"] = json!({ "nodeSelector": object(&pairs), "tolerations": tolerations });
    }
    if has_overhead {
        class["overhead"] = json!({ "podFixed": { "cpu": "10m" } });
    }
    class
}

fn object(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect::<serde_json::Map<_, _>>().into()
}

#[derive(Clone, Debug)]
struct Request {
    /// Which of all kinds; the first one is the Pod.
    kind: usize,
    class: Option<usize>,
    old_class: Option<usize>,
    own: (Vec<(&'static str, &'static str)>, Vec<Value>),
    has_own_overhead: bool,
    operation: &'static str,
    has_mirror_annotation: bool,
    is_from_node: bool,
}

fn request() -> impl Strategy<Value = Request> {
    let kind = prop_oneof![3 => Just(0), 1 => 0..KINDS.len()];
    let class = || prop::option::weighted(0.85, 0..10usize);
    let operation = select(&["CREATE", "CREATE", "CREATE", "UPDATE"][..]);
    let is_mirror = || prop::bool::weighted(0.3);
    (kind, class(), class(), own(), any::<bool>(), operation, is_mirror(), is_mirror()).prop_map(
        |(kind, class, old_class, own, has_own_overhead, operation, has_mirror_annotation, is_from_node)| Request {
            kind,
            class,
            old_class,
            own,
            has_own_overhead,
            operation,
            has_mirror_annotation,
            is_from_node,
        },
    )
}

impl Request {
    /// The request, with a Pod of the class as the API server makes it before it asks policies.
    fn in_cluster(&self, classes: &[Value]) -> Value {
        let kind = &KINDS[self.kind];
        json!({
            "kind": { "group": kind.group, "version": "v1", "kind": kind.name },
            "operation": self.operation,
            "userInfo": { "groups": [if self.is_from_node { "system:nodes" } else { "system:authenticated" }] },
            "object": self.object(self.class, classes),
            "oldObject": if self.operation == "UPDATE" { self.object(self.old_class, classes) } else { Value::Null },
        })
    }

    fn object(&self, class: Option<usize>, classes: &[Value]) -> Value {
        let known = class.and_then(|class| classes.get(class));
        let (pairs, tolerations) = &self.own;
        let mut pod_spec = json!({ "containers": [{ "name": "web", "image": "nginx" }] });
        let mut selector = object(pairs);
        let mut all = tolerations.clone();
        if let Some(class) = known {
            pod_spec["overhead"] = class["overhead"]["podFixed"].clone();
            for (key, value) in class["scheduling"]["nodeSelector"].as_object().into_iter().flatten() {
                selector[key] = value.clone();
            }
            // The API server keeps a toleration of the Pod's own that equals one of the class.
            let of_class = class["scheduling"]["tolerations"].as_array().into_iter().flatten();
            all.extend(of_class.filter(|of_class| !tolerations.iter().any(|own| are_equal(own, of_class))).cloned());
        }
        pod_spec["nodeSelector"] = selector;
        pod_spec["tolerations"] = json!(all);
        if self.has_own_overhead {
            pod_spec["overhead"] = json!({ "cpu": "1" });
        }
        // Fields that are empty are left out, as in an object of the API server.
        let members = pod_spec.as_object_mut().expect("an object");
        members.retain(|_, value| !(value.is_null() || *value == json!({}) || *value == json!([])));
        if let Some(class) = class {
            let name = known.map_or(json!(if class == 9 { "ghost" } else { "runc-ghost" }), |class| {
                class["metadata"]["name"].clone()
            });
            pod_spec["runtimeClassName"] = name;
        }
        let template = KINDS[self.kind].template;
        let path = if template.is_empty() { "spec".to_owned() } else { format!("{template}.spec") };
        let mut object = path.rsplit('.').fold(pod_spec, |inner, key| json!({ key: inner }));
        object["metadata"] = json!({ "name": "web" });
        if self.has_mirror_annotation {
            object["metadata"]["annotations"] = json!({ "kubernetes.io/config.mirror": "ab12" });
        }
        object
    }
}
