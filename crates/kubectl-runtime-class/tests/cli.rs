//! The command, as a user runs it.
use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use kubectl_runtime_class::workspace::{module, root};
use rstest::rstest;
use serde_json::{Value, json};

const DEFAULT: &str = "test_data/requests/pod-create-default.json";
const PLAIN: &str = "test_data/requests/pod-create-runc-plain.json";
const RECORDING: &str = "test_data/replay/runc-plain-to-kata.replay.yml";

fn evaluator() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-runtime_class"));
    command.current_dir(root()).env("RUST_BACKTRACE", "1");
    command
}

/// The command that evaluates the policy, with these options.
fn run(options: &[&str]) -> Output {
    evaluator().arg("run").arg(module()).args(options).output().expect("the evaluator runs")
}

/// The output of a run that succeeds.
#[track_caller]
fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// Asserts that a run fails with code 1, nothing on stdout, and one line on stderr.
#[track_caller]
fn fails(output: &Output, line: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(output.stdout, b"");
    assert!(stderr.starts_with(line) && stderr.lines().count() == 1, "{stderr}");
}

/// A file of this test, in a folder that cargo keeps for tests.
fn temporary(name: &str, text: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).expect("a file to write");
    path.to_str().expect("a path in UTF-8").to_owned()
}

/// A recorded Pod whose class is set to `runC`.
fn of_runc() -> Value {
    let mut review: Value =
        serde_json::from_str(&fs::read_to_string(root().join(DEFAULT)).expect("a file")).expect("JSON");
    review["request"]["object"]["spec"]["runtimeClassName"] = json!("runC");
    review
}

#[rstest]
#[case(
    r#"{"reservedRuntimes": ["runC"]}"#,
    r#""allowed":false,"status":{"message":"runtime 'runC' is reserved"},"auditAnnotations":{"requested-runtime-class":"runC"},"warnings":null}"#
)]
#[case(r#"{"reservedRuntimes": ["gVisor"]}"#, r#""allowed":true,"auditAnnotations":null,"warnings":null}"#)]
// [{"op":"replace","path":"/spec/runtimeClassName","value":"kata"}]
#[case(
    r#"{"reservedRuntimes": ["runC"], "fallbackRuntime": "kata"}"#,
    r#""allowed":true,"patchType":"JSONPatch","patch":"W3sib3AiOiJyZXBsYWNlIiwicGF0aCI6Ii9zcGVjL3J1bnRpbWVDbGFzc05hbWUiLCJ2YWx1ZSI6ImthdGEifV0=","auditAnnotations":{"enforced-runtime-class":"kata","requested-runtime-class":"runC"},"warnings":["runtime 'runC' is reserved: this Pod will run with 'kata'"]}"#
)]
fn prints_the_line_that_kwctl_prints(#[case] settings: &str, #[case] line: &str) {
    let review = of_runc();
    let request = temporary(&format!("runc-{}.json", line.len()), &review.to_string());
    let expected = format!("{{\"uid\":{},{line}\n", review["request"]["uid"]);
    assert_eq!(printed(&run(&["-r", &request, "--settings-json", settings])), expected);
}

#[test]
fn takes_a_review_or_a_request_in_json_or_yaml_from_a_file_or_standard_input() {
    let review = of_runc();
    let settings = ["--settings-json", r#"{"reservedRuntimes": ["runC"]}"#];
    let told = printed(&run(&[["-r", &temporary("review.json", &review.to_string())], settings].concat()));
    for (name, text) in [
        ("request.json", review["request"].to_string()),
        ("review.yml", serde_yaml_ng::to_string(&review).expect("YAML")),
        ("request.yml", serde_yaml_ng::to_string(&review["request"]).expect("YAML")),
    ] {
        assert_eq!(printed(&run(&[["--request-path", &temporary(name, &text)], settings].concat())), told, "{name}");
    }
    let mut piped = evaluator()
        .arg("run")
        .arg(module())
        .args(["-r", "-"])
        .args(settings)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the evaluator runs");
    piped.stdin.take().expect("its input").write_all(review.to_string().as_bytes()).expect("it reads");
    assert_eq!(printed(&piped.wait_with_output().expect("it ends")), told);
}

#[rstest]
#[case("settings.json", r#"{"defaultRuntimeReserved": true}"#)]
#[case("settings.yml", "defaultRuntimeReserved: true\n")]
fn takes_settings_from_a_file(#[case] name: &str, #[case] text: &str) {
    let told = printed(&run(&["-r", DEFAULT, "--settings-path", &temporary(name, text)]));
    assert!(told.contains("Usage of the default runtime is reserved"), "{told}");
}

#[test]
fn has_no_settings_unless_it_is_given_some() {
    assert!(printed(&run(&["-r", DEFAULT])).contains(r#""allowed":true"#));
}

#[test]
fn rejects_invalid_settings_in_the_words_of_kwctl() {
    let output = run(&["-r", DEFAULT, "--settings-json", r#"{"reservedRuntimes": ["a"], "fallbackRuntime": "a"}"#]);
    fails(
        &output,
        "Error: Provided settings are not valid: fallback runtime a cannot be part of the reserved runtimes\n",
    );
}

#[test]
fn says_in_a_line_what_it_cannot_use() {
    let broken = temporary("broken.json", "{\"kind\": \"AdmissionReview\", ");
    let other = temporary("other.json", r#"{"apiVersion": "v1", "kind": "Pod"}"#);
    let empty = temporary("empty.yml", "kind: AdmissionReview\n");
    let list = temporary("list.yml", "- 1\n");
    for (options, line) in [
        (vec!["-r", "no-such-file"], "Error: cannot read no-such-file: No such file".to_owned()),
        (vec!["-r", &broken], format!("Error: cannot use {broken} as a request: neither JSON nor YAML: ")),
        (vec!["-r", &other], format!("Error: cannot use {other} as a request: not an AdmissionRequest: ")),
        (vec!["-r", &list], format!("Error: cannot use {list} as a request: not an AdmissionRequest: ")),
        (vec!["-r", &empty], format!("Error: cannot use {empty} as a request: the AdmissionReview has no request")),
        (vec!["-r", DEFAULT, "--settings-json", "{"], "Error: --settings-json is not JSON: EOF".to_owned()),
        (vec!["-r", DEFAULT, "--settings-path", &broken], format!("Error: {broken} is neither JSON nor YAML: ")),
        (vec!["-r", DEFAULT, "--settings-path", "no-such-file"], "Error: cannot read no-such-file: ".to_owned()),
        (
            vec!["-r", DEFAULT, "--allow-context-aware", "--replay-host-capabilities-interactions", &other],
            format!("Error: cannot replay {other}: not a recording of host capabilities: "),
        ),
    ] {
        fails(&run(&options), &line);
    }
}

#[rstest]
#[case("no-module.wasm", None, "Error: cannot read ")]
#[case("text.wasm", Some("this is no module"), "is not a policy: ")]
#[case("empty.wasm", Some("(module)"), "is not a policy: ")]
#[case("other.wasm", Some(r#"(module (import "env" "f" (func)))"#), "is not a policy: ")]
#[case(
    "trap.wasm",
    Some(r#"(module (memory (export "memory") 1) (func (export "__guest_call") (param i32 i32) (result i32) unreachable))"#),
    "is not a policy: "
)]
fn says_in_a_line_that_a_module_is_no_policy(#[case] name: &str, #[case] text: Option<&str>, #[case] words: &str) {
    let module = text.map_or_else(|| name.to_owned(), |text| temporary(name, text));
    let output = evaluator().args(["run", &module, "-r", DEFAULT]).output().expect("the evaluator runs");
    fails(&output, "Error: ");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains(words) && stderr.contains(name), "{stderr}");
}

/// The output for a Pod of a class that runs on `runc`, which is reserved.
fn printed_for_plain(options: &[&str]) -> String {
    printed(&run(&[&["-r", PLAIN, "--settings-json", r#"{"reservedRuntimes": ["runC"]}"#], options].concat()))
}

#[test]
fn answers_calls_of_the_host_from_a_recording() {
    let told = printed_for_plain(&["--allow-context-aware", "--replay-host-capabilities-interactions", RECORDING]);
    assert!(told.contains("runtime 'runc-plain' is reserved: it runs on 'runc'"), "{told}");
}

#[test]
fn rejects_host_calls_that_are_not_allowed() {
    for options in [vec![], vec!["--replay-host-capabilities-interactions", RECORDING]] {
        let told = printed_for_plain(&options);
        assert!(told.contains(r#""allowed":true"#), "names alone are compared: {told}");
    }
}

#[test]
fn answers_each_recorded_call_once() {
    let told = printed_for_plain(&["--allow-context-aware"]);
    assert!(told.contains("RuntimeClass 'runc-plain' can't be read: the recording has no more answers"), "{told}");
}

#[test]
fn rejects_a_call_that_is_not_the_recorded_one() {
    let recording =
        fs::read_to_string(root().join(RECORDING)).expect("a file").replace("- scheduling\n", "- overhead\n");
    let recording = temporary("other.replay.yml", &recording);
    let told = printed_for_plain(&["--allow-context-aware", "--replay-host-capabilities-interactions", &recording]);
    assert!(
        told.contains("RuntimeClass 'runc-plain' can't be read: the recording has KubernetesGetResource"),
        "{told}"
    );
}

#[test]
fn replays_an_error() {
    let recording = fs::read_to_string(root().join("test_data/replay/ghost.replay.yml")).expect("a file");
    let recording = recording.replace("name: ghost", "name: runc-plain").replace("Cannot find", "No route to");
    let recording = temporary("error.replay.yml", &recording);
    let told = printed_for_plain(&["--allow-context-aware", "--replay-host-capabilities-interactions", &recording]);
    let message = "RuntimeClass 'runc-plain' can't be read: No route to node.k8s.io/v1/RuntimeClass named 'ghost' inside of namespace 'None'";
    assert!(told.contains(&format!(r#""status":{{"message":"{message}","code":500}}"#)), "{told}");
}

#[test]
fn shows_the_examples_in_colors_on_a_terminal_and_plain_in_a_pipe() {
    let examples = || {
        let mut command = evaluator();
        command.arg("examples").arg(module()).arg("README.md");
        command
    };
    let plain = printed(&examples().output().expect("the evaluator runs"));
    assert!(!plain.contains('\u{1b}'), "{plain}");
    assert!(plain.contains("  rejected  Usage of the default runtime is reserved\n"), "{plain}");
    assert!(plain.contains("\n          -   runtimeClassName: containerd-runc\n"), "{plain}");
    assert!(plain.contains("\n          +   runtimeClassName: containerd-kata\n"), "{plain}");
    assert!(plain.lines().count() <= 45, "one screen");

    let colored = printed(&examples().env("CLICOLOR_FORCE", "1").output().expect("the evaluator runs"));
    assert!(colored.contains("\u{1b}[31mrejected"), "{colored}");
}
