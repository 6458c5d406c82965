//! Bad input: refused with code 400 and what is wrong where; never let through, never a trap.
use module_tests::*;
use rstest::rstest;
use serde_json::{Value, json};

/// Asserts that `payload` is refused as unreadable, with a message that has `words`.
#[track_caller]
fn unreadable(payload: &str, words: &str) {
    let answer = ask_raw(payload);
    let message = answer["message"].as_str().unwrap_or_default();
    assert_eq!(answer, json!({ "accepted": false, "code": 400, "message": message }), "{payload:.200}");
    assert!(message.starts_with("the request can't be read: ") && message.contains(words), "{message}");
}

#[rstest]
#[case("", "EOF")]
#[case("{", "EOF")]
#[case("nonsense", "line 1 column 2")]
#[case("null", "an object with request and settings")]
#[case("[]", "an object with request and settings")]
#[case("{}", "missing field `request`")]
#[case(r#"{"request": 5}"#, "expected request to be an object")]
#[case(r#"{"request": {}} {}"#, "trailing")]
#[case(r#"{"request": {"object": {"a": }}}"#, "line 1 column")]
#[case("\u{feff}{}", "line 1 column 1")]
fn that_is_no_request(#[case] payload: &str, #[case] words: &str) {
    unreadable(payload, words);
}

#[test]
fn in_five_thousand_brackets() {
    let (open, close) = ("[".repeat(5000), "]".repeat(5000));
    unreadable(&open, "an object");
    unreadable(&format!("{open}{close}"), "an object");
    unreadable(&format!(r#"{{"request":{open}{close}}}"#), "request to be an object");
    unreadable(&pod_payload(&format!("{open}{close}")), "request.object.spec to be an object");
    unreadable(&pod_payload(&format!(r#"{{"runtimeClassName":{open}{close}}}"#)), "runtimeClassName to be a string");
    unreadable(&"{\"a\":".repeat(5000), "EOF");
}

#[rstest]
#[case(r#"{"runtimeClassName":"\ud800"}"#)]
#[case(r#"{"runtimeClassName":"\udc00x"}"#)]
#[case(r#"{"\ud800":1}"#)]
fn in_a_lone_surrogate(#[case] spec: &str) {
    unreadable(&pod_payload(spec), "hex escape");
}

#[test]
fn in_bytes_that_are_no_text() {
    let answer = policy().call("validate", b"{\"request\": {\"x\": \"\xff\"}}", &Default::default()).expect("no trap");
    let answer: Value = serde_json::from_slice(&answer).expect("an answer in JSON");
    assert_eq!((&answer["accepted"], &answer["code"]), (&json!(false), &json!(400)), "{answer}");
}

/// A Pod in which the value at a place is another than it should be, and what is said.
#[rstest]
#[case("/kind", json!("Pod"), "request.kind")]
#[case("/kind", json!(null), "request.kind")]
#[case("/kind/group", json!(5), "request.kind")]
#[case("/kind/kind", json!(["Pod"]), "request.kind")]
#[case("/operation", json!(7), "expected request.operation to be a string")]
#[case("/userInfo", json!("jane"), "request.userInfo")]
#[case("/userInfo/groups", json!("system:nodes"), "request.userInfo")]
#[case("/object", json!("a Pod"), r#"string "a Pod", expected request.object to be an object"#)]
#[case("/object", json!([]), "expected request.object to be an object")]
#[case("/object/spec", json!(true), "boolean `true`, expected request.object.spec to be an object")]
#[case("/object/spec/runtimeClassName", json!(5), "integer `5`, expected request.object.spec.runtimeClassName to be a string")]
#[case("/object/spec/runtimeClassName", json!(1.5), "expected request.object.spec.runtimeClassName to be a string")]
#[case("/object/spec/runtimeClassName", json!(["runc"]), "expected request.object.spec.runtimeClassName to be a string")]
#[case("/object/spec/runtimeClassName", json!({}), "expected request.object.spec.runtimeClassName to be a string")]
#[case("/object/spec/runtimeClassName", json!(false), "expected request.object.spec.runtimeClassName to be a string")]
fn where_a_value_is_of_the_wrong_type(#[case] place: &str, #[case] value: Value, #[case] words: &str) {
    let mut request = recorded("pod-create-runc-plain");
    *request.pointer_mut(place).expect("a value to replace") = value;
    unreadable(&json!({ "request": request, "settings": {} }).to_string(), words);
}

#[test]
fn deep_in_a_template() {
    let mut request = recorded("cronjob-create-runc-plain");
    request["object"]["spec"]["jobTemplate"]["spec"]["template"] = json!([1]);
    let payload = json!({ "request": request, "settings": {} }).to_string();
    unreadable(&payload, "sequence, expected request.object.spec.jobTemplate.spec.template to be an object");
}

#[test]
fn in_the_old_object() {
    for spec in [json!(5), json!({ "runtimeClassName": 5 })] {
        let mut request = recorded("pod-update-default-label");
        request["oldObject"]["spec"] = spec;
        unreadable(&json!({ "request": request, "settings": {} }).to_string(), "expected request.oldObject.spec");
    }
}

#[test]
fn an_object_without_a_kind() {
    unreadable(r#"{"request":{"operation":"CREATE","object":{}}}"#, "request.kind");
}

#[rstest]
#[case(r#"{"runtimeClassName":"gvisor","runtimeClassName":"runc"}"#)]
#[case(r#"{"runtimeClassName":"gvisor","runtimeClass\u004eame":"runc"}"#)]
fn a_class_that_is_named_twice(#[case] spec: &str) {
    unreadable(&pod_payload(spec), "runtimeClassName is there twice");
}

#[test]
fn a_pod_spec_that_is_there_twice() {
    let payload = r#"{"request":{"kind":{"kind":"Pod"},"object":{"spec":{},"spec":{"runtimeClassName":"runc"}}}}"#;
    unreadable(payload, "spec is there twice");
}

#[rstest]
#[case("kind", r#"{"kind":"Service"}"#)]
#[case("operation", r#""DELETE""#)]
#[case("object", r#"{"spec":{"runtimeClassName":"gvisor"}}"#)]
#[case("oldObject", "{}")]
fn a_part_of_the_request_that_is_there_twice(#[case] key: &str, #[case] other: &str) {
    let request = r#""kind":{"kind":"Pod"},"operation":"CREATE","object":{"spec":{}},"oldObject":{}"#;
    unreadable(&format!(r#"{{"request":{{{request},"{key}":{other}}}}}"#), &format!("duplicate field `request.{key}`"));
    unreadable(&format!(r#"{{"request":{{"{key}":{other},{request}}}}}"#), &format!("duplicate field `request.{key}`"));
}

#[test]
fn scheduling_that_cannot_be_undone() {
    let settings = json!({ "reservedRuntimes": ["runC"], "fallbackRuntime": "kata" });
    for (key, value) in [("tolerations", json!({})), ("nodeSelector", json!("runtime=runc"))] {
        let mut request = recorded("pod-create-runc-plain");
        request["object"]["spec"][key] = value;
        let answer = ask(&request, &settings, cluster()).0;
        let message = answer["message"].as_str().unwrap_or_default();
        assert_eq!(answer, json!({ "accepted": false, "code": 400, "message": message }));
        assert!(message.contains(&format!("request.object.spec.{key} to be")), "{message}");
    }
}

/// Every way to cut a real request short, and to garble a byte of it, has an answer.
#[test]
fn of_any_kind_is_answered() {
    let request = recorded("pod-create-runc-plain");
    let settings = json!({ "reservedRuntimes": ["runC"], "fallbackRuntime": "kata" });
    let payload = json!({ "request": request, "settings": settings }).to_string();
    for at in (0..payload.len()).step_by(7) {
        unreadable(&payload[..at], "");
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
