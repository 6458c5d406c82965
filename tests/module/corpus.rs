//! What the fuzzer found worth keeping, through the module.
use fuzz::corpus::corpus;
use rstest::rstest;

use crate::through::ask_the_module;

#[rstest]
#[case::any_bytes("validate", fuzz::validate)]
#[case::requests_settings_and_clusters("structured", fuzz::structured)]
fn the_module_has_the_properties(#[case] target: &str, #[case] property: fn(&[u8], fuzz::Ask)) {
    let inputs = corpus(target);
    println!("{target}: {} inputs", inputs.len());
    assert!(inputs.len() >= 10, "{target}: {} inputs", inputs.len());
    for (path, bytes) in inputs {
        println!("{}", path.display());
        property(&bytes, &ask_the_module);
    }
}
