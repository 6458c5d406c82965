//! The whole space, by the policy compiled natively. A file of its own, because Cargo runs files by their names
//! and stops at one that fails: the corpus takes a tenth of a second and catches most mutants.
use fuzz::{check, native};
use model::{predict, requests, setups};

#[test]
#[ignore = "make test runs the same through the module"]
fn the_whole_space() {
    for setup in setups() {
        let (settings, cluster) = (setup.settings(), setup.cluster());
        for request in requests(&setup) {
            let payload = format!(r#"{{"request":{request},"settings":{settings}}}"#);
            check(&native::ask(payload.as_bytes(), &cluster), &predict(&request, &settings, &cluster));
        }
    }
}
