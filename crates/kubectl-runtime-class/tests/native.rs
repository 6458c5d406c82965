//! `kubectl runtime-class native`, as a user runs it.
use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use rstest::rstest;
use serde_json::{Value, json};
use tests::{class, command, examples, file, workspace::root};

const CLUSTER: &str = "deploy/cluster.yml";
const CLASSES: &str = "test_data/runtimeclasses.list.json";

/// The output of `native` with these options, and this standard input. There is no kubectl.
fn native(options: &[&str], input: &str) -> Output {
    let mut child = Command::new(command());
    child.arg("native").args(options).current_dir(root()).env("PATH", "");
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    child.stdin.take().expect("standard input").write_all(input.as_bytes()).expect("it reads");
    child.wait_with_output().expect("it ends")
}

/// What is printed.
#[track_caller]
fn printed(output: &Output) -> String {
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// The objects that are printed.
#[track_caller]
fn objects(options: &[&str], input: &str) -> Vec<Value> {
    examples::documents(&printed(&native(options, input))).expect("YAML")
}

/// The kind and the name of each object that has effects.
#[track_caller]
fn names(options: &[&str]) -> Vec<String> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let objects = objects(options, "").into_iter().filter(|object| object["spec"]["policyName"].is_null());
    objects.map(|object| format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"]))).collect()
}

/// A file of this test, in a folder that cargo keeps for tests.
fn temporary(name: &str, text: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).expect("a file to write");
    path.to_str().expect("a path in UTF-8").to_owned()
}

/// Asserts that it prints nothing but this line, and exits with code 2.
#[track_caller]
fn fails(options: &[&str], line: &str) {
    let output = native(options, "");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    assert_eq!(String::from_utf8_lossy(&output.stderr), format!("Error: {line}\n"));
}

#[test]
fn prints_the_guard_of_deploy() {
    assert_eq!(printed(&native(&["-f", CLUSTER, "--classes", CLASSES], "")), file("deploy/native-guard.yml"));
}

#[test]
fn takes_the_policy_or_the_classes_from_standard_input() {
    let expected = objects(&["-f", CLUSTER, "--classes", CLASSES], "");
    assert_eq!(objects(&["-f", "-", "--classes", CLASSES], &file(CLUSTER)), expected);
    assert_eq!(objects(&["-f", CLUSTER, "--classes", "-"], &file(CLASSES)), expected);
}

#[test]
fn takes_settings_alone() {
    let settings = temporary("settings.yml", "reservedRuntimes: [runc]\n");
    let objects = objects(&["-f", &settings, "--classes", CLASSES], "");
    assert_eq!(objects[0]["metadata"]["name"], "pod-runtime-class-native-guard");
    assert_eq!(objects[1]["spec"]["validationActions"], json!(["Deny"]));
}

#[test]
fn asks_no_cluster_if_names_are_enough() {
    let settings = temporary("names.yml", "reservedRuntimes: [runc]\nmatchHandlers: false\n");
    assert!(!objects(&["-f", &settings], "").is_empty());
}

#[rstest]
#[case(&[], &["ValidatingAdmissionPolicy …-guard"])]
#[case(&["--lock"], &["ValidatingAdmissionPolicy …-guard", "ValidatingAdmissionPolicy …-lock"])]
#[case(&["--mutate"], &["ValidatingAdmissionPolicy …-guard", "MutatingAdmissionPolicy …-mutation"])]
#[case(
    &["--templates"],
    &["ValidatingAdmissionPolicy …-guard", "ValidatingAdmissionPolicy …-templates", "ValidatingAdmissionPolicy …-template-warnings"],
)]
#[case(&["--classes", "live"], &["ValidatingAdmissionPolicy …-guard", "ValidatingAdmissionPolicy …-guard-handlers"])]
fn each_option_adds_its_policies(#[case] options: &[&str], #[case] expected: &[&str]) {
    let classes: &[&str] = if options.contains(&"--classes") { &[] } else { &["--classes", CLASSES] };
    let names = names(&[&["-f", CLUSTER], classes, options].concat());
    assert_eq!(names, expected.iter().map(|name| name.replace('…', "pod-runtime-class-native")).collect::<Vec<_>>());
}

#[test]
fn the_version_of_kubernetes_chooses_that_of_the_objects() {
    let version = |options: &[&str]| {
        let objects = objects(&[&["-f", CLUSTER, "--classes", CLASSES, "--mutate"], options].concat(), "");
        let mutation = objects.into_iter().find(|object| object["kind"] == "MutatingAdmissionPolicy");
        mutation.expect("a mutation")["apiVersion"].take()
    };
    assert_eq!(version(&[]), "admissionregistration.k8s.io/v1");
    assert_eq!(version(&["--kubernetes", "1.34"]), "admissionregistration.k8s.io/v1beta1");
}

#[test]
fn the_policy_itself_checks_its_settings() {
    let settings = temporary("invalid.yml", "reservedRuntime: [runc]\n");
    let output = native(&["-f", &settings, "--classes", CLASSES], "");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.starts_with("Error: Provided settings are not valid: reservedRuntime: unknown setting"), "{stderr}");
}

#[test]
fn the_policy_itself_checks_its_fallback() {
    let classes = temporary("gvisor.json", &json!({ "items": [class("gvisor", "runsc")] }).to_string());
    let line = "fallbackRuntime 'kata' is not a RuntimeClass of this cluster";
    fails(&["-f", CLUSTER, "--classes", &classes, "--mutate"], line);
}

#[test]
fn what_is_no_class_is_named() {
    let classes = temporary("pods.json", &json!({ "items": [tests::pod_of("kata")] }).to_string());
    let line = "cannot use the RuntimeClasses: expected a RuntimeClass, got Pod";
    fails(&["-f", CLUSTER, "--classes", &classes], line);
}

#[test]
fn what_cannot_be_expressed_is_named() {
    let line = "pod-runtime-class: --lock: it keeps a list of classes true, and --classes live has none";
    fails(&["-f", CLUSTER, "--classes", "live", "--lock"], line);
}
