//! The properties of the policy, for whatever it is sent.
//!
//! Each function takes the bytes of a fuzz target and panics if a property does not hold. `ask` is the
//! way to the policy: compiled natively for the fuzzer, the module in the tests.
pub mod case;
pub mod corpus;
mod layout;
mod members;
pub mod native;

use std::{collections::BTreeMap, str};

use arbitrary::{Arbitrary, Unstructured};
use model::{
    Access, Answer, Cluster, Prediction, Settings, Subject, Workload, is_name, matches, predict, repeats_a_toleration,
    subject,
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json, value::RawValue};

use case::Case;
use members::only_the_class_changed;
use native::Told;

/// Calls `validate` with a payload, in a cluster.
pub type Ask<'a> = &'a dyn Fn(&[u8], &Cluster) -> Told;

/// The answer of the policy, as its host reads it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ValidationResponse<'a> {
    accepted: bool,
    message: Option<String>,
    code: Option<u16>,
    #[serde(borrow)]
    mutated_object: Option<&'a RawValue>,
    #[serde(default)]
    audit_annotations: BTreeMap<String, String>,
    #[serde(default)]
    warnings: Vec<String>,
}

/// The longest text of an answer, in bytes. Most of it is what an error of the host says.
const LONGEST: usize = 1_500;

/// `validate` with any bytes as its payload.
pub fn validate(payload: &[u8], ask: Ask) {
    let cluster = Cluster { classes: classes(), access: Access::Granted };
    let told = ask(payload, &cluster);
    let answer = read(&told);
    let is_json = str::from_utf8(payload).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    if !is_json {
        let message = answer.message.expect("a message");
        assert_eq!((answer.accepted, answer.code), (false, Some(400)), "{message}");
        assert!(message.starts_with("payload: "), "{message}");
        return;
    }
    // What is not a `Value`: a number out of range, a lone surrogate, more than 128 levels.
    let Ok(payload) = serde_json::from_slice::<Value>(payload) else { return };
    let (request, settings) = (&payload["request"], &payload["settings"]);
    if is_costly_to_match(settings) || (is_mutated(&told) && repeats_a_toleration(&request["object"])) {
        return;
    }
    let has_duplicate = answer.message.is_some_and(|message| message.contains("duplicate field"));
    if has_duplicate {
        assert!(!answer.accepted);
    } else if !request.is_object() {
        assert_eq!((answer.accepted, answer.code), (false, Some(400)), "{}", told.text);
    } else {
        check(&told, &predict(request, settings, &cluster));
    }
}

/// `validate_settings` with any bytes.
pub fn settings(bytes: &[u8]) {
    let answer = native::ask_settings(bytes);
    let valid = answer["valid"].as_bool().expect("valid or not");
    assert_eq!(valid, answer["message"].is_null(), "{answer}");
    let is_json = str::from_utf8(bytes).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    assert!(is_json || !valid, "{answer}");
    let Ok(settings) = serde_json::from_slice::<Value>(bytes) else { return };
    let message = answer["message"].as_str().unwrap_or_default();
    assert_short(message);
    if !is_costly_to_match(&settings) && !message.contains("duplicate field") {
        let faults = model::faults(&settings);
        assert_eq!(valid, faults.is_empty(), "{answer} {faults:?}");
    }
}

/// `validate` where the host answers a call for a RuntimeClass with any bytes, or any error.
pub fn host(bytes: &[u8]) {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let reply = if first % 2 == 0 { Ok(bytes.to_vec()) } else { Err(bytes.to_vec()) };
    let is_a_class = reply.as_ref().is_ok_and(|bytes| serde_json::from_slice::<IgnoredAny>(bytes).is_ok());
    let request = json!({
        "kind": { "group": "", "version": "v1", "kind": "Pod" },
        "operation": "CREATE",
        "object": { "spec": { "runtimeClassName": "runc-plain", "nodeSelector": { "runtime": "runc" } } },
    });
    let settings = json!({ "reservedRuntimes": ["runC"], "fallbackRuntime": "kata" });
    let payload = json!({ "request": request, "settings": settings }).to_string();
    let told = native::ask_with(payload.as_bytes(), move |_, _| reply.clone());
    let answer = read(&told);
    assert!(matches!(told.calls.len(), 1 | 2), "{:?}", told.calls);
    if answer.accepted {
        let is_not_granted = bytes.windows(26).any(|words| words == b"has not been granted access"[..26].as_ref());
        assert!(is_a_class || is_not_granted, "{}", told.text);
    } else {
        assert!(answer.message.is_some(), "{}", told.text);
    }
}

/// `validate` with a [`Case`] made of the bytes.
pub fn structured(bytes: &[u8], ask: Ask) {
    if let Ok(case) = Case::arbitrary(&mut Unstructured::new(bytes)) {
        check_case(&case, ask);
    }
}

fn check_case(case: &Case, ask: Ask) {
    let (request, settings, cluster) = (case.request(), case.settings(), case.cluster());
    let payload = |request: &Value| json!({ "request": request, "settings": settings });
    let text = layout::plain(&payload(&request));
    let told = ask(text.as_bytes(), &cluster);
    if is_mutated(&told) && repeats_a_toleration(&request["object"]) {
        return;
    }
    check(&told, &predict(&request, &settings, &cluster));

    let shuffled = layout::shuffled(&payload(&request), case.seed);
    check_same(&told, &ask(shuffled.as_bytes(), &cluster), &shuffled);

    let answer = read(&told);
    let Subject::Judged(workload) = subject(&request) else {
        assert!(answer.mutated_object.is_none());
        return;
    };
    let checked = Settings::of(&settings);
    match answer.mutated_object {
        Some(object) => {
            assert!(answer.accepted && workload.is_pod());
            assert!(workload.class.is_none() || !checked.fallback_for_default_alone);
            only_the_class_changed(&object_of(&text), object.get(), checked.fallback.as_deref().expect("a fallback"));
            check_idempotent(&request, &told, &cluster, &payload, ask);
        }
        None if answer.accepted && workload.is_mirror != Some(true) => check_accept(&workload, &checked),
        None => {}
    }
}

/// An accept means that the class is not rejected by its name, unless its Pods get the fallback.
fn check_accept(workload: &Workload, settings: &Settings) {
    let Some(class) = workload.class.as_deref() else {
        assert!(!settings.default_reserved || (settings.fallback.is_some() && !workload.is_pod()));
        return;
    };
    if settings.fallback.is_some() && !settings.fallback_for_default_alone && !workload.is_pod() {
        return;
    }
    assert!(!settings.reserved.iter().any(|entry| matches(entry, class)), "{class} is reserved");
    if settings.match_handlers == Some(false) && !settings.allowed.is_empty() {
        assert!(settings.allowed.iter().any(|entry| matches(entry, class)), "{class} is not allowed");
    }
}

/// The API server may send a mutated Pod once more.
fn check_idempotent(request: &Value, told: &Told, cluster: &Cluster, payload: &dyn Fn(&Value) -> Value, ask: Ask) {
    let mut request = request.clone();
    request["object"] = value(&told.text)["mutated_object"].clone();
    let access = match &cluster.access {
        Access::Failing { .. } => Access::Granted,
        access => access.clone(),
    };
    let text = layout::plain(&payload(&request));
    let again = ask(text.as_bytes(), &Cluster { access, ..cluster.clone() });
    assert_eq!(again.text, r#"{"accepted":true}"#, "{text}");
}

/// The answer does not depend on white space or on the order of members.
fn check_same(told: &Told, shuffled: &Told, text: &str) {
    let (answer, other) = (value(&told.text), value(&shuffled.text));
    assert_eq!((&answer["accepted"], &answer["code"]), (&other["accepted"], &other["code"]), "{text}");
    // A message about a value quotes its text.
    if answer["code"].is_null() {
        assert_eq!((&answer, &told.calls), (&other, &shuffled.calls), "{text}");
    }
}

/// The policy says what the model says.
pub fn check(told: &Told, prediction: &Prediction) {
    let answer = value(&told.text);
    let message = answer["message"].as_str().unwrap_or_default();
    match &prediction.answer {
        Answer::Exactly(expected) => assert_eq!((&answer, &told.calls), (expected, &prediction.calls)),
        Answer::Unreadable => {
            assert_eq!(answer, json!({ "accepted": false, "code": 400, "message": message }));
            assert!(message.starts_with("request"), "{message}");
        }
        Answer::InvalidSettings(faults) => {
            let fault = message.strip_prefix("invalid settings: ").unwrap_or_else(|| panic!("{answer} {faults:?}"));
            assert_eq!((&answer["accepted"], &answer["code"]), (&json!(false), &json!(500)), "{answer}");
            // The value that follows is quoted as it is written, or not at all if it is long.
            let said = |fault: &str| fault.split_once(", got ").map_or(fault.to_owned(), |(said, _)| said.to_owned());
            assert!(faults.iter().any(|one| said(one) == said(fault)), "{fault:?} is none of {faults:?}");
        }
    }
}

fn is_mutated(told: &Told) -> bool {
    read(told).mutated_object.is_some()
}

/// The answer. Whatever a request says, each text is short, and the host is asked for names alone.
fn read(told: &Told) -> ValidationResponse<'_> {
    let Told { text, calls } = told;
    let answer: ValidationResponse =
        serde_json::from_str(text).unwrap_or_else(|error| panic!("no ValidationResponse: {error} in {text}"));
    answer
        .message
        .iter()
        .chain(&answer.warnings)
        .chain(answer.audit_annotations.values())
        .for_each(|text| assert_short(text));
    assert!(calls.iter().all(|name| is_name(name)), "{calls:?}");
    answer
}

/// A text for people is short and on one line.
fn assert_short(text: &str) {
    assert!(text.len() <= LONGEST && !text.contains(|c: char| c.is_ascii_control()), "{text:?}");
}

fn value(answer: &str) -> Value {
    serde_json::from_str(&layout::without_opaque(answer)).unwrap_or_else(|error| panic!("{error} in {answer}"))
}

/// The text of the object in a payload.
fn object_of(payload: &str) -> String {
    #[derive(Deserialize)]
    struct Payload<'a> {
        #[serde(borrow)]
        request: Request<'a>,
    }
    #[derive(Deserialize)]
    struct Request<'a> {
        #[serde(borrow)]
        object: &'a RawValue,
    }
    serde_json::from_str::<Payload>(payload).expect("a payload").request.object.get().to_owned()
}

/// Whether the naive matcher takes too long for these settings.
fn is_costly_to_match(settings: &Value) -> bool {
    let lists = ["reservedRuntimes", "allowedRuntimes"].map(|key| settings[key].as_array().cloned());
    let mut entries = lists.iter().flatten().flatten().filter_map(Value::as_str);
    entries.any(|entry| entry.matches('*').count() > 3)
}

/// The RuntimeClasses of the cluster that the recorded requests are from, by their names and handlers.
fn classes() -> Vec<Value> {
    [("runc-plain", "runc"), ("runc-bare", "runc"), ("kata", "kata"), ("gvisor", "runsc")]
        .map(|(name, handler)| {
            json!({
                "metadata": { "name": name },
                "handler": handler,
                "scheduling": {
                    "nodeSelector": { "runtime": handler },
                    "tolerations": [{ "key": handler, "operator": "Exists", "effect": "NoSchedule" }],
                },
            })
        })
        .to_vec()
}
