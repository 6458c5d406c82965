//! The command asks the cluster with the kubectl of the user. Here, a script stands in its place.
#![cfg(unix)]
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use rstest::rstest;
use serde_json::{Value, json};
use tests::pod_of;

const SETTINGS: &str = r#"{"reservedRuntimes": ["runc"], "fallbackRuntime": "kata"}"#;

/// A folder with a kubectl that writes its arguments to `calls`, and answers with the file `KIND.json` or `KIND.err`.
struct Stub(PathBuf);

impl Stub {
    fn new(name: &str, answers: &[(&str, Value)]) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kubectl").join(name);
        _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        for kind in ["pods", "replicasets", "jobs", "namespaces", "nodes", "runtimeclasses"] {
            let items = answers.iter().find(|(of, _)| *of == kind).map_or(json!([]), |(_, items)| items.clone());
            let list = json!({ "apiVersion": "v1", "items": items, "kind": "List", "metadata": {} });
            fs::write(folder.join(format!("{kind}.json")), list.to_string()).expect("a file");
        }
        let script = format!(
            "#!/bin/sh\nexport PATH=/usr/bin:/bin\ncd '{}'\necho \"$*\" >>calls\n[ ! -f \"$2.err\" ] || {{ cat \"$2.err\" >&2; exit 1; }}\ncat \"$2.json\"\n",
            folder.display()
        );
        let kubectl = folder.join("kubectl");
        fs::write(&kubectl, script).expect("a file");
        fs::set_permissions(kubectl, fs::Permissions::from_mode(0o755)).expect("a script");
        Self(folder)
    }

    /// The user may not list `kind`, or something else is wrong.
    fn fails(self, kind: &str, stderr: &str) -> Self {
        fs::write(self.0.join(format!("{kind}.err")), stderr).expect("a file");
        self
    }

    fn rehearse(&self, options: &[&str]) -> Output {
        self.command("rehearse", options).output().expect("the command runs")
    }

    fn native(&self, options: &[&str]) -> Output {
        self.command("native", options).output().expect("the command runs")
    }

    fn command(&self, name: &str, options: &[&str]) -> Command {
        let mut command = Command::new(tests::command());
        command.args([name, "--settings-json", SETTINGS]).args(options).env("PATH", &self.0);
        command
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.0.join("calls")).unwrap_or_default()
    }
}

/// A cluster with a Pod of a class that runs on runc, and the class of the fallback.
fn cluster(name: &str) -> Stub {
    let class = |name: &str, handler: &str| tests::class(name, handler);
    let mut pod = pod_of("standard");
    pod["metadata"]["namespace"] = json!("team-a");
    Stub::new(
        name,
        &[("pods", json!([pod])), ("runtimeclasses", json!([class("standard", "runc"), class("kata", "kata")]))],
    )
}

#[track_caller]
fn report(output: &Output) -> Value {
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn forbidden(kind: &str) -> String {
    format!("Error from server (Forbidden): {kind} is forbidden: User \"jane\" cannot list resource \"{kind}\"\n")
}

#[rstest]
#[case::in_all_namespaces(&["-A"], " --all-namespaces", "")]
#[case::by_labels(&["-n", "team-a", "-l", "app=web"], " --namespace=team-a --selector=app=web", "")]
#[case::of_another_cluster(
    &["--context", "blue", "--kubeconfig", "/tmp/config"],
    " --context=blue --kubeconfig /tmp/config",
    " --context=blue --kubeconfig /tmp/config"
)]
fn asks_for_one_kind_after_the_other_with_the_options_of_the_user(
    #[case] options: &[&str],
    #[case] namespaced: &str,
    #[case] others: &str,
) {
    let stub = cluster(&format!("options{}", namespaced.len()));
    let report = report(&stub.rehearse(&[options, &["-o", "json"]].concat()));
    assert_eq!(report["summary"]["mutatedTo"], json!({ "kata": 1 }));
    let line = |kind: &str, options: &str| format!("get {kind} --output=json{options}\n");
    let expected = [
        line("pods", namespaced),
        line("replicasets", namespaced),
        line("jobs", namespaced),
        line("namespaces", others),
        line("nodes", others),
        line("runtimeclasses", others),
    ];
    assert_eq!(stub.calls(), expected.concat());
}

#[test]
fn asks_the_cluster_without_options_if_standard_input_is_a_terminal() {
    let stub = cluster("terminal");
    let command = stub.command("rehearse", &["-o", "json"]);
    let words: Vec<String> = [command.get_program()]
        .into_iter()
        .chain(command.get_args())
        .map(|word| format!("'{}'", word.to_str().expect("text")))
        .collect();
    // script makes a terminal.
    let script = ["/usr/bin/script", "/bin/script"].into_iter().find(|path| Path::new(path).exists());
    let output = Command::new(script.expect("script, of util-linux"))
        .args(["--quiet", "--return", "--command", &words.join(" "), "/dev/null"])
        .env("PATH", &stub.0)
        .env("SHELL", "/bin/sh")
        .output()
        .expect("script runs");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["summary"]["mutated"], 1);
    assert_eq!(stub.calls().lines().next(), Some("get pods --output=json"));
}

#[test]
fn asks_no_cluster_if_there_are_files_or_a_pipe() {
    let stub = cluster("files");
    let dump = stub.0.join("pods.json");
    let from_file = stub.rehearse(&[dump.to_str().expect("text"), "-o", "json"]);
    let piped = stub
        .command("rehearse", &["-o", "json"])
        .stdin(fs::File::open(dump).expect("a file"))
        .output()
        .expect("it runs");
    for output in [from_file, piped] {
        assert_eq!(report(&output)["summary"]["judged"], 1);
    }
    assert_eq!(stub.calls(), "");
}

#[test]
fn names_what_the_user_may_not_list_and_goes_on_without_it() {
    let stub = cluster("forbidden").fails("nodes", &forbidden("nodes"));
    let report = report(&stub.rehearse(&["-A", "-o", "json"]));
    assert_eq!(report["summary"]["mutated"], 1);
    let notes = report["notes"].as_array().expect("notes");
    let note = "You may not list nodes: nodes is forbidden: User \"jane\" cannot list resource \"nodes\".";
    assert!(notes.contains(&json!(note)), "{notes:?}");
}

#[test]
fn exits_2_if_the_user_may_not_list_a_kind_that_makes_pods() {
    let stub = cluster("jobs").fails("jobs", &forbidden("jobs"));
    let output = stub.rehearse(&["-A", "-o", "json"]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.starts_with("Error: cannot read kubectl get jobs, document 1: jobs is forbidden"), "{stderr}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&report["summary"]["mutated"], &report["summary"]["unreadable"]), (&json!(1), &json!(1)));
}

#[test]
fn reads_what_kubectl_prints_to_its_end_though_the_rest_is_broken() {
    let stub = cluster("broken");
    let pods = stub.0.join("pods.json");
    let list = fs::read_to_string(&pods).expect("a List");
    let broken = format!("{list}\n{list}\n{}{}", "{]\n".repeat(200), "x".repeat(1 << 20));
    fs::write(pods, broken).expect("a file");
    let output = stub.rehearse(&["-A"]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.starts_with("Error: cannot read kubectl get pods, document 3: "), "{stderr}");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stdout).contains("mutated 2 (2 to kata)"), "{output:?}");
}

#[test]
fn says_in_a_line_that_the_cluster_can_not_be_reached() {
    let refused = "E1125 memcache.go:265] couldn't get current server API group list\n\
        The connection to the server localhost:8080 was refused - did you specify the right host or port?\n";
    let stub = cluster("unreachable").fails("pods", refused);
    let output = stub.rehearse(&["-A"]);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), b"".as_slice()));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "Error: kubectl get pods: The connection to the server localhost:8080 was refused - did you specify the right host or port?\n"
    );
}

#[test]
fn says_in_a_line_that_there_is_no_kubectl() {
    let stub = cluster("missing");
    fs::remove_file(stub.0.join("kubectl")).expect("the script");
    let output = stub.rehearse(&["-A"]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(stderr, "Error: kubectl is not in the PATH: install it, or name files\n");
}

#[test]
fn does_not_mix_files_and_a_cluster() {
    let stub = cluster("mixed");
    let output = stub.rehearse(&["-A", "deploy"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("'--all-namespaces' cannot be used with '[PATHS]...'"));
    assert_eq!(stub.calls(), "");
}

/// The kinds of the objects that are printed, in YAML.
#[track_caller]
fn kinds(output: &Output) -> Vec<String> {
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().filter_map(|line| line.strip_prefix("kind: ")).map(str::to_owned).collect()
}

#[test]
fn native_asks_for_runtime_classes_alone() {
    let stub = cluster("native");
    let output = stub.native(&["--context", "blue", "--mutate"]);
    let guard = ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"];
    let mutation = ["MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"];
    let mut found = kinds(&output);
    found.sort();
    let mut expected = [guard, mutation].concat();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert!(String::from_utf8_lossy(&output.stdout).contains("standard"), "the class of the cluster");
    assert_eq!(stub.calls(), "get runtimeclasses --output=json --context=blue\n");
}

#[test]
fn native_asks_no_cluster_for_classes_of_a_file_or_of_the_moment() {
    let stub = cluster("native-file");
    let file = stub.0.join("runtimeclasses.json");
    for classes in [file.to_str().expect("text"), "live"] {
        assert!(kinds(&stub.native(&["--classes", classes])).contains(&"ValidatingAdmissionPolicy".to_owned()));
    }
    assert_eq!(stub.calls(), "");
}

#[test]
fn native_names_what_the_native_engine_can_not_express() {
    let stub = cluster("native-fails");
    let output = stub.native(&["--classes", "live", "--lock", "--kubernetes", "1.29"]);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), b"".as_slice()));
    let stderr = String::from_utf8_lossy(&output.stderr);
    for cause in ["Error: --lock: ", "Error: --kubernetes 1.29: "] {
        assert!(stderr.lines().any(|line| line.starts_with(cause)), "{stderr}");
    }
}

#[test]
fn native_says_in_a_line_that_it_may_not_list_classes() {
    let stub = cluster("native-forbidden").fails("runtimeclasses", &forbidden("runtimeclasses"));
    let output = stub.native(&[]);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), b"".as_slice()));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "Error: you may not list RuntimeClasses: runtimeclasses is forbidden: User \"jane\" cannot list resource \"runtimeclasses\". Use --classes FILE\n"
    );
}
