//! Whatever the payload, there is an answer; and if the host could read the payload, it can read that.
#![no_main]
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|payload: &[u8]| {
    let answer = policy::validate(payload).expect("an answer");
    if serde_json::from_slice::<Value>(payload).is_ok() {
        let answer: Value = serde_json::from_slice(&answer).expect("an answer in JSON");
        assert!(answer["accepted"].is_boolean());
    }
});
