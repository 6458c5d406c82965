//! The policy, compiled natively.
use std::{cell::RefCell, rc::Rc, sync::Once};

use model::Cluster;
use native_sdk::Reply;
use serde_json::Value;

/// What the policy says, and the RuntimeClasses that it asked for, in order.
#[derive(Debug)]
pub struct Told {
    /// The answer, in JSON.
    pub text: String,
    pub calls: Vec<String>,
}

/// Calls `validate` in a cluster.
pub fn ask(payload: &[u8], cluster: &Cluster) -> Told {
    let cluster = cluster.clone();
    ask_with(payload, move |call, name| cluster.reply(call, name).map_err(String::into_bytes))
}

/// Calls `validate`; `reply` is told the number of a call of the host, from 1, and the class.
pub fn ask_with(payload: &[u8], reply: impl Fn(usize, &str) -> Reply + 'static) -> Told {
    call("validate", payload, reply)
}

/// Calls `validate_settings`.
pub fn ask_settings(settings: &[u8]) -> Value {
    let told = call("validate_settings", settings, |_, _| unreachable!("settings need no host"));
    serde_json::from_str(&told.text).expect("an answer in JSON")
}

fn call(operation: &str, payload: &[u8], reply: impl Fn(usize, &str) -> Reply + 'static) -> Told {
    static INIT: Once = Once::new();
    INIT.call_once(|| policy::wapc_init());
    let calls = Rc::new(RefCell::new(vec![]));
    let asked = Rc::clone(&calls);
    let host = move |capability: [&str; 3], payload: &[u8]| {
        let name = model::class_asked_for(capability, payload);
        asked.borrow_mut().push(name.clone());
        reply(asked.borrow().len(), &name)
    };
    let answer = native_sdk::call(operation, payload, Box::new(host)).expect("an answer, not an error");
    Told { text: String::from_utf8(answer).expect("an answer in UTF-8"), calls: calls.take() }
}
