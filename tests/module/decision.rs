//! The decision: every combination of what it depends on, against the table of the README.
use kubectl_runtime_class::Capabilities;
use rstest::rstest;
use serde_json::{Value, json};
use tests::*;

const LISTS: &[&str] = &["none", "reserved", "allowed"];
const NAMES: &[&str] = &["no class", "name hit", "handler hit", "no hit", "missing"];
const FALLBACKS: &[&str] = &["fallback", "-"];
const DEFAULTS: &[&str] = &["default reserved", "-"];
const HANDLERS: &[&str] = &["automatic", "true", "false"];
const ACCESS: &[&str] = &["granted", "none", "failing"];

const FALLBACK: &str = "containerd-kata";

type Row = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str, &'static str, usize);

/// The outcome for a Pod, and the number of host calls, by the list, the class, the fallback, the
/// default, `matchHandlers` and the access. `*` is any; `a|b` is one of two. Each combination has one
/// row.
#[rustfmt::skip]
const TABLE: &[Row] = &[
    // the Pod names no class
    ("*",        "no class",         "-",        "-",                "*",              "*",       "accept",           0),
    ("*",        "no class",         "-",        "default reserved", "*",              "*",       "default reserved", 0),
    ("*",        "no class",         "fallback", "*",                "false",          "*",       "mutate",           0),
    ("*",        "no class",         "fallback", "*",                "automatic|true", "granted", "mutate",           1),
    ("*",        "no class",         "fallback", "*",                "automatic",      "none",    "mutate",           1),
    ("*",        "no class",         "fallback", "*",                "true",           "none",    "no access to the fallback", 1),
    ("*",        "no class",         "fallback", "*",                "automatic|true", "failing", "fallback unreadable", 1),

    // no list: every class is permitted
    ("none",     "name hit|handler hit|no hit|missing", "*", "*",    "*",              "*",       "accept",           0),

    // reserved by name: the name settles it
    ("reserved", "name hit",         "-",        "*",                "*",              "*",       "reserved",         0),
    ("reserved", "name hit",         "fallback", "*",                "false",          "*",       "mutate reserved",  0),
    ("reserved", "name hit",         "fallback", "*",                "automatic|true", "granted", "mutate reserved",  2),
    ("reserved", "name hit",         "fallback", "*",                "automatic",      "none",    "mutate reserved",  1),
    ("reserved", "name hit",         "fallback", "*",                "true",           "none",    "no access",        1),
    ("reserved", "name hit",         "fallback", "*",                "automatic|true", "failing", "unreadable",       1),

    // reserved by handler
    ("reserved", "handler hit",      "-",        "*",                "automatic|true", "granted", "handler reserved", 1),
    ("reserved", "handler hit",      "fallback", "*",                "automatic|true", "granted", "mutate reserved",  2),

    // not reserved, as far as is known
    ("reserved", "no hit",           "*",        "*",                "automatic|true", "granted", "accept",           1),
    ("reserved", "missing",          "*",        "*",                "automatic|true", "granted", "no such class",    1),
    ("reserved", "handler hit|no hit|missing", "*", "*",             "false",          "*",       "accept",           0),
    ("reserved", "handler hit|no hit|missing", "*", "*",             "automatic",      "none",    "accept",           1),
    ("reserved", "handler hit|no hit|missing", "*", "*",             "true",           "none",    "no access",        1),
    ("reserved", "handler hit|no hit|missing", "*", "*",             "automatic|true", "failing", "unreadable",       1),

    // allowed by name: the name settles it
    ("allowed",  "name hit",         "*",        "*",                "*",              "*",       "accept",           0),

    // allowed by handler
    ("allowed",  "handler hit",      "*",        "*",                "automatic|true", "granted", "accept",           1),

    // not allowed, as far as is known
    ("allowed",  "no hit",           "-",        "*",                "automatic|true", "granted", "not allowed",      1),
    ("allowed",  "no hit",           "fallback", "*",                "automatic|true", "granted", "mutate not allowed", 2),
    ("allowed",  "missing",          "*",        "*",                "automatic|true", "granted", "no such class",    1),
    ("allowed",  "handler hit|no hit|missing", "-", "*",             "false",          "*",       "not allowed",      0),
    ("allowed",  "handler hit|no hit|missing", "fallback", "*",      "false",          "*",       "mutate not allowed", 0),
    ("allowed",  "handler hit|no hit|missing", "-", "*",             "automatic",      "none",    "not allowed",      1),
    ("allowed",  "handler hit|no hit|missing", "fallback", "*",      "automatic",      "none",    "mutate not allowed", 1),
    ("allowed",  "handler hit|no hit|missing", "*", "*",             "true",           "none",    "no access",        1),
    ("allowed",  "handler hit|no hit|missing", "*", "*",             "automatic|true", "failing", "unreadable",       1),
];

#[test]
fn a_pod_is_decided_as_the_table_says() {
    for combination in combinations() {
        let (outcome, calls) = row(combination);
        let class = class_named(combination);
        let expected = (answer(outcome, class), calls);
        assert_eq!(decide(class.map_or_else(|| pod(json!({})), pod_of), combination), expected, "{combination:?}");
    }
}

/// Its Pods will be judged: the fallback is looked up for them, not for the template.
#[test]
fn a_template_is_accepted_where_a_pod_is_mutated() {
    for combination in combinations() {
        let (list, name, fallback) = (combination[0], combination[1], combination[2]);
        let class = class_named(combination);
        let warning = |fault: &str| {
            let class = class.expect("a class");
            warned(&format!("runtime '{class}' is {fault}: the Pods of this Deployment will run with '{FALLBACK}'"))
        };
        let expected = match row(combination) {
            _ if (name, fallback) == ("no class", "fallback") => (accepted(), 0),
            _ if (list, name, fallback) == ("reserved", "name hit", "fallback") => (warning("reserved"), 0),
            ("mutate reserved", calls) => (warning("reserved"), calls.min(1)),
            ("mutate not allowed", calls) => (warning("not allowed"), calls.min(1)),
            (outcome, calls) => (answer(outcome, class), calls),
        };
        let spec = class.map_or_else(|| pod(json!({})), pod_of)["spec"].take();
        let deployment =
            json!({ "apiVersion": "apps/v1", "kind": "Deployment", "spec": { "template": { "spec": spec } } });
        assert_eq!(decide(deployment, combination), expected, "{combination:?}");
    }
}

type Combination = [&'static str; 6];

fn combinations() -> Vec<Combination> {
    let mut all: Vec<Vec<&str>> = vec![vec![]];
    for values in [LISTS, NAMES, FALLBACKS, DEFAULTS, HANDLERS, ACCESS] {
        all = all.iter().flat_map(|start| values.iter().map(|value| [start.as_slice(), &[value]].concat())).collect();
    }
    assert_eq!(all.len(), 540);
    all.into_iter().map(|combination| combination.try_into().expect("six values")).collect()
}

/// The outcome and the number of calls in the one row of the table for this combination.
#[track_caller]
fn row(combination: Combination) -> (&'static str, usize) {
    let is_met = |pattern: &str, value: &str| pattern == "*" || pattern.split('|').any(|one| one == value);
    let rows: Vec<_> = TABLE
        .iter()
        .filter(|(list, name, fallback, default, handlers, access, ..)| {
            [list, name, fallback, default, handlers, access].iter().zip(combination).all(|(p, v)| is_met(p, v))
        })
        .collect();
    assert_eq!(rows.len(), 1, "{combination:?} has one row");
    (rows[0].6, rows[0].7)
}

fn decide(object: Value, [list, _, fallback, default, handlers, access]: Combination) -> (Value, usize) {
    ask(&create(object), &settings(list, fallback, default, handlers), cluster_with(access))
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

fn class_named([list, name, ..]: Combination) -> Option<&'static str> {
    match (name, list) {
        ("no class", _) => None,
        ("name hit", _) => Some("listed"),
        ("missing", _) => Some("ghost"),
        ("handler hit", "allowed") | ("no hit", "reserved") => Some("gvisor"),
        _ => Some("plain"),
    }
}

fn answer(outcome: &str, class: Option<&str>) -> Value {
    let name = class.unwrap_or(DEFAULT);
    let fallback = |warning: Option<String>| mutated(pod_of(FALLBACK), name, FALLBACK, warning.as_deref());
    let no_access = |looked_up: &str| {
        let message = format!(
            "matchHandlers is true, but RuntimeClass '{looked_up}' can't be read: Policy has not been granted access \
             to Kubernetes node.k8s.io/v1/RuntimeClass resources. The violation has been reported. Add \
             node.k8s.io/v1 RuntimeClass to the policy's contextAwareResources."
        );
        failed(name, &message)
    };
    let unreadable =
        |looked_up: &str| failed(name, &format!("RuntimeClass '{looked_up}' can't be read: connection refused"));
    match outcome {
        "accept" => accepted(),
        "default reserved" => rejected(DEFAULT, "Usage of the default runtime is reserved"),
        "reserved" => rejected(name, &format!("runtime '{name}' is reserved")),
        "handler reserved" => rejected(name, &format!("runtime '{name}' is reserved: it runs on 'runc'")),
        "not allowed" => rejected(name, &format!("runtime '{name}' is not allowed")),
        "no such class" => rejected(name, &format!("runtime '{name}' is not a RuntimeClass of this cluster")),
        "mutate" => fallback(None),
        "mutate reserved" => {
            fallback(Some(format!("runtime '{name}' is reserved: this Pod will run with '{FALLBACK}'")))
        }
        "mutate not allowed" => {
            fallback(Some(format!("runtime '{name}' is not allowed: this Pod will run with '{FALLBACK}'")))
        }
        "no access" => no_access(name),
        "no access to the fallback" => no_access(FALLBACK),
        "unreadable" => unreadable(name),
        "fallback unreadable" => unreadable(FALLBACK),
        _ => unreachable!("{outcome} is no outcome"),
    }
}

#[test]
fn a_pod_that_names_a_class_that_is_not_reserved_is_accepted_unchanged() {
    let settings = json!({ "reservedRuntimes": ["runC"], "defaultRuntimeReserved": true, "fallbackRuntime": "kata" });
    assert_eq!(ask(&recorded("pod-create-gvisor"), &settings, cluster()).0, accepted());
}

#[test]
fn a_pod_that_names_no_class_gets_the_fallback_whether_the_default_is_reserved_or_not() {
    for reserved in [true, false] {
        let settings = json!({ "defaultRuntimeReserved": reserved, "fallbackRuntime": "kata" });
        assert_eq!(ask_names_alone(&create(pod(json!({}))), &settings), mutated(pod_of("kata"), DEFAULT, "kata", None));
    }
}

#[test]
fn an_empty_or_null_class_is_no_class() {
    for none in [json!(null), json!("")] {
        let request = create(pod(json!({ "runtimeClassName": none })));
        assert_eq!(
            ask_names_alone(&request, &json!({ "defaultRuntimeReserved": true })),
            rejected(DEFAULT, "Usage of the default runtime is reserved")
        );
        assert_eq!(
            ask_names_alone(&request, &json!({ "fallbackRuntime": "kata" })),
            mutated(pod_of("kata"), DEFAULT, "kata", None)
        );
    }
}

#[test]
fn names_are_compared_without_regard_to_case_and_told_as_they_were_written() {
    let settings = json!({ "reservedRuntimes": ["RUNC"], "matchHandlers": false });
    assert_eq!(ask_names_alone(&create(pod_of("runC")), &settings), rejected("runC", "runtime 'runC' is reserved"));
}

#[test]
fn no_settings_mean_that_every_workload_is_accepted() {
    for settings in [json!({}), json!(null)] {
        assert_eq!(ask_names_alone(&create(pod_of("runc")), &settings), accepted());
    }
    let payload = json!({ "request": create(pod_of("runc")) }).to_string();
    assert_eq!(ask_raw(&payload), accepted());
}

/// A template may name anything: the API server has not checked it yet.
#[rstest]
#[case(&"a".repeat(100), &"a".repeat(100))]
#[case(&"a".repeat(101), &format!("{}…", "a".repeat(100)))]
#[case(&format!("a{}", "ä".repeat(5_000)), &format!("a{}…", "ä".repeat(49)))]
#[case("gvisor\nruntime 'gvisor' is allowed", "gvisor…")]
fn a_class_in_messages_is_cut_at_a_hundred_bytes_and_at_a_control_character(#[case] class: &str, #[case] shown: &str) {
    let settings = json!({ "allowedRuntimes": ["kata"], "matchHandlers": false });
    let rejection = rejected(shown, &format!("runtime '{shown}' is not allowed"));
    assert_eq!(ask_names_alone(&create(pod_of(class)), &settings), rejection);

    let settings = json!({ "allowedRuntimes": ["kata"], "matchHandlers": false, "fallbackRuntime": "kata" });
    let warning = format!("runtime '{shown}' is not allowed: this Pod will run with 'kata'");
    assert_eq!(
        ask_names_alone(&create(pod_of(class)), &settings),
        mutated(pod_of("kata"), shown, "kata", Some(&warning))
    );

    let mut deployment = recorded("deployment-create-runc-plain");
    deployment["object"]["spec"]["template"]["spec"]["runtimeClassName"] = json!(class);
    let warning = format!("runtime '{shown}' is not allowed: the Pods of this Deployment will run with 'kata'");
    assert_eq!(ask_names_alone(&deployment, &settings), warned(&warning));
}

/// A rejection of the Pods of a Deployment is an event and a condition; the warning of a mutation reaches nobody.
#[test]
fn a_fallback_for_the_default_is_given_to_pods_that_name_no_class_alone() {
    let settings = json!({ "reservedRuntimes": ["runc"], "fallbackRuntime": "kata", "fallbackFor": "default" });
    let kata = || mutated(pod_of("kata"), DEFAULT, "kata", None);
    assert_eq!(ask(&create(pod(json!({}))), &settings, cluster()), (kata(), 1));
    assert_eq!(ask(&create(pod_of("gvisor")), &settings, cluster()), (accepted(), 1));
    let rejection = rejected("runc-bare", "runtime 'runc-bare' is reserved: it runs on 'runc'");
    assert_eq!(ask(&create(pod_of("runc-bare")), &settings, cluster()), (rejection, 1));
    let rejection = rejected("runc", "runtime 'runc' is reserved");
    assert_eq!(ask(&create(pod_of("runc")), &settings, cluster()), (rejection, 0));
}

#[test]
fn with_a_fallback_for_the_default_a_template_is_rejected_if_it_names_a_class_that_its_pods_may_not_use() {
    let settings = json!({ "allowedRuntimes": ["kata"], "fallbackRuntime": "kata", "fallbackFor": "default" });
    let deployment = recorded("deployment-create-runc-plain");
    assert_eq!(
        ask(&deployment, &settings, cluster()),
        (rejected("runc-plain", "runtime 'runc-plain' is not allowed"), 1)
    );
    let mut without_a_class = deployment;
    without_a_class["object"]["spec"]["template"]["spec"]["runtimeClassName"] = json!(null);
    assert_eq!(ask(&without_a_class, &settings, cluster()), (accepted(), 0));
}

#[test]
fn a_fallback_for_all_is_given_as_one_for_nobody_in_particular() {
    let settings = json!({ "reservedRuntimes": ["runc"], "fallbackRuntime": "kata" });
    let mut for_all = settings.clone();
    for_all["fallbackFor"] = json!("all");
    for request in [recorded("pod-create-runc-plain"), recorded("pod-create-default"), recorded("job-create-runc-bare")]
    {
        assert_eq!(ask(&request, &for_all, cluster()), ask(&request, &settings, cluster()));
    }
}
