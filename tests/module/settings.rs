//! Which settings are valid, the messages about invalid ones, and how entries match.
use rstest::rstest;
use serde_json::{Value, json};
use tests::*;

#[rstest]
#[case(json!({}))]
#[case(json!(null))]
#[case(json!({ "reservedRuntimes": ["runC", "kata-*", "*", "a.b-c.d", "*.example", "9"] }))]
#[case(json!({ "allowedRuntimes": ["kata"], "fallbackRuntime": "containerd-kata" }))]
#[case(json!({ "allowedRuntimes": ["kata"], "fallbackRuntime": "containerd-kata", "matchHandlers": true }))]
#[case(json!({ "allowedRuntimes": ["kata-*"], "fallbackRuntime": "kata-qemu", "matchHandlers": false }))]
#[case(json!({ "reservedRuntimes": ["runC"], "fallbackRuntime": "kata", "defaultRuntimeReserved": true }))]
#[case(json!({ "fallbackRuntime": "a.sub-domain.9" }))]
#[case(json!({ "fallbackRuntime": "kata", "fallbackFor": "all" }))]
#[case(json!({ "fallbackRuntime": "kata", "fallbackFor": "default", "reservedRuntimes": ["runc"] }))]
fn valid_settings_are_accepted(#[case] settings: Value) {
    assert_eq!(fault(&settings), None);
}

#[rstest]
#[case(
    json!({ "spec": ["runC"] }),
    r#"spec: unknown setting, got ["runC"]; the settings are reservedRuntimes, allowedRuntimes, defaultRuntimeReserved, fallbackRuntime, fallbackFor, matchHandlers"#
)]
#[case(
    json!({ "reservedRuntime": ["runC"] }),
    r#"reservedRuntime: unknown setting, got ["runC"]; the settings are reservedRuntimes, allowedRuntimes, defaultRuntimeReserved, fallbackRuntime, fallbackFor, matchHandlers"#
)]
#[case(json!({ "reservedRuntimes": "runC" }), r#"reservedRuntimes: expected a list of strings, got "runC""#)]
#[case(json!({ "reservedRuntimes": [5] }), "reservedRuntimes: expected a list of strings, got [5]")]
#[case(json!({ "allowedRuntimes": [null] }), "allowedRuntimes: expected a list of strings, got [null]")]
#[case(json!({ "allowedRuntimes": { "a": 1 } }), r#"allowedRuntimes: expected a list of strings, got {"a":1}"#)]
#[case(json!({ "defaultRuntimeReserved": "true" }), r#"defaultRuntimeReserved: expected true or false, got "true""#)]
#[case(json!({ "matchHandlers": 1 }), "matchHandlers: expected true or false, got 1")]
#[case(json!({ "fallbackRuntime": ["kata"] }), r#"fallbackRuntime: expected a string, got ["kata"]"#)]
#[case(json!({ "fallbackRuntime": "kata", "fallbackFor": "Default" }), r#"fallbackFor: expected all or default, got "Default""#)]
#[case(json!({ "fallbackRuntime": "kata", "fallbackFor": true }), "fallbackFor: expected all or default, got true")]
#[case(json!({ "fallbackFor": "default" }), "fallbackFor: needs fallbackRuntime, which is not set")]
#[case(json!({ "fallbackFor": "all", "fallbackRuntime": "" }), "fallbackFor: needs fallbackRuntime, which is not set")]
#[case(
    json!({ "reservedRuntimes": ["runC"], "allowedRuntimes": ["kata"] }),
    r#"reservedRuntimes: cannot be used together with allowedRuntimes, got ["runC"] and ["kata"]"#
)]
#[case(
    json!({ "reservedRuntimes": ["runC"], "fallbackRuntime": "runC" }),
    "fallback runtime runC cannot be part of the reserved runtimes"
)]
#[case(
    json!({ "reservedRuntimes": ["KATA-*"], "fallbackRuntime": "kata-qemu" }),
    "fallback runtime kata-qemu cannot be part of the reserved runtimes"
)]
#[case(
    json!({ "allowedRuntimes": ["kata"], "fallbackRuntime": "gvisor", "matchHandlers": false }),
    "fallbackRuntime: 'gvisor' is not in allowedRuntimes, and matchHandlers is false"
)]
#[case(
    json!({ "allowedRuntimes": ["runc", "kata_qemu"] }),
    "allowedRuntimes: 'kata_qemu' matches no runtime: a name consists of letters, digits, '-' and '.', and starts and \
     ends with a letter or digit"
)]
#[case(
    json!({ "fallbackRuntime": "Kata" }),
    "fallbackRuntime: 'Kata' is not a valid RuntimeClass name: a name consists of lower case letters, digits, '-' and \
     '.', and starts and ends with a letter or digit"
)]
fn invalid_settings_are_rejected_with_the_key_and_the_value(#[case] settings: Value, #[case] message: &str) {
    assert_eq!(fault(&settings).as_deref(), Some(message));
    // Should they get past the host, every request is rejected.
    let answer = ask_names_alone(&create(pod(json!({}))), &settings);
    assert_eq!(answer, json!({ "accepted": false, "code": 500, "message": format!("invalid settings: {message}") }));
}

#[rstest]
#[case(json!(5), "5", "a number")]
#[case(json!("reservedRuntimes"), r#""reservedRuntimes""#, "a string")]
#[case(json!([{ "reservedRuntimes": ["runC"] }]), r#"[{"reservedRuntimes":["runC"]}]"#, "a list")]
fn settings_that_are_no_object_are_rejected(#[case] settings: Value, #[case] value: &str, #[case] kind: &str) {
    assert_eq!(fault(&settings), Some(format!("settings: expected an object, got {value}")));
    let answer = ask_names_alone(&create(pod(json!({}))), &settings);
    let message = format!("invalid settings: settings: expected an object, got {kind}");
    assert_eq!(answer, json!({ "accepted": false, "code": 500, "message": message }));
}

#[rstest]
#[case(r#"{"reservedRuntimes": ["a"], "reservedRuntimes": ["b"]}"#, "reservedRuntimes: duplicate field")]
#[case(r#"{"reservedRuntimes": null, "reservedRuntimes": ["b"]}"#, "reservedRuntimes: duplicate field")]
#[case(r#"{"matchHandlers": true, "matchHandlers": ""}"#, "matchHandlers: duplicate field")]
#[case(r#"{"fallbackRuntime": "#, "settings: invalid JSON: EOF while parsing a value")]
fn a_duplicate_setting_and_broken_json_are_rejected(#[case] settings: &str, #[case] message: &str) {
    let answer = policy().call("validate_settings", settings.as_bytes(), &Default::default()).expect("no trap");
    let answer: Value = serde_json::from_slice(&answer).expect("an answer in JSON");
    assert_eq!(answer, json!({ "valid": false, "message": message }));
}

#[rstest]
#[case("reservedRuntimes")]
#[case("allowedRuntimes")]
#[case("defaultRuntimeReserved")]
#[case("fallbackRuntime")]
#[case("fallbackFor")]
#[case("matchHandlers")]
fn settings_that_are_null_or_empty_mean_the_same_as_no_key(#[case] key: &str) {
    for nothing in [json!(null), json!(""), json!([])] {
        let mut settings = json!({ "defaultRuntimeReserved": false });
        settings[key] = nothing;
        assert_eq!(fault(&settings), None, "{settings}");
        assert_eq!(ask_names_alone(&create(pod_of("runc")), &settings), accepted(), "{settings}");
        assert_eq!(ask_names_alone(&create(pod(json!({}))), &settings), accepted(), "{settings}");
    }
}

#[test]
fn an_empty_list_beside_the_other_list_is_no_list() {
    let settings = json!({ "reservedRuntimes": ["runc"], "allowedRuntimes": [], "matchHandlers": null });
    assert_eq!(fault(&settings), None);
    assert_eq!(ask_names_alone(&create(pod_of("runc")), &settings), rejected("runc", "runtime 'runc' is reserved"));
}

#[test]
fn entries_match_handlers_as_they_match_names() {
    let settings = json!({ "reservedRuntimes": ["RUN*"] });
    assert_eq!(
        ask(&create(pod_of("runc-bare")), &settings, cluster()).0,
        rejected("runc-bare", "runtime 'runc-bare' is reserved")
    );
    assert_eq!(
        ask(&create(pod_of("gvisor")), &settings, cluster()).0,
        rejected("gvisor", "runtime 'gvisor' is reserved: it runs on 'runsc'")
    );
}

#[test]
fn invalid_settings_are_rejected_with_at_most_a_hundred_bytes_of_each_text() {
    let (long, shown) = ("a_".repeat(1_000), format!("{}…", "a_".repeat(50)));
    for settings in [
        json!({ &long: 1 }),
        json!({ "allowedRuntimes": [long] }),
        json!({ "fallbackRuntime": long }),
        json!({ "fallbackRuntime": long, "reservedRuntimes": ["*"] }),
    ] {
        let message = fault(&settings).expect("a fault");
        assert!(message.contains(&shown) && message.len() < 400, "{message}");
    }
    let message =
        fault(&json!({ "reservedRuntimes": vec!["runc"; 1_000], "allowedRuntimes": ["kata"] })).expect("a fault");
    assert!(message.len() < 300, "{message}");
}
