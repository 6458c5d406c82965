//! A list of container runtimes: what an entry may be, and what it matches.
use std::{borrow::Cow, fmt};

use crate::object::Text;

/// The longest name of a Kubernetes object, in bytes.
const MAX_NAME: usize = 253;

/// Names of RuntimeClasses or of handlers, in which `*` matches any characters, including none.
#[derive(Debug, PartialEq)]
pub struct Runtimes<'a>(Vec<Text<'a>>);

impl<'a> Runtimes<'a> {
    /// The list of these entries, or `None` if there are none.
    ///
    /// # Errors
    /// An entry can't match the name of any class or handler.
    pub fn new(entries: Vec<Text<'a>>) -> Result<Option<Self>, Cow<'a, str>> {
        match entries.iter().find(|Text(entry)| !could_match(entry)) {
            Some(Text(entry)) => Err(entry.clone()),
            None => Ok(Some(Self(entries)).filter(|runtimes| !runtimes.0.is_empty())),
        }
    }

    /// Whether an entry matches `name`, of a class or of a handler. ASCII case is ignored.
    pub fn matches(&self, name: &str) -> bool {
        self.0.iter().any(|Text(entry)| entry_matches(entry.as_bytes(), name.as_bytes()))
    }
}

/// A name that a RuntimeClass can have: an
/// [RFC 1123 subdomain](https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names).
#[derive(Clone, Copy, Debug)]
pub struct ClassName<'a>(&'a str);

impl<'a> ClassName<'a> {
    pub fn new(text: &'a str) -> Option<Self> {
        is_name(text, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()).then_some(Self(text))
    }

    pub fn as_str(self) -> &'a str {
        self.0
    }
}

/// Whether an entry can match a name. A `*` counts as a letter, as it can match one.
fn could_match(entry: &str) -> bool {
    is_name(entry, |byte| byte.is_ascii_alphanumeric() || byte == b'*')
}

/// Whether a name consists of labels between dots: letters and, between them, hyphens.
fn is_name(name: &str, is_letter: impl Fn(u8) -> bool) -> bool {
    let mut before = b'.';
    for byte in name.bytes() {
        let is_in_place = match byte {
            b'.' => is_letter(before),
            b'-' => before != b'.',
            letter => is_letter(letter),
        };
        if !is_in_place {
            return false;
        }
        before = byte;
    }
    is_letter(before) && name.len() <= MAX_NAME
}

/// Whether `entry` matches the whole of `name`.
///
/// Each literal between two `*` is matched where it first occurs. If that leaves no match for the
/// literals after it, no later place does, so nothing is tried twice.
fn entry_matches(entry: &[u8], name: &[u8]) -> bool {
    let mut literals = entry.split(|byte| *byte == b'*');
    let first = literals.next().unwrap_or_default();
    let Some((start, mut rest)) = name.split_at_checked(first.len()) else { return false };
    if !start.eq_ignore_ascii_case(first) {
        return false;
    }
    let Some(last) = literals.next_back() else { return rest.is_empty() };
    for literal in literals.filter(|literal| !literal.is_empty()) {
        let found = rest.windows(literal.len()).position(|window| window.eq_ignore_ascii_case(literal));
        match found.and_then(|at| rest.get(at.saturating_add(literal.len())..)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    let end = rest.len().checked_sub(last.len()).and_then(|at| rest.get(at..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(last))
}

impl fmt::Display for Runtimes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|Text(entry)| entry)).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use rstest::rstest;

    use super::{ClassName, Runtimes, Text};

    fn list(entry: &str) -> Result<Option<Runtimes<'_>>, Cow<'_, str>> {
        Runtimes::new(vec![Text(Cow::Borrowed(entry))])
    }

    #[rstest]
    #[case("kata", &["kata", "KATA"], &["kata-qemu", "my-kata", "kat", ""])]
    #[case("kata-*", &["kata-qemu", "kata-", "KATA-clh"], &["kata", "my-kata-qemu"])]
    #[case("*-kata", &["containerd-kata", "-kata"], &["kata", "containerd-kata-qemu"])]
    #[case("*", &["kata", "a"], &[])]
    #[case("**", &["kata"], &[])]
    #[case("k*a", &["kata", "ka", "k8s.a"], &["kat", "a", "k", "xkata"])]
    #[case("*a*b*", &["ab", "xaxbx", "aab"], &["ba", "b", "a"])]
    #[case("ab*ba", &["abba", "abxba"], &["aba"])]
    #[case("*aab", &["aaab", "aab"], &["ab", "aaba"])]
    #[case("a*ab*b", &["aabb", "axabyb"], &["aab", "abb"])]
    #[case("a.b", &["a.b"], &["axb"])]
    fn an_entry_matches_whole_names(#[case] entry: &str, #[case] hits: &[&str], #[case] misses: &[&str]) {
        let runtimes = list(entry).expect("a valid entry").expect("a list");
        for name in hits {
            assert!(runtimes.matches(name), "{entry} matches {name}");
        }
        for name in misses {
            assert!(!runtimes.matches(name), "{entry} does not match {name}");
        }
    }

    #[rstest]
    #[case("")]
    #[case("kata_qemu")]
    #[case("run c")]
    #[case("runc?")]
    #[case("-kata")]
    #[case("kata-")]
    #[case("-*")]
    #[case("kata..*")]
    #[case(".kata")]
    #[case("kata.")]
    #[case("[a-z]")]
    #[case("runç")]
    #[case(&"a".repeat(254))]
    fn an_entry_that_matches_nothing_is_an_error(#[case] entry: &str) {
        assert_eq!(list(entry), Err(Cow::Borrowed(entry)));
    }

    #[test]
    fn no_entries_are_no_list() {
        assert_eq!(Runtimes::new(vec![]), Ok(None));
    }

    #[rstest]
    #[case("kata", true)]
    #[case("a.sub-domain.9", true)]
    #[case(&"a".repeat(253), true)]
    #[case("Kata", false)]
    #[case("kata-*", false)]
    #[case("kata-", false)]
    #[case("", false)]
    #[case(&"a".repeat(254), false)]
    fn a_class_name_is_an_rfc_1123_subdomain(#[case] name: &str, #[case] is_one: bool) {
        assert_eq!(ClassName::new(name).is_some(), is_one);
    }
}
