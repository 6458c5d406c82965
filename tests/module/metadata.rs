//! What the repository tells Kubewarden, Rancher and Artifact Hub about the policy.
use std::collections::BTreeSet;

use kubectl_runtime_class::MODULE;
use serde_json::{Value, json};
use serde_yaml_ng::{Mapping, Value as Yaml};
use tests::*;

use crate::manifests::{policies, text};

fn questions() -> Vec<Value> {
    yaml("questions-ui.yml")["questions"].as_array().expect("questions").clone()
}

/// The settings as Rancher writes them for a form that nobody has touched.
fn untouched_form() -> Value {
    questions().iter().map(|question| (text(&question["variable"]), question["default"].clone())).collect()
}

/// Rancher shows a boolean as a box that is ticked or not, so a question for `matchHandlers` would turn
/// "automatic" into `false`. Its other kinds of question write text.
#[test]
fn every_setting_has_a_question_but_the_one_that_has_three_states() {
    let message = fault(&json!({ "x": null })).expect("no such setting");
    let (_, names) = message.split_once("the settings are ").expect("their names");
    let settings: BTreeSet<String> = names.replace(" and ", ", ").split(", ").map(str::to_owned).collect();
    let mut asked: BTreeSet<String> = questions().iter().map(|question| text(&question["variable"])).collect();
    assert!(asked.insert("matchHandlers".to_owned()), "it has no question");
    assert_eq!(asked, settings);
}

#[test]
fn an_untouched_form_is_the_same_as_no_settings() {
    let form = untouched_form();
    assert_eq!(fault(&form), None);
    let lists = [json!({}), json!({ "reservedRuntimes": ["runC"] }), json!({ "allowedRuntimes": ["runsc"] })];
    for list in lists {
        let mut filled_in = form.clone();
        filled_in.as_object_mut().expect("settings").extend(list.as_object().expect("settings").clone());
        for object in [pod(json!({})), pod_of("runc-plain"), pod_of("gvisor"), pod_of("kata")] {
            let request = create(object);
            assert_eq!(ask(&request, &filled_in, cluster()), ask(&request, &list, cluster()), "{filled_in}");
        }
    }
}

#[test]
fn every_question_has_what_rancher_shows() {
    for question in questions() {
        let fields: BTreeSet<_> = question.as_object().expect("a question").keys().map(String::as_str).collect();
        let mut shown: BTreeSet<_> = ["default", "group", "label", "required", "tooltip", "type", "variable"].into();
        if question["type"] == "enum" {
            shown.insert("options");
        }
        assert_eq!(fields, shown, "{question}");
        let default = &question["default"];
        let matches = match text(&question["type"]).as_str() {
            "array[" => default.is_array(),
            "boolean" => *default == json!(false),
            "string" => default.is_string(),
            "enum" => question["options"].as_array().is_some_and(|options| options.contains(default)),
            _ => false,
        };
        assert!(matches, "{question}");
    }
}

/// `kwctl annotate` looks for the names of the host's capabilities in the module, and warns of a difference.
#[test]
fn the_declared_host_capabilities_are_the_ones_that_kwctl_finds_in_the_module() {
    const KNOWN: [&str; 10] = [
        "crypto/v1/is_certificate_trusted",
        "kubernetes/can_i",
        "kubernetes/get_resource",
        "kubernetes/list_resources_all",
        "kubernetes/list_resources_by_namespace",
        "net/v1/dns_lookup_host",
        "oci/v1/manifest_digest",
        "oci/v1/oci_manifest",
        "oci/v1/verify",
        "oci/v2/verify",
    ];
    let names = |text: &str| MODULE.windows(text.len()).any(|window| window == text.as_bytes());
    let calls = |capability: &&str| {
        let (namespace, operation) = capability.split_once('/').expect("a namespace and an operation");
        names(namespace) && names(operation)
    };
    let found: Vec<&str> = KNOWN.into_iter().filter(calls).collect();
    assert_eq!(yaml("metadata.yml")["hostCapabilities"], json!(found));
}

#[test]
fn the_version_is_the_same_in_all_places() {
    let manifest: toml::Table = file("Cargo.toml").parse().expect("TOML");
    let version = manifest["package"]["version"].as_str().expect("a version").to_owned();
    assert!(
        file("Cargo.toml").lines().any(|line| line == format!("version = \"{version}\"")),
        "as the release wants it"
    );
    let lock: toml::Table = file("Cargo.lock").parse().expect("TOML");
    let packages = lock["package"].as_array().expect("packages");
    let locked = packages.iter().find(|package| package["name"].as_str() == Some("pod-runtime-class-policy"));
    assert_eq!(locked.expect("this package")["version"].as_str(), Some(version.as_str()));

    let annotations = &yaml("metadata.yml")["annotations"];
    assert_eq!(annotations["io.kubewarden.policy.version"], json!(version));
    assert_eq!(file("CHANGELOG.md").lines().find_map(|line| line.strip_prefix("## ")), Some(version.as_str()));
    let module = format!("registry://{}:v{version}", text(&annotations["io.kubewarden.policy.ociUrl"]));
    for policy in policies() {
        assert_eq!(policy.spec()["module"], json!(module), "{}", policy.source);
    }
}

#[test]
fn the_package_of_artifact_hub_is_the_one_that_kwctl_prints() {
    assert_kwctl_prints("artifacthub-pkg.yml", "metadata.yml", "questions-ui.yml");
}

/// The example was printed by kwctl itself.
#[test]
fn this_is_how_kwctl_prints_a_package() {
    let [package, metadata, questions] =
        ["artifacthub-pkg.yml", "metadata.yml", "questions-ui.yml"].map(|name| format!("test_data/artifacthub/{name}"));
    assert_kwctl_prints(&package, &metadata, &questions);
}

#[track_caller]
fn assert_kwctl_prints(package: &str, metadata: &str, questions: &str) {
    let package = file(package);
    let created = package.lines().find_map(|line| line.strip_prefix("createdAt: ")).expect("createdAt");
    assert_eq!(package, package_of_artifact_hub(&yaml(metadata), &file(questions), created));
}

/// The output of `kwctl scaffold artifacthub`. kwctl keeps the questions as they are written.
fn package_of_artifact_hub(metadata: &Value, questions: &str, created: &str) -> String {
    const HEADER: &str = "\
# Kubewarden Artifacthub Package config
#
# Use this config to submit the policy to https://artifacthub.io.
#
# This config can be saved to its default location with:
#   kwctl scaffold artifacthub > artifacthub-pkg.yml \n";
    let annotation = |key: &str| text(&metadata["annotations"][key]);
    let policy = |key: &str| annotation(&format!("io.kubewarden.policy.{key}"));
    let (version, source) = (policy("version"), policy("source"));
    let image = format!("{}:v{version}", policy("ociUrl"));
    let author = policy("author");
    let (name, email) = author.trim_end_matches('>').split_once(" <").expect("a name and an address");
    let keywords = annotation("io.artifacthub.keywords");
    let install = format!(
        "The policy can be obtained using [kwctl](https://docs.kubewarden.io/howtos/install-kwctl):\n\
         ```console\nkwctl pull {image}\n```\n\
         Then, generate the policy manifest and tune it to your liking. For example:\n\
         ```console\nkwctl scaffold manifest -t ClusterAdmissionPolicy registry://{image}\n```\n"
    );
    let package = map([
        ("version", version.as_str().into()),
        ("name", policy("title").into()),
        ("displayName", annotation("io.artifacthub.displayName").into()),
        ("createdAt", created.into()),
        ("description", policy("description").into()),
        ("license", policy("license").into()),
        ("homeURL", policy("url").into()),
        ("containersImages", list([map([("name", "policy".into()), ("image", image.into())])])),
        ("keywords", list(keywords.split(',').map(|word| word.trim().into()))),
        (
            "links",
            list(
                [("policy", format!("{source}/releases/download/v{version}/policy.wasm")), ("source", source)]
                    .map(|(name, url)| map([("name", name.into()), ("url", url.into())])),
            ),
        ),
        ("install", install.into()),
        ("maintainers", list([map([("name", name.into()), ("email", email.into())])])),
        ("provider", map([("name", "kubewarden".into())])),
        (
            "recommendations",
            list([map([("url", "https://artifacthub.io/packages/helm/kubewarden/kubewarden-controller".into())])]),
        ),
        (
            "annotations",
            map([
                (
                    "kubewarden/contextAwareResources",
                    printed(&metadata["contextAwareResources"], &["apiVersion", "kind"]),
                ),
                ("kubewarden/mutation", metadata["mutating"].to_string().into()),
                ("kubewarden/questions-ui", questions.into()),
                ("kubewarden/resources", annotation("io.artifacthub.resources").into()),
                (
                    "kubewarden/rules",
                    printed(&metadata["rules"], &["apiGroups", "apiVersions", "resources", "operations"]),
                ),
            ]),
        ),
    ]);
    format!("{HEADER}{}\n", serde_yaml_ng::to_string(&package).expect("YAML"))
}

/// A list of objects as text in YAML, with their fields in this order.
fn printed(objects: &Value, fields: &[&str]) -> Yaml {
    let objects = objects.as_array().expect("a list").iter();
    let objects = objects.map(|object| {
        map(fields.iter().map(|field| (*field, serde_yaml_ng::to_value(&object[*field]).expect("YAML"))))
    });
    serde_yaml_ng::to_string(&list(objects)).expect("YAML").into()
}

fn map<'a>(fields: impl IntoIterator<Item = (&'a str, Yaml)>) -> Yaml {
    fields.into_iter().map(|(key, value)| (Yaml::from(key), value)).collect::<Mapping>().into()
}

fn list(items: impl IntoIterator<Item = Yaml>) -> Yaml {
    Yaml::Sequence(items.into_iter().collect())
}
