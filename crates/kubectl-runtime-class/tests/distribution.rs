//! The ways to the command: krew, the GitHub Action, cargo binstall and the release workflow name the same archives.
use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{file, yaml};

const NAME: &str = "kubectl-runtime_class";

/// The targets that the release workflow builds, and the ends of their archives.
fn targets() -> BTreeSet<String> {
    let release = yaml(".github/workflows/release.yml");
    let matrix = release["jobs"]["command"]["strategy"]["matrix"]["include"].as_array().expect("a matrix");
    matrix.iter().map(|one| one["target"].as_str().expect("a target").to_owned()).collect()
}

fn archive(target: &str) -> String {
    format!("{NAME}-{target}.{}", if target.contains("windows") { "zip" } else { "tar.gz" })
}

/// The manifest that krew-release-bot makes of its template.
fn krew() -> Value {
    let template = file(".krew.yaml").replace("{{ .TagName }}", "v2.0.0");
    let lines = template.lines().map(|line| match line.trim().strip_prefix("{{addURIAndSha \"") {
        None => format!("{line}\n"),
        Some(rest) => {
            let (uri, tag) = rest.split_once("\" ").expect("a URI and a tag");
            assert_eq!(tag, ".TagName }}");
            format!("    uri: {uri}\n    sha256: {}\n", "0".repeat(64))
        }
    });
    serde_yaml_ng::from_str(&lines.collect::<String>()).expect("YAML")
}

/// <https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest/> and its naming guide.
#[test]
fn the_manifest_keeps_the_rules_of_krew() {
    let manifest = krew();
    assert_eq!(manifest["apiVersion"], "krew.googlecontainertools.github.com/v1alpha2");
    assert_eq!(manifest["kind"], "Plugin");
    let name = manifest["metadata"]["name"].as_str().expect("a name");
    assert!(name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-'), "{name}");
    assert!(!name.contains("kube"), "{name}");
    assert_eq!(format!("kubectl-{}", name.replace('-', "_")), NAME, "kubectl finds the binary by its name");
    let short = manifest["spec"]["shortDescription"].as_str().expect("a text");
    assert!(short.len() <= 50 && !short.ends_with('.'), "{short}");
    for line in manifest["spec"]["description"].as_str().expect("a text").lines() {
        assert!(line.len() <= 80, "{line}");
    }
    for platform in manifest["spec"]["platforms"].as_array().expect("platforms") {
        let windows = platform["selector"]["matchLabels"]["os"] == "windows";
        let binary = if windows { format!("{NAME}.exe") } else { NAME.to_owned() };
        assert_eq!(platform["bin"], binary);
        assert_eq!(platform["files"], json!([{ "from": binary, "to": "." }, { "from": "LICENSE", "to": "." }]));
    }
}

#[test]
fn krew_installs_the_archives_of_the_release() {
    let release = "https://github.com/kubewarden/pod-runtime-class-policy/releases/download/v2.0.0";
    let uris = targets().iter().map(|target| format!("{release}/{}", archive(target))).collect::<BTreeSet<_>>();
    let manifest = krew();
    let platforms = manifest["spec"]["platforms"].as_array().expect("platforms").iter();
    assert_eq!(
        platforms.map(|platform| platform["uri"].as_str().expect("a URI").to_owned()).collect::<BTreeSet<_>>(),
        uris
    );
}

#[test]
fn the_action_downloads_the_archives_of_the_release_of_this_version() {
    let action = yaml("action.yml");
    let script = action["runs"]["steps"][0]["run"].as_str().expect("a script");
    let named: BTreeSet<_> = script.split([' ', '\n']).filter_map(|word| word.strip_prefix("file=")).collect();
    let targets = targets();
    // A composite action with bash and tar is not for Windows.
    let archives: BTreeSet<_> =
        targets.iter().filter(|target| !target.contains("windows")).map(|target| archive(target)).collect();
    assert_eq!(named, archives.iter().map(String::as_str).collect());
    assert_eq!(action["inputs"]["version"]["default"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn cargo_binstall_downloads_the_archives_of_the_release() {
    let manifest: toml::Table = file("crates/kubectl-runtime-class/Cargo.toml").parse().expect("TOML");
    let binstall = &manifest["package"]["metadata"]["binstall"];
    let url = binstall["pkg-url"].as_str().expect("a URL");
    let url = url.replace("{ repo }", env!("CARGO_PKG_REPOSITORY")).replace("{ version }", "2.0.0");
    let url = url.replace("{ bin }", NAME).replace("{ target }", "x86_64-unknown-linux-musl");
    assert_eq!(
        url.replace("{ archive-suffix }", ".tar.gz"),
        format!(
            "https://github.com/kubewarden/pod-runtime-class-policy/releases/download/v2.0.0/{}",
            archive("x86_64-unknown-linux-musl")
        )
    );
    assert_eq!(binstall["pkg-fmt"].as_str(), Some("tgz"));
    assert_eq!(binstall["overrides"]["x86_64-pc-windows-msvc"]["pkg-fmt"].as_str(), Some("zip"));
}
