//! The documents say what is true, and their links lead somewhere.
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use kubectl_runtime_class::AdmissionRequest;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::{Value, json};
use tests::{
    examples::{self, Answer},
    *,
};

#[test]
fn every_example_of_the_readme_has_the_answer_that_it_states() {
    let examples = examples::parse(&file("README.md")).expect("the examples of the README");
    assert_eq!(examples.len(), 3);
    for example in examples {
        let (response, pod) = example.decide(policy()).unwrap_or_else(|error| panic!("{}: {error:#}", example.title));
        let class = pod["spec"]["runtimeClassName"].as_str();
        let answer = Answer {
            allowed: response.allowed,
            message: response.status.and_then(|status| status.message),
            runtime_class_name: class.filter(|_| response.patch.is_some()).map(str::to_owned),
            warnings: response.warnings.unwrap_or_default(),
        };
        assert_eq!(answer, example.answer, "{}", example.title);
    }
}

#[test]
fn shows_the_examples_in_colors_on_a_terminal_and_plain_in_a_pipe() {
    let examples = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_readme"));
        command.arg("README.md").current_dir(workspace::root());
        command
    };
    let plain = printed(&mut examples());
    assert!(!plain.contains('\u{1b}'), "{plain}");
    assert!(plain.contains("  rejected  Usage of the default runtime is reserved\n"), "{plain}");
    assert!(plain.contains("\n          -   runtimeClassName: containerd-runc\n"), "{plain}");
    assert!(plain.contains("\n          +   runtimeClassName: containerd-kata\n"), "{plain}");
    assert!(plain.lines().count() <= 45, "one screen");

    let colored = printed(examples().env("CLICOLOR_FORCE", "1"));
    assert!(colored.contains("\u{1b}[31mrejected"), "{colored}");
}

#[test]
fn shows_an_example_with_the_keys_in_the_order_of_its_manifest() {
    const README: &str = "
## Examples

### A Pod of a reserved class

```yaml runtimeclasses
{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: kata}, handler: kata}
```

```yaml settings
reservedRuntimes: [runc]
fallbackRuntime: kata
```

```yaml pod
kind: Pod
apiVersion: v1
spec:
  runtimeClassName: runc
  overhead: {cpu: 10m}
  containers: [{name: web, image: nginx}]
metadata: {name: web}
```

```yaml answer
allowed: true
```
";
    const SHOWN: &str = r#"A Pod of a reserved class
  settings  {"reservedRuntimes":["runc"],"fallbackRuntime":"kata"}
            kind: Pod
            apiVersion: v1
            spec:
          -   runtimeClassName: runc
          -   overhead:
          -     cpu: 10m
          +   runtimeClassName: kata
              containers:
              - name: web
                image: nginx
            metadata:
              name: web
  mutated
  warning   runtime 'runc' is reserved: this Pod will run with 'kata'

"#;
    let readme = Path::new(env!("CARGO_TARGET_TMPDIR")).join("README.md");
    fs::write(&readme, README).expect("a file to write");
    assert_eq!(printed(Command::new(env!("CARGO_BIN_EXE_readme")).arg(readme)), SHOWN);
}

/// What a command prints.
#[track_caller]
fn printed(command: &mut Command) -> String {
    let output = command.output().expect("it runs");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout).expect("text")
}

/// kwctl embeds the README in the metadata of the module.
#[test]
fn the_readme_is_small() {
    assert!(file("README.md").len() <= 11 * 1024, "{} bytes", file("README.md").len());
}

#[test]
fn the_readme_describes_the_settings_that_the_policy_has() {
    let message = fault(&json!({ "x": 1 })).expect("an unknown setting");
    let (_, known) = message.split_once("the settings are ").expect("the settings");
    let mut known: Vec<_> = known.split([',', ' ']).filter(|word| !["", "and"].contains(word)).collect();
    let readme = file("README.md");
    let mut described: Vec<_> =
        rows(&readme, "Settings").filter_map(|row| row[0].strip_prefix('`')?.strip_suffix('`')).collect();
    known.sort_unstable();
    described.sort_unstable();
    assert_eq!(described, known);
}

#[test]
fn the_page_of_recipes_has_every_manifest_with_its_settings() {
    let page = file("deploy/recipes/README.md");
    let mut listed = BTreeSet::new();
    for row in rows(&page, "# Recipes").filter(|row| row[1].starts_with("`{")) {
        let (_, path) = row[0].split_once("](").expect("a link");
        let (path, _) = path.split_once(')').expect("a link");
        let settings: Value = serde_yaml_ng::from_str(row[1].trim_matches('`')).expect("settings");
        let manifests = examples::documents(&file(&format!("deploy/recipes/{path}"))).expect("YAML");
        assert_eq!(manifests[0]["spec"]["settings"], settings, "{path}");
        listed.insert(path.to_owned());
    }
    let folder = workspace::root().join("deploy/recipes").read_dir().expect("a folder");
    let names = folder.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"));
    let manifests = names.filter(|name| name.ends_with(".yml")).chain(["tenants/gvisor.yml".to_owned()]);
    assert_eq!(listed, manifests.collect());
}

/// Each row, with each of its outcomes, for a Pod and for a template.
#[test]
fn the_module_decides_every_row_of_the_decision_table_as_the_readme_says() {
    let readme = file("README.md");
    let mut decided = 0;
    for row in rows(&readme, "The decision").skip(1) {
        let row: Vec<_> = row.iter().flat_map(|cell| cell.split('|')).map(str::trim).collect();
        let [condition, default, cells @ ..] = row.as_slice() else { panic!("{row:?}") };
        let (class, handler, mut settings) = case(&format!("{condition} {default}"));
        let message = |cell: &str| {
            let message = cell.split('`').nth(1)?.replace("'C'", &format!("'{}'", class?));
            Some(message.replace("'H'", &format!("'{handler}'")))
        };
        let rejection =
            cells.last().and_then(|cell| message(cell).or_else(|| Some(cell.split('`').nth(1)?.to_owned())));
        for (cell, fallback_for) in cells.iter().zip([Some("all"), Some("default"), None]) {
            settings["fallbackRuntime"] = json!(fallback_for.map(|_| "containerd-kata"));
            settings["fallbackFor"] = json!(fallback_for);
            let (pod, template) = (pod_naming(class), deployment_naming(class));
            let decide = |object| ask(&create(object), &settings, two_classes()).0;
            let (of_pod, of_template) = match cell.split(':').next() {
                Some("accept") => (accepted(), accepted()),
                Some("reject") => {
                    let rejection = rejected(class.unwrap_or(DEFAULT), rejection.as_deref().expect("a message"));
                    (rejection.clone(), rejection)
                }
                Some("fallback") => {
                    let will_run = |whose: &str| {
                        let fault = rejection.as_deref()?.split(": ").next()?;
                        class.map(|_| format!("{fault}: {whose} will run with 'containerd-kata'"))
                    };
                    let (warning, of_template) = (will_run("this Pod"), will_run("the Pods of this Deployment"));
                    let name = class.unwrap_or(DEFAULT);
                    let mutation = mutated(pod_of("containerd-kata"), name, "containerd-kata", warning.as_deref());
                    (mutation, of_template.map_or_else(accepted, |warning| warned(&warning)))
                }
                outcome => panic!("{outcome:?} is no outcome"),
            };
            assert_eq!(decide(pod), of_pod, "a Pod: {row:?}, {settings}");
            assert_eq!(decide(template), of_template, "a template: {row:?}, {settings}");
            decided += 1;
        }
    }
    assert_eq!(decided, 21);
}

/// The class, its handler, and the settings of a row.
fn case(condition: &str) -> (Option<&'static str>, &'static str, Value) {
    let runc = Some("containerd-runc");
    match condition.trim() {
        "no class `defaultRuntimeReserved`" => (None, "", json!({ "defaultRuntimeReserved": true })),
        "no class not reserved" => (None, "", json!({})),
        "class C, its name in `reservedRuntimes`" => (runc, "runc", json!({ "reservedRuntimes": ["containerd-runc"] })),
        "class C, its handler H in `reservedRuntimes`" => (runc, "runc", json!({ "reservedRuntimes": ["runc"] })),
        "class C, neither its name nor its handler in `allowedRuntimes`" => {
            (runc, "runc", json!({ "allowedRuntimes": ["kata"] }))
        }
        "class C, not settled by its name, and the cluster has no C" => {
            (Some("ghost"), "", json!({ "reservedRuntimes": ["runc"] }))
        }
        "any other class" => (Some("containerd-kata"), "kata", json!({ "reservedRuntimes": ["runc"] })),
        condition => panic!("{condition} is no row of the table"),
    }
}

fn two_classes() -> kubectl_runtime_class::Capabilities {
    let classes = vec![class("containerd-runc", "runc"), class("containerd-kata", "kata")];
    kubectl_runtime_class::Capabilities::cluster(classes)
}

fn pod_naming(class: Option<&str>) -> Value {
    class.map_or_else(|| pod(json!({})), pod_of)
}

fn deployment_naming(class: Option<&str>) -> Value {
    let spec = pod_naming(class)["spec"].take();
    json!({ "apiVersion": "apps/v1", "kind": "Deployment", "spec": { "template": { "spec": spec } } })
}

/// The rows of the tables in a section, without the lines under the heads.
fn rows<'a>(markdown: &'a str, section: &str) -> impl Iterator<Item = Vec<&'a str>> {
    let section = markdown.split("\n## ").find(|text| text.starts_with(section)).expect("the section");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    rows.map(|row| row.split(" | ").map(str::trim).collect())
}

#[test]
fn contributing_names_every_file_of_the_policy() {
    let contributing = file("CONTRIBUTING.md");
    let cells = rows(&contributing, "The way around").map(|row| row[0].trim_matches('`'));
    let named: BTreeSet<_> =
        cells.filter(|path| path.starts_with("src/")).map(|path| workspace::root().join(path)).collect();
    let files = workspace::root().join("src").read_dir().expect("src/").map(|entry| entry.expect("an entry").path());
    assert_eq!(named, files.collect());
}

#[test]
fn contributing_names_the_dependencies_of_the_module() {
    let (contributing, manifest) = (file("CONTRIBUTING.md"), file("Cargo.toml").parse::<toml::Table>().expect("TOML"));
    let cells = rows(&contributing, "Dependencies of the module").map(|row| row[0]).collect::<String>();
    let named: BTreeSet<_> = cells.split('`').skip(1).step_by(2).collect();
    let of_targets = manifest["target"].as_table().expect("targets").values().map(|target| &target["dependencies"]);
    let tables = of_targets.chain([&manifest["dependencies"]]).filter_map(toml::Value::as_table);
    let needed: BTreeSet<_> = tables.flat_map(toml::Table::keys).map(String::as_str).collect();
    assert_eq!(named, needed);
}

#[test]
fn the_picture_shows_what_the_policy_does() {
    let picture = file("docs/policy.svg");
    let picture = roxmltree::Document::parse(&picture).expect("SVG");
    let element = |id| picture.descendants().find(|node| node.attribute("id") == Some(id)).expect("an element");
    let lines = |id| -> Value {
        let texts = element(id).children().filter_map(|line| line.text()).collect::<Vec<_>>();
        serde_yaml_ng::from_str(&texts.join("\n")).expect("YAML")
    };
    let request = AdmissionRequest::create(lines("before")).expect("a Pod");
    let response = policy().evaluate(&request, &lines("settings"), &cluster().into()).expect("a response");
    let mut pod = lines("before");
    let patch = response.decoded_patch().expect("a patch").expect("a mutation");
    json_patch::patch(&mut pod, &patch).expect("a patch that fits");
    assert_eq!(pod, lines("after"));
    let warnings = response.warnings.expect("a warning");
    assert_eq!(element("warning").text(), Some(format!("Warning: {}", warnings[0]).as_str()));
}

#[test]
fn every_link_leads_somewhere() {
    let documents = documents(workspace::root());
    assert!(documents.contains(&workspace::root().join("README.md")), "{documents:?}");
    for document in documents {
        let folder = document.parent().expect("a folder");
        for link in links(&read(&document)) {
            if link.contains("://") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { document.clone() } else { folder.join(path) };
            assert!(target.exists(), "{}: {link}", document.display());
            assert!(
                anchor.is_empty() || anchors(&read(&target)).contains(&anchor.to_owned()),
                "{}: {link}",
                document.display()
            );
        }
    }
}

/// Addresses are of use only while the page knows them.
#[test]
fn every_example_of_the_playground_that_the_readme_opens_is_there() {
    let (readme, page) = (file("README.md"), file("playground/src/examples.ts"));
    let ids = links(&readme).into_iter().filter_map(|link| Some(link.split_once("#example=")?.1.to_owned()));
    let (known, unknown): (Vec<_>, Vec<_>) = ids.partition(|id| page.contains(&format!("\"{id}\"")));
    assert_eq!((known.len(), unknown), (3, vec![]));
}

/// The Markdown files of the checkout.
fn documents(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().expect("a folder").map(|entry| entry.expect("an entry").path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let made = ["target", "node_modules", "dist"];
    let folders = folders.iter().filter(|path| !made.iter().any(|name| path.ends_with(name)));
    let files = files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    files.chain(folders.flat_map(|path| documents(path))).collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn links(markdown: &str) -> Vec<String> {
    let links = Parser::new_ext(markdown, Options::ENABLE_TABLES).filter_map(|event| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Some(dest_url.to_string()),
        _ => None,
    });
    links.collect()
}

/// The anchors that GitHub gives to the headings of a document.
fn anchors(markdown: &str) -> Vec<String> {
    let (mut anchors, mut heading) = (vec![], String::new());
    for event in Parser::new(markdown) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading.clear(),
            Event::Text(text) | Event::Code(text) => heading.push_str(&text),
            Event::End(TagEnd::Heading(_)) => {
                let letters = heading.to_lowercase().replace(' ', "-");
                anchors.push(
                    letters.chars().filter(|letter| letter.is_alphanumeric() || "-_".contains(*letter)).collect(),
                );
            }
            _ => {}
        }
    }
    anchors
}
