//! The commands of the README print what it shows.
use std::{fs, path::Path, process::Command};

use kubectl_runtime_class::{
    examples::blocks,
    workspace::{module, root},
};

const OUTPUT: &str = " output";

#[test]
fn every_command_of_the_readme_prints_what_it_shows() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let blocks = blocks(&readme);
    let mut shown = 0;
    for [command, output] in blocks.array_windows().filter(|[_, output]| output.info.ends_with(OUTPUT)) {
        assert_eq!(printed(&command.text), output.text, "{}", command.text);
        shown += 1;
    }
    assert_eq!(shown, 2);
}

/// The output of a command, with a `kubectl` that prints a recorded dump.
fn printed(command: &str) -> String {
    let command = command.replace("target/debug/kubectl-runtime_class", env!("CARGO_BIN_EXE_kubectl-runtime_class"));
    let command = command.replace("policy.wasm", module().to_str().expect("a path in UTF-8"));
    let kubectl = "kubectl() { cat test_data/rehearse/readme.json; }";
    let output = Command::new("bash").args(["-c", &format!("{kubectl}\n{command}")]).current_dir(root()).output();
    let output = output.expect("bash");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout).expect("text")
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
    let output = Command::new(env!("CARGO_BIN_EXE_kubectl-runtime_class")).arg("examples").args([module(), &readme]).output();
    assert_eq!(String::from_utf8_lossy(&output.expect("the evaluator").stdout), SHOWN);
}
