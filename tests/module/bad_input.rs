//! Input that cannot be read is rejected with code 400 and the path of the field. It is never accepted, and never a trap.
use rstest::rstest;
use serde_json::{Value, json};
use tests::*;

/// Asserts that `payload` is rejected as unreadable, with this message or, after `…`, this start of it.
#[track_caller]
fn unreadable(payload: &str, expected: &str) {
    let answer = ask_raw(payload);
    let message = answer["message"].as_str().unwrap_or_default();
    assert_eq!(answer, json!({ "accepted": false, "code": 400, "message": message }), "{payload:.200}");
    match expected.strip_suffix('…') {
        Some(start) => assert!(message.starts_with(start), "{message}"),
        None => assert_eq!(message, expected),
    }
}

#[rstest]
#[case("", "payload: invalid JSON: EOF while parsing a value")]
#[case("{", "payload: invalid JSON: EOF while parsing an object")]
#[case("nonsense", "payload: invalid JSON: expected ident")]
#[case("null", "payload: invalid type: null, expected an object")]
#[case("[]", "payload: invalid type: sequence, expected an object")]
#[case("[\n  5\n]", "payload: invalid type: sequence, expected an object")]
#[case("true", "payload: invalid type: boolean `true`, expected an object")]
#[case("-1", "payload: invalid type: integer `-1`, expected an object")]
#[case("1.5", "payload: invalid type: floating point `1.5`, expected an object")]
#[case("{}", "request: missing field")]
#[case(r#"{"request": null}"#, "request: missing field")]
#[case(r#"{"request": 5}"#, "request: invalid type: integer `5`, expected an object")]
#[case(r#"{"request": 5, "\ud800": 1}"#, "request: invalid type: integer `5`, expected an object")]
#[case(r#"{"request": {}} {}"#, "payload: invalid JSON: trailing characters")]
#[case(r#"{"request": {"object": {"a": }}}"#, "payload: invalid JSON: expected value")]
#[case("\u{feff}{}", "payload: invalid JSON: expected value")]
fn a_payload_that_is_no_request_is_rejected(#[case] payload: &str, #[case] message: &str) {
    unreadable(payload, message);
}

#[test]
fn five_thousand_brackets_are_rejected() {
    let (open, close) = ("[".repeat(5000), "]".repeat(5000));
    unreadable(&open, "payload: invalid JSON: EOF…");
    unreadable(&format!("{open}{close}"), "payload: invalid type: sequence, expected an object");
    unreadable(&format!(r#"{{"request":{open}{close}}}"#), "request: invalid type: sequence, expected an object");
    unreadable(&pod_payload(&format!("{open}{close}")), "request.object.spec: expected an object, got a list");
    unreadable(
        &pod_payload(&format!(r#"{{"runtimeClassName":{open}{close}}}"#)),
        "request.object.spec.runtimeClassName: expected a string, got [[[…",
    );
    unreadable(&"{\"a\":".repeat(5000), "payload: invalid JSON: EOF…");
}

#[rstest]
#[case(r#"{"runtimeClassName":"\ud800"}"#, r#"request.object.spec.runtimeClassName: expected a string, got "\ud800""#)]
#[case(
    r#"{"runtimeClassName":"\udc00x"}"#,
    r#"request.object.spec.runtimeClassName: expected a string, got "\udc00x""#
)]
#[case(r#"{"\ud800":1}"#, "payload: invalid JSON: unexpected end of hex escape…")]
fn a_lone_surrogate_in_a_field_that_decides_is_rejected(#[case] spec: &str, #[case] message: &str) {
    unreadable(&pod_payload(spec), message);
}

#[test]
fn bytes_that_are_no_text_are_rejected() {
    let answer = policy().call("validate", b"{\"request\": {\"x\": \"\xff\"}}", &Default::default()).expect("no trap");
    let answer: Value = serde_json::from_slice(&answer).expect("an answer in JSON");
    let message = "payload: invalid UTF-8";
    assert_eq!(answer, json!({ "accepted": false, "code": 400, "message": message }));
}

#[rstest]
#[case("/kind", json!("Pod"), "request.kind: expected an object, got a string")]
#[case("/kind", json!(null), "request.kind.kind: missing field")]
#[case("/kind/group", json!(5), "request.kind.group: expected a string, got 5")]
#[case("/kind/kind", json!(["Pod"]), r#"request.kind.kind: expected a string, got ["Pod"]"#)]
#[case("/kind/kind", json!(null), "request.kind.kind: missing field")]
#[case("/operation", json!(7), "request.operation: expected a string, got 7")]
#[case("/object", json!("a Pod"), "request.object: expected an object, got a string")]
#[case("/object", json!([]), "request.object: expected an object, got a list")]
#[case("/object/spec", json!(true), "request.object.spec: expected an object, got a boolean")]
#[case("/object/spec", json!(5), "request.object.spec: expected an object, got a number")]
#[case("/object/spec", json!(-5), "request.object.spec: expected an object, got a number")]
#[case("/object/spec", json!(1.5), "request.object.spec: expected an object, got a number")]
#[case("/object/spec/runtimeClassName", json!(5), "request.object.spec.runtimeClassName: expected a string, got 5")]
#[case("/object/spec/runtimeClassName", json!(1.5), "request.object.spec.runtimeClassName: expected a string, got 1.5")]
#[case("/object/spec/runtimeClassName", json!(["runc"]), r#"request.object.spec.runtimeClassName: expected a string, got ["runc"]"#)]
#[case("/object/spec/runtimeClassName", json!({}), "request.object.spec.runtimeClassName: expected a string, got {}")]
#[case("/object/spec/runtimeClassName", json!(false), "request.object.spec.runtimeClassName: expected a string, got false")]
fn a_value_of_the_wrong_type_is_rejected_with_its_path(
    #[case] place: &str,
    #[case] value: Value,
    #[case] message: &str,
) {
    let mut request = recorded("pod-create-runc-plain");
    *request.pointer_mut(place).expect("a value to replace") = value;
    unreadable(&json!({ "request": request, "settings": {} }).to_string(), message);
}

/// What comes in the place of an object is not kept, so it could not be written back. The API server sends no such Pod.
#[rstest]
#[case("template", json!("x"), "request.object.template: expected an object, got a string")]
#[case("jobTemplate", json!([1]), "request.object.jobTemplate: expected an object, got a list")]
fn a_pod_that_cannot_be_written_as_it_came_is_rejected_and_not_mutated(
    #[case] key: &str,
    #[case] value: Value,
    #[case] message: &str,
) {
    let mut request = create(pod_of("runc"));
    request["object"][key] = value;
    assert_eq!(ask_names_alone(&request, &json!({})), accepted());
    let settings = json!({ "reservedRuntimes": ["runc"], "fallbackRuntime": "kata" });
    let answer = json!({ "accepted": false, "code": 400, "message": message });
    assert_eq!(ask_names_alone(&request, &settings), answer);
}

/// The policy reads these fields only of a Pod that it would not accept otherwise.
#[rstest]
#[case("/userInfo", json!("jane"), "request.userInfo: expected an object, got a string")]
#[case("/userInfo", json!([]), "request.userInfo: expected an object, got a list")]
#[case("/userInfo", json!([["system:nodes"]]), "request.userInfo: expected an object, got a list")]
#[case("/userInfo/groups", json!("jane"), r#"request.userInfo.groups: expected a list of strings, got "jane""#)]
#[case("/userInfo/groups", json!(["jane", 5]), r#"request.userInfo.groups: expected a list of strings, got ["jane",5]"#)]
#[case("/object/metadata", json!(5), "request.object.metadata: expected an object, got 5")]
#[case("/object/metadata/annotations", json!([]), "request.object.metadata.annotations: expected an object, got []")]
fn a_field_that_tells_a_mirror_pod_is_read_only_where_the_pod_is_not_accepted_otherwise(
    #[case] place: &str,
    #[case] value: Value,
    #[case] message: &str,
) {
    let mut request = recorded("pod-create-mirror-by-admin");
    request["userInfo"] = json!({ "groups": ["system:nodes"] });
    *request.pointer_mut(place).expect("a value to replace") = value;
    let payload = |settings: Value| json!({ "request": request, "settings": settings }).to_string();
    unreadable(&payload(json!({ "defaultRuntimeReserved": true })), message);
    assert_eq!(ask_raw(&payload(json!({}))), accepted());
}

#[rstest]
#[case("[5,", "]")]
#[case("{\"a\":[", "]}")]
#[case("\"", "\"")]
#[case("10", "")]
fn a_long_value_is_cut_in_the_message(#[case] start: &str, #[case] end: &str) {
    let groups = format!("{start}{}{end}", "1".repeat(100));
    let user = format!(r#""userInfo":{{"groups":{groups}}}"#);
    let request = format!(r#"{{"kind":{{"kind":"Pod"}},"object":{{"spec":{{}}}},{user}}}"#);
    let payload = format!(r#"{{"request":{request},"settings":{{"defaultRuntimeReserved":true}}}}"#);
    let message = format!("request.userInfo.groups: expected a list of strings, got {}…", &groups[..100]);
    assert_eq!(ask_raw(&payload), json!({ "accepted": false, "code": 400, "message": message }));
}

#[test]
fn a_value_of_the_wrong_type_deep_in_a_template_is_rejected_with_its_path() {
    let mut request = recorded("cronjob-create-runc-plain");
    request["object"]["spec"]["jobTemplate"]["spec"]["template"] = json!([1]);
    let payload = json!({ "request": request, "settings": {} }).to_string();
    unreadable(&payload, "request.object.spec.jobTemplate.spec.template: expected an object, got a list");
}

#[rstest]
#[case(json!(5), "request.oldObject.spec: expected an object, got a number")]
#[case(json!({ "runtimeClassName": 5 }), "request.oldObject.spec.runtimeClassName: expected a string, got 5")]
fn an_old_object_that_cannot_be_read_is_rejected_with_its_path(#[case] spec: Value, #[case] message: &str) {
    let mut request = recorded("pod-update-default-label");
    request["oldObject"]["spec"] = spec;
    unreadable(&json!({ "request": request, "settings": {} }).to_string(), message);
}

#[test]
fn an_object_without_a_kind_is_rejected() {
    unreadable(r#"{"request":{"operation":"CREATE","object":{}}}"#, "request.kind.kind: missing field");
}

#[rstest]
#[case(r#"{"runtimeClassName":"gvisor","runtimeClassName":"runc"}"#)]
#[case(r#"{"runtimeClassName":"gvisor","runtimeClass\u004eame":"runc"}"#)]
#[case(r#"{"runtimeClassName":null,"runtimeClassName":"gvisor"}"#)]
fn a_class_that_is_named_twice_is_rejected(#[case] spec: &str) {
    unreadable(&pod_payload(spec), "request.object.spec.runtimeClassName: duplicate field");
}

#[test]
fn a_duplicate_pod_spec_is_rejected() {
    let payload = r#"{"request":{"kind":{"kind":"Pod"},"object":{"spec":{},"spec":{"runtimeClassName":"runc"}}}}"#;
    unreadable(payload, "request.object.spec: duplicate field");
}

#[rstest]
#[case("kind", r#"{"kind":"Service"}"#)]
#[case("kind", "null")]
#[case("operation", r#""DELETE""#)]
#[case("operation", "null")]
#[case("object", r#"{"spec":{"runtimeClassName":"gvisor"}}"#)]
#[case("object", "null")]
#[case("userInfo", "{}")]
#[case("userInfo", "null")]
fn a_duplicate_field_of_the_request_is_rejected(#[case] key: &str, #[case] other: &str) {
    let request = r#""kind":{"kind":"Pod"},"operation":"CREATE","object":{"spec":{}},"userInfo":{}"#;
    let message = format!("request.{key}: duplicate field");
    for request in [format!(r#"{request},"{key}":{other}"#), format!(r#""{key}":{other},{request}"#)] {
        unreadable(&format!(r#"{{"request":{{{request}}},"settings":{{"defaultRuntimeReserved":true}}}}"#), &message);
    }
}

#[test]
fn a_duplicate_old_object_is_rejected() {
    let request = r#""kind":{"kind":"Pod"},"operation":"UPDATE","object":{"spec":{}},"oldObject":null,"oldObject":{}"#;
    unreadable(&format!(r#"{{"request":{{{request}}}}}"#), "request.oldObject: duplicate field");
}

#[rstest]
#[case("group")]
#[case("kind")]
fn a_duplicate_field_of_the_kind_is_rejected(#[case] key: &str) {
    let kind = format!(r#""group":"","kind":"Pod","{key}":"""#);
    let payload = format!(r#"{{"request":{{"kind":{{{kind}}},"object":{{}}}}}}"#);
    unreadable(&payload, &format!("request.kind.{key}: duplicate field"));
}

#[rstest]
#[case(r#"{"request":null,"request":{}}"#, "request: duplicate field")]
#[case(r#"{"request":{},"settings":{},"settings":null}"#, "settings: duplicate field")]
fn a_duplicate_field_of_the_payload_is_rejected(#[case] payload: &str, #[case] message: &str) {
    unreadable(payload, message);
}

#[rstest]
#[case("/userInfo", r#"{"groups":[],"groups":["system:nodes"]}"#, "userInfo.groups")]
#[case("/object/metadata", r#"{"annotations":{},"annotations":null}"#, "object.metadata.annotations")]
#[case(
    "/object/metadata/annotations",
    r#"{"kubernetes.io/config.mirror":"a","kubernetes.io/config.mirror":null}"#,
    "object.metadata.annotations.kubernetes.io/config.mirror"
)]
fn a_duplicate_field_of_a_mirror_pod_is_rejected(#[case] place: &str, #[case] value: &str, #[case] field: &str) {
    let mut request = recorded("pod-create-mirror-by-admin");
    request["userInfo"]["groups"] = json!(["system:nodes"]);
    *request.pointer_mut(place).expect("a value to replace") = json!("PLACE");
    let payload = json!({ "request": request, "settings": { "defaultRuntimeReserved": true } })
        .to_string()
        .replace(r#""PLACE""#, value);
    unreadable(&payload, &format!("request.{field}: duplicate field"));
}

#[rstest]
#[case("tolerations", json!({}), "request.object.spec.tolerations: expected a list, got {}")]
#[case("nodeSelector", json!("runtime=runc"), r#"request.object.spec.nodeSelector: expected an object, got "runtime=runc""#)]
fn a_pod_whose_scheduling_cannot_be_undone_is_rejected(#[case] key: &str, #[case] value: Value, #[case] message: &str) {
    let settings = json!({ "reservedRuntimes": ["runC"], "fallbackRuntime": "kata" });
    let mut request = recorded("pod-create-runc-plain");
    request["object"]["spec"][key] = value;
    let answer = ask(&request, &settings, cluster()).0;
    assert_eq!(answer, json!({ "accepted": false, "code": 400, "message": message }));
}

/// Every way to cut a real request short, and to garble a byte of it, has an answer.
#[test]
fn a_payload_that_is_cut_or_garbled_is_answered() {
    let request = recorded("pod-create-runc-plain");
    let settings = json!({ "reservedRuntimes": ["runC"], "fallbackRuntime": "kata" });
    let payload = json!({ "request": request, "settings": settings }).to_string();
    for at in (0..payload.len()).step_by(7) {
        unreadable(&payload[..at], "payload: invalid JSON: …");
        for garbage in ["\"", "{", "]", "\\", "9", "\u{0}"] {
            let garbled = format!("{}{garbage}{}", &payload[..at], &payload[at + 1..]);
            assert!(ask_raw(&garbled)["accepted"].is_boolean());
        }
    }
}

fn pod_payload(spec: &str) -> String {
    format!(
        r#"{{"request":{{"kind":{{"group":"","kind":"Pod"}},"operation":"CREATE","object":{{"spec":{spec}}}}},"settings":{{}}}}"#
    )
}
