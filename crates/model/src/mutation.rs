use serde_json::{Value, json};

/// The Pod with the class `fallback`, without its overhead, and without the node selector and the
/// tolerations of the `scheduling` of its old class; `None` if there are some to remove, and those of the Pod can't be read.
pub fn mutate(pod: &Value, fallback: &str, scheduling: &Value) -> Option<Value> {
    let mut pod = pod.clone();
    let spec = pod["spec"].as_object_mut()?;
    spec.insert("runtimeClassName".to_owned(), json!(fallback));
    spec.remove("overhead");

    if let Some(of_class) = scheduling["nodeSelector"].as_object().filter(|pairs| !pairs.is_empty())
        && let Some(selector) = spec.get_mut("nodeSelector").filter(|value| !value.is_null())
    {
        selector.as_object_mut()?.retain(|key, value| of_class.get(key) != Some(value));
    }
    if let Some(of_class) = scheduling["tolerations"].as_array().filter(|tolerations| !tolerations.is_empty())
        && let Some(tolerations) = spec.get_mut("tolerations").filter(|value| !value.is_null())
    {
        tolerations.as_array_mut()?.retain(|own| !of_class.iter().any(|of_class| same_toleration(of_class, own)));
    }
    Some(pod)
}

/// Whether two tolerations of a Pod are the same. The API server leaves none that another one covers.
pub fn repeats_a_toleration(pod: &Value) -> bool {
    let tolerations = pod["spec"]["tolerations"].as_array().map_or(&[][..], Vec::as_slice);
    let is_repeated = |(at, one)| tolerations.iter().skip(at + 1).any(|other| same_toleration(one, other));
    tolerations.iter().enumerate().any(is_repeated)
}

/// Two tolerations are the same if they are once the defaults are filled in.
fn same_toleration(one: &Value, other: &Value) -> bool {
    with_defaults(one) == with_defaults(other)
}

fn with_defaults(toleration: &Value) -> Value {
    let mut toleration = toleration.clone();
    if let Some(fields) = toleration.as_object_mut() {
        for (key, default) in
            [("key", json!("")), ("operator", json!("Equal")), ("value", json!("")), ("effect", json!(""))]
        {
            if fields.get(key).is_none_or(Value::is_null) {
                fields.insert(key.to_owned(), default);
            }
        }
        fields.entry("tolerationSeconds").or_insert(Value::Null);
    }
    toleration
}
