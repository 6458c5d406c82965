//! The sources of objects: files, folders and standard input. Each is read twice.
use std::{
    fs::{self, File},
    io::{self, Read, Seek},
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

/// An input that can be read again.
pub struct Source {
    pub name: Arc<str>,
    pub bytes: u64,
    content: Content,
}

enum Content {
    File(PathBuf),
    /// Standard input or a pipe, kept in a temporary file.
    Spooled(File),
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
        return Ok(vec![Source::stdin()?]);
    }
    let metadata = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    if metadata.is_dir() {
        return folder(path);
    }
    Ok(vec![Source::file(path)?])
}

/// Reads all objects of the sources.
///
/// # Errors
/// A source can't be opened.
pub fn read(sources: &[Source], progress: &Progress, found: &mut dyn FnMut(Found)) -> Result<()> {
    for source in sources {
        read::read(progress.count(source.open()?), &source.name, found);
    }
    Ok(())
}

/// The files below a folder that may hold objects, in the order of their names.
fn folder(path: &Path) -> Result<Vec<Source>> {
    let holds_objects = |path: &Path| path.extension().is_some_and(|end| EXTENSIONS.iter().any(|known| end == *known));
    let mut found = vec![];
    for entry in WalkDir::new(path).follow_links(true).sort_by_file_name() {
        let entry = entry.with_context(|| format!("cannot read {}", path.display()))?;
        if entry.file_type().is_file() && holds_objects(entry.path()) {
            found.push(Source::file(entry.path())?);
        }
    }
    if found.is_empty() {
        bail!("{} has no file that ends in .json, .yaml or .yml", path.display());
    }
    Ok(found)
}

impl Source {
    fn file(path: &Path) -> Result<Self> {
        let cannot = || format!("cannot read {}", path.display());
        let name = path.display().to_string();
        let file = File::open(path).with_context(cannot)?;
        let metadata = file.metadata().with_context(cannot)?;
        if metadata.is_file() {
            let content = Content::File(path.to_owned());
            return Ok(Self { name: name.into(), bytes: metadata.len(), content });
        }
        Self::spool(name, file)
    }

    /// Standard input.
    ///
    /// # Errors
    /// It can't be read.
    pub fn stdin() -> Result<Self> {
        Self::spool("standard input".to_owned(), io::stdin().lock())
    }

    /// An input that can be read once, kept in a temporary file.
    pub fn spool(name: String, mut input: impl Read) -> Result<Self> {
        let mut file = tempfile::tempfile().context("cannot make a temporary file")?;
        let bytes =
            io::copy(&mut input, &mut file).with_context(|| format!("cannot keep {name} in a temporary file"))?;
        Ok(Self { name: name.into(), bytes, content: Content::Spooled(file) })
    }

    /// Reads the source from its start.
    ///
    /// # Errors
    /// The file can't be opened anymore.
    pub fn open(&self) -> Result<Box<dyn Read + '_>> {
        let cannot = || format!("cannot read {}", self.name);
        match &self.content {
            Content::File(path) => Ok(Box::new(File::open(path).with_context(cannot)?)),
            Content::Spooled(file) => {
                let mut file = file;
                file.rewind().with_context(cannot)?;
                Ok(Box::new(file))
            }
        }
    }

    /// The documents of a small source.
    ///
    /// # Errors
    /// One of them can't be read.
    pub fn documents(&self) -> Result<Vec<Value>> {
        let mut bytes = vec![];
        self.open()?.read_to_end(&mut bytes).with_context(|| format!("cannot read {}", self.name))?;
        read::documents(&bytes, &self.name).map_err(|why| anyhow!("cannot read {why}"))
    }
}
