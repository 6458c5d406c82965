//! Pieces of [CEL](https://kubernetes.io/docs/reference/using-api/cel/).

/// A string. CEL reads all strings of JSON.
pub fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A map of strings, a line each.
pub fn map<'a>(entries: impl Iterator<Item = (&'a str, String)>) -> String {
    let lines: Vec<_> = entries.map(|(key, value)| format!("\n  {}: {value}", string(key))).collect();
    if lines.is_empty() { "{}".to_owned() } else { format!("{{{}\n}}", lines.join(",")) }
}

/// A list.
pub fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// A regular expression that matches what the entries of a list match. The names of classes and handlers are in lower
/// case. There is no backslash in it, which YAML or CEL could read in another way.
pub fn pattern(entries: &[&str]) -> String {
    let entries: Vec<_> =
        entries.iter().map(|entry| entry.to_ascii_lowercase().replace('.', "[.]").replace('*', ".*")).collect();
    string(&format!("^({})$", entries.join("|")))
}

/// The value of the first condition that holds, a line each, or else `otherwise`. None: it is always that.
pub fn choice(rows: &[(String, String)], otherwise: &str) -> Option<String> {
    let matters = rows.iter().rposition(|(_, value)| value != otherwise)?;
    let lines: String =
        rows[..=matters].iter().map(|(condition, value)| format!("{condition} ? {value}\n: ")).collect();
    Some(lines + otherwise)
}

/// The class that a pod spec names, or `""`.
pub fn class_of(pod_spec: &str) -> String {
    format!("has({pod_spec}.runtimeClassName) ? {pod_spec}.runtimeClassName : \"\"")
}
