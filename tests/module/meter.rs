//! What an evaluation costs in instructions: the same on every machine.
use std::sync::{Arc, LazyLock};

use kubectl_runtime_class::{Capabilities, MODULE, guest::Guest};
use wasmtime::{Config, Engine, OperatorCost};

/// The instructions of one evaluation, from a fresh instance to the answer, and the answer.
pub fn evaluate(payload: &str, capabilities: Capabilities) -> (u64, String) {
    static POLICY: LazyLock<Guest> = LazyLock::new(|| {
        let engine = Engine::new(Config::new().consume_fuel(true).operator_cost(cost())).expect("an engine");
        Guest::new(&engine, MODULE).expect("a policy")
    });
    let host = move |binding: &str, namespace: &str, operation: &str, payload: &[u8]| {
        capabilities.answer(binding, namespace, operation, payload)
    };
    let mut instance = POLICY.instance(Arc::new(host)).expect("an instance");
    let answer = instance.call("validate", payload.as_bytes()).expect("an answer, no trap");
    (instance.instructions().expect("a count"), String::from_utf8(answer).expect("text"))
}

/// Each instruction costs 1, whatever it copies: engines before 48 count no bytes.
fn cost() -> OperatorCost {
    let mut cost = OperatorCost::default();
    cost.variable.memory_copy_per_byte = 0;
    cost.variable.memory_fill_per_byte = 0;
    cost
}
