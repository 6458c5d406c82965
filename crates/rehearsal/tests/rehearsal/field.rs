//! Inputs made after what people met in the field: `test_data/field/cases.json` has what is right for each.

use std::fs;

use rehearsal::{Policies, read};
use serde::Deserialize;
use serde_json::{Value, json};

use super::host;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    input: Vec<String>,
    settings: Option<String>,
    #[serde(default)]
    policies: Vec<String>,
    /// Null: those of the input alone.
    #[serde(default = "all_classes")]
    classes: Option<String>,
    /// A part of the report.
    report: Value,
}

fn all_classes() -> Option<String> {
    Some("classes.yml".to_owned())
}

#[test]
fn every_case_of_the_field_has_the_right_report() {
    let folder = host::root().join("test_data/field");
    let file = |name: &str| fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let cases: Vec<Case> = serde_json::from_slice(&file("cases.json")).expect("cases");
    let mut wrong = vec![];
    for case in &cases {
        let policies = if case.policies.is_empty() {
            let name = case.settings.as_deref().unwrap_or("settings.json");
            let settings = read::documents(&file(name), name).expect("settings");
            Policies::of_settings(settings.into_iter().next().expect("a document"))
        } else {
            let objects: Vec<Value> =
                case.policies.iter().flat_map(|name| read::documents(&file(name), name).expect("policies")).collect();
            Policies::of_objects(&objects).expect("policies")
        };
        let classes: Vec<String> = case.classes.iter().cloned().collect();
        let report = json!(host::rehearse(&policies, &folder, &case.input, &classes));
        let differences = differences(&report, &case.report);
        if !differences.is_empty() {
            wrong.push(format!("{}\n  {}", case.name, differences.join("\n  ")));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// How a report differs from the part that a case gives. Fields are compared by their paths, messages and notes by a part
/// of their words, and a list by all of its items.
fn differences(report: &Value, wanted: &Value) -> Vec<String> {
    let mut found = vec![];
    compare("", report, wanted, &mut found);
    found
}

fn compare(path: &str, found: &Value, wanted: &Value, differences: &mut Vec<String>) {
    let mut differs = || differences.push(format!("{path}: {found} in place of {wanted}"));
    match (path.rsplit('.').next().unwrap_or_default(), found, wanted) {
        ("fields", Value::Array(found), wanted) => {
            let paths: Vec<&Value> = found.iter().map(|field| &field["path"]).collect();
            if json!(paths) != *wanted {
                differs();
            }
        }
        ("notes", Value::Array(notes), Value::Array(wanted)) => {
            let has = |wanted: &Value| notes.iter().any(|note| text(note).contains(text(wanted)));
            if !wanted.iter().all(has) {
                differs();
            }
        }
        ("message", Value::String(message), Value::String(wanted)) if message.contains(wanted.as_str()) => {}
        (_, Value::Object(found), Value::Object(wanted)) => {
            for (key, wanted) in wanted {
                compare(&format!("{path}.{key}"), &found.get(key).cloned().unwrap_or_default(), wanted, differences);
            }
        }
        (_, Value::Array(items), Value::Array(wanted)) if items.len() == wanted.len() => {
            for (number, (item, wanted)) in items.iter().zip(wanted).enumerate() {
                compare(&format!("{path}[{number}]"), item, wanted, differences);
            }
        }
        (_, found, wanted) if found == wanted => {}
        _ => differs(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
