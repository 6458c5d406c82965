//! Requests, settings and clusters that reach every branch, made of the fuzzer's bytes.
use arbitrary::Arbitrary;
use model::{Access, Cluster};
use serde_json::{Map, Value, json};

use crate::layout::PLACEHOLDER;

#[derive(Arbitrary, Debug)]
pub struct Case {
    settings: Settings,
    request: Request,
    classes: [Class; 3],
    access: Reading,
    /// The layout of the same payload, written once more.
    pub seed: u64,
    /// Values of a wrong type, in the settings and in the request.
    wrong_setting: Option<(Setting, Wrong)>,
    wrong_field: Option<(Field, Wrong)>,
    /// `all` or `default`, in the settings.
    fallback_for: Option<bool>,
}

#[derive(Arbitrary, Debug)]
struct Settings {
    list: List,
    fallback: Option<Name>,
    default_reserved: Option<bool>,
    match_handlers: Option<bool>,
}

#[derive(Arbitrary, Debug)]
enum List {
    None,
    Reserved([Entry; 2]),
    Allowed([Entry; 2]),
}

#[derive(Arbitrary, Debug)]
struct Request {
    operation: Operation,
    kind: Kind,
    class: Spelling,
    old: Option<Spelling>,
    is_node: bool,
    has_mirror_annotation: bool,
    has_overhead: bool,
    node_selector: Option<[Pair; 2]>,
    tolerations: Option<[Toleration; 3]>,
    has_opaque: bool,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Operation {
    Create,
    Update,
    Delete,
    Connect,
}

/// The nine kinds with a pod spec, and others.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Kind {
    Pod,
    ReplicationController,
    PodTemplate,
    Deployment,
    ReplicaSet,
    StatefulSet,
    DaemonSet,
    Job,
    CronJob,
    VolcanoJob,
    Service,
}

/// A class, as a pod spec names it.
#[derive(Arbitrary, Debug)]
enum Spelling {
    LeftOut,
    Null,
    Empty,
    Named(Name),
}

#[derive(Arbitrary, Debug)]
struct Class {
    name: Name,
    handler: Name,
    scheduling: Option<Scheduling>,
}

#[derive(Arbitrary, Debug)]
struct Scheduling {
    node_selector: Option<[Pair; 2]>,
    tolerations: Option<[Toleration; 2]>,
}

#[derive(Arbitrary, Debug)]
struct Pair(Word, Word);

#[derive(Arbitrary, Debug)]
struct Toleration {
    key: Option<Word>,
    operator: Option<bool>,
    value: Option<Word>,
    effect: Option<bool>,
    seconds: Option<i8>,
    /// A field of a newer Kubernetes: it makes this toleration like no other.
    is_new: bool,
}

#[derive(Arbitrary, Debug)]
enum Reading {
    Granted,
    NotGranted,
    CapabilityNotGranted,
    FailingFirst,
    FailingSecond,
}

/// Few words, so that they meet often.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Word(u8);

#[derive(Arbitrary, Clone, Debug)]
enum Name {
    Known(u8),
    Free(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
enum Entry {
    Known(u8),
    Free(Vec<u8>),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Wrong {
    Null,
    Number,
    True,
    Text,
    List,
    Object,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Setting {
    Reserved,
    Allowed,
    DefaultReserved,
    Fallback,
    MatchHandlers,
    FallbackFor,
    Unknown,
    Whole,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Field {
    Operation,
    Kind,
    KindGroup,
    KindKind,
    UserInfo,
    Groups,
    Object,
    OldObject,
    Metadata,
    Annotations,
    /// One of the objects on the way to the pod spec.
    Way(u8),
    Class,
    OldClass,
    NodeSelector,
    Tolerations,
}

const NAMES: [&str; 11] = [
    "runc",
    "kata",
    "kata-qemu",
    "gvisor",
    "a",
    "aa.b",
    "runc-plain",
    "runC",
    "it's \"n\u{e4}med\"\n",
    "../../../../metrics",
    LONG,
];
/// The hundredth byte is in the middle of a letter.
const LONG: &str = "../ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä/ä";
const ENTRIES: [&str; 14] =
    ["runC", "kata", "kata-*", "*", "*-plain", "r*c", "**", "a*a*", "*.b", "GVISOR", "", "run_c", "-*", "a"];
/// What free names and entries are made of.
const LETTERS: &[u8] = b"aAbBkrunc-.*0_ ";
const WORDS: [&str; 5] = ["runtime", "runc", "kata", "disk", "template"];

impl Name {
    fn text(&self) -> String {
        match self {
            Self::Known(number) => pick(&NAMES, *number).to_owned(),
            Self::Free(letters) => spell(letters),
        }
    }
}

impl Entry {
    fn text(&self) -> String {
        match self {
            Self::Known(number) => pick(&ENTRIES, *number).to_owned(),
            Self::Free(letters) => spell(letters),
        }
    }
}

impl Word {
    fn text(self) -> &'static str {
        pick(&WORDS, self.0)
    }
}

fn pick<'a>(words: &[&'a str], number: u8) -> &'a str {
    words[usize::from(number) % words.len()]
}

/// Short enough for the naive matcher.
fn spell(letters: &[u8]) -> String {
    letters.iter().take(12).map(|letter| char::from(LETTERS[usize::from(*letter) % LETTERS.len()])).collect()
}

impl Case {
    pub fn settings(&self) -> Value {
        let Settings { list, fallback, default_reserved, match_handlers } = &self.settings;
        let mut settings = json!({});
        let texts = |entries: &[Entry; 2]| Value::from(entries.iter().map(Entry::text).collect::<Vec<_>>());
        match list {
            List::None => {}
            List::Reserved(entries) => settings["reservedRuntimes"] = texts(entries),
            List::Allowed(entries) => settings["allowedRuntimes"] = texts(entries),
        }
        if let Some(fallback) = fallback {
            settings["fallbackRuntime"] = fallback.text().into();
        }
        if let Some(default_reserved) = default_reserved {
            settings["defaultRuntimeReserved"] = json!(default_reserved);
        }
        if let Some(match_handlers) = match_handlers {
            settings["matchHandlers"] = json!(match_handlers);
        }
        if let Some(is_for_all) = self.fallback_for {
            settings["fallbackFor"] = json!(if is_for_all { "all" } else { "default" });
        }
        if let Some((setting, wrong)) = &self.wrong_setting {
            let key = match setting {
                Setting::Whole => return wrong.value(),
                Setting::Reserved => "reservedRuntimes",
                Setting::Allowed => "allowedRuntimes",
                Setting::DefaultReserved => "defaultRuntimeReserved",
                Setting::Fallback => "fallbackRuntime",
                Setting::MatchHandlers => "matchHandlers",
                Setting::FallbackFor => "fallbackFor",
                Setting::Unknown => "reservedRuntime",
            };
            settings[key] = wrong.value();
        }
        settings
    }

    pub fn request(&self) -> Value {
        let Request { operation, kind, class, old, is_node, has_opaque, .. } = &self.request;
        let (group, kind, way) = kind.group_kind_and_way();
        let mut request = json!({
            "uid": "1299d386-525b-4032-98ae-1949f69f9cfc",
            "kind": { "group": group, "version": "v1", "kind": kind },
            "operation": operation.text(),
            "userInfo": { "groups": if *is_node { ["system:nodes", "a"] } else { ["a", "system:masters"] } },
            "object": self.object(way, class),
        });
        if *has_opaque {
            request["options"] = json!(PLACEHOLDER);
        }
        if let Some(old) = old {
            request["oldObject"] = self.object(way, old);
        }
        if let Some((field, wrong)) = &self.wrong_field
            && let Some(place) = request.pointer_mut(&field.pointer(way))
        {
            *place = wrong.value();
        }
        request
    }

    pub fn cluster(&self) -> Cluster {
        Cluster { classes: self.classes.iter().map(Class::object).collect(), access: self.access.access() }
    }

    /// An object whose pod spec is at the end of `way`.
    fn object(&self, way: &[&str], class: &Spelling) -> Value {
        let inner = way.iter().rev().fold(self.pod_spec(class), |inner, key| json!({ *key: inner }));
        let mut object = json!({ "apiVersion": "v1", "metadata": { "name": "web" } });
        if self.request.has_mirror_annotation {
            object["metadata"]["annotations"] = json!({ "kubernetes.io/config.mirror": "ab12" });
        }
        if self.request.has_opaque {
            object["status"] = json!(PLACEHOLDER);
        }
        object.as_object_mut().expect("an object").extend(inner.as_object().expect("an object").clone());
        object
    }

    fn pod_spec(&self, class: &Spelling) -> Value {
        let Request { has_overhead, node_selector, tolerations, has_opaque, .. } = &self.request;
        let mut spec = json!({ "containers": [{ "name": "web", "image": "nginx" }] });
        match class {
            Spelling::LeftOut => {}
            Spelling::Null => spec["runtimeClassName"] = Value::Null,
            Spelling::Empty => spec["runtimeClassName"] = json!(""),
            Spelling::Named(name) => spec["runtimeClassName"] = name.text().into(),
        }
        if *has_overhead {
            spec["overhead"] = json!({ "cpu": "10m" });
        }
        if let Some(pairs) = node_selector {
            spec["nodeSelector"] = selector(pairs);
        }
        if let Some(tolerations) = tolerations {
            spec["tolerations"] = tolerations.iter().enumerate().map(|(at, one)| one.value(at + 1)).collect();
        }
        if *has_opaque {
            spec["volumes"] = json!(PLACEHOLDER);
        }
        spec
    }
}

fn selector(pairs: &[Pair]) -> Value {
    pairs.iter().map(|Pair(key, value)| (key.text().to_owned(), json!(value.text()))).collect::<Map<_, _>>().into()
}

impl Class {
    fn object(&self) -> Value {
        let mut class = json!({
            "apiVersion": "node.k8s.io/v1",
            "kind": "RuntimeClass",
            "metadata": { "name": self.name.text() },
            "handler": self.handler.text(),
        });
        if let Some(Scheduling { node_selector, tolerations }) = &self.scheduling {
            class["scheduling"] = json!({});
            if let Some(pairs) = node_selector {
                class["scheduling"]["nodeSelector"] = selector(pairs);
            }
            if let Some(tolerations) = tolerations {
                class["scheduling"]["tolerations"] = tolerations.iter().map(|one| one.value(0)).collect();
            }
        }
        class
    }
}

impl Toleration {
    fn value(&self, number: usize) -> Value {
        let Self { key, operator, value, effect, seconds, is_new } = self;
        let mut toleration = json!({});
        if let Some(key) = key {
            toleration["key"] = json!(key.text());
        }
        if let Some(operator) = operator {
            toleration["operator"] = json!(if *operator { "Exists" } else { "Equal" });
        }
        if let Some(value) = value {
            toleration["value"] = json!(value.text());
        }
        if let Some(effect) = effect {
            toleration["effect"] = json!(if *effect { "NoSchedule" } else { "" });
        }
        if let Some(seconds) = seconds {
            toleration["tolerationSeconds"] = json!(seconds);
        }
        if *is_new {
            toleration["of-a-newer-kubernetes"] = json!(number);
        }
        toleration
    }
}

impl Operation {
    fn text(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
        }
    }
}

impl Kind {
    fn group_kind_and_way(self) -> (&'static str, &'static str, &'static [&'static str]) {
        match self {
            Self::Pod => ("", "Pod", &["spec"]),
            Self::ReplicationController => ("", "ReplicationController", &["spec", "template", "spec"]),
            Self::PodTemplate => ("", "PodTemplate", &["template", "spec"]),
            Self::Deployment => ("apps", "Deployment", &["spec", "template", "spec"]),
            Self::ReplicaSet => ("apps", "ReplicaSet", &["spec", "template", "spec"]),
            Self::StatefulSet => ("apps", "StatefulSet", &["spec", "template", "spec"]),
            Self::DaemonSet => ("apps", "DaemonSet", &["spec", "template", "spec"]),
            Self::Job => ("batch", "Job", &["spec", "template", "spec"]),
            Self::CronJob => ("batch", "CronJob", &["spec", "jobTemplate", "spec", "template", "spec"]),
            Self::VolcanoJob => ("batch.volcano.sh", "Job", &["spec", "template", "spec"]),
            Self::Service => ("", "Service", &["spec"]),
        }
    }
}

impl Field {
    /// Where it is in a request whose pod spec is at the end of `way`.
    fn pointer(self, way: &[&str]) -> String {
        let pod_spec = way.join("/");
        match self {
            Self::Operation => "/operation".to_owned(),
            Self::Kind => "/kind".to_owned(),
            Self::KindGroup => "/kind/group".to_owned(),
            Self::KindKind => "/kind/kind".to_owned(),
            Self::UserInfo => "/userInfo".to_owned(),
            Self::Groups => "/userInfo/groups".to_owned(),
            Self::Object => "/object".to_owned(),
            Self::OldObject => "/oldObject".to_owned(),
            Self::Metadata => "/object/metadata".to_owned(),
            Self::Annotations => "/object/metadata/annotations".to_owned(),
            Self::Way(depth) => format!("/object/{}", way[..=usize::from(depth) % way.len()].join("/")),
            Self::Class => format!("/object/{pod_spec}/runtimeClassName"),
            Self::OldClass => format!("/oldObject/{pod_spec}/runtimeClassName"),
            Self::NodeSelector => format!("/object/{pod_spec}/nodeSelector"),
            Self::Tolerations => format!("/object/{pod_spec}/tolerations"),
        }
    }
}

impl Wrong {
    fn value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Number => json!(5),
            Self::True => json!(true),
            Self::Text => json!("text"),
            Self::List => json!([1]),
            Self::Object => json!({ "a": 1 }),
        }
    }
}

impl Reading {
    fn access(&self) -> Access {
        let failing = |call| Access::Failing { call, error: "error trying to connect: refused".to_owned() };
        match self {
            Self::Granted => Access::Granted,
            Self::NotGranted => Access::NotGranted(
                "Policy has not been granted access to Kubernetes node.k8s.io/v1/RuntimeClass resources. The \
                 violation has been reported."
                    .to_owned(),
            ),
            Self::CapabilityNotGranted => Access::NotGranted(
                "Policy has not been granted access to the 'kubernetes/get_resource' host capability. The violation \
                 has been reported."
                    .to_owned(),
            ),
            Self::FailingFirst => failing(1),
            Self::FailingSecond => failing(2),
        }
    }
}
