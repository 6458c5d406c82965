//! Objects in JSON. The items of a List are read one by one, so that memory never holds the whole List.
use std::{fmt, io::Read, sync::Arc};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::{RawValue, to_raw_value};

use super::documents::{Document, Listed, Place, Sink};

/// Reads the documents of a stream.
pub fn read(reader: impl Read, file: &Arc<str>, sink: &mut Sink) {
    let mut stream = serde_json::Deserializer::from_reader(reader);
    for number in 1.. {
        if stream.end().is_ok() {
            return;
        }
        let place = Place::of(file, number);
        if let Err(error) = (Top { place: &place, sink }).deserialize(&mut stream) {
            return sink(Err(place.unreadable(format_args!("{error}; the rest of the file is not read"))));
        }
    }
}

/// Reads one document.
///
/// # Errors
/// The document is neither an object nor a list.
pub fn read_document(text: &str, place: &Place, sink: &mut Sink) -> serde_json::Result<()> {
    Top { place, sink }.deserialize(&mut serde_json::Deserializer::from_str(text))
}

/// Whether the kind of an object leaves it open that it is a List.
pub fn may_be_a_list(object: &str) -> bool {
    #[derive(Default, Deserialize)]
    struct Kind {
        kind: Option<String>,
    }
    let Kind { kind } = serde_json::from_str(object).unwrap_or_default();
    kind.is_none_or(|kind| kind.ends_with("List"))
}

/// A document: an object, a List of objects as kubectl writes it, or an array of them.
struct Top<'p, 's, 'f> {
    place: &'p Place,
    sink: &'s mut Sink<'f>,
}

impl<'de> DeserializeSeed<'de> for Top<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Top<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object or a list of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut members = Members::default();
        let mut is_list = false;
        while let Some(key) = map.next_key::<String>()? {
            if key == "items" && members.may_be_a_list() {
                is_list = true;
                let listed_as = members.listed_as();
                map.next_value_seed(Items { place: self.place, listed_as, sink: &mut *self.sink })?;
            } else {
                members.0.push((key, map.next_value()?));
            }
        }
        if !(is_list && members.may_be_a_list()) {
            let text = to_raw_value(&members).map_err(A::Error::custom)?;
            (self.sink)(Ok(Document { place: self.place.clone(), text, listed_as: None }));
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error> {
        Items { place: self.place, listed_as: None, sink: self.sink }.visit_seq(items)
    }
}

/// The items of a List.
struct Items<'p, 's, 'f> {
    place: &'p Place,
    listed_as: Option<Listed>,
    sink: &'s mut Sink<'f>,
}

impl<'de> DeserializeSeed<'de> for Items<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of objects")
    }

    /// Go writes an empty list as `null`.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some(text) = items.next_element::<Box<RawValue>>()? {
            number += 1;
            let place = self.place.item(number);
            (self.sink)(Ok(Document { place, text, listed_as: self.listed_as.clone() }));
        }
        Ok(())
    }
}

/// The members of an object in their order. Duplicate keys stay.
#[derive(Default)]
struct Members(Vec<(String, Box<RawValue>)>);

impl Members {
    fn text(&self, key: &str) -> Option<String> {
        let (_, value) = self.0.iter().find(|(found, _)| found == key)?;
        serde_json::from_str(value.get()).ok()
    }

    /// kubectl writes the kind after the items.
    fn may_be_a_list(&self) -> bool {
        self.text("kind").is_none_or(|kind| kind.ends_with("List"))
    }

    fn listed_as(&self) -> Option<Listed> {
        let mut kind = self.text("kind")?;
        kind.truncate(kind.strip_suffix("List")?.len());
        if kind.is_empty() {
            return None;
        }
        let api_version = self.text("apiVersion").unwrap_or_default();
        Some(Listed { api_version, kind })
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}
