//! The fields of a Pod that a sandbox may not support.
use serde::Serialize;
use serde_json::Value;

/// A field of a Pod, and its value for people.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Field {
    pub path: String,
    pub value: String,
}

/// The fields of a mutated pod spec that its new class may not support. It may not start, or harm its node.
pub fn taken_away(spec: &Value, class: Option<&Value>) -> Vec<Field> {
    let mut fields = vec![];
    namespaces_of_the_node(spec, &mut fields);
    containers(spec, &mut fields);
    host_paths(spec, &mut fields);
    devices(spec, &mut fields);
    windows(spec, &mut fields);
    conflicts(spec, class, &mut fields);
    fields
}

fn namespaces_of_the_node(spec: &Value, fields: &mut Vec<Field>) {
    for name in ["hostNetwork", "hostPID", "hostIPC"] {
        if spec[name] == true {
            fields.push(Field::new(format!("spec.{name}"), "true"));
        }
    }
}

fn containers(spec: &Value, fields: &mut Vec<Field>) {
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for container in items(&spec[list]) {
            let path = format!("spec.{list}[{}]", text(&container["name"]));
            if container["securityContext"]["privileged"] == true {
                fields.push(Field::new(format!("{path}.securityContext.privileged"), "true"));
            }
            for (resource, quantity) in entries(&container["resources"]["limits"]) {
                if is_of_a_device_plugin(resource) {
                    fields.push(Field::new(format!("{path}.resources.limits[{resource}]"), &text(quantity)));
                }
            }
        }
    }
}

/// Kubernetes' own resources have no domain, or `kubernetes.io`.
fn is_of_a_device_plugin(resource: &str) -> bool {
    resource.split_once('/').is_some_and(|(domain, _)| domain != "kubernetes.io" && !domain.ends_with(".kubernetes.io"))
}

fn host_paths(spec: &Value, fields: &mut Vec<Field>) {
    for volume in items(&spec["volumes"]) {
        if let Some(path) = volume["hostPath"]["path"].as_str() {
            fields.push(Field::new(format!("spec.volumes[{}].hostPath", text(&volume["name"])), path));
        }
    }
}

/// Devices by [dynamic resource allocation](https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/).
fn devices(spec: &Value, fields: &mut Vec<Field>) {
    for claim in items(&spec["resourceClaims"]) {
        let source = ["resourceClaimName", "resourceClaimTemplateName"].iter().find_map(|key| claim[key].as_str());
        fields.push(Field::new(format!("spec.resourceClaims[{}]", text(&claim["name"])), source.unwrap_or_default()));
    }
}

fn windows(spec: &Value, fields: &mut Vec<Field>) {
    if spec["os"]["name"] == "windows" {
        fields.push(Field::new("spec.os.name".to_owned(), "windows"));
    } else if spec["nodeSelector"]["kubernetes.io/os"] == "windows" {
        fields.push(Field::new("spec.nodeSelector[kubernetes.io/os]".to_owned(), "windows"));
    }
}

/// The API server rejects a Pod whose selector contradicts its class's.
fn conflicts(spec: &Value, class: Option<&Value>, fields: &mut Vec<Field>) {
    let Some(class) = class else { return };
    for (key, wanted) in entries(&class["scheduling"]["nodeSelector"]) {
        if let Some(own) = spec["nodeSelector"].get(key).filter(|own| *own != wanted) {
            let value = format!("{} (the class needs {})", text(own), text(wanted));
            fields.push(Field::new(format!("spec.nodeSelector[{key}]"), &value));
        }
    }
}

impl Field {
    fn new(path: String, value: &str) -> Self {
        Self { path, value: value.to_owned() }
    }
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
