//! The policy, compiled natively: for `make coverage`. `make test` runs the same through the module.
use fuzz::{check, corpus::corpus, native};
use model::{predict, requests, setups};

#[test]
#[ignore = "the same as the tests through the module"]
fn the_whole_space() {
    for setup in setups() {
        let (settings, cluster) = (setup.settings(), setup.cluster());
        for request in requests(&setup) {
            let payload = format!(r#"{{"request":{request},"settings":{settings}}}"#);
            check(&native::ask(payload.as_bytes(), &cluster), &predict(&request, &settings, &cluster));
        }
    }
}

#[test]
#[ignore = "the same as the tests through the module"]
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
