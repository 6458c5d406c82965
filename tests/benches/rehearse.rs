//! What a rehearsal of 100,000 Pods takes, beside what `jq .` takes for the same file: `make bench`.
//!
//! `COMMAND` is the command, as it is released. Fewer `PODS` make a quick run.
use std::{
    env,
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};
use serde_json::{Value, json};
use tests::*;

/// How often each runs, in turn. The least time counts: a machine that does other things is slower.
const RUNS: usize = 3;
const SETTINGS: &str = r#"{"reservedRuntimes": ["runC"], "fallbackRuntime": "kata"}"#;

fn main() {
    let pods = env::var("PODS").map_or(100_000, |pods| pods.parse().expect("a number"));
    let Ok(command) = env::var("COMMAND") else { return println!("rehearse: COMMAND is not set (make bench)") };
    let dump = env::temp_dir().join(format!("rehearse-{}.json", std::process::id()));
    write_dump(&dump, pods);
    let bytes = fs::metadata(&dump).expect("the file").len();
    println!("{pods} Pods, {} MB", bytes / 1_000_000);

    let classes = workspace::root().join("test_data/runtimeclasses.yml");
    let mut rehearse = Command::new(command);
    rehearse.arg("rehearse").arg(&dump).args(["--settings-json", SETTINGS, "--runtime-classes"]).arg(classes);
    let mut jq = Command::new("jq");
    jq.arg(".").arg(&dump);
    // The command first: the kernel tells the largest memory of all children so far.
    let (mut rehearsal, mut other) = (measure(&mut rehearse), measure(&mut jq));
    for _ in 1..RUNS {
        rehearsal.lower(&measure(&mut rehearse));
        other.lower(&measure(&mut jq));
    }
    fs::remove_file(dump).expect("the file");

    println!("| | CPU time | wall time | memory |");
    println!("|---|--:|--:|--:|");
    for (name, cost) in [("rehearse", &rehearsal), ("jq .", &other)] {
        println!("| {name} | {:.1} s | {:.1} s | {} MB |", cost.cpu, cost.wall, cost.memory / 1000);
    }
    println!("CPU time: {:.2} times jq's", rehearsal.cpu / other.cpu);
}

/// A dump as kubectl writes it, of recorded Pods under many names: one without a class, and one of each class. The policy
/// mutates half of them.
fn write_dump(path: &Path, pods: usize) {
    const RECORDED: [&str; 4] = ["pod-create-default", "pod-create-gvisor", "pod-create-kata", "pod-create-runc-plain"];
    let recorded = RECORDED.map(|name| {
        let mut pod = recorded(name)["object"].clone();
        pod["metadata"].as_object_mut().expect("metadata").remove("managedFields");
        pod["status"] = json!({
            "conditions": [{ "lastTransitionTime": "2026-11-25T09:00:00Z", "status": "True", "type": "Ready" }],
            "hostIP": "10.0.0.7",
            "phase": "Running",
            "podIP": "10.244.1.17",
            "qosClass": "Burstable",
            "startTime": "2026-11-25T09:00:00Z",
        });
        let text = String::from_utf8(in_a_list(&pod)).expect("text");
        let name = pod["metadata"]["name"].as_str().expect("a name").to_owned();
        (text, name)
    });
    let mut file = BufWriter::new(File::create(path).expect("a file to write"));
    write!(file, "{{\n    \"apiVersion\": \"v1\",\n    \"items\": [\n").expect("room");
    for number in 0..pods {
        let (text, name) = &recorded[number % recorded.len()];
        let text = text.replacen(&format!("\"name\": \"{name}\""), &format!("\"name\": \"web-{number}\""), 1);
        let comma = if number + 1 < pods { "," } else { "" };
        writeln!(file, "{text}{comma}").expect("room");
    }
    write!(
        file,
        "    ],\n    \"kind\": \"List\",\n    \"metadata\": {{\n        \"resourceVersion\": \"\"\n    }}\n}}\n"
    )
    .expect("room");
}

/// An object with the indentation that it has in a List of kubectl.
fn in_a_list(object: &Value) -> Vec<u8> {
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut text = vec![];
    serde::Serialize::serialize(object, &mut serde_json::Serializer::with_formatter(&mut text, formatter))
        .expect("JSON");
    let text = String::from_utf8(text).expect("text");
    text.lines().map(|line| format!("        {line}")).collect::<Vec<_>>().join("\n").into_bytes()
}

struct Cost {
    cpu: f64,
    wall: f64,
    /// The largest of this and all earlier commands, in KB.
    memory: i64,
}

impl Cost {
    /// Lowers the times to those of another run.
    fn lower(&mut self, other: &Self) {
        self.cpu = self.cpu.min(other.cpu);
        self.wall = self.wall.min(other.wall);
    }
}

fn measure(command: &mut Command) -> Cost {
    let usage = || getrusage(UsageWho::RUSAGE_CHILDREN).expect("the usage of children");
    let cpu = |usage: &nix::sys::resource::Usage| {
        (usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64 / 1e6
    };
    let (before, start) = (usage(), Instant::now());
    let status = command.stdout(Stdio::null()).status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
    let after = usage();
    Cost { cpu: cpu(&after) - cpu(&before), wall: start.elapsed().as_secs_f64(), memory: after.max_rss() }
}
