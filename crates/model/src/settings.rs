use serde_json::Value;

use crate::{matches, words::shown};

/// Settings without a fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub reserved: Vec<String>,
    pub allowed: Vec<String>,
    pub default_reserved: bool,
    pub fallback: Option<String>,
    /// Whether Pods that name a class are rejected, and never get the fallback.
    pub fallback_for_default_alone: bool,
    pub match_handlers: Option<bool>,
}

impl Settings {
    /// Reads settings; a value that is left out or of the wrong type is as if it were not there.
    pub fn of(settings: &Value) -> Self {
        let texts = |key: &str| {
            let items = settings[key].as_array().cloned().unwrap_or_default();
            items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Self {
            reserved: texts("reservedRuntimes"),
            allowed: texts("allowedRuntimes"),
            default_reserved: settings["defaultRuntimeReserved"].as_bool().unwrap_or_default(),
            fallback: settings["fallbackRuntime"].as_str().filter(|name| !name.is_empty()).map(str::to_owned),
            fallback_for_default_alone: settings["fallbackFor"] == "default",
            match_handlers: settings["matchHandlers"].as_bool(),
        }
    }

    /// Whether the name of a class is enough to judge it.
    pub fn is_settled_by_name(&self, class: &str) -> bool {
        let has_no_list = self.reserved.is_empty() && self.allowed.is_empty();
        has_no_list || self.reserved.iter().chain(&self.allowed).any(|entry| matches(entry, class))
    }
}

const KEYS: &str =
    "reservedRuntimes, allowedRuntimes, defaultRuntimeReserved, fallbackRuntime, fallbackFor, matchHandlers";
const NAMES: &str = "letters, digits, '-' and '.', and starts and ends with a letter or digit";

/// The faults of settings, in the words of the policy, which reports one of them.
pub fn faults(settings: &Value) -> Vec<String> {
    let members = match settings {
        Value::Null => return vec![],
        Value::Object(members) => members,
        _ => return vec![format!("settings: expected an object, got {settings}")],
    };
    let mut faults: Vec<String> = members.iter().flat_map(|(key, value)| faults_of(key, value)).collect();
    if !faults.is_empty() {
        return faults;
    }
    let read = Settings::of(settings);
    let is_for_some = settings["fallbackFor"].as_str().is_some_and(|whom| !whom.is_empty());
    if is_for_some && read.fallback.is_none() {
        faults.push("fallbackFor: needs fallbackRuntime, which is not set".to_owned());
    }
    faults.extend(faults_between(&read));
    faults
}

fn faults_of(key: &str, value: &Value) -> Vec<String> {
    let is_left_out = value.is_null() || value == "" || value == &Value::Array(vec![]);
    let expected = match key {
        "reservedRuntimes" | "allowedRuntimes" => "a list of strings",
        "defaultRuntimeReserved" | "matchHandlers" => "true or false",
        "fallbackRuntime" => "a string",
        "fallbackFor" => "all or default",
        _ => return vec![format!("{}: unknown setting, got {value}; the settings are {KEYS}", shown(key))],
    };
    let is_right = match key {
        "reservedRuntimes" | "allowedRuntimes" => {
            value.as_array().is_some_and(|items| items.iter().all(Value::is_string))
        }
        "defaultRuntimeReserved" | "matchHandlers" => value.is_boolean(),
        "fallbackFor" => value == "all" || value == "default",
        _ => value.is_string(),
    };
    if is_left_out {
        return vec![];
    }
    if !is_right {
        return vec![format!("{key}: expected {expected}, got {value}")];
    }
    let entries = value.as_array().cloned().unwrap_or_default();
    let entries = entries.iter().filter_map(Value::as_str).filter(|entry| !could_match_a_name(entry));
    entries.map(|entry| format!("{key}: '{}' matches no runtime: a name consists of {NAMES}", shown(entry))).collect()
}

fn faults_between(settings: &Settings) -> Vec<String> {
    let mut faults = vec![];
    if !settings.reserved.is_empty() && !settings.allowed.is_empty() {
        let (reserved, allowed) = (Value::from(settings.reserved.clone()), Value::from(settings.allowed.clone()));
        faults.push(format!(
            "reservedRuntimes: cannot be used together with allowedRuntimes, got {reserved} and {allowed}"
        ));
    }
    let Some(fallback) = &settings.fallback else { return faults };
    if settings.reserved.iter().any(|entry| matches(entry, fallback)) {
        faults.push(format!("fallback runtime {} cannot be part of the reserved runtimes", shown(fallback)));
    }
    if !is_name(fallback) {
        faults.push(format!(
            "fallbackRuntime: '{}' is not a valid RuntimeClass name: a name consists of lower case {NAMES}",
            shown(fallback)
        ));
    }
    if settings.match_handlers == Some(false)
        && !settings.allowed.is_empty()
        && !settings.allowed.iter().any(|entry| matches(entry, fallback))
    {
        faults.push(format!(
            "fallbackRuntime: '{}' is not in allowedRuntimes, and matchHandlers is false",
            shown(fallback)
        ));
    }
    faults
}

/// Whether there can be an object of this name: an RFC 1123 subdomain.
pub fn is_name(name: &str) -> bool {
    could_match_a_name(name) && !name.chars().any(|c| c == '*' || c.is_ascii_uppercase())
}

/// An entry can match a name if it is one, where each `*` may be a letter.
fn could_match_a_name(entry: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || c == '*' || c == '-';
    let is_outer = |c: char| is_inner(c) && c != '-';
    let is_label = |label: &str| {
        label.chars().all(is_inner)
            && label.chars().next().is_some_and(is_outer)
            && label.chars().last().is_some_and(is_outer)
    };
    entry.len() <= 253 && entry.split('.').all(is_label)
}
