//! A kubeconfig as clients read it: three lists of named entries, and the rest.

use fleetkey_provider::{Error, Fingerprint, Result, quoted, shown};
use serde_json::Value;

use super::yaml::{self, Id, Kind, TooMuch, Tree};

/// One kubeconfig.
pub(crate) struct Document<'a> {
    /// Its text, with the place of every value.
    pub(crate) tree: Tree<'a>,
}

/// One of the lists.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Section {
    /// Where clusters are, and whom to believe there.
    Clusters,
    /// Which user goes to which cluster.
    Contexts,
    /// Who one is.
    Users,
}

impl Section {
    /// All of them, in the order clients write them.
    pub(crate) const ALL: [Self; 3] = [Self::Clusters, Self::Contexts, Self::Users];

    /// The key of the list.
    pub(crate) fn list(self) -> &'static str {
        match self {
            Self::Clusters => "clusters",
            Self::Contexts => "contexts",
            Self::Users => "users",
        }
    }

    /// The key of the value in an entry.
    pub(crate) fn one(self) -> &'static str {
        match self {
            Self::Clusters => "cluster",
            Self::Contexts => "context",
            Self::Users => "user",
        }
    }

    /// The list of that key.
    pub(crate) fn parse(list: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.list() == list)
    }
}

/// A named entry of a list.
#[derive(Clone, Debug)]
pub(crate) struct Entry<'d> {
    /// Its name; empty if it has none.
    pub(crate) name: &'d str,
    /// The mapping with name and value, as it stands: it may be an alias.
    pub(crate) item: Id,
    /// The value, as it stands: it may be an alias, or merged from elsewhere.
    pub(crate) value: Option<Id>,
}

impl<'a> Document<'a> {
    /// Reads a kubeconfig. `path` is for the errors.
    pub(crate) fn read(text: &'a str, path: &str) -> Result<Self> {
        let tree = yaml::parse(text).map_err(|bad| not_one(path, bad.line, &bad.why))?;
        let document = Self { tree };
        if let Some(root) = document.tree.root()
            && !document.tree.is_null(root)
            && !matches!(document.tree.node(root).kind, Kind::Map { .. })
        {
            return Err(not_one(path, 1, "it is a text or a list, and not keys with values"));
        }
        for section in Section::ALL {
            if let Some(list) = document.list(section)
                && !document.tree.is_null(list)
                && !matches!(document.tree.node(document.tree.target(list)).kind, Kind::Seq { .. })
            {
                let line = document.tree.line(document.tree.node(list).place().start);
                return Err(not_one(path, line, &format!("`{}` is no list", section.list())));
            }
        }
        Ok(document)
    }

    /// The entries of a list, in order.
    pub(crate) fn entries(&self, section: Section) -> Vec<Entry<'_>> {
        let items = self.list(section).map_or(&[][..], |list| self.tree.items(list));
        let entry = |item: &Id| {
            let map = self.tree.target(*item);
            let name = self.tree.get(map, "name").and_then(|name| self.tree.text_of(name));
            Entry {
                name: name.unwrap_or_default(),
                item: *item,
                value: self.tree.get(map, section.one()),
            }
        };
        items.iter().map(entry).collect()
    }

    /// The first entry of that name.
    pub(crate) fn entry(&self, section: Section, name: &str) -> Option<Entry<'_>> {
        self.entries(section).into_iter().find(|entry| entry.name == name)
    }

    /// The list itself, as it stands.
    pub(crate) fn list(&self, section: Section) -> Option<Id> {
        self.tree.get(self.tree.root()?, section.list())
    }

    /// A text below the value of an entry.
    pub(crate) fn text(&self, entry: &Entry<'_>, key: &str) -> Option<&str> {
        self.tree.text_of(self.tree.get(self.tree.target(entry.value?), key)?)
    }

    /// The whole value of an entry.
    pub(crate) fn value(&self, entry: &Entry<'_>) -> Result<Value, TooMuch> {
        entry.value.map_or(Ok(Value::Null), |value| self.tree.value(value))
    }

    /// The context that is meant where none is named.
    pub(crate) fn current_context(&self) -> Option<&str> {
        self.tree.text_of(self.tree.get(self.tree.root()?, "current-context")?)
    }

    /// What all of it means: a line for every entry, and one for each other key.
    pub(crate) fn summary(&self) -> Vec<Summary> {
        let Some(root) = self.tree.root() else { return Vec::new() };
        let mut lines = Vec::new();
        for (key, value) in self.tree.pairs(root) {
            let key = self.tree.text_of(*key).unwrap_or_default();
            if Section::parse(key).is_none() {
                let meaning = self.meaning(*value);
                lines.push(Summary { section: None, name: key.to_owned(), meaning });
            }
        }
        for section in Section::ALL {
            for entry in self.entries(section) {
                let meaning = self.meaning(entry.item);
                let (section, name) = (Some(section), entry.name.to_owned());
                lines.push(Summary { section, name, meaning });
            }
        }
        lines
    }

    /// A value that is too large to be told has to stay as it is written.
    fn meaning(&self, id: Id) -> Fingerprint {
        match self.tree.value(id) {
            Ok(value) => digest(&value),
            Err(TooMuch) => Fingerprint::of(self.tree.text[self.tree.node(id).whole()].as_bytes()),
        }
    }
}

/// What one entry, or another key of the outermost level, means.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Summary {
    /// The list it is in.
    pub(crate) section: Option<Section>,
    /// Its name, or the key.
    pub(crate) name: String,
    /// The whole of it.
    pub(crate) meaning: Fingerprint,
}

/// Two values with the same one are the same.
pub(crate) fn digest(value: &Value) -> Fingerprint {
    Fingerprint::of(value.to_string().as_bytes())
}

fn not_one(path: &str, line: usize, why: &str) -> Error {
    Error::config(format!("`{}` is not a kubeconfig, line {line}", shown(path)))
        .because(shown(why))
        .next(format!("sed -n {line}p {}", quoted(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "kind: Config\nusers:\n- name: a\n  user: &u\n    token: x\n- user: *u\n  \
                        name: b\n- &c\n  name: c\n- *c\ncontexts: null\ncurrent-context: k\n";

    #[test]
    fn entries_are_found_however_they_are_written() {
        let document = Document::read(TEXT, "config").unwrap();
        let names: Vec<_> = document.entries(Section::Users).iter().map(|e| e.name).collect();
        assert_eq!(names, ["a", "b", "c", "c"]);
        let b = document.entry(Section::Users, "b").unwrap();
        assert_eq!(document.text(&b, "token"), Some("x"));
        assert!(document.entries(Section::Contexts).is_empty());
        assert!(document.entries(Section::Clusters).is_empty());
        assert_eq!(document.current_context(), Some("k"));
        assert_eq!(document.summary().len(), 2 + 4);
        for empty in ["", "---\n", "# nothing\n", "null\n", "{}"] {
            assert!(Document::read(empty, "config").unwrap().entries(Section::Users).is_empty());
        }
    }

    #[test]
    fn what_is_none_is_refused_by_its_name_and_line() {
        for (text, line) in [
            ("This is text\nand more", 1),
            ("- a\n", 1),
            ("kind: Config\nusers: x\n", 2),
            ("kind: Config\nusers: {a: b}\n", 2),
            ("a: b: c\n", 1),
        ] {
            let error = Document::read(text, "/h/config").map(drop).unwrap_err();
            assert_eq!(error.message(), format!("`/h/config` is not a kubeconfig, line {line}"));
            assert_eq!(error.next_line(), Some(&*format!("sed -n {line}p /h/config")));
        }
    }
}
