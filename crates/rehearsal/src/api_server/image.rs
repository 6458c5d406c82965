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

/// A registry, if the first part looks like one, and parts in lower case.
fn is_name(name: &str) -> bool {
    let path = match name.split_once('/') {
        Some((host, path))
            if host == "localhost" || host.contains(['.', ':']) || host.chars().any(|c| c.is_ascii_uppercase()) =>
        {
            let (domain, port) = host.split_once(':').unwrap_or((host, "0"));
            let is_part = |part: &str| {
                part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                    && !part.is_empty()
                    && !part.starts_with('-')
                    && !part.ends_with('-')
            };
            let is_domain = domain.split('.').all(is_part) || (domain.starts_with('[') && host.contains(']'));
            if !is_domain || port.is_empty() {
                return false;
            }
            path
        }
        _ => name,
    };
    path.split('/').all(is_path_part)
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
    digest.split_once(':').is_some_and(|(algorithm, hex)| {
        algorithm.starts_with(|c: char| c.is_ascii_alphabetic())
            && hex.len() >= 32
            && hex.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_of_the_tag_latest_is_always_pulled() {
        for image in [
            "nginx",
            "nginx:latest",
            "a.example/nginx",
            "a.example:5000/nginx",
            "localhost/x/y",
            "a.example/nginx:latest@sha256:00000000000000000000000000000000",
        ] {
            assert_eq!(pull_policy(image), "Always", "{image}");
        }
    }

    #[test]
    fn an_image_of_any_other_tag_a_digest_or_no_valid_name_is_pulled_if_not_present() {
        for image in [
            "nginx:1",
            "a.example:5000/nginx:1",
            "nginx@sha256:00000000000000000000000000000000",
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
