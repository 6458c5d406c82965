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
#[case("", "payload: invalid JSON: EOF while parsing a value at line 1 column 0")]
#[case("{", "payload: invalid JSON: EOF while parsing an object at line 1 column 1")]
#[case("nonsense", "payload: invalid JSON: expected ident at line 1 column 2")]
#[case("null", "payload: expected an object, got null")]
#[case("[]", "payload: expected an object, got []")]
#[case("[\n  5\n]", "payload: expected an object, got a list")]
#[case("true", "payload: expected an object, got true")]
#[case("-1", "payload: expected an object, got -1")]
#[case("1.5", "payload: expected an object, got 1.5")]
#[case("{}", "request: missing field")]
#[case(r#"{"request": null}"#, "request: missing field")]
#[case(r#"{"request": 5}"#, "request: expected an object, got 5")]
#[case(r#"{"request": 5, "\ud800": 1}"#, "payload: invalid JSON: unexpected end of hex escape…")]
#[case(r#"{"request": {}} {}"#, "payload: invalid JSON: trailing characters at line 1 column 17")]
#[case(r#"{"request": {"object": {"a": }}}"#, "payload: invalid JSON: expected value at line 1 column 30")]
#[case("\u{feff}{}", "payload: invalid JSON: expected value at line 1 column 1")]
fn that_is_no_request(#[case] payload: &str, #[case] message: &str) {
    unreadable(payload, message);
}

#[test]
fn in_five_thousand_brackets() {
    let (open, close) = ("[".repeat(5000), "]".repeat(5000));
    unreadable(&open, "payload: invalid JSON: EOF…");
    unreadable(&format!("{open}{close}"), "payload: expected an object, got a list");
    unreadable(&format!(r#"{{"request":{open}{close}}}"#), "request: expected an object, got a list");
    unreadable(&pod_payload(&format!("{open}{close}")), "request.object.spec: expected an object, got a list");
    unreadable(
        &pod_payload(&format!(r#"{{"runtimeClassName":{open}{close}}}"#)),
        "request.object.spec.runtimeClassName: expected a string, got a list",
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
fn in_a_lone_surrogate(#[case] spec: &str, #[case] message: &str) {
    unreadable(&pod_payload(spec), message);
}

#[test]
fn in_bytes_that_are_no_text() {
    let answer = policy().call("validate", b"{\"request\": {\"x\": \"\xff\"}}", &Default::default()).expect("no trap");
    let answer: Value = serde_json::from_slice(&answer).expect("an answer in JSON");
    let message = "payload: invalid UTF-8: invalid utf-8 sequence of 1 bytes from index 19";
    assert_eq!(answer, json!({ "accepted": false, "code": 400, "message": message }));
}

#[rstest]
#[case("/kind", json!("Pod"), "request.kind: expected an object, got \"Pod\"")]
#[case("/kind", json!(null), "request.kind: missing field")]
#[case("/kind/group", json!(5), "request.kind.group: expected a string, got 5")]
#[case("/kind/kind", json!(["Pod"]), r#"request.kind.kind: expected a string, got ["Pod"]"#)]
#[case("/kind/kind", json!(null), "request.kind.kind: missing field")]
#[case("/operation", json!(7), "request.operation: expected a string, got 7")]
#[case("/object", json!("a Pod"), "request.object: expected an object, got \"a Pod\"")]
#[case("/object", json!([]), "request.object: expected an object, got []")]
#[case("/object/spec", json!(true), "request.object.spec: expected an object, got true")]
#[case("/object/spec/runtimeClassName", json!(5), "request.object.spec.runtimeClassName: expected a string, got 5")]
#[case("/object/spec/runtimeClassName", json!(1.5), "request.object.spec.runtimeClassName: expected a string, got 1.5")]
#[case("/object/spec/runtimeClassName", json!(["runc"]), r#"request.object.spec.runtimeClassName: expected a string, got ["runc"]"#)]
#[case("/object/spec/runtimeClassName", json!({}), "request.object.spec.runtimeClassName: expected a string, got {}")]
#[case("/object/spec/runtimeClassName", json!(false), "request.object.spec.runtimeClassName: expected a string, got false")]
fn where_a_value_is_of_the_wrong_type(#[case] place: &str, #[case] value: Value, #[case] message: &str) {
    let mut request = recorded("pod-create-runc-plain");
    *request.pointer_mut(place).expect("a value to replace") = value;
    unreadable(&json!({ "request": request, "settings": {} }).to_string(), message);
}

/// The policy reads these fields only of a Pod that it would not accept otherwise.
#[rstest]
#[case("/userInfo", json!("jane"), "request.userInfo: expected an object, got \"jane\"")]
#[case("/userInfo", json!([]), "request.userInfo: expected an object, got []")]
#[case("/userInfo", json!([["system:nodes"]]), r#"request.userInfo: expected an object, got [["system:nodes"]]"#)]
#[case("/userInfo/groups", json!("jane"), r#"request.userInfo.groups: expected a list of strings, got "jane""#)]
#[case("/userInfo/groups", json!(["jane", 5]), r#"request.userInfo.groups: expected a list of strings, got ["jane",5]"#)]
#[case("/object/metadata", json!(5), "request.object.metadata: expected an object, got 5")]
#[case("/object/metadata/annotations", json!([]), "request.object.metadata.annotations: expected an object, got []")]
fn in_what_tells_a_mirror_pod(#[case] place: &str, #[case] value: Value, #[case] message: &str) {
    let mut request = recorded("pod-create-mirror-by-admin");
    request["userInfo"] = json!({ "groups": ["system:nodes"] });
    *request.pointer_mut(place).expect("a value to replace") = value;
    let payload = |settings: Value| json!({ "request": request, "settings": settings }).to_string();
    unreadable(&payload(json!({ "defaultRuntimeReserved": true })), message);
    assert_eq!(ask_raw(&payload(json!({}))), accepted());
}

#[rstest]
#[case("[5,", "]", "a list")]
#[case("{\"a\":[", "]}", "an object")]
#[case("\"", "\"", "a long string")]
#[case("10", "", "a long number")]
fn that_is_long_is_not_repeated(#[case] start: &str, #[case] end: &str, #[case] name: &str) {
    let groups = format!("{start}{}{end}", "1".repeat(100));
    let request = format!(r#"{{"kind":{{"kind":"Pod"}},"object":{{"spec":{{}}}},"userInfo":{{"groups":{groups}}}}}"#);
    let payload = format!(r#"{{"request":{request},"settings":{{"defaultRuntimeReserved":true}}}}"#);
    unreadable(&payload, &format!("request.userInfo.groups: expected a list of strings, got {name}"));
}

#[test]
fn deep_in_a_template() {
    let mut request = recorded("cronjob-create-runc-plain");
    request["object"]["spec"]["jobTemplate"]["spec"]["template"] = json!([1]);
    let payload = json!({ "request": request, "settings": {} }).to_string();
    unreadable(&payload, "request.object.spec.jobTemplate.spec.template: expected an object, got [1]");
}

#[rstest]
#[case(json!(5), "request.oldObject.spec: expected an object, got 5")]
#[case(json!({ "runtimeClassName": 5 }), "request.oldObject.spec.runtimeClassName: expected a string, got 5")]
fn in_the_old_object(#[case] spec: Value, #[case] message: &str) {
    let mut request = recorded("pod-update-default-label");
    request["oldObject"]["spec"] = spec;
    unreadable(&json!({ "request": request, "settings": {} }).to_string(), message);
}

#[test]
fn an_object_without_a_kind() {
    unreadable(r#"{"request":{"operation":"CREATE","object":{}}}"#, "request.kind: missing field");
}

#[rstest]
#[case(r#"{"runtimeClassName":"gvisor","runtimeClassName":"runc"}"#)]
#[case(r#"{"runtimeClassName":"gvisor","runtimeClass\u004eame":"runc"}"#)]
#[case(r#"{"runtimeClassName":null,"runtimeClassName":"gvisor"}"#)]
fn a_class_that_is_named_twice(#[case] spec: &str) {
    unreadable(&pod_payload(spec), "request.object.spec.runtimeClassName: duplicate field");
}

#[test]
fn a_duplicate_pod_spec() {
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
fn a_duplicate_field_of_the_request(#[case] key: &str, #[case] other: &str) {
    let request = r#""kind":{"kind":"Pod"},"operation":"CREATE","object":{"spec":{}},"userInfo":{}"#;
    let message = format!("request.{key}: duplicate field");
    for request in [format!(r#"{request},"{key}":{other}"#), format!(r#""{key}":{other},{request}"#)] {
        unreadable(&format!(r#"{{"request":{{{request}}},"settings":{{"defaultRuntimeReserved":true}}}}"#), &message);
    }
}

#[test]
fn a_duplicate_old_object() {
    let request = r#""kind":{"kind":"Pod"},"operation":"UPDATE","object":{"spec":{}},"oldObject":null,"oldObject":{}"#;
    unreadable(&format!(r#"{{"request":{{{request}}}}}"#), "request.oldObject: duplicate field");
}

#[rstest]
#[case("group")]
#[case("kind")]
fn a_duplicate_field_of_the_kind(#[case] key: &str) {
    let kind = format!(r#""group":"","kind":"Pod","{key}":"""#);
    let payload = format!(r#"{{"request":{{"kind":{{{kind}}},"object":{{}}}}}}"#);
    unreadable(&payload, &format!("request.kind.{key}: duplicate field"));
}

#[rstest]
#[case(r#"{"request":null,"request":{}}"#, "request: duplicate field")]
#[case(r#"{"request":{},"settings":{},"settings":null}"#, "settings: duplicate field")]
fn a_duplicate_field_of_the_payload(#[case] payload: &str, #[case] message: &str) {
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
fn a_duplicate_field_of_a_mirror_pod(#[case] place: &str, #[case] value: &str, #[case] field: &str) {
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
fn scheduling_that_cannot_be_undone(#[case] key: &str, #[case] value: Value, #[case] message: &str) {
    let settings = json!({ "reservedRuntimes": ["runC"], "fallbackRuntime": "kata" });
    let mut request = recorded("pod-create-runc-plain");
    request["object"]["spec"][key] = value;
    let answer = ask(&request, &settings, cluster()).0;
    assert_eq!(answer, json!({ "accepted": false, "code": 400, "message": message }));
}

/// Every way to cut a real request short, and to garble a byte of it, has an answer.
#[test]
fn of_any_kind_is_answered() {
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
