use std::{fmt, fmt::Formatter};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// The members of an object, in their order, and with duplicates: their values as they are written.
struct Members(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = vec![];
                while let Some((key, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    members.push((key, value.get().to_owned()));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// Asserts that a mutation changed what it may change of a Pod, and no other byte of any value.
pub fn only_the_class_changed(pod: &str, mutated: &str, fallback: &str) {
    let (before, after) = (members(pod), members(mutated));
    assert_eq!(keys(&before), keys(&after), "the members of the Pod are the same, in the same order");
    for ((key, before), (_, after)) in before.iter().zip(&after) {
        if key == "spec" {
            only_the_class_of_the_spec_changed(before, after, fallback);
        } else {
            assert_eq!(before, after, "{key}");
        }
    }
}

fn only_the_class_of_the_spec_changed(before: &str, after: &str, fallback: &str) {
    let (mut before, after) = (members(before), members(after));
    before.retain(|(key, _)| key != "overhead");
    if !keys(&before).contains(&"runtimeClassName") {
        before.push(("runtimeClassName".to_owned(), "null".to_owned()));
    }
    assert_eq!(keys(&before), keys(&after), "the members of the spec are the same, in the same order");
    for ((key, before), (_, after)) in before.iter().zip(&after) {
        match key.as_str() {
            "runtimeClassName" => assert_eq!(after, &format!("\"{fallback}\"")),
            "nodeSelector" if before != after => assert_subsequence(&members(before), &members(after)),
            "tolerations" if before != after => assert_subsequence(&items(before), &items(after)),
            _ => assert_eq!(before, after, "{key}"),
        }
    }
}

/// Asserts that nothing was added or moved.
fn assert_subsequence<T: PartialEq + fmt::Debug>(before: &[T], after: &[T]) {
    let mut rest = before.iter();
    assert!(after.iter().all(|one| rest.any(|other| other == one)), "{after:?} is not left of {before:?}");
}

fn keys(members: &[(String, String)]) -> Vec<&str> {
    members.iter().map(|(key, _)| key.as_str()).collect()
}

fn members(object: &str) -> Vec<(String, String)> {
    serde_json::from_str::<Members>(object).unwrap_or_else(|error| panic!("{error} in {object}")).0
}

fn items(list: &str) -> Vec<String> {
    let items: Vec<Box<RawValue>> = serde_json::from_str(list).unwrap_or_else(|error| panic!("{error} in {list}"));
    items.iter().map(|item| item.get().to_owned()).collect()
}
