//! The decision: everything that it can depend on, through the module, against the naive model.
use std::{collections::BTreeMap, thread};

use fuzz::check;
use model::{POINTS, Setup, is_decided, predict, requests, setups};

use crate::through::Guest;

/// How many points each outcome has. The others have nothing to decide: the settings are invalid, or the request is a
/// deletion, of another kind, or keeps its class.
type Counts = BTreeMap<(Point, &'static str), usize>;

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Point {
    Decided,
    Other,
}

#[test]
fn the_module_decides_the_whole_space_as_the_model_does() {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let counts = thread::scope(|scope| {
        let workers: Vec<_> =
            (0..threads).map(|worker| scope.spawn(move || count(setups().skip(worker).step_by(threads)))).collect();
        let counts = workers.into_iter().flat_map(|worker| worker.join().expect("the model is right"));
        counts.fold(Counts::new(), |mut counts, (outcome, count)| {
            *counts.entry(outcome).or_default() += count;
            counts
        })
    });
    println!("{POINTS} points: {counts:?}");
    assert_eq!(counts.values().sum::<usize>(), POINTS);
    let decided = counts.iter().filter(|((point, _), _)| *point == Point::Decided).map(|(_, count)| count);
    assert_eq!((POINTS, decided.sum::<usize>()), (1_108_800, 291_060));
}

/// How often each outcome comes of these settings and clusters with each request.
///
/// An instance judges all requests of a setup: no answer depends on an earlier one. All other tests,
/// and policy-server, take a fresh instance for each.
fn count(setups: impl Iterator<Item = Setup>) -> Counts {
    let mut counts = Counts::new();
    for setup in setups {
        let (settings, cluster) = (setup.settings(), setup.cluster());
        let mut guest = Guest::new(&cluster);
        for request in requests(&setup) {
            let payload = format!(r#"{{"request":{request},"settings":{settings}}}"#);
            let prediction = predict(&request, &settings, &cluster);
            check(&guest.ask(payload.as_bytes()), &prediction);
            let point = if is_decided(&request, &settings) { Point::Decided } else { Point::Other };
            *counts.entry((point, prediction.outcome())).or_default() += 1;
        }
    }
    counts
}
