//! The sources of objects: files, folders, standard input and pipes. Each is read once.
use std::{
    fs::{self, File, Metadata},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, anyhow, bail};
use rehearsal::read::{self, Found};
use serde_json::Value;
use walkdir::WalkDir;

use crate::progress::Progress;

/// The name of standard input.
const STDIN: &str = "-";
const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];

/// An input.
pub struct Source {
    pub name: Arc<str>,
    /// Its length; 0 if it is not known.
    pub bytes: u64,
    content: Content,
}

enum Content {
    /// A file or a pipe. It is opened when it is read: a folder may have more files than a process may open, and who writes
    /// to two pipes may wait for a reader of the first one.
    Path(PathBuf),
    Stream(Box<dyn Read>),
}

/// The sources at these paths; `-` is standard input.
///
/// # Errors
/// A path can't be read.
pub fn sources(paths: &[PathBuf]) -> Result<Vec<Source>> {
    let found: Vec<Vec<Source>> = paths.iter().map(|path| sources_at(path)).collect::<Result<_>>()?;
    Ok(found.into_iter().flatten().collect())
}

fn sources_at(path: &Path) -> Result<Vec<Source>> {
    if path == Path::new(STDIN) {
        return Ok(vec![Source::stdin()]);
    }
    let metadata = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    if metadata.is_dir() {
        return folder(path);
    }
    Ok(vec![Source::path(path, &metadata)])
}

/// The files below a folder that may hold objects, in the order of their names.
fn folder(path: &Path) -> Result<Vec<Source>> {
    let holds_objects = |path: &Path| path.extension().is_some_and(|end| EXTENSIONS.iter().any(|known| end == *known));
    let mut found = vec![];
    for entry in WalkDir::new(path).follow_links(true).sort_by_file_name() {
        let entry = entry.with_context(|| format!("cannot read {}", path.display()))?;
        if entry.file_type().is_file() && holds_objects(entry.path()) {
            let metadata = entry.metadata().with_context(|| format!("cannot read {}", entry.path().display()))?;
            found.push(Source::path(entry.path(), &metadata));
        }
    }
    if found.is_empty() {
        bail!("{} has no file that ends in .json, .yaml or .yml", path.display());
    }
    Ok(found)
}

impl Source {
    fn path(path: &Path, metadata: &Metadata) -> Self {
        let bytes = if metadata.is_file() { metadata.len() } else { 0 };
        Self { name: path.display().to_string().into(), bytes, content: Content::Path(path.to_owned()) }
    }

    /// Standard input.
    pub fn stdin() -> Self {
        Self::stream("standard input", io::stdin())
    }

    /// An input whose length is not known.
    pub fn stream(name: &str, input: impl Read + 'static) -> Self {
        Self { name: name.into(), bytes: 0, content: Content::Stream(Box::new(input)) }
    }

    /// Reads all objects of the source.
    ///
    /// # Errors
    /// It can't be opened.
    pub fn read(self, progress: &Progress, found: &mut dyn FnMut(Found)) -> Result<()> {
        let name = Arc::clone(&self.name);
        read::read(progress.count(self.open()?), &name, found);
        Ok(())
    }

    /// The documents of a small source.
    ///
    /// # Errors
    /// One of them can't be read.
    pub fn documents(self) -> Result<Vec<Value>> {
        let name = Arc::clone(&self.name);
        let mut bytes = vec![];
        self.open()?.read_to_end(&mut bytes).with_context(|| format!("cannot read {name}"))?;
        read::documents(&bytes, &name).map_err(|why| anyhow!("cannot read {why}"))
    }

    fn open(self) -> Result<Box<dyn Read>> {
        match self.content {
            Content::Path(path) => {
                Ok(Box::new(File::open(path).with_context(|| format!("cannot read {}", self.name))?))
            }
            Content::Stream(input) => Ok(input),
        }
    }
}
