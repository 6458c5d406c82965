//! The mutation: nothing but what belongs to the class, and every other byte as it came.
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json, value::RawValue};
use tests::*;

/// The mutated Pod, byte for byte, of a request to create `object`.
#[track_caller]
fn mutate(object: &str) -> String {
    let payload = format!(
        r#"{{"request":{{"kind":{{"group":"","kind":"Pod"}},"operation":"CREATE","object":{object}}},
            "settings":{{"reservedRuntimes":["runc"],"fallbackRuntime":"kata"}}}}"#
    );
    let answer = policy().call("validate", payload.as_bytes(), &Default::default()).expect("an answer");
    let answer: std::collections::BTreeMap<String, &RawValue> =
        serde_json::from_slice(&answer).expect("an answer in JSON");
    answer.get("mutated_object").unwrap_or_else(|| panic!("no mutation: {answer:?}")).get().to_owned()
}

#[rstest]
// in its place
#[case(r#"{"a":1,"runtimeClassName":"runc","b":2}"#, r#"{"a":1,"runtimeClassName":"kata","b":2}"#)]
#[case(r#"{"runtimeClassName":"runc"}"#, r#"{"runtimeClassName":"kata"}"#)]
#[case(r#"{"runtimeClassName":null,"a":1}"#, r#"{"runtimeClassName":"kata","a":1}"#)]
#[case(r#"{"runtimeClassName":"","a":1}"#, r#"{"runtimeClassName":"kata","a":1}"#)]
// at the end
#[case("{}", r#"{"runtimeClassName":"kata"}"#)]
#[case(r#"{"a":1}"#, r#"{"a":1,"runtimeClassName":"kata"}"#)]
// the overhead goes
#[case(r#"{"overhead":{"cpu":"1"},"runtimeClassName":"runc"}"#, r#"{"runtimeClassName":"kata"}"#)]
#[case(r#"{"runtimeClassName":"runc","overhead":null}"#, r#"{"runtimeClassName":"kata"}"#)]
// also if its key has escapes
#[case(r#"{"overhe\u0061d":{},"\u0072untimeClassName":"run\u0063"}"#, r#"{"runtimeClassName":"kata"}"#)]
// unknown fields, numbers and the order of lists stay
#[case(
    r#"{"n":12345678901234567890.0100,"runtimeClassName":"runc","l":[3,1,2],"x":{"overhead":1e400}}"#,
    r#"{"n":12345678901234567890.0100,"runtimeClassName":"kata","l":[3,1,2],"x":{"overhead":1e400}}"#
)]
#[case(r#"{"k\"\n":"\u00e9","runtimeClassName":"runc"}"#, r#"{"k\"\n":"\u00e9","runtimeClassName":"kata"}"#)]
fn a_mutation_changes_the_class_and_removes_the_overhead(#[case] before: &str, #[case] after: &str) {
    assert_eq!(mutate(&format!(r#"{{"x":1,"spec":{before},"z":[]}}"#)), format!(r#"{{"x":1,"spec":{after},"z":[]}}"#));
}

/// A value that may be anything, as JSON.
fn any_value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|b| b.to_string()),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
        any::<String>().prop_map(|text| json!(text).to_string()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::btree_map(any::<String>(), inner, 0..4).prop_map(|members| object(members.into_iter())),
        ]
    })
}

/// Members of no kind of Kubernetes, by their keys.
fn any_members() -> impl Strategy<Value = Vec<(String, String)>> {
    let key =
        prop_oneof![any::<String>(), "[a-z]{1,8}", Just("overHead".to_owned()), Just("RuntimeClassName".to_owned())];
    prop::collection::btree_map(key, any_value(), 0..6).prop_map(|members| {
        let known = ["spec", "template", "overhead", "runtimeClassName"];
        members.into_iter().filter(|(key, _)| !known.contains(&key.as_str())).collect()
    })
}

/// The object of these members, in this order.
fn object(members: impl Iterator<Item = (String, String)>) -> String {
    let members: Vec<_> = members.map(|(key, value)| format!("{}:{value}", json!(key))).collect();
    format!("{{{}}}", members.join(","))
}

/// `members`, with one more somewhere among them.
fn with(members: &[(String, String)], at: usize, key: &str, value: &str) -> Vec<(String, String)> {
    let mut members = members.to_vec();
    members.insert(at % (members.len() + 1), (key.to_owned(), value.to_owned()));
    members
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mutation_keeps_every_other_byte_of_any_object(
        around in any_members(), spec in any_members(),
        (spec_at, class_at, overhead_at) in any::<(usize, usize, usize)>(),
    ) {
        let of_class = |class: &str| with(&spec, class_at, "runtimeClassName", class);
        let sent = with(&of_class(r#""runc""#), overhead_at, "overhead", r#"{"cpu":"10m"}"#);
        let whole = |spec: Vec<_>| object(with(&around, spec_at, "spec", &object(spec.into_iter())).into_iter());
        prop_assert_eq!(mutate(&whole(sent)), whole(of_class(r#""kata""#)));
    }
}

mod scheduling {
    use super::*;

    /// The pod spec that comes of `spec`, a Pod's of the class `old`, whose scheduling is `scheduling`.
    #[track_caller]
    fn after(scheduling: Value, mut spec: Value) -> Value {
        spec["runtimeClassName"] = json!("old");
        let mut old = class("old", "runc");
        old["scheduling"] = scheduling;
        let cluster = kubectl_runtime_class::Capabilities::cluster(vec![class("kata", "kata"), old]);
        let settings = json!({ "reservedRuntimes": ["runc"], "fallbackRuntime": "kata" });
        let (mut answer, calls) = ask(&create(pod(spec)), &settings, cluster);
        assert_eq!((&answer["accepted"], calls), (&json!(true), 2), "{answer}");
        let mut spec = answer["mutated_object"]["spec"].take();
        assert_eq!(spec["runtimeClassName"], "kata");
        for key in ["runtimeClassName", "containers"] {
            spec.as_object_mut().expect("a pod spec").remove(key);
        }
        spec
    }

    #[rstest]
    #[case(json!({ "runtime": "runc" }), json!({ "runtime": "runc", "disk": "ssd" }), json!({ "disk": "ssd" }))]
    #[case(json!({ "a": "1", "b": "2" }), json!({ "b": "2", "a": "1" }), json!({}))]
    #[case(json!({ "runtime": "runc" }), json!({ "runtime": "other" }), json!({ "runtime": "other" }))]
    #[case(json!({ "runtime": "runc" }), json!({ "runtime": "runc", "template": "a" }), json!({ "template": "a" }))]
    #[case(json!({ "spec": "a" }), json!({ "spec": "a", "template": "b" }), json!({ "template": "b" }))]
    #[case(json!({ "runtime": "runc" }), json!(null), json!(null))]
    #[case(json!(null), json!({ "disk": "ssd" }), json!({ "disk": "ssd" }))]
    fn pairs_of_the_old_class_leave_the_node_selector(#[case] class: Value, #[case] pod: Value, #[case] left: Value) {
        assert_eq!(
            after(json!({ "nodeSelector": class }), json!({ "nodeSelector": pod })),
            json!({ "nodeSelector": left })
        );
    }

    #[rstest]
    #[case(json!({ "key": "runc", "operator": "Exists", "effect": "NoSchedule" }))]
    #[case(json!({ "operator": "Exists" }))]
    #[case(json!({ "key": "runc", "value": "x", "tolerationSeconds": 300, "effect": "NoExecute" }))]
    #[case(json!({ "key": "runc", "novelty": [1, { "a": 2 }] }))]
    fn tolerations_of_the_old_class_leave(#[case] toleration: Value) {
        let own = json!({ "key": "own", "operator": "Exists" });
        let spec = json!({ "tolerations": [own, toleration, own] });
        assert_eq!(after(json!({ "tolerations": [toleration] }), spec), json!({ "tolerations": [own, own] }));
    }

    #[test]
    fn a_toleration_without_an_operator_is_one_of_equal() {
        let class = json!({ "tolerations": [{ "key": "runc", "value": "x" }] });
        let pod = json!({ "tolerations": [{ "value": "x", "operator": "Equal", "key": "runc", "effect": "" }] });
        assert_eq!(after(class, pod), json!({ "tolerations": [] }));
    }

    #[rstest]
    #[case(json!({ "key": "runc", "operator": "Exists" }))]
    #[case(json!({ "key": "runc", "operator": "Exists", "effect": "NoExecute" }))]
    #[case(json!({ "key": "runc", "operator": "Exists", "effect": "NoSchedule", "tolerationSeconds": 3 }))]
    #[case(json!({ "key": "runc", "operator": "Equal", "effect": "NoSchedule" }))]
    #[case(json!({ "key": "runc", "operator": "Exists", "effect": "NoSchedule", "novelty": 1 }))]
    #[case(json!("runc"))]
    #[case(json!({ "key": "runc", "operator": "Exists", "effect": ["NoSchedule"] }))]
    #[case(json!({ "key": "runc", "operator": "Exists", "effect": "NoSchedule", "tolerationSeconds": "" }))]
    fn tolerations_of_the_user_stay(#[case] own: Value) {
        let class = json!({ "tolerations": [{ "key": "runc", "operator": "Exists", "effect": "NoSchedule" }] });
        assert_eq!(after(class, json!({ "tolerations": [own] })), json!({ "tolerations": [own] }));
    }

    #[rstest]
    #[case(r#"{"key":"runc","operator":"Exists"}"#, r#"{ "operator": "Exists", "key": "run\u0063" }"#)]
    #[case(r#"{"key":"runc","tolerationSeconds":300}"#, r#"{"tolerationSeconds": 300, "key": "runc", "value": null}"#)]
    fn a_toleration_that_is_written_differently_is_removed(#[case] of_class: &str, #[case] of_pod: &str) {
        let read = |toleration| serde_json::from_str::<Value>(toleration).expect("a toleration");
        let payload = |toleration: &str| {
            let pod = format!(r#"{{"spec":{{"runtimeClassName":"old","tolerations":[{toleration}]}}}}"#);
            format!(
                r#"{{"request":{{"kind":{{"kind":"Pod"}},"object":{pod}}},
                    "settings":{{"reservedRuntimes":["runc"],"fallbackRuntime":"kata"}}}}"#
            )
        };
        let mut old = class("old", "runc");
        old["scheduling"] = json!({ "tolerations": [read(of_class)] });
        let cluster = kubectl_runtime_class::Capabilities::cluster(vec![class("kata", "kata"), old]);
        let answer = policy().call("validate", payload(of_pod).as_bytes(), &cluster.into()).expect("an answer");
        let answer: Value = serde_json::from_slice(&answer).expect("an answer in JSON");
        assert_eq!(answer["mutated_object"]["spec"], json!({ "runtimeClassName": "kata", "tolerations": [] }));
    }

    #[test]
    fn a_pod_keeps_what_its_class_does_not_have_even_if_nobody_can_read_it() {
        let spec = json!({ "nodeSelector": "disk=ssd", "tolerations": { "operator": "Exists" } });
        assert_eq!(after(json!({ "nodeSelector": {}, "tolerations": [] }), spec.clone()), spec);
    }

    #[test]
    fn of_two_tolerations_that_mean_the_same_the_one_that_is_written_as_in_the_class_is_removed() {
        let class = json!({ "tolerations": [{ "key": "runc" }] });
        let (alike, unlike) = (json!({ "key": "runc" }), json!({ "key": "runc", "operator": "Equal" }));
        assert_eq!(after(class, json!({ "tolerations": [unlike, alike] })), json!({ "tolerations": [unlike] }));
    }

    #[test]
    fn tolerations_of_two_megabytes_take_no_more_memory_than_there_is() {
        let of_class: Vec<_> = (0..16).map(|number| json!({ "key": format!("runc-{number}") })).collect();
        for own in [json!({}), json!(5)] {
            let own = json!(vec![own; 600_000]);
            let left = after(json!({ "tolerations": of_class }), json!({ "tolerations": own }));
            assert!(left == json!({ "tolerations": own }), "some are missing");
        }
    }

    #[test]
    fn two_tolerations_with_fields_that_nobody_knows_are_not_the_same() {
        let class = json!({ "tolerations": [{ "key": "runc", "novelty": 1 }] });
        let own = json!([{ "key": "runc", "novelty": 2 }]);
        assert_eq!(after(class, json!({ "tolerations": own })), json!({ "tolerations": own }));
    }

    #[test]
    fn a_class_without_scheduling_takes_nothing_away() {
        let spec = json!({ "nodeSelector": { "disk": "ssd" }, "tolerations": [{ "operator": "Exists" }] });
        assert_eq!(after(json!(null), spec.clone()), spec);
        assert_eq!(after(json!({}), spec.clone()), spec);
    }

    #[test]
    fn the_scheduling_of_a_class_that_is_not_looked_up_stays() {
        let spec =
            json!({ "runtimeClassName": "runc", "nodeSelector": { "runtime": "runc" }, "overhead": { "cpu": "1" } });
        let settings = json!({ "reservedRuntimes": ["runc"], "fallbackRuntime": "kata", "matchHandlers": false });
        let after = pod(json!({ "runtimeClassName": "kata", "nodeSelector": { "runtime": "runc" } }));
        let warning = "runtime 'runc' is reserved: this Pod will run with 'kata'";
        assert_eq!(ask(&create(pod(spec)), &settings, cluster()), (mutated(after, "runc", "kata", Some(warning)), 0));
    }
}
