//! What the fuzzer found worth keeping, by the policy compiled natively.
use fuzz::{corpus::corpus, native};

#[test]
#[ignore = "make test runs the same through the module"]
fn the_corpus() {
    for (_, bytes) in corpus("validate") {
        fuzz::validate(&bytes, &native::ask);
    }
    for (_, bytes) in corpus("structured") {
        fuzz::structured(&bytes, &native::ask);
    }
}

#[test]
fn the_corpus_of_settings() {
    for (_, bytes) in corpus("settings") {
        fuzz::settings(&bytes);
    }
}

#[test]
fn the_corpus_of_answers_of_the_host() {
    for (_, bytes) in corpus("host") {
        fuzz::host(&bytes);
    }
}
