//! The name of an image, as far as its pull policy depends on it.
//! <https://kubernetes.io/docs/concepts/containers/images/#imagepullpolicy-defaulting>

/// `Always` for the tag `latest`, also where it is left out, `IfNotPresent` for any other, for a digest, and for
/// what is no name of an image.
pub fn pull_policy(image: &str) -> &'static str {
    match tag(image) {
        Some("latest") => "Always",
        _ => "IfNotPresent",
    }
}

fn tag(image: &str) -> Option<&str> {
    let (rest, digest) = match image.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (image, None),
    };
    // A colon before the last slash belongs to a port.
    let name_start = rest.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match rest.get(name_start..)?.split_once(':') {
        Some((name, tag)) => (rest.get(..name_start + name.len())?, Some(tag)),
        None => (rest, None),
    };
    let identifier = image.len() == 64 && image.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let valid = is_name(name) && tag.is_none_or(is_tag) && digest.is_none_or(is_digest) && !identifier;
    match (valid, tag, digest) {
        (false, ..) | (_, None, Some(_)) => None,
        (_, None, None) => Some("latest"),
        (_, tag, _) => tag,
    }
}

/// Parts in lower case, behind a registry if the first part can be one.
fn is_name(name: &str) -> bool {
    let is_path = |path: &str| path.split('/').all(is_path_part);
    is_path(name) || name.split_once('/').is_some_and(|(registry, path)| is_registry(registry) && is_path(path))
}

fn is_registry(registry: &str) -> bool {
    let (host, port) = match registry.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (registry, None),
    };
    let is_hyphenated = |part: &str| {
        let is_alphanumeric = |c: char| c.is_ascii_alphanumeric();
        part.starts_with(is_alphanumeric)
            && part.ends_with(is_alphanumeric)
            && part.chars().all(|c| is_alphanumeric(c) || c == '-')
    };
    let is_ipv6 = |host: &str| host.bytes().all(|b| b.is_ascii_hexdigit() || b == b':') && !host.is_empty();
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => is_ipv6(address),
        None => host.split('.').all(is_hyphenated),
    };
    is_host && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

/// Lower case letters and digits, with `.`, `_`, `__` or hyphens between them.
fn is_path_part(part: &str) -> bool {
    let is_alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators = part.split(is_alphanumeric).filter(|separator| !separator.is_empty());
    part.starts_with(is_alphanumeric)
        && part.ends_with(is_alphanumeric)
        && separators
            .into_iter()
            .all(|separator| matches!(separator, "." | "_" | "__") || separator.bytes().all(|b| b == b'-'))
}

fn is_tag(tag: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= 128 && tag.starts_with(is_word) && tag.chars().all(|c| is_word(c) || c == '.' || c == '-')
}

fn is_digest(digest: &str) -> bool {
    let Some((algorithm, hash)) = digest.split_once(':') else { return false };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return false,
    };
    hash.len() == length && hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "nginx@sha256:0000000000000000000000000000000000000000000000000000000000000000";
    const DIGEST_AND_LATEST: &str =
        "nginx:latest@sha256:0000000000000000000000000000000000000000000000000000000000000000";

    #[test]
    fn an_image_of_the_tag_latest_is_always_pulled() {
        for image in
            ["nginx", "nginx:latest", "a.example/nginx", "a.example:5000/nginx", "localhost/x/y", DIGEST_AND_LATEST]
        {
            assert_eq!(pull_policy(image), "Always", "{image}");
        }
    }

    #[test]
    fn an_image_of_any_other_tag_a_digest_or_no_valid_name_is_pulled_if_not_present() {
        for image in [
            "nginx:1",
            "a.example:5000/nginx:1",
            DIGEST,
            "",
            "Nginx",
            "a.example/App",
            "nginx:",
            "a//b",
            "nginx:lat est",
            "é",
        ] {
            assert_eq!(pull_policy(image), "IfNotPresent", "{image}");
        }
    }
}
