//! The types of fields that people get wrong in manifests, as the API server tells of them when it reads an object.
//!
//! Kubernetes' own types have many more fields; a value of another type in one of those is taken for right.
use serde_json::Value;

use super::{
    fields::{at, first_step},
    kinds::Kind,
    refusals::Refused,
};

/// A type of Go, and its name where it has one.
#[derive(Clone, Copy)]
enum Type {
    Bool,
    Number(&'static str),
    Text(&'static str),
    /// With the type of its items.
    List(&'static str),
    Texts,
    /// From text to text.
    Map,
    Object(&'static str),
}
use Type::{Bool, List, Map, Number, Object, Text, Texts};

/// A struct of Go: its name, its places below the pod spec, and its fields.
type Struct = (&'static str, &'static [&'static str], &'static [(&'static str, Type)]);

#[rustfmt::skip]
const STRUCTS: &[Struct] = &[
    ("PodSpec", &[""], &[
        ("hostNetwork", Bool), ("hostPID", Bool), ("hostIPC", Bool), ("hostUsers", Bool), ("shareProcessNamespace", Bool),
        ("automountServiceAccountToken", Bool), ("enableServiceLinks", Bool), ("setHostnameAsFQDN", Bool),
        ("runtimeClassName", Text("string")), ("nodeName", Text("string")), ("serviceAccountName", Text("string")),
        ("schedulerName", Text("string")), ("priorityClassName", Text("string")), ("hostname", Text("string")), ("subdomain", Text("string")),
        ("restartPolicy", Text("v1.RestartPolicy")), ("dnsPolicy", Text("v1.DNSPolicy")), ("preemptionPolicy", Text("v1.PreemptionPolicy")),
        ("priority", Number("int32")), ("terminationGracePeriodSeconds", Number("int64")), ("activeDeadlineSeconds", Number("int64")),
        ("nodeSelector", Map), ("overhead", Object("v1.ResourceList")), ("os", Object("v1.PodOS")), ("affinity", Object("v1.Affinity")),
        ("securityContext", Object("v1.PodSecurityContext")),
        ("containers", List("v1.Container")), ("initContainers", List("v1.Container")), ("volumes", List("v1.Volume")),
        ("tolerations", List("v1.Toleration")), ("topologySpreadConstraints", List("v1.TopologySpreadConstraint")),
    ]),
    ("PodSecurityContext", &["securityContext"], &[
        ("runAsNonRoot", Bool), ("runAsUser", Number("int64")), ("runAsGroup", Number("int64")), ("fsGroup", Number("int64")),
    ]),
    ("PodOS", &["os"], &[("name", Text("v1.OSName"))]),
    ("Volume", &["volumes[]"], &[("name", Text("string"))]),
    ("Toleration", &["tolerations[]"], &[
        ("key", Text("string")), ("value", Text("string")), ("operator", Text("v1.TolerationOperator")), ("effect", Text("v1.TaintEffect")),
        ("tolerationSeconds", Number("int64")),
    ]),
    ("Container", &["containers[]", "initContainers[]"], &[
        ("name", Text("string")), ("image", Text("string")), ("imagePullPolicy", Text("v1.PullPolicy")), ("workingDir", Text("string")),
        ("command", Texts), ("args", Texts), ("stdin", Bool), ("tty", Bool), ("env", List("v1.EnvVar")), ("ports", List("v1.ContainerPort")),
        ("volumeMounts", List("v1.VolumeMount")), ("resources", Object("v1.ResourceRequirements")), ("securityContext", Object("v1.SecurityContext")),
    ]),
    ("EnvVar", &["containers[].env[]", "initContainers[].env[]"], &[("name", Text("string")), ("value", Text("string"))]),
    ("ContainerPort", &["containers[].ports[]", "initContainers[].ports[]"], &[
        ("name", Text("string")), ("containerPort", Number("int32")), ("hostPort", Number("int32")), ("protocol", Text("v1.Protocol")),
    ]),
    ("VolumeMount", &["containers[].volumeMounts[]", "initContainers[].volumeMounts[]"], &[
        ("name", Text("string")), ("mountPath", Text("string")), ("subPath", Text("string")), ("readOnly", Bool),
    ]),
    ("SecurityContext", &["containers[].securityContext", "initContainers[].securityContext"], &[
        ("privileged", Bool), ("allowPrivilegeEscalation", Bool), ("readOnlyRootFilesystem", Bool), ("runAsNonRoot", Bool),
        ("runAsUser", Number("int64")), ("runAsGroup", Number("int64")),
    ]),
];

/// Whether the API server can read an object.
///
/// # Errors
/// A field has a value of another type.
pub fn decode(kind: &Kind, object: &Value) -> Result<(), Refused> {
    let path = if kind.is_pod() { "spec".to_owned() } else { format!("{}.spec", kind.template) };
    let Some(spec) = at(object, &path) else { return Ok(()) };
    let wrong = mismatch(spec, &path).map_or(Ok(()), Err);
    wrong.map_err(|why| {
        let version = object["apiVersion"].as_str().unwrap_or_default();
        Refused::bad_request(kind.name, version.rsplit('/').next().unwrap_or_default(), &why)
    })
}

fn mismatch(spec: &Value, path: &str) -> Option<String> {
    if !spec.is_object() && !spec.is_null() {
        return Some(format!(
            "cannot unmarshal {} into Go struct field {} of type v1.PodSpec",
            name_of(spec),
            owner_of(path)
        ));
    }
    STRUCTS.iter().find_map(|(name, places, fields)| {
        places.iter().find_map(|place| {
            let (field, found, wanted) = wrong_field(spec, place, fields)?;
            let below = place.replace("[]", "");
            let prefix = if below.is_empty() { path.to_owned() } else { format!("{path}.{below}") };
            Some(format!("cannot unmarshal {found} into Go struct field {name}.{prefix}.{field} of type {wanted}"))
        })
    })
}

/// The first field that is wrong in the structs at a place: keys with dots between them, and `[]` behind a list.
fn wrong_field(
    value: &Value,
    place: &str,
    fields: &[(&'static str, Type)],
) -> Option<(&'static str, &'static str, String)> {
    if place.is_empty() {
        let wrong = value.as_object()?.iter().filter_map(|(key, value)| {
            let (at, (field, wanted)) = fields.iter().enumerate().find(|(_, (field, _))| field == key)?;
            let (found, wanted) = wrong(value, *wanted)?;
            Some((at, (*field, found, wanted)))
        });
        return wrong.min_by_key(|(at, _)| *at).map(|(_, wrong)| wrong);
    }
    let (step, rest) = first_step(place);
    match step.strip_suffix("[]") {
        Some(list) => value.get(list)?.as_array()?.iter().find_map(|item| wrong_field(item, rest, fields)),
        None => wrong_field(value.get(step)?, rest, fields),
    }
}

/// The struct and the field that hold the pod spec.
fn owner_of(path: &str) -> String {
    if path == "spec" { format!("Pod.{path}") } else { format!("PodTemplateSpec.{path}") }
}

/// What a value is, and what it should be.
fn wrong(value: &Value, wanted: Type) -> Option<(&'static str, String)> {
    let differs =
        |is_right: bool, name: &str| (!is_right && !value.is_null()).then(|| (name_of(value), name.to_owned()));
    match (wanted, value) {
        (Bool, _) => differs(value.is_boolean(), "bool"),
        (Number(name), _) => differs(value.is_number(), name),
        (Text(name), _) => differs(value.is_string(), name),
        (Object(name), _) => differs(value.is_object(), name),
        (Texts, Value::Array(items)) => first(items.iter(), Value::is_string, "string"),
        (Texts, _) => differs(false, "[]string"),
        (List(name), Value::Array(items)) => first(items.iter(), Value::is_object, name),
        (List(name), _) => differs(false, &format!("[]{name}")),
        (Map, Value::Object(members)) => first(members.values(), Value::is_string, "string"),
        (Map, _) => differs(false, "map[string]string"),
    }
}

/// The first that is wrong.
fn first<'v>(
    mut values: impl Iterator<Item = &'v Value>,
    is_right: fn(&Value) -> bool,
    wanted: &str,
) -> Option<(&'static str, String)> {
    let wrong = values.find(|value| !is_right(value) && !value.is_null())?;
    Some((name_of(wrong), wanted.to_owned()))
}

/// What encoding/json of Go calls it.
fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
