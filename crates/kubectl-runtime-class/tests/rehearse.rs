//! `kubectl runtime-class rehearse`, as it is used.
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::Arc,
};

use kubectl_runtime_class::{AdmissionRequest, AdmissionResponse, Capabilities};
use rstest::rstest;
use serde_json::{Value, json};
use tests::{examples, file, policy, workspace::root};

const DUMP: &str = "test_data/rehearse/cluster.yml";
const MANIFEST: &str = "test_data/rehearse/policy.yml";
const CLASSES: &str = "test_data/runtimeclasses.yml";
const SETTINGS: &str = r#"{"reservedRuntimes": ["runc"], "fallbackRuntime": "kata"}"#;
/// The object of the dump that can't be read.
const NAMELESS: &str =
    "Error: cannot read test_data/rehearse/cluster.yml, document 1, item 31: line 255: kind: missing field\n";

fn command(options: &[&str]) -> Command {
    let mut command = Command::new(tests::command());
    command.current_dir(root()).arg("rehearse").args(options);
    command
}

fn run(options: &[&str]) -> Output {
    command(options).output().expect("the command runs")
}

/// The same, with this on standard input.
fn piped(options: &[&str], input: &str) -> Output {
    let pipes =
        |command: &mut Command| command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = pipes(&mut command(options)).expect("the command runs");
    child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("it reads");
    child.wait_with_output().expect("it ends")
}

#[track_caller]
fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// What is printed by a rehearsal that ends with this code and this on standard error.
#[track_caller]
fn printed(output: &Output, code: i32, stderr: &str) -> String {
    assert_eq!(text(&output.stderr), stderr);
    assert_eq!(output.status.code(), Some(code));
    text(&output.stdout)
}

/// The report in JSON, of objects that can all be read.
#[track_caller]
fn report(output: &Output) -> Value {
    serde_json::from_str(&printed(output, 0, "")).expect("JSON")
}

/// Asserts that a rehearsal fails with code 2, nothing on stdout, and one line that begins like this.
#[track_caller]
fn fails(output: &Output, line: &str) {
    let stderr = text(&output.stderr);
    assert!(stderr.starts_with(line) && stderr.lines().count() == 1, "{stderr}");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout), "");
}

/// A file of this test, in a folder that cargo keeps for tests.
fn temporary(name: &str, text: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("rehearse").join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder to write to");
    fs::write(&path, text).expect("a file to write");
    path.to_str().expect("a path in UTF-8").to_owned()
}

fn classes() -> Vec<Value> {
    examples::documents(&file(CLASSES)).expect("RuntimeClasses")
}

fn pod(name: &str, mut spec: Value) -> Value {
    spec["containers"] = json!([{ "name": "web", "image": "nginx" }]);
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name, "namespace": "team-a" }, "spec": spec })
}

fn pod_of(name: &str, class: &str) -> Value {
    pod(name, json!({ "runtimeClassName": class }))
}

fn list(items: &[Value]) -> String {
    json!({ "apiVersion": "v1", "items": items, "kind": "List", "metadata": { "resourceVersion": "" } }).to_string()
}

/// A report that does not say where its objects are.
fn without_places(mut report: Value) -> Value {
    for row in report["workloads"].as_array_mut().expect("rows") {
        row.as_object_mut().expect("a row").remove("place");
    }
    report
}

/// A row of the report.
#[track_caller]
fn row<'a>(report: &'a Value, name: &str) -> &'a Value {
    let rows = report["workloads"].as_array().expect("rows");
    rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no {name} in {report:#}"))
}

// To write these files anew: kubectl-runtime_class rehearse test_data/rehearse/cluster.yml
// -f test_data/rehearse/policy.yml -o FORMAT > test_data/rehearse/report.EXTENSION
#[rstest]
#[case("text", "test_data/rehearse/report.txt")]
#[case("json", "test_data/rehearse/report.json")]
#[case("markdown", "test_data/rehearse/report.md")]
#[case("junit", "test_data/rehearse/report.junit.xml")]
#[case("sarif", "test_data/rehearse/report.sarif")]
fn reports_on_every_kind_and_every_outcome(#[case] format: &str, #[case] golden: &str) {
    let output = run(&[DUMP, "--policy", MANIFEST, "--output", format]);
    assert_eq!(printed(&output, 2, NAMELESS), file(golden));
}

#[test]
fn reports_the_same_of_the_same_objects_however_they_are_written() {
    let dump: Value = serde_yaml_ng::from_str(&file(DUMP)).expect("YAML");
    let items: Vec<Value> =
        dump["items"].as_array().expect("items").iter().filter(|item| !item["kind"].is_null()).cloned().collect();
    let yaml = |value: &Value| serde_yaml_ng::to_string(value).expect("YAML");
    let indented: String = yaml(&json!({ "kind": "List", "apiVersion": "v1", "items": items }))
        .lines()
        .map(|line| if line.starts_with(['-', ' ']) { format!("  {line}\n") } else { format!("{line}\n") })
        .collect();
    let written = [
        ("list.json", list(&items)),
        ("pretty.json", serde_json::to_string_pretty(&json!({ "kind": "List", "items": items })).expect("JSON")),
        ("array.json", json!(items).to_string()),
        ("stream.json", items.iter().map(|item| format!("{item}\n")).collect()),
        ("list.yml", yaml(&json!({ "apiVersion": "v1", "items": items, "kind": "List" }))),
        ("indented.yml", indented),
        ("documents.yml", items.iter().map(|item| format!("---\n# Source: chart\n{}", yaml(item))).collect()),
        ("flow.yml", items.iter().map(|item| format!("---\n{item}\n")).collect()),
    ];
    let options = ["--policy", MANIFEST, "--output", "json"];
    let expected = without_places(report(&piped(&options, &list(&items))));
    assert_eq!(expected["summary"]["judged"], 22);
    for (name, text) in written {
        let path = temporary(name, &text);
        assert_eq!(without_places(report(&run(&[&[path.as_str()], options.as_slice()].concat()))), expected, "{name}");
    }
    for (number, item) in items.iter().enumerate() {
        temporary(&format!("folder/{}/{number}.yaml", number % 3), &yaml(item));
    }
    temporary("folder/README.md", "No object.\n");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rehearse/folder");
    let options = [&[folder.to_str().expect("UTF-8")], options.as_slice()].concat();
    assert_eq!(without_places(report(&run(&options))), expected);
}

/// What the policy answers to a request, as a row of a report has it.
fn answered(response: &AdmissionResponse, object: &Value) -> Value {
    let status = response.status.as_ref();
    let mut mutated = object.clone();
    let patch = response.decoded_patch().expect("a patch");
    patch.iter().for_each(|patch| json_patch::patch(&mut mutated, patch).expect("it fits"));
    let outcome = match (response.allowed, status.and_then(|status| status.code), &patch) {
        (true, _, None) => "accepted",
        (true, _, Some(_)) => "mutated",
        (false, Some(500), _) => "error",
        (false, ..) => "rejected",
    };
    json!({
        "outcome": outcome,
        "to": patch.map(|_| mutated["spec"]["runtimeClassName"].clone()),
        "code": status.and_then(|status| status.code),
        "message": status.and_then(|status| status.message.clone()).or(response.warnings.clone().map(|lines| lines.join("; "))),
    })
}

/// The same of a row.
fn verdict(row: &Value) -> Value {
    json!({ "outcome": row["outcome"], "to": row["to"], "code": row["code"], "message": row["message"] })
}

/// The objects of the recorded requests that create one, each with a name of its own.
fn recorded_objects() -> Vec<Value> {
    let paths = fs::read_dir(root().join("test_data/requests")).expect("recorded requests");
    let mut paths: Vec<PathBuf> = paths.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    let requests = paths.iter().filter_map(|path| {
        let request = AdmissionRequest::parse(&fs::read_to_string(path).expect("a file")).ok()?;
        (request.operation == "CREATE" && request.kind.kind != "Service").then_some(request)
    });
    let named = |(number, request): (usize, AdmissionRequest)| {
        let mut object = request.object.expect("an object");
        object["metadata"]["name"] = json!(format!("object-{number}"));
        object["metadata"].as_object_mut().expect("an object").remove("ownerReferences");
        object
    };
    requests.enumerate().map(named).collect()
}

#[rstest]
#[case(SETTINGS)]
#[case(r#"{"reservedRuntimes": ["runc"], "defaultRuntimeReserved": true}"#)]
#[case(r#"{"allowedRuntimes": ["kata*"], "fallbackRuntime": "kata", "defaultRuntimeReserved": true}"#)]
#[case(r#"{"allowedRuntimes": ["runsc"], "fallbackRuntime": "ghost"}"#)]
#[case(r#"{}"#)]
fn reports_of_recorded_objects_what_the_policy_answers_to_their_requests(#[case] settings: &str) {
    let cluster = Arc::new(Capabilities::cluster(classes()));
    let settings_value: Value = serde_json::from_str(settings).expect("JSON");
    let objects = recorded_objects();
    let options = ["--settings-json", settings, "--runtime-classes", CLASSES, "--output", "json"];
    let report = report(&piped(&options, &list(&objects)));
    for object in &objects {
        let row = row(&report, object["metadata"]["name"].as_str().expect("a name"));
        let request = AdmissionRequest::create(object.clone()).expect("a request");
        let response = policy().evaluate(&request, &settings_value, &cluster).expect("an answer");
        // A template that is accepted is reported by its Pods, in its own words.
        let expected = if row["templates"] == 1 && response.allowed {
            let spec = object.pointer("/spec/template/spec").or(object.pointer("/spec/jobTemplate/spec/template/spec"));
            let pod = pod("of-template", spec.expect("a pod spec").clone());
            let pod_request = AdmissionRequest::create(pod.clone()).expect("a request");
            let mut answered =
                answered(&policy().evaluate(&pod_request, &settings_value, &cluster).expect("an answer"), &pod);
            if let Some(warnings) = response.warnings.filter(|_| answered["outcome"] == "mutated") {
                answered["message"] = json!(warnings.join("; "));
            }
            answered
        } else {
            answered(&response, object)
        };
        assert_eq!(verdict(row), expected, "{object:#}");
    }
    assert!(objects.len() >= 8, "{} recorded requests", objects.len());
}

/// A Pod as the API server has it, one of a large cluster's; its workload and its namespace.
fn pod_of_large_cluster(recorded: &[String], number: usize) -> (String, (String, String)) {
    let workload = number / 10;
    let (namespace, name) = (format!("team-{}", workload % 40), format!("web-{workload}"));
    let owner = format!(r#"{{"kind":"ReplicaSet","name":"{name}-6d4cf56db6","controller":true}}"#);
    let metadata = format!(
        r#""metadata":{{"name":"{name}-6d4cf56db6-{number}","namespace":"{namespace}","ownerReferences":[{owner}],"labels":{{"pod-template-hash":"6d4cf56db6"}},"#
    );
    (recorded[workload % recorded.len()].replace(r#""metadata":{"#, &metadata), (namespace, name))
}

/// The objects of recorded requests, without the metadata that the Pods of a cluster do not share.
fn recorded_pods() -> Vec<String> {
    let recorded = ["pod-create-runc-plain", "pod-create-gvisor", "pod-create-default"];
    let pods = recorded.map(|name| {
        let mut pod = tests::recorded(name)["object"].clone();
        let metadata = pod["metadata"].as_object_mut().expect("an object");
        metadata.retain(|key, _| !["name", "namespace", "labels"].contains(&key.as_str()));
        pod.to_string()
    });
    pods.to_vec()
}

/// What the policy answers, as a row of a report has it.
fn verdict_of_answer(answer: &Value) -> Value {
    let outcome = match (answer["accepted"] == true, answer["mutated_object"].is_object(), answer["code"] == 500) {
        (true, false, _) => "accepted",
        (true, true, _) => "mutated",
        (false, _, true) => "error",
        (false, ..) => "rejected",
    };
    let to = answer["mutated_object"]["spec"]["runtimeClassName"].clone();
    let message = [&answer["message"], &answer["warnings"][0]].into_iter().find(|text| text.is_string());
    json!({ "outcome": outcome, "to": to, "code": answer["code"], "message": message })
}

#[test]
fn counts_three_thousand_pods_as_the_policy_answers_one_by_one() {
    const PODS: usize = 3_000;
    let recorded = recorded_pods();
    let pods: Vec<_> = (0..PODS).map(|number| pod_of_large_cluster(&recorded, number)).collect();
    let cluster = Arc::new(Capabilities::cluster(classes()));
    let mut rows: BTreeMap<(String, String), (Value, u64)> = BTreeMap::new();
    for (pod, workload) in &pods {
        let kind = r#"{"group":"","version":"v1","kind":"Pod"}"#;
        let payload = format!(
            r#"{{"request":{{"uid":"1","operation":"CREATE","kind":{kind},"object":{pod}}},"settings":{SETTINGS}}}"#
        );
        let answer = policy().call("validate", payload.as_bytes(), &cluster).expect("an answer");
        let verdict = verdict_of_answer(&serde_json::from_slice(&answer).expect("JSON"));
        let row = rows.entry(workload.clone()).or_insert_with(|| (verdict.clone(), 0));
        assert_eq!(row.0, verdict);
        row.1 += 1;
    }

    let items: Vec<String> = pods.into_iter().map(|(pod, _)| pod).collect();
    let input = format!(r#"{{"apiVersion":"v1","items":[{}],"kind":"List"}}"#, items.join(","));
    assert!(input.len() > 4 << 20, "{} bytes wait in memory", input.len());
    let options = ["--settings-json", SETTINGS, "--runtime-classes", CLASSES, "--output", "json"];
    let report = report(&piped(&options, &input));
    let mut found = BTreeMap::new();
    for row in report["workloads"].as_array().expect("rows") {
        assert_eq!(row["kind"], "Deployment");
        let key = |name: &str| row[name].as_str().expect("a text").to_owned();
        found.insert((key("namespace"), key("name")), (verdict(row), row["pods"].as_u64().expect("a number")));
    }
    assert_eq!(found, rows);
    let sum = |outcome: &str| {
        rows.values().filter(|(verdict, _)| verdict["outcome"] == outcome).map(|(_, pods)| pods).sum::<u64>()
    };
    let summary = json!({
        "judged": PODS, "accepted": sum("accepted"), "mutated": sum("mutated"), "rejected": sum("rejected"),
        "refused": 0, "errors": 0, "mutatedTo": { "kata": sum("mutated") }, "unreadable": 0,
    });
    assert_eq!(report["summary"], summary);
    assert!(sum("accepted") > 0 && sum("mutated") > 0, "{summary}");
}

#[cfg(unix)]
#[test]
fn reads_one_pipe_after_the_other() {
    let pipes = ["first", "second"].map(|name| {
        let path = temporary(name, "");
        fs::remove_file(&path).expect("the file");
        assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
        path
    });
    // Larger than what the kernel keeps in a pipe.
    let pod = pod("web", json!({ "hostname": "x".repeat(1 << 20) })).to_string();
    let writer = std::thread::spawn({
        let pipes = pipes.clone();
        move || pipes.iter().try_for_each(|pipe| fs::write(pipe, &pod))
    });
    let report = report(&run(&[&pipes[0], &pipes[1], "--settings-json", SETTINGS, "--output", "json"]));
    writer.join().expect("the writer ends").expect("it writes");
    assert_eq!(report["summary"]["judged"], 2);
}

#[test]
fn fails_if_a_large_input_can_not_wait_in_a_temporary_file() {
    let path = temporary("large.json", &pod("web", json!({ "hostname": "x".repeat(5 << 20) })).to_string());
    let output = command(&[&path, "--settings-json", SETTINGS]).env("TMPDIR", "no/such/folder").output();
    fails(&output.expect("the command runs"), "Error: cannot keep the input in a temporary file: No such file");
}

#[test]
fn says_first_that_names_alone_are_compared_without_runtime_classes() {
    let input = pod_of("web", "runc-plain").to_string();
    let output = piped(&["--settings-json", r#"{"reservedRuntimes": ["runc"]}"#], &input);
    let report = "\
Policy on 1 object, as if created now

NOTES
The input has no RuntimeClasses: names alone are compared, not handlers.

SUMMARY
accepted 1, mutated 0, rejected 0, refused 0, errors 0

NAMESPACES
NAMESPACE  JUDGED  ACCEPTED  MUTATED  REJECTED  REFUSED  ERRORS  A PLAIN POD GETS
team-a     1       1         0        0         0        0       (default)
";
    assert_eq!(printed(&output, 0, ""), report);
}

#[test]
fn takes_the_classes_of_the_input_before_those_of_another_file() {
    let other = json!({ "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": { "name": "gvisor" }, "handler": "runc" });
    let input = list(&[pod_of("moved", "gvisor"), pod_of("kept", "kata"), other]);
    let options = ["--settings-json", SETTINGS, "--runtime-classes", CLASSES, "--output", "json"];
    let report = report(&piped(&options, &input));
    assert_eq!(row(&report, "moved")["message"], "runtime 'gvisor' is reserved: this Pod will run with 'kata'");
    assert_eq!(row(&report, "kept")["outcome"], "accepted");
    assert_eq!(report["runtimeClasses"], json!(["gvisor", "kata", "runc-bare", "runc-plain"]));
}

#[test]
fn reads_items_that_leave_their_kind_to_their_list() {
    let item = json!({ "metadata": { "name": "web" }, "spec": { "runtimeClassName": "runc-plain" } });
    let pods = json!({ "kind": "PodList", "apiVersion": "v1", "items": [item] });
    let class = json!({ "metadata": { "name": "runc-plain" }, "handler": "runc" });
    let classes = json!({ "kind": "RuntimeClassList", "apiVersion": "node.k8s.io/v1", "items": [class] });
    let empty = json!({ "kind": "PodList", "apiVersion": "v1", "items": null });
    let text = |value: &Value| {
        let parts: Vec<String> =
            ["kind", "apiVersion", "items"].iter().map(|key| format!("\"{key}\": {}", value[key])).collect();
        format!("{{{}}}\n", parts.join(", "))
    };
    let input = text(&pods) + &text(&classes) + &text(&empty);
    let options = ["--settings-json", r#"{"reservedRuntimes": ["runc"]}"#, "--output", "json"];
    let report = report(&piped(&options, &input));
    assert_eq!(row(&report, "web")["message"], "runtime 'runc-plain' is reserved: it runs on 'runc'");
}

#[test]
fn names_what_it_cannot_read_and_judges_the_rest() {
    let good = pod_of("good", "kata");
    let broken_yaml = format!("{}---\na: 'b\n---\nkind: Pod\n---\n{good}\n", "---\na: 1\na: 2\n");
    let broken_yaml = temporary("broken.yml", &broken_yaml);
    let nameless_item = temporary("item.yml", "items:\n- a: [1\n- kind: Pod\n  apiVersion: v1\n- 5\nkind: List\n? [\n");
    let cut = temporary("cut.json", &format!("{good} {{\"items\": [{good}, {{\"kind\": \"Pod"));
    let scalar = temporary("scalar.json", &format!("[{good}, 5]"));
    let labels = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "labels": { "a": 1 } } });
    let labels = temporary("labels.json", &labels.to_string());
    let options = ["--settings-json", "{}", "--output", "json"];
    let paths = [&broken_yaml, &nameless_item, &cut, &scalar, &labels].map(String::as_str);
    let output = run(&[paths.as_slice(), options.as_slice()].concat());
    let first =
        format!("Error: cannot read {broken_yaml}, document 2: line 6: found unexpected end of stream (and 3 more)\n");
    let report: Value = serde_json::from_str(&printed(&output, 2, &first)).expect("JSON");
    let mut found = String::new();
    for unreadable in report["unreadable"].as_array().expect("a list") {
        let file = unreadable["file"].as_str().expect("a name").rsplit('/').next().expect("a name");
        let (document, item) = (&unreadable["document"], &unreadable["item"]);
        writeln!(found, "{file} {document} {item} {}", unreadable["message"]).expect("memory");
    }
    assert_eq!(
        found,
        r#"broken.yml 2 null "line 6: found unexpected end of stream"
cut.json 2 null "line 2: EOF while parsing a string"
item.yml 1 null "line 3: did not find expected ',' or ']'"
labels.json 1 null "metadata.labels.a must be a string, got 1"
"#
    );
    assert_eq!((&report["summary"]["judged"], &report["notJudged"]["notObjects"]), (&json!(3), &json!(3)));
}

#[rstest]
#[case("rejected", "ghost", 1)]
#[case("refused", "ghost", 1)]
#[case("mutated,unreadable,unknown-kinds", "ghost", 0)]
#[case("rejected", "runc-plain", 0)]
#[case("mutated", "runc-plain", 1)]
#[case("rejected,mutated", "runc-plain", 1)]
#[case("rejected,refused,mutated,unreadable,unknown-kinds", "kata", 0)]
fn fails_on_the_outcomes_that_it_is_told(#[case] outcomes: &str, #[case] class: &str, #[case] code: i32) {
    let options = ["--settings-json", SETTINGS, "--runtime-classes", CLASSES, "--fail-on", outcomes];
    let output = piped(&options, &pod_of("web", class).to_string());
    assert!(printed(&output, code, "").starts_with("Policy on 1 object, as if created now\n"));
}

#[test]
fn fails_on_an_error_as_on_a_rejection() {
    let options = ["--settings-json", r#"{"fallbackRuntime": "nowhere"}"#, "--runtime-classes", CLASSES];
    let input = pod("web", json!({})).to_string();
    let report = printed(&piped(&[options.as_slice(), &["--fail-on", "rejected"]].concat(), &input), 1, "");
    assert!(report.contains("accepted 0, mutated 0, rejected 0, refused 0, errors 1\n"), "{report}");
    printed(&piped(&options, &input), 0, "");
}

#[test]
fn fails_on_what_it_cannot_read() {
    let input = format!("{}\n{{\"kind\": \"Pod", pod_of("web", "kata"));
    let options = ["--settings-json", SETTINGS, "--runtime-classes", CLASSES, "--output", "json"];
    let output = piped(&[options.as_slice(), &["--fail-on", "unreadable"]].concat(), &input);
    let report: Value = serde_json::from_str(&printed(&output, 1, "")).expect("JSON");
    assert_eq!(report["summary"]["unreadable"], 1);
    assert_eq!(piped(&[options.as_slice(), &["--fail-on", "rejected"]].concat(), &input).status.code(), Some(2));
}

#[test]
fn fails_on_kinds_that_make_pods_that_it_cannot_see() {
    let input = json!({ "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": { "name": "db" }, "spec": {} });
    let options = ["--settings-json", SETTINGS, "--output", "json"];
    let output = piped(&[options.as_slice(), &["--fail-on", "unknown-kinds"]].concat(), &input.to_string());
    let report: Value = serde_json::from_str(&printed(&output, 1, "")).expect("JSON");
    assert_eq!(report["notJudged"]["unknownKinds"], json!({ "HelmRelease.helm.toolkit.fluxcd.io": 1 }));
}

#[test]
fn says_in_a_line_what_it_cannot_use() {
    let policy = |text: &str| temporary(&format!("policy-{}.yml", text.len()), text);
    let none = policy("kind: Pod\n");
    let odd = policy(
        "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: {name: a}\nspec: {rules: []}\n",
    );
    let classes = temporary("broken-classes.yml", "kind: [\n");
    let empty = temporary("empty.yml", "# nothing\n---\n");
    let settings = ["--settings-json", "{}"];
    for (options, line) in [
        ([&["no-such-file"], settings.as_slice()].concat(), "Error: cannot read no-such-file: No such file".to_owned()),
        (
            [&["src"], settings.as_slice()].concat(),
            "Error: src has no file that ends in .json, .yaml or .yml".to_owned(),
        ),
        ([&[empty.as_str()], settings.as_slice()].concat(), format!("Error: there is no object in {empty}")),
        (vec![DUMP, "--policy", "no-such-file"], "Error: cannot read no-such-file: ".to_owned()),
        (
            vec![DUMP, "--policy", &none],
            format!("Error: cannot use {none} as a policy: there is no ClusterAdmissionPolicy, no AdmissionPolicy and"),
        ),
        (
            vec![DUMP, "--policy", &odd],
            format!("Error: cannot use {odd} as a policy: ClusterAdmissionPolicy a: spec: missing field `mutating`"),
        ),
        (
            [&[DUMP, "--runtime-classes", &classes], settings.as_slice()].concat(),
            format!("Error: cannot read {classes}, document 1: "),
        ),
        (
            vec![DUMP, "--settings-json", r#"{"reservedRuntimes": ["a"], "fallbackRuntime": "a"}"#],
            "Error: Provided settings are not valid: fallback runtime a cannot be part of".to_owned(),
        ),
    ] {
        fails(&run(&options), &line);
    }
    fails(&piped(&settings, "\n"), "Error: there is no object in standard input");
}

#[test]
fn wants_a_policy_or_settings() {
    for options in [vec![DUMP], vec![DUMP, "--policy", MANIFEST, "--settings-json", "{}"]] {
        let output = run(&options);
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(2), ""));
        assert!(text(&output.stderr).contains("--policy <FILE>"), "{}", text(&output.stderr));
    }
}

/// A manifest whose spec has this as well.
fn manifest(name: &str, kind: &str, spec: Value) -> String {
    let rules = json!([{ "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"] }]);
    let classes = json!([{ "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass" }]);
    let settings: Value = serde_json::from_str(SETTINGS).expect("JSON");
    let mut manifest = json!({
        "apiVersion": "policies.kubewarden.io/v1", "kind": kind, "metadata": { "name": "rehearsed", "namespace": "team-a" },
        "spec": { "rules": rules, "mutating": true, "settings": settings, "contextAwareResources": classes },
    });
    let spec = spec.as_object().expect("an object").clone();
    manifest["spec"].as_object_mut().expect("an object").extend(spec);
    temporary(name, &manifest.to_string())
}

/// The report on two Pods of a reserved class, in two namespaces.
#[track_caller]
fn of_two(manifest: &str) -> Value {
    let mut other = pod_of("other", "runc-plain");
    other["metadata"]["namespace"] = json!("team-b");
    let input = list(&[vec![pod_of("web", "runc-plain"), other], classes()].concat());
    report(&piped(&["--policy", manifest, "--output", "json"], &input))
}

#[test]
fn rejects_what_a_validating_policy_would_mutate() {
    let report = of_two(&manifest("validating.yml", "ClusterAdmissionPolicy", json!({ "mutating": false })));
    assert_eq!(row(&report, "web")["outcome"], "rejected");
    assert_eq!(
        row(&report, "web")["message"],
        "Request rejected by policy clusterwide-rehearsed. The policy attempted to mutate the request, but it is \
         currently configured to not allow mutations."
    );
}

#[test]
fn asks_a_namespaced_policy_about_its_namespace_with_names_alone() {
    let report = of_two(&manifest("namespaced.yml", "AdmissionPolicy", json!({})));
    assert_eq!((&report["summary"]["accepted"], &report["notJudged"]["namespaceSelector"]), (&json!(1), &json!(1)));
    let note =
        "The policy has no access to RuntimeClasses (contextAwareResources): names alone are compared, not handlers.";
    assert_eq!(report["notes"], json!([note]));
}

#[test]
fn follows_the_failure_policy_where_a_match_condition_fails() {
    let condition = json!([{ "name": "on-ssd", "expression": "object.spec.nodeSelector.disk == 'ssd'" }]);
    let with = |failure_policy: &str| {
        let spec = json!({ "matchConditions": condition, "failurePolicy": failure_policy });
        of_two(&manifest(&format!("{failure_policy}.yml"), "ClusterAdmissionPolicy", spec))
    };
    assert_eq!(with("Ignore")["notJudged"]["matchConditions"], 2);
    let report = with("Fail");
    assert_eq!(row(&report, "web")["outcome"], "error");
    assert_eq!(row(&report, "web")["message"], "match condition 'on-ssd' fails: no such key: disk");
}

#[test]
fn says_which_match_conditions_it_does_not_evaluate() {
    let conditions = json!([
        { "name": "broken", "expression": "object." },
        { "name": "quantity", "expression": "quantity('1Gi').isLessThan(quantity('2Gi'))" },
        { "name": "text", "expression": "object.metadata.name" },
        { "name": "true", "expression": "object.metadata.name.startsWith('web') || request.namespace == 'team-b'" },
    ]);
    let report = of_two(&manifest("cel.yml", "ClusterAdmissionPolicy", json!({ "matchConditions": conditions })));
    assert_eq!(report["summary"]["mutated"], 2);
    let notes: Vec<&str> = report["notes"].as_array().expect("notes").iter().filter_map(Value::as_str).collect();
    let beginnings = [
        "Match condition 'broken' is not evaluated, and taken as true: ",
        "Match condition 'quantity' is not evaluated for 2 requests, and taken as true: undeclared reference to 'quantity'.",
        "Match condition 'text' is not evaluated for 2 requests, and taken as true: it is a string, not a bool.",
    ];
    assert_eq!(notes.len(), beginnings.len(), "{notes:#?}");
    for (note, beginning) in notes.iter().zip(beginnings) {
        assert!(note.starts_with(beginning), "{note}");
    }
}

#[test]
fn judges_a_template_by_its_pods_where_the_rules_ask_for_pods() {
    let deployment = |name: &str, class: &str| {
        let spec =
            json!({ "runtimeClassName": class, "hostPID": true, "containers": [{ "name": "web", "image": "nginx" }] });
        let template = json!({ "metadata": { "labels": { "app": "web" } }, "spec": spec });
        let spec = json!({ "selector": { "matchLabels": { "app": "web" } }, "template": template });
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name, "namespace": "team-b" }, "spec": spec })
    };
    let manifest = manifest("pods.yml", "ClusterAdmissionPolicy", json!({}));
    let input = list(&[vec![deployment("web", "runc-plain"), deployment("vm", "kata")], classes()].concat());
    let report = report(&piped(&["--policy", &manifest, "--output", "json"], &input));
    assert_eq!(
        *row(&report, "web"),
        json!({
            "namespace": "team-b", "kind": "Deployment", "name": "web", "pods": 0, "templates": 1, "outcome": "mutated",
            "class": "runc-plain", "to": "kata", "code": null,
            "message": "runtime 'runc-plain' is reserved: this Pod will run with 'kata'", "detail": null,
            "policy": "rehearsed",
            "fields": [{
                "path": "spec.hostPID", "value": "true",
                "why": "The sandbox has processes of its own, and does not see those of the node.",
            }],
            "place": { "file": "standard input", "document": 1, "item": 1, "line": 1 },
        })
    );
    assert_eq!(row(&report, "vm")["outcome"], "accepted");
}

#[test]
fn uses_colors_on_a_terminal_and_none_in_a_pipe_and_never_those_of_an_object() {
    let input = pod_of("web", "\u{1b}[31mred\u{7}").to_string();
    let options = ["--settings-json", r#"{"allowedRuntimes": ["kata"]}"#];
    let plain = printed(&piped(&options, &input), 0, "");
    assert!(!plain.contains('\u{1b}') && plain.contains("is not a RuntimeClass of this cluster"), "{plain}");

    let path = temporary("colors.json", &input);
    let coloured = command(&[&path, options[0], options[1]]).env("CLICOLOR_FORCE", "1").output().expect("it runs");
    let coloured = printed(&coloured, 0, "");
    assert!(coloured.contains("\u{1b}[1m\u{1b}[31mREJECTED\u{1b}[0m\n"), "{coloured:?}");
    assert!(!coloured.contains("\u{1b}[31mred"), "{coloured:?}");
}

#[test]
fn escapes_what_markdown_would_read() {
    let mut object = pod_of("web", "a|b`<c>`");
    object["metadata"]["namespace"] = json!("team*");
    let options = ["--settings-json", r#"{"allowedRuntimes": ["kata"]}"#, "--output", "markdown"];
    let report = printed(&piped(&options, &object.to_string()), 0, "");
    let row = "| team\\* | Pod/web | 1 Pod | a\\|b\\`&lt;c>\\` | runtime 'a\\|b\\`&lt;c>\\`' is not a RuntimeClass of this cluster |\n";
    assert!(report.contains(row), "{report}");
}
