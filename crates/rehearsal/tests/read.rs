//! Inputs, read.

use std::fmt::Write;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fs, iter};

use rehearsal::read::{Document, Found, Place, documents, read};
use serde_json::{Value, json};

#[derive(Debug, Default)]
struct Answer {
    objects: Vec<Document>,
    others: Vec<Place>,
    unreadable: Vec<(Place, String)>,
}

impl Answer {
    fn values(&self) -> Vec<Value> {
        self.objects.iter().map(|object| object.value().unwrap().0).collect()
    }

    fn names(&self) -> Vec<String> {
        self.values().iter().map(|value| value["metadata"]["name"].as_str().unwrap_or_default().to_owned()).collect()
    }

    fn places(&self) -> Vec<String> {
        self.objects.iter().map(|object| format!("{} line {}", object.place, object.place.line)).collect()
    }

    #[track_caller]
    fn is_clean(&self) {
        assert!(self.others.is_empty() && self.unreadable.is_empty(), "{self:?}");
    }
}

fn answer(input: impl AsRef<[u8]>) -> Answer {
    let mut answer = Answer::default();
    read(input.as_ref(), &Arc::from("FILE"), &mut |found| match found {
        Found::Object(document) => answer.objects.push(document),
        Found::NotAnObject(Document { place, .. }) => answer.others.push(place),
        Found::Unreadable { place, message } => answer.unreadable.push((place, message)),
    });
    answer
}

fn field(name: &str) -> Answer {
    answer(fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test_data/field").join(name)).unwrap())
}

fn pod(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name }, "spec": { "hostNetwork": true } })
}

#[test]
fn the_same_objects_are_read_in_whatever_form_they_come() {
    let pods: Vec<Value> = ["a", "b", "c"].map(pod).into();
    let yaml = "apiVersion: v1\nkind: Pod\nmetadata: {name: NAME}\nspec:\n  hostNetwork: yes\n";
    let yamls = ["a", "b", "c"].map(|name| yaml.replace("NAME", name)).join("---\n");
    let items = yaml.replace('\n', "\n  ").trim_end().to_owned();
    let lines = pods.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    let untyped: Vec<Value> =
        ["a", "b", "c"].map(|name| json!({ "metadata": { "name": name }, "spec": { "hostNetwork": true } })).into();
    for input in [
        lines.clone(),
        lines.replace('\n', ""),
        json!(pods).to_string(),
        json!({ "apiVersion": "v1", "kind": "List", "items": pods }).to_string(),
        json!([{ "apiVersion": "v1", "kind": "List", "items": pods }]).to_string(),
        json!({ "apiVersion": "v1", "kind": "PodList", "items": untyped }).to_string(),
        format!(r#"{{"items":{},"kind":"PodList","apiVersion":"v1"}}"#, json!(untyped)),
        yamls.clone(),
        yamls.replace('\n', "\r\n"),
        format!("\u{FEFF}{yamls}"),
        format!("---\n{yamls}...\n"),
        ["a", "b", "c"].iter().fold("kind: List\napiVersion: v1\nitems:\n".into(), |list, name| {
            format!("{list}- {}\n", items.replace("NAME", name))
        }),
    ] {
        let answer = answer(&input);
        answer.is_clean();
        assert_eq!(answer.values(), pods, "{input}");
    }
}

#[test]
fn a_byte_order_mark_chooses_utf_16() {
    let text = "\u{FEFF}{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"é😀\"}}";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for input in [text.as_bytes(), &little, &big] {
        assert_eq!(answer(input).names(), ["é😀"]);
    }
}

/// Gives a byte at a time, as a slow pipe does.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match (self.0.split_first(), buffer.first_mut()) {
            (Some((byte, rest)), Some(place)) => {
                *place = *byte;
                self.0 = rest;
                Ok(1)
            }
            _ => Ok(0),
        }
    }
}

#[test]
fn where_an_input_is_cut_into_chunks_makes_no_difference() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test_data/kubectl");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "in") {
            continue;
        }
        let input = fs::read(&path).unwrap();
        let mut slowly = Vec::new();
        read(BufReader::with_capacity(1, Slow(&input)), &Arc::from("FILE"), &mut |found| {
            slowly.push(format!("{found:?}"))
        });
        let mut at_once = Vec::new();
        read(&input[..], &Arc::from("FILE"), &mut |found| at_once.push(format!("{found:?}")));
        assert_eq!(slowly, at_once, "{}", path.display());
    }
}

#[test]
fn a_place_names_the_document_the_item_and_the_line() {
    let yaml = "# a comment\n---\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n\n- apiVersion: v1\n  kind: List\n  items:\n  - {apiVersion: v1,\n    kind: Pod}\n---\n\nkind: Pod\napiVersion: v1\n";
    assert_eq!(
        answer(yaml).places(),
        ["FILE, document 1, item 1 line 6", "FILE, document 1, item 2.1 line 12", "FILE, document 2 line 16"]
    );
    let json = "\n{\"apiVersion\":\"v1\",\n\"items\":[\n{\"kind\":\"Pod\",\"apiVersion\":\"v1\"},{\"kind\":\"Pod\",\n\"apiVersion\":\"v1\"},\n{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}],\"kind\":\"List\"}\n{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}";
    assert_eq!(
        answer(json).places(),
        [
            "FILE, document 1, item 1 line 4",
            "FILE, document 1, item 2 line 4",
            "FILE, document 1, item 3 line 6",
            "FILE, document 2 line 7"
        ]
    );
}

#[test]
fn what_is_broken_is_named_and_the_rest_is_read() {
    let yaml = answer(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\na: b: c\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: b}\n",
    );
    assert_eq!(yaml.names(), ["a", "b"]);
    let [(place, message)] = &yaml.unreadable[..] else { panic!("{yaml:?}") };
    assert_eq!((place.document, place.line), (2, 5));
    assert_eq!(message, "line 5: mapping values are not allowed in this context");

    let lines = answer(format!("{}\n{{\"kind\": \n{}\n{}", pod("a"), pod("b"), pod("c")));
    assert_eq!(lines.names(), ["a", "b", "c"]);
    assert_eq!(lines.unreadable.len(), 1);
}

#[test]
fn a_list_that_cannot_be_opened_is_named() {
    for input in [
        r#"{"apiVersion":"v1","kind":"List","items":{"a":1}}"#,
        "apiVersion: v1\nkind: List\nitems: 5\n",
        "apiVersion: v1\nkind: List\nitems: |\n  - kind: Pod\n",
    ] {
        let answer = answer(input);
        assert!(answer.unreadable[0].1.ends_with("items must be a list"), "{answer:?}");
    }
    let nested =
        iter::repeat_n(r#"{"apiVersion":"v1","kind":"List","items":["#, 100).collect::<String>() + &"]}".repeat(100);
    assert!(answer(nested).unreadable[0].1.contains("nested too deeply"));
}

#[test]
fn what_is_no_object_is_counted_apart() {
    let answer = answer(
        "image: {tag: 1}\nreplicas: 2\n---\njust text\n---\nkind: Deployment\n---\n- a\n---\napiVersion: v1\nkind: Pod\n---\n# nothing\n---\nnull\n",
    );
    assert_eq!((answer.objects.len(), answer.others.len(), answer.unreadable.len()), (1, 4, 0), "{answer:?}");
}

#[test]
fn the_last_of_two_members_counts_and_the_paths_are_told() {
    let json = r#"{"apiVersion":"v1","kind":"Service","kind":"Pod","spec":{"containers":[{"name":"a","image":"x"},{"name":"b","image":"x","image":"z"}]}}"#;
    let yaml = "apiVersion: v1\nkind: Service\nkind: Pod\nspec:\n  containers:\n  - {name: a, image: x}\n  - {name: b, image: x, image: z}\n";
    for input in [json, yaml] {
        let answer = answer(input);
        assert_eq!(answer.objects[0].kind(), "Pod");
        let (value, duplicates) = answer.objects[0].value().unwrap();
        assert_eq!(value["spec"]["containers"][1]["image"], "z");
        assert_eq!(duplicates, ["kind", "spec.containers[1].image"]);
    }
}

#[test]
fn metadata_that_no_object_can_have_is_an_error() {
    for (metadata, message) in [
        ("a", r#"metadata must be an object, got "a""#),
        ("{name: 5}", "metadata.name must be a string, got 5"),
        ("{labels: {on: yes}}", "metadata.labels.true must be a string, got true"),
        ("{annotations: [a]}", "metadata.annotations must be an object, got a list"),
    ] {
        let answer = answer(format!("apiVersion: v1\nkind: Pod\nmetadata: {metadata}\n"));
        assert_eq!(answer.objects[0].value().unwrap_err(), message);
    }
}

/// A List that is larger than what is held in memory.
fn large_list(start: &str, items: impl Iterator<Item = String>, end: &str) -> String {
    let mut list = format!("{{{start}\"items\":[");
    for (index, item) in items.enumerate() {
        write!(list, "{}\n{item}", if index == 0 { "" } else { "," }).unwrap();
    }
    list + "\n]" + end + "}"
}

#[test]
fn a_large_list_is_read_item_by_item() {
    let padding = "x".repeat(1000);
    let items = || (0..10_000).map(|number| format!(r#"{{"metadata":{{"name":"{number}"}},"x":"{padding}"}}"#));
    let first = large_list(r#""kind":"PodList","apiVersion":"v1","#, items(), "");
    let last = large_list("", items(), r#","kind":"PodList","apiVersion":"v1""#);
    let slurped = format!("[{first},{last}]");
    assert!(first.len() > 8 << 20);
    for (input, times) in [(&first, 1), (&last, 1), (&slurped, 2)] {
        let answer = answer(input);
        answer.is_clean();
        assert_eq!(answer.objects.len(), times * 10_000);
        let object = &answer.objects[9_998];
        assert_eq!(object.kind(), "Pod");
        let (value, _) = object.value().unwrap();
        assert_eq!((&value["apiVersion"], &value["metadata"]["name"]), (&json!("v1"), &json!("9998")));
        assert_eq!(object.place.item.last(), Some(&9999));
    }
    assert_eq!(answer(&first).objects[0].place.line, 2);

    // It is no List after all.
    let object = format!(r#"{{"apiVersion":"v1","kind":"ConfigMap","data":{{"a":"{}"}}}}"#, "x".repeat(5 << 20));
    assert_eq!(answer(object).objects[0].kind(), "ConfigMap");

    // What waits for its kind is told.
    let cut = answer(&last[..6 << 20]);
    assert!(cut.others.len() > 5000 && cut.unreadable.len() == 1, "{} {}", cut.others.len(), cut.unreadable.len());

    let broken = answer(first.replace(r#"{"metadata":{"name":"5000"}"#, "{5000"));
    assert_eq!(broken.objects.len(), 5000);
    assert_eq!(broken.unreadable[0].0.line, 5002);
}

#[test]
fn no_input_takes_long() {
    let deep = |open: &str, length: usize| open.repeat(length / open.len());
    let bomb = (1..30).fold("a0: &a0 [x, x]\n".to_owned(), |yaml, level| {
        let below = level - 1;
        format!("{yaml}a{level}: &a{level} [*a{below}, *a{below}]\n")
    });
    let merges = (1..30).fold("a0: &a0 {x: 1}\n".to_owned(), |yaml, level| {
        let below = level - 1;
        format!("{yaml}a{level}: &a{level} {{<<: [*a{below}, *a{below}], k{level}: 1}}\n")
    });
    let wide = format!("a: &a \"{}\"\nb: [{}]\n", "x".repeat(100_000), "*a,".repeat(100_000));
    for input in [
        deep("[", 100_000),
        format!("a: {}", deep("[", 100_000)),
        deep("{a: ", 100_000),
        deep("- ", 100_000),
        deep("? ", 100_000),
        format!("x: {}{}", deep("[", 9_000), deep("a,", 100_000)),
        deep("{\"a\":[\n", 100_000),
        deep("{\"items\":[", 100_000),
        deep("!a,", 10_000),
        format!("[{}]", deep("a:,", 100_000)),
        format!("a: \"{}\"", deep("\\'", 100_000)),
        deep("{\n", 100_000),
        deep("---\n", 100_000),
        deep("&a *a ", 100_000),
        bomb,
        merges,
        wide,
        "a: &a [*a]".into(),
        "a: &a {<<: *a}".into(),
    ] {
        let start = Instant::now();
        let answer = answer(&input);
        let start_of = &input[..input.len().min(40)];
        assert!(start.elapsed() < Duration::from_secs(20), "{start_of}: {:?}", start.elapsed());
        assert!(answer.objects.is_empty(), "{start_of}");
    }
}

/// Reproducible noise (xorshift).
struct Noise(u64);

impl Noise {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

#[test]
fn no_input_panics() {
    const WORDS: &[&str] = &[
        "apiVersion: v1\n",
        "kind: Pod\n",
        "items:\n",
        "- ",
        "-",
        "  ",
        "\n",
        "\r\n",
        "\r",
        "---\n",
        "...\n",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        ": ",
        "?",
        "? ",
        "\"",
        "'",
        "\\",
        "\\'",
        "\\/",
        "\\u12",
        "\\ud800",
        "|",
        ">",
        "|-\n",
        "|2\n",
        "&a ",
        "*a",
        "!",
        "!a,",
        "!!int ",
        "!<",
        "%",
        "%YAML 1.1\n",
        "#",
        "<<: ",
        "\t",
        "~",
        "null",
        "1",
        "0x",
        "1e999",
        "\u{FEFF}",
        "\u{85}",
        "\u{2028}",
        "\u{10FFFE}",
        "é",
        "😀",
        "\0",
        "\"items\":",
        "\"kind\":\"PodList\"",
        "\"apiVersion\":\"v1\"",
        "{}",
        "[]",
        "@",
        "`",
        "=",
    ];
    let mut noise = Noise(0x5EED);
    for _ in 0..20_000 {
        let mut input = Vec::new();
        for _ in 0..noise.below(20) {
            match noise.below(12) {
                0 => input.push(noise.below(256) as u8),
                _ => input.extend_from_slice(WORDS[noise.below(WORDS.len())].as_bytes()),
            }
        }
        for object in answer(&input).objects {
            let _ = object.value();
        }
        let _ = documents(&input, "FILE");
    }
}

#[test]
fn a_corpus_with_bytes_changed_does_not_panic() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test_data/kubectl");
    let mut inputs: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    let mut noise = Noise(0xC0FFEE);
    for path in inputs.iter().filter(|path| path.extension().is_some_and(|extension| extension == "in")) {
        let original = fs::read(path).unwrap();
        if original.len() > 2000 {
            continue;
        }
        for _ in 0..40 {
            let mut input = original.clone();
            for _ in 0..=noise.below(3) {
                let at = noise.below(input.len());
                match noise.below(3) {
                    0 => input.insert(at, b" \n\t\"'\\:-[]{},?#&*!|>%@`\r\xFF\x00"[noise.below(25)]),
                    1 if !input.is_empty() => drop(input.remove(at)),
                    _ => input.truncate(noise.below(input.len() + 1).max(at)),
                }
            }
            for object in answer(&input).objects {
                let _ = object.value();
            }
        }
    }
}

#[test]
fn documents_are_values_or_the_first_error() {
    assert_eq!(documents(b"a: yes\n---\n# nothing\n---\n[1]\n", "FILE").unwrap(), [json!({ "a": true }), json!([1])]);
    assert_eq!(
        documents(b"{\"items\": [1.0]}{\"b\": null}", "FILE").unwrap(),
        [json!({ "items": [1] }), json!({ "b": null })]
    );
    assert_eq!(documents(b"", "FILE").unwrap(), Vec::<Value>::new());
    assert_eq!(
        documents(b"a: 1\n---\nb: c: d\n", "FILE").unwrap_err(),
        "FILE, document 2: line 3: mapping values are not allowed in this context"
    );
}

#[test]
fn yaml_1_1_has_yes_and_on() {
    let answer = field("20-yaml11.yml");
    answer.is_clean();
    let spec = &answer.values()[0]["spec"]["template"]["spec"];
    assert_eq!((&spec["hostNetwork"], &spec["hostPID"]), (&json!(true), &json!(true)));
    assert_eq!(spec["containers"][0]["securityContext"]["privileged"], true);
}

#[test]
fn files_with_a_byte_order_mark_are_read() {
    for name in [
        "21-bom-comment.yml",
        "21-bom-marker.yml",
        "21-utf16le.yml",
        "21-utf8bom.json",
        "21-utf8bom.yml",
        "21-bom-classes.yml",
    ] {
        let answer = field(name);
        answer.is_clean();
        assert!(!answer.objects.is_empty(), "{name}");
    }
    let settings =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test_data/field/21-bom-settings.yml")).unwrap();
    assert!(documents(&settings, "FILE").unwrap()[0].is_object());
}

#[test]
fn duplicate_keys_are_no_error() {
    let answer = field("22-duplicate-keys.yml");
    answer.is_clean();
    assert!(answer.objects.iter().any(|object| !object.value().unwrap().1.is_empty()));
}

#[test]
fn items_of_a_pod_list_are_pods() {
    for name in ["23-podlist.yml", "23-podlist-kind-first.yml"] {
        let answer = field(name);
        answer.is_clean();
        assert!(answer.objects.iter().all(|object| object.kind() == "Pod"), "{answer:?}");
        assert!(answer.values().iter().all(|pod| pod["apiVersion"] == "v1" && pod["kind"] == "Pod"));
    }
}

#[test]
fn an_anchor_of_one_item_is_known_in_the_next() {
    let answer = field("24-list-anchors.yml");
    answer.is_clean();
    assert!(answer.objects.len() > 1);
}

#[test]
fn an_array_of_lists_is_opened() {
    let answer = field("29-slurped.json");
    answer.is_clean();
    assert_eq!(answer.objects.iter().map(Document::kind).collect::<Vec<_>>(), ["Pod", "RuntimeClass"]);
}

#[test]
fn the_files_of_a_gitops_repository_hold_objects_and_others() {
    assert_eq!(field("28-gitops/deployment.yaml").objects.len(), 1);
    for name in ["28-gitops/values.yaml", "28-gitops/kustomization.yaml", "28-gitops/.github/workflows/ci.yml"] {
        let answer = field(name);
        assert_eq!((answer.objects.len(), answer.others.len(), answer.unreadable.len()), (0, 1, 0), "{name}");
    }
}
