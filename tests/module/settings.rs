//! The settings: which are taken, which are refused, and how entries match.
use module_tests::*;
use rstest::rstest;
use serde_json::{Value, json};

#[rstest]
#[case(json!({}))]
#[case(json!(null))]
#[case(json!({ "reservedRuntimes": ["runC", "kata-*", "*", "a.b-c.d", "*.example", "9"] }))]
#[case(json!({ "allowedRuntimes": ["kata"], "fallbackRuntime": "containerd-kata" }))]
#[case(json!({ "allowedRuntimes": ["kata"], "fallbackRuntime": "containerd-kata", "matchHandlers": true }))]
#[case(json!({ "allowedRuntimes": ["kata-*"], "fallbackRuntime": "kata-qemu", "matchHandlers": false }))]
#[case(json!({ "reservedRuntimes": ["runC"], "fallbackRuntime": "kata", "defaultRuntimeReserved": true }))]
#[case(json!({ "fallbackRuntime": "a.sub-domain.9" }))]
fn are_taken(#[case] settings: Value) {
    assert_eq!(fault(&settings), None);
}

#[rstest]
#[case(
    json!({ "reservedRuntime": ["runC"] }),
    r#"unknown setting reservedRuntime: ["runC"]; there are reservedRuntimes, allowedRuntimes, defaultRuntimeReserved, fallbackRuntime and matchHandlers"#
)]
#[case(json!({ "reservedRuntimes": "runC" }), r#"reservedRuntimes has to be a list of strings, not "runC""#)]
#[case(json!({ "reservedRuntimes": [5] }), "reservedRuntimes has to be a list of strings, not [5]")]
#[case(json!({ "allowedRuntimes": [null] }), "allowedRuntimes has to be a list of strings, not [null]")]
#[case(json!({ "allowedRuntimes": { "a": 1 } }), r#"allowedRuntimes has to be a list of strings, not {"a":1}"#)]
#[case(json!({ "defaultRuntimeReserved": "true" }), r#"defaultRuntimeReserved has to be true or false, not "true""#)]
#[case(json!({ "matchHandlers": 1 }), "matchHandlers has to be true or false, not 1")]
#[case(json!({ "fallbackRuntime": ["kata"] }), r#"fallbackRuntime has to be a string, not ["kata"]"#)]
#[case(
    json!({ "reservedRuntimes": ["runC"], "allowedRuntimes": ["kata"] }),
    r#"reservedRuntimes ["runC"] and allowedRuntimes ["kata"] cannot be used together: keep one of the lists"#
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
    "fallbackRuntime 'gvisor' is not part of allowedRuntimes, and matchHandlers is false"
)]
fn are_refused_with_the_key_and_the_value(#[case] settings: Value, #[case] message: &str) {
    assert_eq!(fault(&settings).as_deref(), Some(message));
}

#[rstest]
#[case("Kata")]
#[case("kata_qemu")]
#[case("-kata")]
#[case("kata-")]
#[case("kata.")]
#[case(".kata")]
#[case("a..b")]
#[case("kata qemu")]
#[case("kata-*")]
#[case("kätä")]
#[case(&"a".repeat(254))]
fn refuse_a_fallback_that_no_class_can_be_named(#[case] fallback: &str) {
    let message = format!(
        "fallbackRuntime '{fallback}' is not the name of a RuntimeClass: these are made of letters, digits, '-' \
         and '.', and begin and end with a letter or a digit, all in lower case"
    );
    assert_eq!(fault(&json!({ "fallbackRuntime": fallback })), Some(message));
}

#[rstest]
#[case("")]
#[case("kata_qemu")]
#[case("run c")]
#[case("runc?")]
#[case("-kata")]
#[case("kata-")]
#[case("-*")]
#[case("kata..*")]
#[case("[a-z]")]
#[case("runç")]
fn refuse_an_entry_that_nothing_can_match(#[case] entry: &str) {
    for key in ["reservedRuntimes", "allowedRuntimes"] {
        let message = format!(
            "{key} has '{entry}', which matches nothing: names of runtimes are made of letters, digits, '-' and \
             '.', and begin and end with a letter or a digit"
        );
        assert_eq!(fault(&json!({ key: ["runc", entry] })), Some(message));
    }
}

#[rstest]
#[case("reservedRuntimes")]
#[case("allowedRuntimes")]
#[case("defaultRuntimeReserved")]
#[case("fallbackRuntime")]
#[case("matchHandlers")]
fn take_null_and_nothing_for_leaving_a_key_out(#[case] key: &str) {
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
    assert_eq!(ask_names_alone(&create(pod_of("runc")), &settings), refused("runc", "runtime 'runc' is reserved"));
}

#[rstest]
#[case(json!(5))]
#[case(json!("reservedRuntimes"))]
#[case(json!([{ "reservedRuntimes": ["runC"] }]))]
fn are_an_object(#[case] settings: Value) {
    let message = fault(&settings).expect("a message");
    assert!(message.contains("expected the settings to be an object"), "{message}");
    let told = ask_names_alone(&create(pod(json!({}))), &settings);
    assert_eq!((&told["accepted"], &told["code"]), (&json!(false), &json!(400)), "{told}");
}

#[test]
fn that_are_wrong_refuse_every_request_should_they_get_past_the_host() {
    let settings = json!({ "reservedRuntime": ["runC"] });
    let message = format!("the settings of the policy are not valid: {}", fault(&settings).expect("a message"));
    assert_eq!(
        ask_names_alone(&create(pod(json!({}))), &settings),
        json!({ "accepted": false, "code": 400, "message": message })
    );
}

/// Each entry with names that it matches, and names that it does not.
#[rstest]
#[case("kata", &["kata", "KATA"], &["kata-qemu", "my-kata", "kat"])]
#[case("kata-*", &["kata-qemu", "kata-", "KATA-clh"], &["kata", "my-kata-qemu"])]
#[case("*-kata", &["containerd-kata", "-kata"], &["kata", "containerd-kata-qemu"])]
#[case("*", &["kata", "a"], &[])]
#[case("**", &["kata"], &[])]
#[case("k*a", &["kata", "ka", "k8s.a"], &["kat", "a", "k", "xkata"])]
#[case("*a*b*", &["ab", "xaxbx", "aab"], &["ba", "b", "a"])]
#[case("ab*ba", &["abba", "abxba"], &["aba"])]
#[case("*aab", &["aaab", "aab"], &["ab", "aaba"])]
#[case("a*ab*b", &["aabb", "axabyb"], &["aab", "abb"])]
#[case("a.b", &["a.b"], &["axb"])]
fn match_names(#[case] entry: &str, #[case] hits: &[&str], #[case] misses: &[&str]) {
    let settings = json!({ "reservedRuntimes": [entry], "matchHandlers": false });
    for name in hits {
        let refusal = refused(name, &format!("runtime '{name}' is reserved"));
        assert_eq!(ask_names_alone(&create(pod_of(name)), &settings), refusal, "{entry} matches {name}");
    }
    for name in misses {
        assert_eq!(ask_names_alone(&create(pod_of(name)), &settings), accepted(), "{entry} does not match {name}");
    }
}

#[test]
fn match_handlers_as_they_match_names() {
    let settings = json!({ "reservedRuntimes": ["RUN*"] });
    assert_eq!(
        ask(&create(pod_of("runc-bare")), &settings, cluster()).0,
        refused("runc-bare", "runtime 'runc-bare' is reserved")
    );
    assert_eq!(
        ask(&create(pod_of("gvisor")), &settings, cluster()).0,
        refused("gvisor", "runtime 'gvisor' is reserved: it runs on 'runsc'")
    );
}
