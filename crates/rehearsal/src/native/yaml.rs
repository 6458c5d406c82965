//! Native policies in YAML.
use serde_json::Value;
use serde_yaml_ng::Value as Yaml;

/// Keys that come first, in this order. All others follow in alphabetical order.
const FIRST: [&str; 12] = [
    "apiVersion",
    "kind",
    "metadata",
    "name",
    "key",
    "policyName",
    "failurePolicy",
    "reinvocationPolicy",
    "paramKind",
    "matchConstraints",
    "matchConditions",
    "variables",
];

/// Objects in YAML, below comments, a line each.
pub fn text(comments: &[String], objects: &[Value]) -> Result<String, serde_yaml_ng::Error> {
    let comments: String = comments.iter().map(|comment| format!("# {comment}\n")).collect();
    let objects = objects.iter().map(|object| serde_yaml_ng::to_string(&in_order(object)));
    Ok(comments + &objects.collect::<Result<Vec<_>, _>>()?.join("---\n"))
}

fn in_order(value: &Value) -> Yaml {
    match value {
        Value::Null => Yaml::Null,
        Value::Bool(bool) => Yaml::Bool(*bool),
        Value::Number(number) => number.as_i64().map_or(Yaml::Null, Yaml::from),
        Value::String(text) => Yaml::from(text.as_str()),
        Value::Array(items) => items.iter().map(in_order).collect::<Vec<_>>().into(),
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| (FIRST.iter().position(|first| first == key).unwrap_or(FIRST.len()), *key));
            let members = members.into_iter().map(|(key, member)| (Yaml::from(key.as_str()), in_order(member)));
            Yaml::Mapping(members.collect())
        }
    }
}
