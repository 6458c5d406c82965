//! The command, as a user runs it.
use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use kubectl_runtime_class::MODULE;
use rstest::rstest;
use serde_json::{Value, json};
use tests::workspace::root;

const DEFAULT: &str = "test_data/requests/pod-create-default.json";
const PLAIN: &str = "test_data/requests/pod-create-runc-plain.json";
const RECORDING: &str = "test_data/replay/runc-plain-to-kata.replay.yml";

fn command() -> Command {
    let mut command = Command::new(tests::command());
    command.current_dir(root()).env("RUST_BACKTRACE", "1");
    command
}

/// The output of `run` with these options.
fn run(options: &[&str]) -> Output {
    command().arg("run").args(options).output().expect("the command runs")
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
fn temporary(name: &str, text: impl AsRef<[u8]>) -> String {
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
#[case("{}", r#""allowed":true,"auditAnnotations":null,"warnings":null}"#)]
// [{"op":"replace","path":"/spec/runtimeClassName","value":"kata"}]
#[case(
    r#"{"reservedRuntimes": ["runC"], "fallbackRuntime": "kata"}"#,
    r#""allowed":true,"patchType":"JSONPatch","patch":"W3sib3AiOiJyZXBsYWNlIiwicGF0aCI6Ii9zcGVjL3J1bnRpbWVDbGFzc05hbWUiLCJ2YWx1ZSI6ImthdGEifV0=","auditAnnotations":{"enforced-runtime-class":"kata","requested-runtime-class":"runC"},"warnings":["runtime 'runC' is reserved: this Pod will run with 'kata'"]}"#
)]
fn prints_the_line_that_kwctl_prints(#[case] settings: &str, #[case] line: &str) {
    let review = of_runc();
    let request = temporary(&format!("runc-{}.json", line.len()), review.to_string());
    let expected = format!("{{\"uid\":{},{line}\n", review["request"]["uid"]);
    assert_eq!(printed(&run(&["-r", &request, "--settings-json", settings])), expected);
}

#[test]
fn takes_a_review_or_a_request_in_json_or_yaml_from_a_file_or_standard_input() {
    let review = of_runc();
    let settings = ["--settings-json", r#"{"reservedRuntimes": ["runC"]}"#];
    let told = printed(&run(&[["-r", &temporary("review.json", review.to_string())], settings].concat()));
    for (name, text) in [
        ("request.json", review["request"].to_string()),
        ("review.yml", serde_yaml_ng::to_string(&review).expect("YAML")),
        ("request.yml", serde_yaml_ng::to_string(&review["request"]).expect("YAML")),
    ] {
        assert_eq!(printed(&run(&[["--request-path", &temporary(name, &text)], settings].concat())), told, "{name}");
    }
    let mut piped = command()
        .arg("run")
        .args(["-r", "-"])
        .args(settings)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
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
        (vec!["-r", DEFAULT, "--settings-path", &broken], format!("Error: cannot read {broken}, document 1: ")),
        (vec!["-r", DEFAULT, "--settings-path", "no-such-file"], "Error: cannot read no-such-file: ".to_owned()),
        (
            vec!["-r", DEFAULT, "--allow-context-aware", "--replay-host-capabilities-interactions", &other],
            format!("Error: cannot replay {other}: not a recording of host capabilities: "),
        ),
    ] {
        fails(&run(&options), &line);
    }
}

/// `(module (import "env" "f" (func)))`
const IMPORTS_ANOTHER_FUNCTION: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x09\x01\x03env\x01f\0\0";

/// `(module (memory (export "memory") 1) (func (export "__guest_call") (param i32 i32) (result i32) unreachable))`
const TRAPS: &[u8] = b"\0asm\x01\0\0\0\x01\x07\x01\x60\x02\x7f\x7f\x01\x7f\x03\x02\x01\0\x05\x03\x01\0\x01\
    \x07\x19\x02\x06memory\x02\0\x0c__guest_call\0\0\x0a\x05\x01\x03\0\0\x0b";

#[rstest]
#[case("no-module.wasm", None, "cannot read no-module.wasm: ")]
#[case("text.wasm", Some(b"this is no module".as_slice()), "is not a policy: failed to parse WebAssembly module")]
#[case("empty.wasm", Some(b"\0asm\x01\0\0\0".as_slice()), "is not a policy: it does not export the function __guest_call")]
#[case("other.wasm", Some(IMPORTS_ANOTHER_FUNCTION), "is not a policy: unknown import: `env::f` has not been defined")]
#[case(
    "trap.wasm",
    Some(TRAPS),
    "is not a policy: Guest call failure: wasm trap: wasm `unreachable` instruction executed"
)]
fn says_in_a_line_that_a_module_is_no_policy(#[case] name: &str, #[case] module: Option<&[u8]>, #[case] words: &str) {
    let module = module.map_or_else(|| name.to_owned(), |bytes| temporary(name, bytes));
    for options in
        [vec!["run", &module, "-r", DEFAULT], vec!["rehearse", "--module", &module, "--settings-json", "{}", "deploy"]]
    {
        let output = command().args(&options).output().expect("the command runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.starts_with("Error: ") && stderr.contains(words) && stderr.lines().count() == 1, "{stderr}");
        assert!(stderr.contains(name), "{stderr}");
        assert_eq!((output.status.code(), output.stdout), (Some(if options[0] == "run" { 1 } else { 2 }), vec![]));
    }
}

#[test]
fn takes_another_version_of_the_policy() {
    let module = temporary("policy.wasm", MODULE);
    assert_eq!(
        printed(&command().args(["run", &module, "-r", DEFAULT]).output().expect("the command runs")),
        printed(&run(&["-r", DEFAULT]))
    );
}

#[test]
fn names_its_version_and_the_digest_of_its_module() {
    let module = temporary("inside.wasm", MODULE);
    let digest = Command::new("sha256sum").arg(&module).output().expect("sha256sum");
    let digest = String::from_utf8(digest.stdout).expect("text");
    let (digest, _) = digest.split_once(' ').expect("a digest");
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("a file");
    let version = manifest.lines().find_map(|line| line.strip_prefix("version = ")).expect("the policy's version");
    let told = printed(&command().arg("version").output().expect("the command runs"));
    assert_eq!(told, format!("version {}\nmodule  sha256:{digest}\n", version.trim_matches('"')));
}

#[rstest]
#[case("bash")]
#[case("fish")]
#[case("zsh")]
#[case("powershell")]
fn prints_completions_for_a_shell(#[case] shell: &str) {
    let told = printed(&command().args(["completions", shell]).output().expect("the command runs"));
    for word in ["kubectl-runtime_class", "rehearse", "fail-on"] {
        assert!(told.contains(word), "{told}");
    }
}

#[rstest]
#[case(&[])]
#[case(&["rehearse"])]
#[case(&["run"])]
fn is_called_as_kubectl_calls_it_in_its_help(#[case] of: &[&str]) {
    let told = printed(&command().args(of).arg("--help").output().expect("the command runs"));
    assert!(told.contains("Usage: kubectl runtime-class"), "{told}");
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
