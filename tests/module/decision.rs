//! The decision: every combination of what it depends on, against the table of the README.
use evaluator::Capabilities;
use module_tests::*;
use serde_json::{Value, json};

const LISTS: &[&str] = &["none", "reserved", "allowed"];
const NAMES: &[&str] = &["no class", "name hit", "handler hit", "no hit", "unknown"];
const FALLBACKS: &[&str] = &["fallback", "-"];
const DEFAULTS: &[&str] = &["default reserved", "-"];
const HANDLERS: &[&str] = &["automatic", "true", "false"];
const ACCESS: &[&str] = &["granted", "none", "failing"];

type Row = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str, &'static str, usize);

/// What the list, the class, the fallback, the default, `matchHandlers` and the access lead to, and
/// with how many calls of the host. `*` is any; `a|b` is one of two. One row is for each combination.
#[rustfmt::skip]
const TABLE: &[Row] = &[
    // a workload that names no class
    ("*",        "no class",         "-",        "-",                "*",              "*",       "accept",           0),
    ("*",        "no class",         "-",        "default reserved", "*",              "*",       "default reserved", 0),
    ("*",        "no class",         "fallback", "*",                "false",          "*",       "change",           0),
    ("*",        "no class",         "fallback", "*",                "automatic|true", "granted", "change",           1),
    ("*",        "no class",         "fallback", "*",                "automatic",      "none",    "change",           1),
    ("*",        "no class",         "fallback", "*",                "true",           "none",    "no access",        1),
    ("*",        "no class",         "fallback", "*",                "automatic|true", "failing", "unavailable",      1),

    // no list: any class is right
    ("none",     "name hit|handler hit|no hit|unknown", "*", "*",    "*",              "*",       "accept",           0),

    // reserved by name: the name decides
    ("reserved", "name hit",         "-",        "*",                "*",              "*",       "reserved",         0),
    ("reserved", "name hit",         "fallback", "*",                "false",          "*",       "change reserved",  0),
    ("reserved", "name hit",         "fallback", "*",                "automatic|true", "granted", "change reserved",  1),
    ("reserved", "name hit",         "fallback", "*",                "automatic",      "none",    "change reserved",  1),
    ("reserved", "name hit",         "fallback", "*",                "true",           "none",    "no access",        1),
    ("reserved", "name hit",         "fallback", "*",                "automatic|true", "failing", "unavailable",      1),

    // reserved by handler, if it is looked up
    ("reserved", "handler hit",      "-",        "*",                "automatic|true", "granted", "handler reserved", 1),
    ("reserved", "handler hit",      "fallback", "*",                "automatic|true", "granted", "change reserved",  1),

    // not reserved, as far as is known
    ("reserved", "no hit|unknown",   "*",        "*",                "automatic|true", "granted", "accept",           1),
    ("reserved", "handler hit|no hit|unknown", "*", "*",             "false",          "*",       "accept",           0),
    ("reserved", "handler hit|no hit|unknown", "*", "*",             "automatic",      "none",    "accept",           1),
    ("reserved", "handler hit|no hit|unknown", "*", "*",             "true",           "none",    "no access",        1),
    ("reserved", "handler hit|no hit|unknown", "*", "*",             "automatic|true", "failing", "unavailable",      1),

    // allowed by name: the name decides
    ("allowed",  "name hit",         "*",        "*",                "*",              "*",       "accept",           0),

    // allowed by handler, if it is looked up
    ("allowed",  "handler hit",      "*",        "*",                "automatic|true", "granted", "accept",           1),

    // not allowed, as far as is known
    ("allowed",  "no hit|unknown",   "-",        "*",                "automatic|true", "granted", "not allowed",      1),
    ("allowed",  "no hit|unknown",   "fallback", "*",                "automatic|true", "granted", "change not allowed", 1),
    ("allowed",  "handler hit|no hit|unknown", "-", "*",             "false",          "*",       "not allowed",      0),
    ("allowed",  "handler hit|no hit|unknown", "fallback", "*",      "false",          "*",       "change not allowed", 0),
    ("allowed",  "handler hit|no hit|unknown", "-", "*",             "automatic",      "none",    "not allowed",      1),
    ("allowed",  "handler hit|no hit|unknown", "fallback", "*",      "automatic",      "none",    "change not allowed", 1),
    ("allowed",  "handler hit|no hit|unknown", "*", "*",             "true",           "none",    "no access",        1),
    ("allowed",  "handler hit|no hit|unknown", "*", "*",             "automatic|true", "failing", "unavailable",      1),
];

#[test]
fn every_combination_is_decided_as_the_table_says() {
    let mut combinations = 0;
    for list in LISTS {
        for name in NAMES {
            for fallback in FALLBACKS {
                for default in DEFAULTS {
                    for handlers in HANDLERS {
                        for access in ACCESS {
                            check([list, name, fallback, default, handlers, access]);
                            combinations += 1;
                        }
                    }
                }
            }
        }
    }
    assert_eq!(combinations, 540);
}

#[track_caller]
fn check(combination: [&str; 6]) {
    let is_met = |pattern: &str, value: &str| pattern == "*" || pattern.split('|').any(|one| one == value);
    let rows: Vec<_> = TABLE
        .iter()
        .filter(|(list, name, fallback, default, handlers, access, ..)| {
            [list, name, fallback, default, handlers, access].iter().zip(combination).all(|(p, v)| is_met(p, v))
        })
        .collect();
    assert_eq!(rows.len(), 1, "{combination:?} has one row of the table");
    let (.., outcome, calls) = *rows[0];

    let [list, name, fallback, default, handlers, access] = combination;
    let class = class_named(list, name);
    let request = create(class.map_or_else(|| pod(json!({})), pod_of));
    let settings = settings(list, fallback, default, handlers);
    let told = ask(&request, &settings, cluster_with(access));
    assert_eq!(told, (answer(outcome, class), calls), "{combination:?}");
}

/// A cluster in which `plain` and `listed` run on `runc`, the sandboxes on what they are named for.
fn cluster_with(access: &str) -> Capabilities {
    match access {
        "granted" => Capabilities::cluster(vec![
            class("plain", "runc"),
            class("listed", "other"),
            class("containerd-kata", "kata"),
            class("gvisor", "runsc"),
        ]),
        "none" => Capabilities::not_granted(),
        _ => Capabilities::failure("connection refused\nStack backtrace:\n  0: somewhere"),
    }
}

fn settings(list: &str, fallback: &str, default: &str, handlers: &str) -> Value {
    let mut settings = json!({});
    match list {
        "reserved" => settings["reservedRuntimes"] = json!(["runC", "listed"]),
        "allowed" => settings["allowedRuntimes"] = json!(["containerd-kata", "runsc", "listed"]),
        _ => {}
    }
    if fallback == "fallback" {
        settings["fallbackRuntime"] = json!("containerd-kata");
    }
    if default == "default reserved" {
        settings["defaultRuntimeReserved"] = json!(true);
    }
    if handlers != "automatic" {
        settings["matchHandlers"] = json!(handlers == "true");
    }
    settings
}

fn class_named(list: &str, name: &str) -> Option<&'static str> {
    match (name, list) {
        ("no class", _) => None,
        ("name hit", _) => Some("listed"),
        ("unknown", _) => Some("ghost"),
        ("handler hit", "allowed") | ("no hit", "reserved") => Some("gvisor"),
        _ => Some("plain"),
    }
}

fn answer(outcome: &str, class: Option<&str>) -> Value {
    let name = class.unwrap_or(DEFAULT);
    let fallback =
        |warning: Option<String>| changed(pod_of("containerd-kata"), name, "containerd-kata", warning.as_deref());
    match outcome {
        "accept" => accepted(),
        "default reserved" => refused(DEFAULT, "Usage of the default runtime is reserved"),
        "reserved" => refused(name, &format!("runtime '{name}' is reserved")),
        "handler reserved" => refused(name, &format!("runtime '{name}' is reserved: it runs on 'runc'")),
        "not allowed" => refused(name, &format!("runtime '{name}' is not allowed")),
        "change" => fallback(None),
        "change reserved" => {
            fallback(Some(format!("runtime '{name}' is reserved: this Pod will run with 'containerd-kata'")))
        }
        "change not allowed" => {
            fallback(Some(format!("runtime '{name}' is not allowed: this Pod will run with 'containerd-kata'")))
        }
        "no access" => failed(
            name,
            500,
            "matchHandlers is true, but this policy has not been granted access to RuntimeClasses: \
             add {apiVersion: node.k8s.io/v1, kind: RuntimeClass} to its contextAwareResources",
        ),
        "unavailable" => {
            failed(name, 503, "RuntimeClasses can't be read: Callback evaluation failure: connection refused")
        }
        _ => unreachable!("{outcome} is no outcome"),
    }
}

#[test]
fn a_pod_that_names_a_class_that_is_not_reserved_is_accepted_unchanged() {
    let settings = json!({ "reservedRuntimes": ["runC"], "defaultRuntimeReserved": true, "fallbackRuntime": "kata" });
    assert_eq!(ask(&recorded("pod-create-gvisor"), &settings, recorded_cluster()).0, accepted());
}

#[test]
fn a_pod_that_names_no_class_gets_the_fallback_whether_the_default_is_reserved_or_not() {
    for reserved in [true, false] {
        let settings = json!({ "defaultRuntimeReserved": reserved, "fallbackRuntime": "kata" });
        assert_eq!(ask_names_alone(&create(pod(json!({}))), &settings), changed(pod_of("kata"), DEFAULT, "kata", None));
    }
}

#[test]
fn an_empty_or_null_class_is_no_class() {
    for none in [json!(null), json!("")] {
        let request = create(pod(json!({ "runtimeClassName": none })));
        assert_eq!(
            ask_names_alone(&request, &json!({ "defaultRuntimeReserved": true })),
            refused(DEFAULT, "Usage of the default runtime is reserved")
        );
        assert_eq!(
            ask_names_alone(&request, &json!({ "fallbackRuntime": "kata" })),
            changed(pod_of("kata"), DEFAULT, "kata", None)
        );
    }
}

#[test]
fn names_are_compared_without_regard_to_case_and_told_as_they_were_written() {
    let settings = json!({ "reservedRuntimes": ["RUNC"], "matchHandlers": false });
    assert_eq!(ask_names_alone(&create(pod_of("runC")), &settings), refused("runC", "runtime 'runC' is reserved"));
}

#[test]
fn no_settings_mean_that_every_workload_is_accepted() {
    for settings in [json!({}), json!(null)] {
        assert_eq!(ask_names_alone(&create(pod_of("runc")), &settings), accepted());
    }
    let payload = json!({ "request": create(pod_of("runc")) }).to_string();
    assert_eq!(ask_raw(&payload), accepted());
}
