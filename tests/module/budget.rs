//! What the policy may cost: the bytes of its module, and the instructions of an evaluation.
use kubectl_runtime_class::{Capabilities, MODULE};
use rstest::rstest;
use serde_json::{Value, json};
use tests::*;
use wasmparser::{ConstExpr, DataKind, Operator, Parser, Payload};

use crate::meter::evaluate;

const MODULE_BYTES: u64 = 172_000;

const ACCEPT_BY_NAME: u64 = 72_000;
const ACCEPT_BY_HANDLER: u64 = 76_000;
const REJECT_BY_NAME: u64 = 78_000;
const MUTATE_WITHOUT_CLASSES: u64 = 89_000;
const MUTATE_AND_UNDO_SCHEDULING: u64 = 125_000;

/// Instructions a byte of a large request. A string costs about 120, and 5 more for each of its bytes.
const PLAIN_BYTE: u64 = 16;
const ESCAPED_BYTE: u64 = 25;

#[test]
fn the_module_is_small() {
    let bytes = MODULE.len() as u64;
    println!("module: {bytes} bytes");
    assert!(bytes <= MODULE_BYTES, "{bytes} bytes");
}

#[rstest]
#[case::accept_by_name(
    "pod-create-gvisor", json!({ "reservedRuntimes": ["runC"], "matchHandlers": false }), ACCEPT_BY_NAME)]
#[case::accept_without_lists("pod-create-gvisor", json!({}), ACCEPT_BY_NAME)]
#[case::accept_another_kind("service-create", json!({ "reservedRuntimes": ["runC"] }), ACCEPT_BY_NAME)]
#[case::reject_by_name("pod-create-gvisor", json!({ "reservedRuntimes": ["gvisor"] }), REJECT_BY_NAME)]
#[case::accept_by_handler("pod-create-gvisor", json!({ "reservedRuntimes": ["runC"] }), ACCEPT_BY_HANDLER)]
#[case::mutate_without_classes("pod-create-gvisor",
    json!({ "reservedRuntimes": ["gvisor"], "fallbackRuntime": "kata", "matchHandlers": false }),
    MUTATE_WITHOUT_CLASSES)]
#[case::mutate_and_undo_scheduling("pod-create-runc-plain",
    json!({ "reservedRuntimes": ["runC"], "fallbackRuntime": "kata" }), MUTATE_AND_UNDO_SCHEDULING)]
fn an_evaluation_is_cheap(#[case] request: &str, #[case] settings: Value, #[case] budget: u64) {
    let payload = json!({ "request": recorded(request), "settings": settings }).to_string();
    let (fuel, answer) = evaluate(&payload, cluster());
    println!("{request} with {settings}: {fuel} instructions");
    assert!(fuel <= budget, "{fuel} instructions for {answer:.200}");
}

#[rstest]
#[case::plain(PLAIN, PLAIN_BYTE)]
#[case::escapes(ESCAPES, ESCAPED_BYTE)]
fn a_large_request_costs_in_proportion_to_its_bytes(#[case] value: &str, #[case] budget: u64) {
    for bytes in [129_000, 3_000_000] {
        let settings = json!({ "reservedRuntimes": ["runC"], "matchHandlers": false });
        let payload = json!({ "request": large_pod(bytes, value), "settings": settings }).to_string();
        let (fuel, answer) = evaluate(&payload, Capabilities::not_granted());
        let each = fuel / payload.len() as u64;
        println!("{bytes} bytes of {value:?}: {fuel} instructions, {each} a byte");
        assert!(fuel <= budget * payload.len() as u64, "{each} instructions a byte for {answer:.200}");
    }
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
        evaluate(&payload, Capabilities::not_granted()).0
    };
    let (short, long, longer) = (fuel(1_000), fuel(10_000), fuel(19_000));
    println!("{entry}: {short} for 1,000 letters, {long} for 10,000, {longer} for 19,000");
    let (first, second) = (long - short, longer - long);
    assert!(second <= first + first / 10, "9,000 letters more cost {first}, then {second}");
}

/// A page of memory costs a page fault in each evaluation, as much as some 10,000 instructions.
#[test]
fn the_stack_ends_in_the_page_that_the_data_begin_in() {
    const PAGE: i32 = 4096;
    let (stack_top, data) = layout(MODULE);
    assert_eq!(stack_top, data, "the stack comes first, and the data follow it");
    assert_eq!((stack_top - 1) / PAGE, data / PAGE, "the stack ends at {stack_top}, and the data begin at {data}");
}

/// Where the stack of a module begins, downwards, and where its data do.
fn layout(module: &[u8]) -> (i32, i32) {
    let (mut stack_top, mut data) = (None, None);
    for payload in Parser::new(0).parse_all(module) {
        match payload.expect("a module") {
            Payload::GlobalSection(globals) => {
                let stack_pointer = globals.into_iter().next().expect("a stack pointer").expect("a global");
                stack_top = Some(constant(&stack_pointer.init_expr));
            }
            Payload::DataSection(segments) => {
                let starts = segments.into_iter().map(|segment| match segment.expect("data").kind {
                    DataKind::Active { offset_expr, .. } => constant(&offset_expr),
                    DataKind::Passive => panic!("passive data"),
                });
                data = starts.min();
            }
            _ => {}
        }
    }
    (stack_top.expect("a stack pointer"), data.expect("data"))
}

fn constant(expression: &ConstExpr) -> i32 {
    match expression.get_operators_reader().read().expect("an operator") {
        Operator::I32Const { value } => value,
        operator => panic!("no constant: {operator:?}"),
    }
}
