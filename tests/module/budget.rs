//! What the policy may cost: bytes of the module, instructions (fuel) of an evaluation.
use std::fs;

use evaluator::workspace;
use rstest::rstest;
use serde_json::{Value, json};
use tests::*;

use crate::meter::evaluate;

const NOT_GRANTED: Result<&str, &str> = Err("Policy has not been granted access to Kubernetes \
     node.k8s.io/v1/RuntimeClass resources. The violation has been reported.");

#[test]
fn the_module_is_small() {
    let bytes = fs::metadata(workspace::module()).expect("the module").len();
    println!("module: {bytes} bytes");
    assert!(bytes <= 180_000, "{bytes} bytes");
}

#[rstest]
#[case::an_accept_by_name("pod-create-gvisor", json!({ "reservedRuntimes": ["runC"], "matchHandlers": false }), 80_000)]
#[case::an_accept_without_lists("pod-create-gvisor", json!({ "fallbackRuntime": "kata" }), 80_000)]
#[case::an_accept_of_what_is_not_ours("service-create", json!({ "reservedRuntimes": ["runC"] }), 60_000)]
#[case::a_refusal("pod-create-gvisor", json!({ "reservedRuntimes": ["gvisor"] }), 85_000)]
#[case::an_accept_without_access("pod-create-gvisor", json!({ "reservedRuntimes": ["runC"] }), 85_000)]
#[case::a_change("pod-create-gvisor", json!({ "reservedRuntimes": ["gvisor"], "fallbackRuntime": "kata" }), 103_000)]
fn an_evaluation_is_cheap(#[case] request: &str, #[case] settings: Value, #[case] budget: u64) {
    let payload = json!({ "request": recorded(request), "settings": settings }).to_string();
    let (fuel, answer) = evaluate(&payload, NOT_GRANTED);
    println!("{request} with {settings}: {fuel} instructions");
    assert!(fuel <= budget, "{fuel} instructions for {answer:.200}");
}

/// What matching costs for a name of so many letters: nothing is tried twice.
#[rstest]
#[case("*a*a*a*a*b")]
#[case("*aaaaaaaaab")]
#[case("a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b")]
fn a_pattern_costs_in_proportion_to_the_name(#[case] entry: &str) {
    let fuel = |letters: usize| {
        let settings = json!({ "reservedRuntimes": [entry], "matchHandlers": false });
        let payload = json!({ "request": create(pod_of(&"a".repeat(letters))), "settings": settings }).to_string();
        evaluate(&payload, NOT_GRANTED).0
    };
    let (short, long, longer) = (fuel(1_000), fuel(10_000), fuel(19_000));
    println!("{entry}: {short} for 1,000 letters, {long} for 10,000, {longer} for 19,000");
    let (first, second) = (long - short, longer - long);
    assert!(second <= first + first / 10, "9,000 letters more cost {first}, then {second}");
}
