//! What the rehearsal makes of objects, against what a kube-apiserver made of them: see `test_data/defaults/README.md`.

use rehearsal::api_server::{admit_pod, decode, kind_of, pod_of_template, read_again, set_defaults, user_of, validate};
use rstest::rstest;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn read(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The recordings of a file that has one a line.
fn lines_of(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test_data/defaults").join(file);
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The RuntimeClasses of the cluster that the files were recorded on.
fn classes() -> BTreeMap<String, Value> {
    let list = read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../test_data/runtimeclasses.list.json"));
    let items = list["items"].as_array().unwrap();
    items.iter().map(|class| (class["metadata"]["name"].as_str().unwrap().to_owned(), class.clone())).collect()
}

/// The group and kind of an object.
fn of(object: &Value) -> (String, String) {
    let group = object["apiVersion"].as_str().unwrap_or_default().split_once('/').map_or("", |(group, _)| group);
    (group.to_owned(), object["kind"].as_str().unwrap_or_default().to_owned())
}

/// An object as it was sent, in the namespace of its request, with its defaults.
fn with_defaults(recording: &Value) -> Value {
    let mut object = recording["sent"].clone();
    object["metadata"]["namespace"] = json!("rec");
    let (group, kind) = of(&object);
    set_defaults(&group, &kind, &mut object);
    object
}

fn template_of(object: &Value) -> Value {
    let (group, kind) = of(object);
    let path = kind_of(&group, &kind).unwrap().template.replace('.', "/");
    object.pointer(&format!("/{path}")).unwrap().clone()
}

/// The first Pod of a workload, as its controller sends it and the API server completes it.
fn first_pod(workload: &Value) -> Value {
    let mut pod = pod_of_template(workload, &template_of(workload));
    set_defaults("", "Pod", &mut pod);
    pod
}

/// A recorded object without what is random, or written by the API server about itself.
fn less_what_is_random(mut object: Value) -> Value {
    object["metadata"].as_object_mut().unwrap().remove("managedFields");
    let volumes = object.pointer_mut("/spec/volumes").and_then(Value::as_array_mut);
    let mut random = vec![];
    let is_token = |volume: &&mut Value| volume["name"].as_str().unwrap().starts_with("kube-api-access-");
    for volume in volumes.into_iter().flatten().filter(is_token) {
        random.push((volume["name"].as_str().unwrap().to_owned(), "kube-api-access-xxxxx"));
        let sources = volume.pointer_mut("/projected/sources").unwrap().as_array_mut().unwrap();
        // Of the downstream tree alone.
        sources.retain(|source| source["configMap"]["name"] != "openshift-service-ca.crt");
    }
    let owner = &object["metadata"]["ownerReferences"][0];
    if let Some(uid) = owner["uid"].as_str() {
        random.push((uid.to_owned(), "00000000-0000-0000-0000-000000000000"));
    }
    for label in ["pod-template-hash", "controller-revision-hash"] {
        if let Some(hash) = object["metadata"]["labels"][label].as_str() {
            random.push((hash.rsplit('-').next().unwrap().to_owned(), "xxxxxxxxxx"));
        }
    }
    // The Job was made by hand, from the CronJob; the node is the cluster's only one.
    random.push(("-now".to_owned(), "-00000000"));
    random.push(("[\"n1\"]".to_owned(), "[\"node\"]"));
    let text = random.iter().fold(object.to_string(), |text, (from, to)| text.replace(from, to));
    serde_json::from_str(&text).unwrap()
}

#[rstest]
fn a_webhook_sees_an_object_with_defaults_and_what_plugins_add(
    #[files("../../test_data/defaults/*.json")] path: PathBuf,
) {
    let recording = read(path);
    let mut object = with_defaults(&recording);
    let admitted = match of(&object).1.as_str() {
        "Pod" => admit_pod(&mut object, Some(&classes())),
        _ => Ok(()),
    };
    match recording.get("seen") {
        Some(seen) => {
            assert_eq!(admitted, Ok(()));
            assert_eq!(object, less_what_is_random(seen["object"].clone()));
        }
        None => {
            let words = admitted.unwrap_err().to_string();
            assert!(recording["answer"].as_str().unwrap().ends_with(&words), "{words}");
        }
    }
}

#[rstest]
fn the_api_server_refuses_the_same_objects_after_webhooks(#[files("../../test_data/defaults/*.json")] path: PathBuf) {
    let recording = read(path);
    let Some(seen) = recording.get("seen") else { return };
    let object = seen["object"].clone();
    let (group, kind) = of(&object);
    let answer = match validate(kind_of(&group, &kind).unwrap(), &object, Some(&classes())) {
        Ok(()) => "created".to_owned(),
        Err(refused) => refused.to_string(),
    };
    assert!(recording["answer"].as_str().unwrap().ends_with(&answer), "{answer}");
}

#[test]
fn an_object_is_read_as_the_types_of_the_api_server_read_it() {
    for recording in lines_of("types.ndjson") {
        let mut object = recording["sent"].clone();
        let (group, kind) = of(&object);
        set_defaults(&group, &kind, &mut object);
        assert_eq!(object, recording["read"], "{}", recording["sent"]["metadata"]["name"]);
    }
}

#[test]
fn a_field_of_another_type_is_refused_in_the_api_servers_words() {
    for recording in lines_of("decode.ndjson") {
        let object = &recording["sent"];
        let (group, kind) = of(object);
        let refused = decode(kind_of(&group, &kind).expect("a kind"), object).expect_err(&object.to_string());
        assert_eq!(refused.to_string(), recording["answer"].as_str().unwrap(), "{object}");
    }
    for recording in lines_of("types.ndjson") {
        let object = &recording["sent"];
        let (group, kind) = of(object);
        assert_eq!(decode(kind_of(&group, &kind).expect("a kind"), object), Ok(()), "{object}");
    }
}

#[test]
fn an_object_is_refused_in_the_words_of_the_validation_of_the_api_server() {
    for recording in lines_of("refused.ndjson") {
        let mut object = recording["sent"].clone();
        let (group, kind) = of(&object);
        set_defaults(&group, &kind, &mut object);
        let words = validate(kind_of(&group, &kind).unwrap(), &object, None).unwrap_err().to_string();
        let (start, errors) = words.split_once(" is invalid: ").unwrap();
        assert!(start.starts_with(&format!("The {kind} ")), "{words}");
        assert_eq!(errors, recording["errors"]);
    }
}

#[rstest]
fn a_controller_sends_the_same_pod(#[files("../../test_data/defaults/*.json")] path: PathBuf) {
    let recording = read(path);
    let Some(recorded) = recording.get("pod") else { return };
    let workload = with_defaults(&recording);
    let mut pod = first_pod(&workload);
    assert_eq!(admit_pod(&mut pod, Some(&classes())), Ok(()));
    assert_eq!(pod, less_what_is_random(recorded["object"].clone()));

    let (group, kind) = of(&workload);
    let user = user_of(&group, &kind);
    assert_eq!(user["username"], recorded["userInfo"]["username"]);
    assert_eq!(user["groups"], recorded["userInfo"]["groups"]);
}

#[test]
fn a_pod_is_made_as_controllers_make_it() {
    for recording in lines_of("pods.ndjson") {
        let mut workload = recording["sent"].clone();
        let (group, kind) = of(&workload);
        set_defaults(&group, &kind, &mut workload);
        assert_eq!(pod_of_template(&workload, &template_of(&workload)), recording["pod"]);
    }
}

#[rstest]
fn the_pod_of_a_template_whose_class_does_not_exist_is_refused(
    #[files("../../test_data/defaults/*-refused-ghost.json")] path: PathBuf,
) {
    let recording = read(path);
    let workload = with_defaults(&recording);
    let mut pod = if of(&workload).1 == "Pod" { workload } else { first_pod(&workload) };
    let words = admit_pod(&mut pod, Some(&classes())).unwrap_err().to_string();
    assert!(words.ends_with("is forbidden: pod rejected: RuntimeClass \"ghost\" not found"), "{words}");
}

#[rstest]
fn an_object_that_the_api_server_has_completed_stays_as_it_is(
    #[files("../../test_data/defaults/*.json")] path: PathBuf,
) {
    let recording = read(path);
    for seen in ["seen", "pod"].iter().filter_map(|request| recording.get(request)) {
        let completed = &seen["object"];
        let (group, kind) = of(completed);
        let mut object = completed.clone();
        set_defaults(&group, &kind, &mut object);
        if kind == "Pod" {
            assert_eq!(admit_pod(&mut object, Some(&classes())), Ok(()));
        }
        assert_eq!(&object, completed);
    }
}

/// Each value in `value`, as the keys that lead to it.
fn places(value: &Value, here: &str, all: &mut Vec<String>) {
    all.push(here.to_owned());
    let children: Vec<(String, &Value)> = match value {
        Value::Object(object) => {
            object.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
        _ => vec![],
    };
    children.iter().for_each(|(key, child)| places(child, &format!("{here}/{key}"), all));
}

/// Everything that is made of an object; a panic fails the test.
fn rehearse(object: &mut Value, group: &str, kind: &str, classes: &BTreeMap<String, Value>) {
    set_defaults(group, kind, object);
    let template = kind_of(group, kind).unwrap().template.replace('.', "/");
    let template = object.pointer(&format!("/{template}")).cloned().unwrap_or_default();
    let mut pod = pod_of_template(object, &template);
    set_defaults("", "Pod", &mut pod);
    for pod in [&mut pod, &mut *object] {
        let _ = admit_pod(pod, Some(classes));
        let _ = read_again(kind_of("", "Pod").unwrap(), pod, Some(classes))
            .and_then(|()| validate(kind_of("", "Pod").unwrap(), pod, Some(classes)));
    }
    let _ = kind_of(group, kind).map(|kind| validate(kind, object, Some(classes)));
}

#[rstest]
fn no_shape_of_an_object_makes_it_panic(#[files("../../test_data/defaults/*.json")] path: PathBuf) {
    let sent = &read(path)["sent"];
    let (group, kind) = of(sent);
    let classes = classes();
    let mut all = vec![];
    places(sent, "", &mut all);
    for place in all {
        for value in [
            json!(null),
            json!(true),
            json!(-1),
            json!(""),
            json!("é"),
            json!([]),
            json!([null, [1]]),
            json!({}),
            json!({"": null}),
        ] {
            let mut object = sent.clone();
            *object.pointer_mut(&place).unwrap() = value;
            rehearse(&mut object, &group, &kind, &classes);
        }
    }
}
