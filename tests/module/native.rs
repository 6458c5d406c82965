//! The native engine decides as the module does: the decision's whole space, random cases, and the mutants of a renderer
//! that they have to tell from it.
mod cases;
mod compare;
mod engine;

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
};

use cases::{Case, cases};
use compare::{baked, difference, engine, options, policy};
use engine::{Engine, Outcome};
use model::{Access, Setup, requests, setups};
use rehearsal::{
    native::{self, Class, Classes, NotExpressible, Options},
    policy::{Mode, Policy},
};
use serde_json::{Value, json};
use tests::*;

use crate::through::Guest;

/// What was compared with the module, and how often.
type Counts = BTreeMap<String, usize>;

#[test]
fn the_native_engine_decides_the_whole_space_as_the_module_does() {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let counts = thread::scope(|scope| {
        let workers: Vec<_> =
            (0..threads).map(|worker| scope.spawn(move || count(setups().skip(worker).step_by(threads)))).collect();
        let counts = workers.into_iter().flat_map(|worker| worker.join().expect("the same decisions"));
        counts.fold(Counts::new(), |mut counts, (what, count)| {
            *counts.entry(what).or_default() += count;
            counts
        })
    });
    println!("{counts:?}");
    assert!(counts["baked"] > 200_000 && counts["live"] > 20_000, "{counts:?}");
    // Setups where there is nothing to render: the module accepts everything, or can decide nothing.
    for what in ["NothingToReject", "NoAccess"] {
        assert!(counts[what] > 0, "{counts:?}");
    }
}

fn count(setups: impl Iterator<Item = Setup>) -> Counts {
    let mut counts = Counts::new();
    for setup in setups {
        let (settings, cluster) = (setup.settings(), setup.cluster());
        if fault(&settings).is_some() {
            continue;
        }
        let reads_classes = match &cluster.access {
            Access::Granted => true,
            // The native engine asks nobody: no call can fail, and there is one way not to be granted.
            Access::NotGranted(error) if error.contains("host capability") => continue,
            Access::NotGranted(_) => false,
            Access::Failing { .. } => continue,
        };
        let mut guest = Guest::new(&cluster);
        let answers: Vec<_> =
            requests(&setup).map(|request| (answer(&mut guest, &request, &settings), request)).collect();
        for is_live in [false, true] {
            let policy = policy(&settings, reads_classes, is_live);
            let classes = if is_live { Classes::Live } else { baked(&cluster.classes) };
            match engine(&policy, classes) {
                Ok(objects) => {
                    let engine = Engine::new(&objects);
                    for (answer, request) in answers.iter().filter(|(_, request)| is_asked(request, is_live)) {
                        let difference = difference(&engine, request, answer, &cluster.classes, is_live);
                        assert_eq!(difference, None, "{settings}");
                        *counts.entry(if is_live { "live" } else { "baked" }.to_owned()).or_default() += 1;
                    }
                }
                Err(errors) => {
                    if errors == [NotExpressible::NothingToReject] {
                        assert!(answers.iter().all(|(answer, _)| *answer == accepted()), "{settings}");
                    }
                    *counts.entry(format!("{:?}", errors[0])).or_default() += 1;
                }
            }
        }
    }
    counts
}

/// Whether the native engine can be asked. With classes as parameters it judges no templates, and the API server rejects
/// what can be the name of no class before it asks.
fn is_asked(request: &Value, is_live: bool) -> bool {
    let kind = &request["kind"];
    let is_pod = kind["kind"] == "Pod" && kind["group"] == "";
    (is_pod || !is_live) && !request["object"].to_string().contains(NO_NAME)
}

/// What no RuntimeClass can be called.
const NO_NAME: &str = "../";

fn answer(guest: &mut Guest, request: &Value, settings: &Value) -> Value {
    let payload = json!({ "request": request, "settings": settings }).to_string();
    serde_json::from_str(&guest.ask(payload.as_bytes()).text).expect("an answer in JSON")
}

/// A random case with the module's answers.
struct Answered {
    case: Case,
    answers: Vec<Value>,
}

fn answered() -> Vec<Answered> {
    let cases = cases().into_iter().filter(|case| fault(&case.settings).is_none());
    cases
        .map(|case| {
            let mut guest = Guest::new(&case.cluster());
            let answers = case.requests.iter().map(|request| answer(&mut guest, request, &case.settings)).collect();
            Answered { case, answers }
        })
        .collect()
}

/// How the native engine differs from the module, if its objects are changed.
fn first_difference(answered: &[Answered], change: impl Fn(&str) -> String) -> Option<String> {
    answered.iter().find_map(|Answered { case, answers }| {
        [false, true].into_iter().find_map(|is_live| {
            let policy = policy(&case.settings, case.reads_classes, is_live);
            let classes = if is_live { Classes::Live } else { baked(&case.classes) };
            let mut objects = engine(&policy, classes).ok()?;
            objects.iter_mut().for_each(|object| change_texts(object, &change));
            let engine = Engine::new(&objects);
            let pairs = case.requests.iter().zip(answers).filter(|(request, _)| is_asked(request, is_live));
            pairs.into_iter().find_map(|(request, answer)| {
                let difference = difference(&engine, request, answer, &case.classes, is_live)?;
                Some(format!("{}\n{}\n{difference}", case.settings, json!(case.classes)))
            })
        })
    })
}

fn change_texts(value: &mut Value, change: &impl Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| change_texts(item, change)),
        Value::Object(members) => members.values_mut().for_each(|member| change_texts(member, change)),
        _ => {}
    }
}

/// What a fault of the renderer would write, for what it writes.
const MUTANTS: [(&str, &str, &str); 17] = [
    ("no anchor at the start", "\"^(", "\"("),
    ("no anchor at the end", ")$\"", ")\""),
    ("a dot that is not escaped", "[.]", "."),
    ("an entry in upper case", "runc", "Runc"),
    ("a star that matches one character", ".*", "."),
    ("mirror Pods by everyone", "\"system:nodes\" in request.userInfo.groups", "true"),
    ("no mirror Pods", "\"kubernetes.io/config.mirror\" in object.metadata.annotations", "false"),
    ("a handler that is not matched", "variables.handlers[variables.runtime].matches(", "(\"\").matches("),
    ("a parameter that is not matched", "params.handler.matches(", "(\"\").matches("),
    ("an unknown class that passes", "!(variables.runtime in variables.handlers)", "false"),
    ("an overhead that stays", "has(object.spec.overhead)", "false"),
    ("no default", "variables.runtime == \"\" ?", "false ?"),
    ("other words for a fallback", "will run with", "run with"),
    ("a toleration that stays", "in variables.tolerations", "in []"),
    ("a toleration without its default", "\"Equal\"", "\"\""),
    ("a pair that stays", "object.spec.nodeSelector[key] == variables.nodeSelector[key]", "false"),
    ("an update that keeps the class", "variables.runtime == variables.oldRuntime", "false"),
];

#[test]
fn random_cases_tell_the_native_engine_from_its_mutants_alone() {
    let answered = answered();
    let count: usize = answered.iter().map(|one| one.answers.len()).sum();
    assert!(count > 5_000, "{count} cases");
    let verdicts: BTreeSet<_> = answered.iter().flat_map(|one| one.answers.iter().map(verdict)).collect();
    assert_eq!(verdicts, ["accepted", "failed", "mutated", "rejected", "warned"].into(), "all that can happen");
    assert_eq!(first_difference(&answered, str::to_owned), None);
    for (name, from, to) in MUTANTS {
        assert!(first_difference(&answered, |text| text.replace(from, to)).is_some(), "not caught: {name}");
    }
}

fn verdict(answer: &Value) -> &'static str {
    match answer {
        _ if answer["mutated_object"].is_object() => "mutated",
        _ if answer["warnings"].is_array() => "warned",
        _ if answer["accepted"] == true => "accepted",
        _ if answer["code"] == 500 => "failed",
        _ => "rejected",
    }
}

fn classes() -> Vec<Value> {
    serde_json::from_str::<Value>(&file("test_data/runtimeclasses.list.json")).expect("JSON")["items"]
        .as_array()
        .expect("a list")
        .clone()
}

fn cluster_policy() -> Policy {
    Policy::of_manifest(&yaml("deploy/cluster.yml")).expect("a policy")
}

#[test]
fn the_native_guard_of_deploy_is_what_the_command_prints() {
    let classes = classes().iter().map(Class::of).collect::<Result<_, _>>().expect("classes");
    let rendered = native::render(&cluster_policy(), &Options::new(Classes::Baked(classes))).expect("expressible");
    assert_eq!(file("deploy/native-guard.yml"), rendered.to_yaml().expect("YAML"), "run `make native-guard`");
}

/// The native engine of cluster.yml in protect mode.
fn cluster_engine(change: impl Fn(&mut Options)) -> Engine {
    let mut policy = cluster_policy();
    policy.manifest.as_mut().expect("a manifest").mode = Mode::Protect;
    let mut options = options(&policy, baked(&classes()));
    change(&mut options);
    Engine::new(&native::render(&policy, &options).expect("expressible").objects)
}

#[test]
fn the_engine_of_cluster_yml_rejects_or_mutates_each_pod() {
    let (guard, both) = (cluster_engine(|options| options.mutate = false), cluster_engine(|_| {}));
    let judge = |engine: &Engine, pod: Value| engine.judge(&create(pod), &classes());
    let rejected = |words: &str| Outcome::Rejected(words.to_owned());
    assert_eq!(judge(&guard, pod(json!({}))), rejected("Usage of the default runtime is reserved"));
    assert_eq!(judge(&guard, pod_of("runc-bare")), rejected("runtime 'runc-bare' is not allowed"));
    assert_eq!(
        judge(&guard, pod_of("new")),
        rejected(
            "runtime 'new' is not a RuntimeClass that this policy knows: render it again with kubectl runtime-class native"
        )
    );
    for class in ["kata", "gvisor"] {
        assert_eq!(judge(&both, pod_of(class)), Outcome::Accepted(pod_of(class), vec![]));
    }
    for moved in [pod(json!({})), pod_of("runc-bare")] {
        assert_eq!(judge(&both, moved), Outcome::Accepted(pod_of("kata"), vec![]));
    }
}

#[test]
fn templates_are_accepted_with_a_warning_or_without() {
    let engine = cluster_engine(|options| options.templates = true);
    let deployment = |spec: Value| json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" }, "spec": { "template": pod(spec) } });
    let judge = |spec: Value| engine.judge(&create(deployment(spec)), &classes());
    let accepted = |spec: Value, warnings: &[&str]| {
        Outcome::Accepted(deployment(spec), warnings.iter().map(|&warning| warning.to_owned()).collect())
    };
    assert_eq!(judge(json!({})), accepted(json!({}), &[]));
    let plain = json!({ "runtimeClassName": "runc-plain" });
    let warning = "runtime 'runc-plain' is not allowed: the Pods of this Deployment will run with 'kata'";
    assert_eq!(judge(plain.clone()), accepted(plain, &[warning]));
    let fallback = json!({ "runtimeClassName": "kata" });
    assert_eq!(judge(fallback.clone()), accepted(fallback, &[]));
}

#[test]
fn the_lock_rejects_a_class_that_makes_a_name_untrue() {
    let lock = |settings: Value, name: &str, handler: &str| {
        let mut options = Options::new(baked(&classes()));
        options.lock = true;
        let objects = native::render(&Policy::of_settings(settings), &options).expect("expressible").objects;
        let lock: Vec<_> = objects.into_iter().filter(|object| text(object, "name").ends_with("-lock")).collect();
        match Engine::new(&lock).judge(&create(class(name, handler)), &[]) {
            Outcome::Rejected(message) => Some(message),
            Outcome::Accepted(..) => None,
        }
    };
    let refused = |name: &str, handler: &str| {
        Some(format!(
            "RuntimeClass '{name}' may not run on '{handler}': Pods may use this name. Use another one, or render the \
             policy with this class"
        ))
    };
    let allowed = json!({ "allowedRuntimes": ["kata*", "gvisor"] });
    for (name, handler, message) in [
        ("kata-new", "runc", refused("kata-new", "runc")),
        ("kata", "runc", refused("kata", "runc")),
        ("gvisor", "runc", refused("gvisor", "runc")),
        ("kata-new", "kata-qemu", None),
        // The list of classes has it like this.
        ("gvisor", "runsc", None),
        // Pods may not use it.
        ("runc-bare", "runc", None),
        ("new", "runc", None),
    ] {
        assert_eq!(lock(allowed.clone(), name, handler), message, "{name} {handler}");
    }
    let reserved = json!({ "reservedRuntimes": ["runc"] });
    for (name, handler, message) in [
        ("kata", "runc", refused("kata", "runc")),
        ("gvisor", "runc", refused("gvisor", "runc")),
        ("kata", "runsc", None),
        ("runc", "runc", None),
        ("runc-bare", "runc", None),
        ("new", "runc", None),
    ] {
        assert_eq!(lock(reserved.clone(), name, handler), message, "{name} {handler}");
    }
}

fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object["metadata"][key].as_str().expect("text")
}
