//! Whatever the settings, they are valid or there is a message that says why not.
#![no_main]
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|settings: &[u8]| {
    let answer = policy::validate_settings(settings).expect("an answer");
    let answer: Value = serde_json::from_slice(&answer).expect("an answer in JSON");
    assert_eq!(answer["valid"] == true, answer["message"].is_null());
});
