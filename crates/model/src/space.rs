//! All that a decision can depend on, once names are reduced to hits and misses.
use itertools::iproduct;
use serde_json::{Value, json};

use crate::{
    Access, Cluster,
    request::{KINDS, Kind},
};

/// Settings and a cluster.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    list: List,
    fallback: Fallback,
    fallback_for: Option<&'static str>,
    default_reserved: bool,
    match_handlers: Option<bool>,
    access: Reading,
}

/// A request.
#[derive(Clone, Copy, Debug)]
struct Request {
    class: Class,
    kind: Kind,
    operation: &'static str,
    /// Whether the old object has the same class.
    keeps_class: bool,
    /// A Pod that a kubelet sends to show a static one.
    is_mirror: bool,
}

/// The list in the settings.
#[derive(Clone, Copy, Debug)]
enum List {
    None,
    Reserved,
    Allowed,
}

/// The class that the object names, by what the list has of it.
#[derive(Clone, Copy, Debug)]
enum Class {
    None,
    HitByName,
    HitByHandler,
    NoHit,
    Missing,
    /// A text that is no name of any class.
    NoName,
    /// The fallback itself, if there is one.
    Fallback,
}

/// The fallback, by what the list has of it.
#[derive(Clone, Copy, Debug)]
enum Fallback {
    None,
    RightByName,
    RightByHandler,
    Missing,
    RefusedByHandler,
}

/// What happens when the policy reads a RuntimeClass.
#[derive(Clone, Copy, Debug)]
enum Reading {
    Granted,
    ResourceNotGranted,
    CapabilityNotGranted,
    FailingFirst,
    FailingSecond,
}

/// A group, a kind, and where it has the pod spec.
const LISTS: [List; 3] = [List::None, List::Reserved, List::Allowed];
const CLASSES: [Class; 7] =
    [Class::None, Class::HitByName, Class::HitByHandler, Class::NoHit, Class::Missing, Class::NoName, Class::Fallback];
const FALLBACKS: [Fallback; 5] =
    [Fallback::None, Fallback::RightByName, Fallback::RightByHandler, Fallback::Missing, Fallback::RefusedByHandler];
/// Left out is the same as `all`.
const FALLBACK_FOR: [Option<&str>; 2] = [None, Some("default")];
const FLAGS: [bool; 2] = [false, true];
const MATCH_HANDLERS: [Option<bool>; 3] = [None, Some(true), Some(false)];
const READINGS: [Reading; 5] = [
    Reading::Granted,
    Reading::ResourceNotGranted,
    Reading::CapabilityNotGranted,
    Reading::FailingFirst,
    Reading::FailingSecond,
];
/// A kind of another group that has the name of one, and another kind.
const OTHER_KINDS: [Kind; 2] = [("batch.volcano.sh", "Job", &["spec", "template", "spec"]), ("", "Service", &["spec"])];
const OPERATIONS: [&str; 4] = ["CREATE", "UPDATE", "DELETE", "CONNECT"];

/// How many pairs of a setup and a request there are.
pub const POINTS: usize =
    (LISTS.len() * FALLBACKS.len() * FALLBACK_FOR.len() * FLAGS.len() * MATCH_HANDLERS.len() * READINGS.len())
        * (CLASSES.len() * (KINDS.len() + OTHER_KINDS.len()) * OPERATIONS.len() * FLAGS.len() * FLAGS.len());

/// All settings and clusters.
pub fn setups() -> impl Iterator<Item = Setup> {
    iproduct!(LISTS, FALLBACKS, FALLBACK_FOR, FLAGS, MATCH_HANDLERS, READINGS).map(
        |(list, fallback, fallback_for, default_reserved, match_handlers, access)| Setup {
            list,
            fallback,
            fallback_for,
            default_reserved,
            match_handlers,
            access,
        },
    )
}

/// All requests to the policy of a setup.
pub fn requests(setup: &Setup) -> impl Iterator<Item = Value> {
    let kinds = KINDS.into_iter().chain(OTHER_KINDS);
    iproduct!(CLASSES, kinds, OPERATIONS, FLAGS, FLAGS).map(|(class, kind, operation, keeps_class, is_mirror)| {
        Request { class, kind, operation, keeps_class, is_mirror }.request(setup)
    })
}

impl Setup {
    pub fn settings(&self) -> Value {
        let mut settings = json!({ "defaultRuntimeReserved": self.default_reserved });
        match self.list {
            List::None => {}
            List::Reserved => settings["reservedRuntimes"] = json!(["Listed", "runC"]),
            List::Allowed => settings["allowedRuntimes"] = json!(["Listed", "runC", "kata", "gone"]),
        }
        if let Some(fallback) = self.fallback() {
            settings["fallbackRuntime"] = json!(fallback);
        }
        if let Some(fallback_for) = self.fallback_for {
            settings["fallbackFor"] = json!(fallback_for);
        }
        if let Some(match_handlers) = self.match_handlers {
            settings["matchHandlers"] = json!(match_handlers);
        }
        settings
    }

    pub fn cluster(&self) -> Cluster {
        let failing = |call| Access::Failing { call, error: "error trying to connect: refused".to_owned() };
        let not_granted = |what| {
            let error = format!("Policy has not been granted access to {what}. The violation has been reported.");
            Access::NotGranted(error)
        };
        let access = match self.access {
            Reading::Granted => Access::Granted,
            Reading::ResourceNotGranted => not_granted("Kubernetes node.k8s.io/v1/RuntimeClass resources"),
            Reading::CapabilityNotGranted => not_granted("the 'kubernetes/get_resource' host capability"),
            Reading::FailingFirst => failing(1),
            Reading::FailingSecond => failing(2),
        };
        let handlers = [
            ("listed", "own"),
            ("plain", "runc"),
            ("plain-too", "runc"),
            ("gvisor", "runsc"),
            ("gvisor-too", "runsc"),
            ("kata", "kata-qemu"),
        ];
        Cluster { classes: handlers.map(|(name, handler)| runtime_class(name, handler)).to_vec(), access }
    }

    fn fallback(&self) -> Option<&'static str> {
        match (self.fallback, self.list) {
            (Fallback::None, _) => None,
            (Fallback::RightByName, _) => Some("kata"),
            (Fallback::RightByHandler, List::Allowed) => Some("plain-too"),
            (Fallback::RightByHandler, _) => Some("gvisor-too"),
            (Fallback::Missing, _) => Some("gone"),
            (Fallback::RefusedByHandler, List::Allowed) => Some("gvisor-too"),
            (Fallback::RefusedByHandler, _) => Some("plain-too"),
        }
    }
}

impl Request {
    fn request(&self, setup: &Setup) -> Value {
        let (group, kind, _) = self.kind;
        let old_class = if self.keeps_class { self.class(setup) } else { Some("older") };
        json!({
            "uid": "1299d386-525b-4032-98ae-1949f69f9cfc",
            "kind": { "group": group, "version": "v1", "kind": kind },
            "operation": self.operation,
            "userInfo": { "groups": [if self.is_mirror { "system:nodes" } else { "system:authenticated" }] },
            "object": self.object(self.class(setup)),
            "oldObject": self.object(old_class),
        })
    }

    fn class(&self, setup: &Setup) -> Option<&'static str> {
        match self.class {
            Class::None => None,
            Class::HitByName => Some("listed"),
            Class::HitByHandler => Some("plain"),
            Class::NoHit => Some("gvisor"),
            Class::Missing => Some("ghost"),
            Class::NoName => Some("../../../../metrics"),
            Class::Fallback => Some(setup.fallback().unwrap_or("kata")),
        }
    }

    /// An object of the kind, whose Pods have what the API server merges into those of `plain`.
    fn object(&self, class: Option<&str>) -> Value {
        let (_, _, way) = self.kind;
        let mut pod_spec = json!({
            "containers": [{ "name": "web", "image": "nginx" }],
            "nodeSelector": { "disk": "ssd", "runtime": "runc" },
            "overhead": { "cpu": "10m" },
            "tolerations": [{ "key": "runc", "operator": "Exists" }, { "key": "own", "operator": "Exists" }],
        });
        if let Some(class) = class {
            pod_spec["runtimeClassName"] = json!(class);
        }
        let mut object = way.iter().rev().fold(pod_spec, |inner, key| json!({ *key: inner }));
        object["metadata"] = json!({ "name": "web" });
        if self.is_mirror {
            object["metadata"]["annotations"] = json!({ "kubernetes.io/config.mirror": "ab12" });
        }
        object
    }
}

fn runtime_class(name: &str, handler: &str) -> Value {
    json!({
        "metadata": { "name": name },
        "handler": handler,
        "scheduling": {
            "nodeSelector": { "runtime": handler },
            "tolerations": [{ "key": handler, "operator": "Exists" }],
        },
    })
}
