//! What a Pod uses that it may not have in its new class. It may not start, or may harm its node.
//!
//! [`CHECKS`] is the whole list: a condition on the Pod as it was before the mutation, on its old and its new class and on
//! the nodes, the fields to show, and one sentence on what happens.
use std::{
    collections::BTreeMap,
    fmt::{self, Display, Formatter},
};

use serde_json::Value;

use crate::{cluster::Node, outcome::Field};

/// A Pod that moves from a class to another one.
pub struct Move<'a> {
    /// The Pod as the policy saw it.
    pub pod: &'a Value,
    /// The kind of its controller.
    pub owner: Option<&'a str>,
    pub from: Option<&'a Value>,
    pub from_name: &'a str,
    pub to: Option<&'a Value>,
    pub to_name: &'a str,
    pub nodes: &'a BTreeMap<String, Node>,
}

struct Check {
    find: fn(&Move) -> Found,
    why: &'static str,
}

/// Paths below the Pod, and their values.
type Found = Vec<(String, String)>;

const CHECKS: [Check; 21] = [
    // https://github.com/kata-containers/kata-containers/blob/main/docs/Limitations.md#networking
    Check { find: host_network, why: "The sandbox has a network of its own, not that of the node." },
    // https://gvisor.dev/docs/user_guide/compatibility/
    Check { find: host_pid_and_ipc, why: "The sandbox has processes of its own, and does not see those of the node." },
    // https://github.com/kata-containers/kata-containers/blob/main/docs/how-to/privileged.md
    Check {
        find: privileged,
        why: "Privileges end at the sandbox: the devices and the kernel of the node are not there.",
    },
    // https://github.com/kata-containers/kata-containers/blob/main/docs/Limitations.md#support-for-host-mounts
    Check {
        find: host_paths,
        why: "The sandbox sees a copy or a share of the path: sockets, devices and mounts of the node do not work in it.",
    },
    // https://gvisor.dev/docs/user_guide/gpu/ and https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/
    Check { find: device_plugins, why: "A device of the node is in the sandbox only if the new class is made for it." },
    // https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/
    Check {
        find: resource_claims,
        why: "A device of the node is in the sandbox only if the new class is made for it.",
    },
    // https://docs.nvidia.com/datacenter/tkn/container-toolkit/latest/docker-specialized.html
    Check { find: gpu_by_class, why: "The old class gives the Pod its GPU, and the new one does not." },
    Check { find: gpu_by_variable, why: "NVIDIA's runtime reads this variable, and the new class does not run it." },
    // https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/
    Check {
        find: user_namespace,
        why: "A kubelet starts a Pod with a user namespace only if the handler of its class supports them.",
    },
    // https://kubernetes.io/docs/tasks/configure-pod-container/image-volumes/
    Check { find: image_volumes, why: "Kata Containers and gVisor do not mount an image as a volume." },
    // https://kubernetes.io/docs/concepts/storage/volumes/#recursive-read-only-mounts
    Check {
        find: recursive_read_only,
        why: "A kubelet starts a Pod with recursive read-only mounts only if the handler of its class supports them.",
    },
    // https://gvisor.dev/docs/user_guide/compatibility/
    Check {
        find: block_devices,
        why: "gVisor has no block devices, and Kata Containers has them only with a hypervisor that can plug them in.",
    },
    // https://kubernetes.io/docs/concepts/windows/intro/
    Check { find: windows, why: "A Pod for Windows does not run in a sandbox for Linux." },
    // https://kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod/
    Check { find: host_process, why: "A HostProcess container runs on the Windows node itself, and not in a sandbox." },
    // https://kubernetes.io/docs/concepts/containers/runtime-class/#scheduling
    Check {
        find: node_selector,
        why: "No node of the input has the labels that the Pod and the new class select: the Pod stays Pending.",
    },
    Check {
        find: affinity_against_class,
        why: "The affinity contradicts the nodeSelector of the new class: the Pod stays Pending.",
    },
    Check {
        find: affinity_without_node,
        why: "No node of the input meets the affinity and has the labels of the new class: the Pod stays Pending.",
    },
    Check { find: node_name, why: "The node has not the labels of the new class: its kubelet rejects the Pod." },
    Check {
        find: taints,
        why: "The nodes of the new class have taints that the Pod does not tolerate: it stays Pending.",
    },
    // https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/
    Check {
        find: daemon_set,
        why: "The DaemonSet controller does not look at the nodes of a class: Pods for other nodes stay Pending, and a rollout hangs.",
    },
    // https://github.com/kata-containers/kata-containers/blob/main/docs/how-to/how-to-set-sandbox-config-kata.md
    Check {
        find: requests_without_limits,
        why: "The VM of a sandbox is sized by limits: without one, the container has only the memory that a VM has by default.",
    },
];

/// A check for what is lost, and not for what breaks.
const CONFIDENTIAL: &str = "The Pod starts without the encryption that the old class gives.";

/// The fields to look at.
pub fn fields(movement: &Move) -> Vec<Field> {
    let mut fields = vec![];
    for Check { find, why } in &CHECKS {
        fields.extend(find(movement).into_iter().map(|(path, value)| field(path, value, why)));
    }
    let is_confidential = |class: Option<&Value>, name: &str| names_of(class, name).any(is_confidential_name);
    if is_confidential(movement.from, movement.from_name) && !is_confidential(movement.to, movement.to_name) {
        fields.push(field("spec.runtimeClassName".to_owned(), movement.from_name.to_owned(), CONFIDENTIAL));
    }
    fields
}

/// Two policies that want a Pod in different classes: the last one has it.
pub fn several_moves(moves: &[(Option<String>, String)]) -> Option<Field> {
    let (_, last) = moves.last()?;
    let is_contested = moves.iter().any(|(_, to)| to != last);
    let name = |policy: &Option<String>| policy.clone().unwrap_or_default();
    let wishes: Vec<String> = moves.iter().map(|(policy, to)| format!("{} by {}", to, name(policy))).collect();
    is_contested.then(|| {
        let why =
            "Several policies move the Pod to different classes: the last one has it, by the order of their names.";
        field("spec.runtimeClassName".to_owned(), wishes.join(", then "), why)
    })
}

fn field(path: String, value: String, why: &str) -> Field {
    Field { path, value, why: why.to_owned() }
}

fn host_network(Move { pod, .. }: &Move) -> Found {
    flags(&pod["spec"], &["hostNetwork"])
}

fn host_pid_and_ipc(Move { pod, .. }: &Move) -> Found {
    flags(&pod["spec"], &["hostPID", "hostIPC"])
}

fn flags(spec: &Value, names: &[&str]) -> Found {
    let set = names.iter().filter(|name| spec[**name] == true);
    set.map(|name| (format!("spec.{name}"), "true".to_owned())).collect()
}

fn privileged(Move { pod, .. }: &Move) -> Found {
    let is_privileged = |(_, container): &(ContainerPath, &Value)| container["securityContext"]["privileged"] == true;
    let path = |(path, _): (ContainerPath, _)| (format!("{path}.securityContext.privileged"), "true".to_owned());
    containers(pod).filter(is_privileged).map(path).collect()
}

fn host_paths(Move { pod, .. }: &Move) -> Found {
    volumes(pod, |volume| volume["hostPath"]["path"].as_str().map(|path| ("hostPath", path.to_owned())))
}

fn image_volumes(Move { pod, .. }: &Move) -> Found {
    volumes(pod, |volume| volume.get("image").map(|image| ("image", text(&image["reference"]))))
}

fn volumes(pod: &Value, wanted: impl Fn(&Value) -> Option<(&'static str, String)>) -> Found {
    let find = |volume: &Value| {
        wanted(volume).map(|(kind, value)| (format!("spec.volumes[{}].{kind}", text(&volume["name"])), value))
    };
    items(&pod["spec"]["volumes"]).filter_map(find).collect()
}

/// Kubernetes' own resources have no domain, or `kubernetes.io`.
fn device_plugins(Move { pod, .. }: &Move) -> Found {
    let is_device = |resource: &str| {
        let domain = resource.split_once('/').map(|(domain, _)| domain);
        domain.is_some_and(|domain| domain != "kubernetes.io" && !domain.ends_with(".kubernetes.io"))
    };
    let mut found = vec![];
    for (path, container) in containers(pod) {
        let limits = entries(&container["resources"]["limits"]).map(|entry| ("limits", entry));
        let requests = entries(&container["resources"]["requests"]).map(|entry| ("requests", entry));
        let requests = requests.filter(|(_, (name, _))| container["resources"]["limits"][name.as_str()].is_null());
        for (part, (resource, quantity)) in limits.chain(requests).filter(|(_, (name, _))| is_device(name)) {
            found.push((format!("{path}.resources.{part}[{resource}]"), text(quantity)));
        }
    }
    found
}

fn resource_claims(Move { pod, .. }: &Move) -> Found {
    let claim = |claim: &Value| {
        let source = ["resourceClaimName", "resourceClaimTemplateName"].iter().find_map(|key| claim[*key].as_str());
        (format!("spec.resourceClaims[{}]", text(&claim["name"])), source.unwrap_or_default().to_owned())
    };
    items(&pod["spec"]["resourceClaims"]).map(claim).collect()
}

fn gpu_by_class(movement: &Move) -> Found {
    let is_nvidia = |class, name| names_of(class, name).any(|name: &str| name.contains("nvidia"));
    if is_nvidia(movement.from, movement.from_name) && !is_nvidia(movement.to, movement.to_name) {
        vec![("spec.runtimeClassName".to_owned(), movement.from_name.to_owned())]
    } else {
        vec![]
    }
}

fn gpu_by_variable(Move { pod, .. }: &Move) -> Found {
    let mut found = vec![];
    for (path, container) in containers(pod) {
        let variables = items(&container["env"]).filter(|variable| {
            variable["name"] == "NVIDIA_VISIBLE_DEVICES" && !matches!(variable["value"].as_str(), Some("void" | "none"))
        });
        found.extend(
            variables.map(|variable| (format!("{path}.env[{}]", text(&variable["name"])), text(&variable["value"]))),
        );
    }
    found
}

fn user_namespace(movement: &Move) -> Found {
    let is_wanted = movement.pod["spec"]["hostUsers"] == false;
    if is_wanted && !every_node_supports(movement, "userNamespaces") {
        vec![("spec.hostUsers".to_owned(), "false".to_owned())]
    } else {
        vec![]
    }
}

fn recursive_read_only(movement: &Move) -> Found {
    let mut found = vec![];
    if every_node_supports(movement, "recursiveReadOnlyMounts") {
        return found;
    }
    for (path, container) in containers(movement.pod) {
        let mounts = items(&container["volumeMounts"]).filter(|mount| mount["recursiveReadOnly"] == "Enabled");
        let field = |mount: &Value| format!("{path}.volumeMounts[{}].recursiveReadOnly", text(&mount["name"]));
        found.extend(mounts.map(|mount| (field(mount), "Enabled".to_owned())));
    }
    found
}

/// Whether the nodes of the input say that the handler of the new class has a feature.
fn every_node_supports(movement: &Move, feature: &str) -> bool {
    let handler = movement.to.map(|class| &class["handler"]);
    let mut nodes = nodes_of_class(movement).peekable();
    let supports = |node: &Node| {
        let mut handlers = node.runtime_handlers.iter().filter(|known| Some(&known["name"]) == handler);
        handlers.any(|known| known["features"][feature] == true)
    };
    nodes.peek().is_some() && nodes.all(|(_, node)| supports(node))
}

fn block_devices(Move { pod, .. }: &Move) -> Found {
    let mut found = vec![];
    for (path, container) in containers(pod) {
        let devices = items(&container["volumeDevices"]);
        found.extend(
            devices.map(|device| {
                (format!("{path}.volumeDevices[{}]", text(&device["name"])), text(&device["devicePath"]))
            }),
        );
    }
    found
}

const OS: &str = "kubernetes.io/os";

fn windows(movement: &Move) -> Found {
    let spec = &movement.pod["spec"];
    let windows = || "windows".to_owned();
    if is_windows(movement.to) {
        return vec![];
    }
    if spec["os"]["name"] == "windows" {
        return vec![("spec.os.name".to_owned(), windows())];
    }
    if is_windows(movement.from) {
        return vec![("spec.runtimeClassName".to_owned(), movement.from_name.to_owned())];
    }
    if spec["nodeSelector"][OS] == "windows" {
        return vec![(format!("spec.nodeSelector[{OS}]"), windows())];
    }
    let selects_windows = |requirement: &Value| {
        requirement["key"] == OS
            && requirement["operator"] == "In"
            && requirement["values"] == serde_json::json!(["windows"])
    };
    let terms: Vec<&Value> = node_selector_terms(spec).collect();
    let all = !terms.is_empty() && terms.iter().all(|term| items(&term["matchExpressions"]).any(selects_windows));
    if all { vec![(REQUIRED.to_owned(), format!("{OS} in [windows]"))] } else { vec![] }
}

fn is_windows(class: Option<&Value>) -> bool {
    class.is_some_and(|class| class["scheduling"]["nodeSelector"][OS] == "windows")
}

fn host_process(Move { pod, .. }: &Move) -> Found {
    let is_set = |holder: &Value| holder["securityContext"]["windowsOptions"]["hostProcess"] == true;
    let field = |path: &dyn Display| (format!("{path}.securityContext.windowsOptions.hostProcess"), "true".to_owned());
    let own = is_set(&pod["spec"]).then(|| field(&"spec"));
    own.into_iter()
        .chain(containers(pod).filter(|(_, container)| is_set(container)).map(|(path, _)| field(&path)))
        .collect()
}

const REQUIRED: &str = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution";

fn node_selector_terms(spec: &Value) -> impl Iterator<Item = &Value> {
    let affinity = &spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    items(&affinity["nodeSelectorTerms"])
}

/// The labels that the new class selects.
fn class_selector<'a>(movement: &Move<'a>) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let class = movement.to.map_or(&Value::Null, |class| &class["scheduling"]["nodeSelector"]);
    entries(class)
}

/// The nodes that the new class selects.
fn nodes_of_class<'a>(movement: &Move<'a>) -> impl Iterator<Item = (&'a str, &'a Node)> {
    let selector: Vec<_> = class_selector(movement).collect();
    let has = move |node: &Node| {
        selector.iter().all(|(key, value)| node.labels.get(*key).map(String::as_str) == value.as_str())
    };
    movement.nodes.iter().filter(move |(_, node)| has(node)).map(|(name, node)| (name.as_str(), node))
}

/// The pairs of the Pod's own nodeSelector: those of the old class go with it.
fn own_selector<'a>(movement: &Move<'a>) -> Vec<(&'a String, &'a Value)> {
    let of_class = movement.from.map_or(&Value::Null, |class| &class["scheduling"]["nodeSelector"]);
    entries(&movement.pod["spec"]["nodeSelector"])
        .filter(|(key, value)| of_class.get(key.as_str()) != Some(*value))
        .collect()
}

fn node_selector(movement: &Move) -> Found {
    let own = own_selector(movement);
    if movement.nodes.is_empty() || own.is_empty() {
        return vec![];
    }
    let has = |node: &Node| own.iter().all(|(key, value)| node.labels.get(*key).map(String::as_str) == value.as_str());
    if nodes_of_class(movement).any(|(_, node)| has(node)) {
        return vec![];
    }
    own.into_iter().map(|(key, value)| (format!("spec.nodeSelector[{key}]"), text(value))).collect()
}

fn affinity_against_class(movement: &Move) -> Found {
    let terms: Vec<&Value> = node_selector_terms(&movement.pod["spec"]).collect();
    if terms.is_empty() {
        return vec![];
    }
    let labels: BTreeMap<&str, &str> =
        class_selector(movement).filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))).collect();
    let contradicts = |term: &&Value| {
        let known = items(&term["matchExpressions"])
            .filter(|requirement| requirement["key"].as_str().is_some_and(|key| labels.contains_key(key)));
        known.into_iter().any(|requirement| !meets(requirement, |key| labels.get(key).copied()))
    };
    if terms.iter().all(contradicts) { vec![(REQUIRED.to_owned(), in_words(&terms))] } else { vec![] }
}

fn affinity_without_node(movement: &Move) -> Found {
    // The controller of a DaemonSet writes the name of a node here: the check of DaemonSets says the same.
    let terms: Vec<&Value> = node_selector_terms(&movement.pod["spec"]).collect();
    if movement.owner == Some("DaemonSet")
        || terms.is_empty()
        || movement.nodes.is_empty()
        || !affinity_against_class(movement).is_empty()
    {
        return vec![];
    }
    if nodes_of_class(movement).any(|(name, node)| terms.iter().any(|term| term_selects(term, name, node))) {
        return vec![];
    }
    vec![(REQUIRED.to_owned(), in_words(&terms))]
}

fn term_selects(term: &Value, name: &str, node: &Node) -> bool {
    let label = |key: &str| node.labels.get(key).map(String::as_str);
    let field = |key: &str| (key == "metadata.name").then_some(name);
    items(&term["matchExpressions"]).all(|requirement| meets(requirement, label))
        && items(&term["matchFields"]).all(|requirement| meets(requirement, field))
}

/// See [NodeSelectorRequirement](https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#NodeAffinity).
fn meets<'a>(requirement: &Value, label: impl Fn(&str) -> Option<&'a str>) -> bool {
    let label = label(requirement["key"].as_str().unwrap_or_default());
    let values = || items(&requirement["values"]).filter_map(Value::as_str);
    let number = |text: &str| text.parse::<i64>().ok();
    let compares = |wanted: std::cmp::Ordering| {
        let limit = values().next().and_then(number);
        label.and_then(number).zip(limit).is_some_and(|(label, limit)| label.cmp(&limit) == wanted)
    };
    match requirement["operator"].as_str() {
        Some("In") => label.is_some_and(|label| values().any(|value| value == label)),
        Some("NotIn") => !label.is_some_and(|label| values().any(|value| value == label)),
        Some("Exists") => label.is_some(),
        Some("DoesNotExist") => label.is_none(),
        Some("Gt") => compares(std::cmp::Ordering::Greater),
        Some("Lt") => compares(std::cmp::Ordering::Less),
        _ => true,
    }
}

fn in_words(terms: &[&Value]) -> String {
    let requirement = |requirement: &Value| {
        let values: Vec<&str> = items(&requirement["values"]).filter_map(Value::as_str).collect();
        let values = if values.is_empty() { String::new() } else { format!(" [{}]", values.join(", ")) };
        format!("{} {}{values}", text(&requirement["key"]), text(&requirement["operator"]))
    };
    let term = |term: &&Value| {
        let both = items(&term["matchExpressions"]).chain(items(&term["matchFields"]));
        both.map(requirement).collect::<Vec<_>>().join(" and ")
    };
    terms.iter().map(term).collect::<Vec<_>>().join(" or ")
}

/// The node that the author of a Pod chose. A scheduler has written that of a live Pod.
fn node_name(movement: &Move) -> Found {
    let Some(name) = movement.pod["spec"]["nodeName"].as_str() else { return vec![] };
    let is_live = !movement.pod["status"]["startTime"].is_null() || !movement.pod["metadata"]["uid"].is_null();
    let is_known = movement.nodes.contains_key(name);
    if is_live || !is_known || nodes_of_class(movement).any(|(of_class, _)| of_class == name) {
        return vec![];
    }
    vec![("spec.nodeName".to_owned(), name.to_owned())]
}

/// See [Taints and Tolerations](https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/).
fn taints(movement: &Move) -> Found {
    let mut nodes = nodes_of_class(movement).peekable();
    if nodes.peek().is_none() {
        return vec![];
    }
    let of_class = movement.to.map_or(&Value::Null, |class| &class["scheduling"]["tolerations"]);
    let old = movement.from.map_or(&Value::Null, |class| &class["scheduling"]["tolerations"]);
    let own = items(&movement.pod["spec"]["tolerations"]).filter(|own| !items(old).any(|old| old == *own));
    let tolerations: Vec<&Value> = own.chain(items(of_class)).collect();
    let stops = |taint: &&Value| {
        taint["effect"] != "PreferNoSchedule" && !tolerations.iter().any(|toleration| tolerates(toleration, taint))
    };
    let mut found: Found = vec![];
    for (name, node) in nodes {
        match node.taints.iter().find(stops) {
            Some(taint) => {
                let taint =
                    format!("{}={}:{}", text(&taint["key"]), text_or_empty(&taint["value"]), text(&taint["effect"]));
                found.push(("spec.tolerations".to_owned(), format!("{taint} of {name}")));
            }
            None => return vec![],
        }
    }
    found.truncate(1);
    found
}

fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let is_any = |value: &Value| value.is_null() || value == "";
    let key = is_any(&toleration["key"]) || toleration["key"] == taint["key"];
    let effect = is_any(&toleration["effect"]) || toleration["effect"] == taint["effect"];
    let value = toleration["operator"] == "Exists"
        || text_or_empty(&toleration["value"]) == text_or_empty(&taint["value"]) && !is_any(&toleration["key"]);
    key && effect && value
}

fn daemon_set(movement: &Move) -> Found {
    let selector: Vec<_> = class_selector(movement).collect();
    if movement.owner != Some("DaemonSet") || selector.is_empty() {
        return vec![];
    }
    let own = own_selector(movement);
    let is_of_daemon =
        |node: &Node| own.iter().all(|(key, value)| node.labels.get(*key).map(String::as_str) == value.as_str());
    let of_class: Vec<&str> = nodes_of_class(movement).map(|(name, _)| name).collect();
    let mut others =
        movement.nodes.iter().filter(|(name, node)| is_of_daemon(node) && !of_class.contains(&name.as_str()));
    let missing = others.next().map(|(name, _)| name);
    if !movement.nodes.is_empty() && missing.is_none() {
        return vec![];
    }
    let labels: Vec<String> = selector.iter().map(|(key, value)| format!("{key}={}", text(value))).collect();
    let on = missing.map(|name| format!(", not on {name}")).unwrap_or_default();
    vec![("spec.runtimeClassName".to_owned(), format!("{} runs on {}{on}", movement.to_name, labels.join(",")))]
}

fn requests_without_limits(movement: &Move) -> Found {
    if !names_of(movement.to, movement.to_name).any(|name| name.contains("kata")) {
        return vec![];
    }
    let mut found = vec![];
    for (path, container) in containers(movement.pod) {
        let resources = &container["resources"];
        let request = &resources["requests"]["memory"];
        if !request.is_null()
            && resources["limits"]["memory"].is_null()
            && movement.pod["spec"]["resources"]["limits"]["memory"].is_null()
        {
            found.push((format!("{path}.resources.requests[memory]"), text(request)));
        }
    }
    found
}

/// The names by which a class is known: its own and its handler.
fn names_of<'a>(class: Option<&'a Value>, name: &'a str) -> impl Iterator<Item = &'a str> {
    [Some(name), class.and_then(|class| class["handler"].as_str())].into_iter().flatten()
}

/// Whether a class of Kata Containers or of Confidential Containers encrypts the memory of its Pods.
fn is_confidential_name(name: &str) -> bool {
    name.split('-').any(|part| matches!(part, "snp" | "sev" | "tdx" | "se" | "cca" | "coco" | "cc"))
}

/// The path of a container, which is written only where something is found.
struct ContainerPath<'a> {
    list: &'static str,
    name: &'a Value,
}

impl Display for ContainerPath<'_> {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        write!(formatter, "spec.{}[{}]", self.list, text_or_empty(self.name))
    }
}

/// The containers of a Pod, and their paths.
fn containers(pod: &Value) -> impl Iterator<Item = (ContainerPath<'_>, &Value)> {
    ["initContainers", "containers", "ephemeralContainers"].into_iter().flat_map(|list| {
        items(&pod["spec"][list]).map(move |container| (ContainerPath { list, name: &container["name"] }, container))
    })
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn text_or_empty(value: &Value) -> String {
    if value.is_null() { String::new() } else { text(value) }
}
