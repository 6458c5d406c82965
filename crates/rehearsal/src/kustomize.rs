//! Files of [kustomize](https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/), which are no objects of
//! a cluster until kustomize has built them.
use serde_json::Value;

const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Whether a file is one that kustomize looks for.
pub fn is_kustomization(file: &str) -> bool {
    NAMES.contains(&file.rsplit(['/', '\\']).next().unwrap_or_default())
}

/// The files that a kustomization names as patches.
pub fn patches<'k>(file: &str, kustomization: &'k Value) -> impl Iterator<Item = String> + 'k {
    let folder = file.rsplit_once(['/', '\\']).map(|(folder, _)| folder.to_owned()).unwrap_or_default();
    let listed = |key: &str| kustomization[key].as_array().into_iter().flatten();
    let paths = listed("patches").chain(listed("patchesJson6902")).map(|patch| &patch["path"]);
    let paths = paths.chain(listed("patchesStrategicMerge")).filter_map(Value::as_str);
    // A patch may be written in the kustomization itself.
    paths.filter(|path| !path.contains('\n')).map(move |path| joined(&folder, path))
}

/// The path of a file that a file in `folder` names.
fn joined(folder: &str, path: &str) -> String {
    let mut steps: Vec<&str> = folder.split('/').filter(|step| *step != ".").collect();
    for step in path.split('/') {
        match step {
            "." | "" => {}
            ".." if steps.last().is_some_and(|last| *last != ".." && !last.is_empty()) => drop(steps.pop()),
            _ => steps.push(step),
        }
    }
    steps.join("/")
}

/// The form of a path in which files are compared.
pub fn normalized(file: &str) -> String {
    joined("", file).trim_start_matches('/').to_owned()
}
