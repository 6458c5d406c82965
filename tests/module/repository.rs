//! The rest of the repository says what is so, and the same in all places.
use std::{collections::BTreeMap, fs};

use evaluator::{AdmissionRequest, Capabilities, examples, workspace};
use serde_json::{Value, json};
use tests::*;

fn readme_examples() -> Vec<examples::Example> {
    examples::parse(&file("README.md")).expect("the examples of the README")
}

#[test]
fn every_example_of_the_readme_comes_out_as_it_says() {
    let examples = readme_examples();
    assert_eq!(examples.iter().filter(|example| example.section == "Three examples").count(), 3);
    assert_eq!(examples.iter().filter(|example| example.section == "Recipes").count(), 4);
    for example in examples {
        let (response, pod) = example.decide(policy()).unwrap_or_else(|error| panic!("{}: {error:#}", example.title));
        let answer = examples::Answer {
            allowed: response.allowed,
            message: response.status.and_then(|status| status.message),
            runtime_class_name: pod["spec"]["runtimeClassName"]
                .as_str()
                .filter(|_| response.allowed)
                .map(str::to_owned),
            warnings: response.warnings.unwrap_or_default(),
        };
        assert_eq!(answer, example.answer, "{}", example.title);
    }
}

#[test]
fn the_command_of_the_readme_prints_the_line_of_the_readme() {
    let readme = file("README.md");
    let line = readme.split("```json\n").nth(1).and_then(|rest| rest.lines().next()).expect("a line of JSON");
    let request = AdmissionRequest::parse(&file("test_data/requests/pod-create-default.json")).expect("a request");
    let settings = json!({ "defaultRuntimeReserved": true });
    let response = policy().evaluate(&request, &settings, &Capabilities::not_granted().into()).expect("an answer");
    assert_eq!(serde_json::to_string(&response).expect("JSON"), line);
}

#[test]
fn the_readme_has_the_settings_and_no_others() {
    let readme = file("README.md");
    let section = readme.split("## Settings\n").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("Settings");
    let mut told: Vec<_> =
        section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).map(str::to_owned).collect();
    let mut asked: Vec<_> = questions().into_iter().map(|question| text(&question["variable"])).collect();
    told.sort();
    asked.sort();
    assert_eq!(told, asked);
    let all: BTreeMap<_, _> = told.iter().map(|key| (key.as_str(), Value::Null)).collect();
    assert_eq!(fault(&json!(all)), None);
}

#[test]
fn the_links_of_the_readme_lead_somewhere() {
    let readme = file("README.md");
    let anchors: Vec<String> = readme
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches(['#', ' ']).to_lowercase().replace(' ', "-").replace([',', '.'], ""))
        .collect();
    for link in readme.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        match link.strip_prefix('#') {
            Some(anchor) => assert!(anchors.iter().any(|known| known == anchor), "#{anchor}: {anchors:?}"),
            None if link.starts_with("https://") => {}
            None => assert!(workspace::root().join(link).exists(), "{link}"),
        }
    }
}

fn questions() -> Vec<Value> {
    yaml("questions-ui.yml")["questions"].as_array().expect("questions").clone()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

#[test]
fn an_untouched_form_is_no_settings() {
    let mut form = json!({});
    for question in questions() {
        for key in ["default", "tooltip", "group", "label", "required", "type", "variable"] {
            assert!(question.get(key).is_some(), "{question} has no {key}");
        }
        form[text(&question["variable"])] = question["default"].clone();
    }
    assert_eq!(fault(&form), None);
    for object in [pod(json!({})), pod_of("runc-plain")] {
        assert_eq!(ask(&create(object), &form, cluster()), (accepted(), 0));
    }
    // untouched but for a list: as if the others were left out
    form["reservedRuntimes"] = json!(["runC"]);
    let refusal = rejected("runc-plain", "runtime 'runc-plain' is reserved: it runs on 'runc'");
    assert_eq!(ask(&create(pod_of("runc-plain")), &form, cluster()).0, refusal);
    assert_eq!(ask_names_alone(&create(pod_of("runc-plain")), &form), accepted());
}

fn version() -> String {
    let manifest: toml::Table = file("Cargo.toml").parse().expect("TOML");
    manifest["package"]["version"].as_str().expect("a version").to_owned()
}

#[test]
fn the_version_is_the_same_in_all_places() {
    let version = version();
    assert!(
        file("Cargo.toml").lines().any(|line| line == format!("version = \"{version}\"")),
        "as the release wants it"
    );
    let lock: toml::Table = file("Cargo.lock").parse().expect("TOML");
    let locked = lock["package"]
        .as_array()
        .expect("packages")
        .iter()
        .find(|package| package["name"].as_str() == Some("pod-runtime-class-policy"));
    assert_eq!(locked.expect("this package")["version"].as_str(), Some(version.as_str()));
    assert_eq!(yaml("metadata.yml")["annotations"]["io.kubewarden.policy.version"], json!(version));
    assert_eq!(yaml("artifacthub-pkg.yml")["version"], json!(version));
    assert_eq!(file("CHANGELOG.md").lines().find_map(|line| line.strip_prefix("## ")), Some(version.as_str()));
    let module = format!("registry://{}:v{version}", oci_url());
    for (name, policy) in policies() {
        assert_eq!(policy["spec"]["module"], json!(module), "{name}");
    }
}

fn oci_url() -> String {
    text(&yaml("metadata.yml")["annotations"]["io.kubewarden.policy.ociUrl"])
}

/// `artifacthub-pkg.yml` is made by `kwctl scaffold artifacthub`; this is what it makes of its input.
#[test]
fn the_package_of_artifact_hub_is_made_of_the_metadata_and_the_questions() {
    let (metadata, mut package) = (yaml("metadata.yml"), yaml("artifacthub-pkg.yml"));
    let annotation = |key: &str| text(&metadata["annotations"][key]);
    let policy = |key: &str| annotation(&format!("io.kubewarden.policy.{key}"));
    let (version, source, oci) = (policy("version"), policy("source"), policy("ociUrl"));
    let author = policy("author");
    let (name, email) = author.trim_end_matches('>').split_once(" <").expect("a name and an address");
    let keywords = annotation("io.artifacthub.keywords");
    let install = format!(
        "The policy can be obtained using [kwctl](https://docs.kubewarden.io/howtos/install-kwctl):\n\
         ```console\nkwctl pull {oci}:v{version}\n```\n\
         Then, generate the policy manifest and tune it to your liking. For example:\n\
         ```console\nkwctl scaffold manifest -t ClusterAdmissionPolicy registry://{oci}:v{version}\n```\n"
    );
    let created = package.as_object_mut().and_then(|package| package.remove("createdAt")).expect("createdAt");
    assert!(text(&created).starts_with("20"), "{created}");
    for (key, expected) in [
        ("contextAwareResources", &metadata["contextAwareResources"]),
        ("rules", &metadata["rules"]),
        ("questions-ui", &yaml("questions-ui.yml")),
    ] {
        let nested = package["annotations"][format!("kubewarden/{key}")].take();
        assert_eq!(serde_yaml_ng::from_str::<Value>(&text(&nested)).expect("YAML"), *expected, "{key}");
    }
    assert_eq!(
        package,
        json!({
            "version": version,
            "name": policy("title"),
            "displayName": annotation("io.artifacthub.displayName"),
            "description": policy("description"),
            "license": policy("license"),
            "homeURL": policy("url"),
            "containersImages": [{ "name": "policy", "image": format!("{oci}:v{version}") }],
            "keywords": keywords.split(',').map(str::trim).collect::<Vec<_>>(),
            "links": [
                { "name": "policy", "url": format!("{source}/releases/download/v{version}/policy.wasm") },
                { "name": "source", "url": source },
            ],
            "install": install,
            "maintainers": [{ "name": name, "email": email }],
            "provider": { "name": "kubewarden" },
            "recommendations": [{ "url": "https://artifacthub.io/packages/helm/kubewarden/kubewarden-controller" }],
            "annotations": {
                "kubewarden/contextAwareResources": null,
                "kubewarden/mutation": metadata["mutating"].to_string(),
                "kubewarden/questions-ui": null,
                "kubewarden/resources": annotation("io.artifacthub.resources"),
                "kubewarden/rules": null,
            },
        })
    );
}

#[test]
fn the_metadata_is_that_of_a_policy_that_changes_pods_and_reads_runtime_classes() {
    let mut metadata = yaml("metadata.yml");
    metadata.as_object_mut().expect("metadata").remove("annotations");
    assert_eq!(
        metadata,
        json!({
            "rules": pod_rules(),
            "mutating": true,
            "backgroundAudit": true,
            "contextAwareResources": runtime_classes(),
            "executionMode": "kubewarden-wapc",
            "policyType": "kubernetes",
        })
    );
}

fn pod_rules() -> Value {
    json!([{ "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE", "UPDATE"] }])
}

fn runtime_classes() -> Value {
    json!([{ "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass" }])
}

/// The ClusterAdmissionPolicies of `deploy/` and of the README.
fn policies() -> Vec<(String, Value)> {
    let deployed = ["cluster", "namespaces", "guard"].map(|name| format!("deploy/{name}.yml"));
    let deployed = deployed.into_iter().map(|path| (path.clone(), yaml(&path)));
    let readme = file("README.md");
    let recipes = readme.split("```yaml policy\n").skip(1).filter_map(|rest| rest.split("```").next());
    let recipes = recipes.map(|recipe| ("README.md".to_owned(), serde_yaml_ng::from_str(recipe).expect("YAML")));
    deployed.chain(recipes).collect()
}

#[test]
fn every_policy_to_apply_is_one_that_works() {
    /// The fields of the spec, by the reference of Kubewarden's resources.
    const SPEC: [&str; 12] = [
        "module",
        "mode",
        "mutating",
        "settings",
        "rules",
        "contextAwareResources",
        "namespaceSelector",
        "matchConditions",
        "failurePolicy",
        "timeoutSeconds",
        "backgroundAudit",
        "policyServer",
    ];
    let policies = policies();
    assert_eq!(policies.len(), 7);
    for (name, policy) in policies {
        assert_eq!(policy["apiVersion"], "policies.kubewarden.io/v1", "{name}");
        assert_eq!(policy["kind"], "ClusterAdmissionPolicy", "{name}");
        let spec = &policy["spec"];
        for field in spec.as_object().expect("a spec").keys() {
            assert!(SPEC.contains(&field.as_str()), "{name}: {field}");
        }
        assert_eq!(fault(&spec["settings"]), None, "{name}");
        assert_eq!(spec["rules"], pod_rules(), "{name}");
        assert_eq!(spec["contextAwareResources"], runtime_classes(), "{name}");
        let fallback = spec["settings"]["fallbackRuntime"].as_str();
        assert_eq!(spec["mutating"], json!(fallback.is_some()), "{name}: only a fallback changes anything");
        let namespaces = &spec["namespaceSelector"]["matchExpressions"][0];
        assert_eq!(namespaces["key"], "kubernetes.io/metadata.name", "{name}");
        if namespaces["operator"] == "NotIn" {
            for system in ["kube-system", "kubewarden"] {
                assert!(namespaces["values"].as_array().expect("names").contains(&json!(system)), "{name}: {system}");
            }
        }
    }
}

#[test]
fn everything_in_deploy_can_be_applied() {
    let mut files = 0;
    for entry in fs::read_dir(workspace::root().join("deploy")).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            files += 1;
            for object in examples::documents(&fs::read_to_string(&path).expect("a file")).expect("YAML") {
                for key in ["/apiVersion", "/kind", "/metadata/name"] {
                    assert!(object.pointer(key).is_some_and(Value::is_string), "{}: {key}", path.display());
                }
            }
        }
    }
    assert_eq!(files, 4);
}

/// The API server does not call for what it lets pass by these conditions, so they have to be right.
#[test]
fn match_conditions_spare_calls_whose_answer_is_known() {
    let cluster = yaml("deploy/cluster.yml");
    for (path, fallback) in
        [("deploy/cluster.yml", "kata"), ("deploy/namespaces.yml", "gvisor"), ("deploy/guard.yml", "kata")]
    {
        let spec = yaml(path)["spec"].take();
        let other = format!("!has(object.spec.runtimeClassName) || object.spec.runtimeClassName != '{fallback}'");
        assert_eq!(
            spec["matchConditions"],
            json!([
                { "name": "new-pods", "expression": "request.operation == 'CREATE'" },
                { "name": "not-in-the-fallback-already", "expression": other },
            ]),
            "{path}"
        );
        // what is spared: a Pod that has the fallback, and an update of a Pod
        let settings = &spec["settings"];
        let classes = || Capabilities::cluster(vec![class("kata", "kata"), class("gvisor", "runsc")]);
        assert_eq!(ask(&create(pod_of(fallback)), settings, classes()).0, accepted(), "{path}");
        assert_eq!(ask(&update(pod_of("runc"), pod_of("runc")), settings, classes()).0, accepted(), "{path}");
        if let Some(fallback_runtime) = settings.get("fallbackRuntime") {
            assert_eq!(fallback_runtime, fallback, "{path}");
        }
    }
    let guard = yaml("deploy/guard.yml");
    for key in ["reservedRuntimes", "defaultRuntimeReserved"] {
        assert_eq!(
            guard["spec"]["settings"][key], cluster["spec"]["settings"][key],
            "the guard has the {key} of the cluster"
        );
    }
    assert_eq!(guard["spec"]["namespaceSelector"], cluster["spec"]["namespaceSelector"]);
}

#[test]
fn the_guard_refuses_what_another_webhook_puts_back() {
    let settings = yaml("deploy/guard.yml")["spec"]["settings"].take();
    let refusal = rejected("runc-bare", "runtime 'runc-bare' is reserved: it runs on 'runc'");
    assert_eq!(ask(&create(pod_of("runc-bare")), &settings, cluster()).0, refusal);
    let refusal = rejected(DEFAULT, "Usage of the default runtime is reserved");
    assert_eq!(ask(&create(pod(json!({}))), &settings, cluster()).0, refusal);
}

#[test]
fn the_policy_server_is_let_read_runtime_classes_and_nothing_else() {
    let documents = examples::documents(&file("deploy/rbac.yml")).expect("YAML");
    let [role, binding] = documents.as_slice() else { panic!("two documents: {documents:?}") };
    assert_eq!(role["kind"], "ClusterRole");
    assert_eq!(
        role["rules"],
        json!([{ "apiGroups": ["node.k8s.io"], "resources": ["runtimeclasses"], "verbs": ["get", "list", "watch"] }])
    );
    assert_eq!(binding["kind"], "ClusterRoleBinding");
    assert_eq!(binding["roleRef"]["name"], role["metadata"]["name"]);
    assert_eq!(
        binding["subjects"],
        json!([{ "kind": "ServiceAccount", "name": "policy-server", "namespace": "kubewarden" }])
    );
    let values = yaml("deploy/helm/kubewarden-defaults-values.yml");
    let permissions = values["policyServer"]["permissions"].as_array().expect("permissions");
    assert!(permissions.contains(&json!({ "apiGroup": "node.k8s.io", "resources": ["runtimeclasses"] })));
}

/// Every resource of the longer rules is that of a kind that the policy knows, and none is missing.
#[test]
fn the_longer_rules_of_the_readme_are_all_kinds_that_the_policy_judges() {
    let readme = file("README.md");
    let rules = readme.split("```yaml rules\n").nth(1).and_then(|rest| rest.split("```").next()).expect("rules");
    let rules: Value = serde_yaml_ng::from_str(rules).expect("YAML");
    let mut resources = vec![];
    for rule in rules.as_array().expect("rules") {
        for resource in rule["resources"].as_array().expect("resources") {
            resources.push(format!("{}/{}", text(&rule["apiGroups"][0]), text(resource)));
        }
    }
    resources.sort();
    let kinds = [
        "/pods",
        "/podtemplates",
        "/replicationcontrollers",
        "apps/daemonsets",
        "apps/deployments",
        "apps/replicasets",
        "apps/statefulsets",
        "batch/cronjobs",
        "batch/jobs",
    ];
    assert_eq!(resources, kinds);
}

#[test]
fn the_workflows_are_those_of_kubewarden_pinned_to_a_commit() {
    const COMMIT: &str = "143b9e4b11ddc47370482267383586e6f1bc7efe";
    for (path, job, workflow) in [("test", "policy", "test"), ("release", "release", "release")] {
        let workflows = yaml(&format!(".github/workflows/{path}.yml"));
        let uses = format!("kubewarden/github-actions/.github/workflows/reusable-{workflow}-policy-rust.yml@{COMMIT}");
        assert_eq!(workflows["jobs"][job]["uses"], json!(uses));
    }
}
