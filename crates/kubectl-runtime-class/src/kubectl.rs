//! Asks the cluster with the kubectl of the user: what they may list there, it lists.
use std::{
    io::{self, Read},
    path::PathBuf,
    process::{ChildStdout, Command, Stdio},
    thread,
};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use rehearsal::read::{Found, Place};

use crate::source::Source;

pub const RUNTIME_CLASSES: &str = "runtimeclasses";

/// The kinds that are asked for, in this order, and whether they are in a namespace.
const KINDS: [(&str, bool); 6] = [
    ("pods", true),
    ("replicasets", true),
    ("jobs", true),
    ("namespaces", false),
    ("nodes", false),
    (RUNTIME_CLASSES, false),
];

/// Which objects of which cluster, as kubectl has these options.
#[derive(Args)]
#[command(next_help_heading = "Cluster")]
pub struct Cluster {
    /// Ask for the objects of this namespace; for files, the namespace of objects that name none
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// Ask for the objects of all namespaces
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    all_namespaces: bool,
    /// Ask for Pods, ReplicaSets and Jobs with these labels
    #[arg(short = 'l', long, value_name = "LABELS")]
    selector: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

/// Which cluster, as kubectl has these options.
#[derive(Args)]
#[command(next_help_heading = "Cluster")]
pub struct Connection {
    /// The context of the kubeconfig
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// The kubeconfig
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

/// A kind that the user may not list, and the API server's words.
pub struct Forbidden {
    pub kind: &'static str,
    /// Without its objects, the report says less, but it misses no Pod.
    pub is_context: bool,
    pub message: String,
}

impl Forbidden {
    /// What the report lacks.
    pub fn note(&self) -> String {
        format!("You may not list {}: {}.", self.kind, self.message)
    }
}

impl From<Forbidden> for Found {
    fn from(forbidden: Forbidden) -> Self {
        let file = format!("kubectl get {}", forbidden.kind).into();
        Self::Unreadable { place: Place { file, document: 1, item: vec![], line: 1 }, message: forbidden.message }
    }
}

impl Cluster {
    /// Whether an option is given that only a cluster has.
    pub fn is_meant(&self) -> bool {
        let Connection { context, kubeconfig } = &self.connection;
        self.all_namespaces || self.selector.is_some() || context.is_some() || kubeconfig.is_some()
    }

    /// Reads the objects of each kind, and returns the kinds that the user may not list.
    ///
    /// # Errors
    /// There is no kubectl, it does not reach the cluster, or what it prints can't be read.
    pub fn list(&self, read: &mut dyn FnMut(Source) -> Result<()>) -> Result<Vec<Forbidden>> {
        let mut forbidden = vec![];
        for (kind, is_namespaced) in KINDS {
            let options = if is_namespaced { self.options() } else { vec![] };
            if let Err(message) = self.connection.get(kind, &options, &mut *read)? {
                forbidden.push(Forbidden { kind, is_context: !is_namespaced, message });
            }
        }
        Ok(forbidden)
    }

    /// The options for objects in a namespace.
    fn options(&self) -> Vec<String> {
        let namespace = self.namespace.as_ref().map(|name| format!("--namespace={name}"));
        let all = self.all_namespaces.then(|| "--all-namespaces".to_owned());
        let selector = self.selector.as_ref().map(|labels| format!("--selector={labels}"));
        [namespace, all, selector].into_iter().flatten().collect()
    }
}

/// What kubectl prints. It is read to its end: kubectl fails if nobody reads the rest.
struct Output(ChildStdout);

impl Read for Output {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        let _ = io::copy(&mut self.0, &mut io::sink());
    }
}

impl Connection {
    /// Reads the objects of a kind. If the user may not list them, it returns the API server's words.
    ///
    /// # Errors
    /// There is no kubectl, it does not reach the cluster, or what it prints can't be read.
    pub fn get<T>(
        &self,
        kind: &str,
        options: &[String],
        read: impl FnOnce(Source) -> Result<T>,
    ) -> Result<Result<T, String>> {
        let name = format!("kubectl get {kind}");
        let cannot = || format!("cannot run {name}");
        let mut command = Command::new("kubectl");
        command.args(["get", kind, "--output=json"]).args(options);
        command.args(self.context.as_ref().map(|name| format!("--context={name}")));
        if let Some(path) = &self.kubeconfig {
            command.arg("--kubeconfig").arg(path);
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => anyhow!("kubectl is not in the PATH: install it, or name files"),
            _ => anyhow!("{name}: {error}"),
        })?;
        let (output, errors) = (child.stdout.take().with_context(cannot)?, child.stderr.take());
        // kubectl must not wait for a reader of its errors while its output is read.
        let said = thread::spawn(move || errors.map(io::read_to_string));
        let read = read(Source::stream(&name, Output(output)));
        let status = child.wait().with_context(cannot)?;
        let said = said.join().ok().flatten().transpose().with_context(cannot)?.unwrap_or_default();
        let said = said.lines().rfind(|line| !line.is_empty()).unwrap_or("it says nothing");
        if status.success() {
            return read.map(Ok);
        }
        if said.contains("(Forbidden)") {
            return Ok(Err(said.trim_start_matches("Error from server (Forbidden): ").to_owned()));
        }
        bail!("{name}: {said}")
    }
}
