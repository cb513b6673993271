//! The fields of somebody else's JSON file: they stay in their order, those that nobody here knows too,
//! so that what is written back is what was there but for what changed.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;

/// A JSON object whose fields stay in their order. Names are found whatever their case, as by the
/// SDKs.
#[derive(Clone, Default)]
pub(super) struct Fields(Vec<(String, Node)>);

/// The value of a field.
#[derive(Clone, Deserialize, Serialize)]
#[serde(untagged)]
enum Node {
    Object(Fields),
    Plain(Value),
}

impl Fields {
    /// A text that is not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let (_, Node::Plain(value)) = self.find(name)? else { return None };
        value.as_str().filter(|text| !text.is_empty())
    }

    /// An object.
    pub(super) fn object(&self, name: &str) -> Option<&Self> {
        let (_, Node::Object(fields)) = self.find(name)? else { return None };
        Some(fields)
    }

    /// Sets a text: where it stands, or behind all others.
    pub(super) fn set(&mut self, name: &str, text: &str) {
        self.put(name, Node::Plain(Value::from(text)));
    }

    /// Sets an object.
    pub(super) fn set_object(&mut self, name: &str, fields: Self) {
        self.put(name, Node::Object(fields));
    }

    fn find(&self, name: &str) -> Option<&(String, Node)> {
        self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))
    }

    fn put(&mut self, name: &str, node: Node) {
        match self.0.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(name)) {
            Some((_, value)) => *value = node,
            None => self.0.push((name.to_owned(), node)),
        }
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object(PhantomData<()>);

        impl<'de> Visitor<'de> for Object {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields: Vec<(String, Node)> = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, Node>()? {
                    // the last of two wins, in the place of the first, as in Python
                    match fields.iter_mut().find(|(known, _)| *known == key) {
                        Some((_, old)) => *old = value,
                        None => fields.push((key, value)),
                    }
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Object(PhantomData))
    }
}
