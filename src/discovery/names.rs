//! What the contexts of clusters are called: a template, filled in with what is known of each.

use fleetkey_provider::{Error, Listed, Result, one_line, shown};

/// The default: unmistakable in a mixed fleet, and sorted as people look for it.
pub(crate) const DEFAULT: &str = "{cloud}/{account}/{region}/{cluster}";

/// A template.
#[derive(Debug)]
pub(crate) struct Template(Vec<Piece>);

#[derive(Debug, Eq, PartialEq)]
enum Piece {
    Text(String),
    Field(String),
}

impl Template {
    /// Understands it. Errors on a field that no cluster can have, and on control characters.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let wrong = |cause: String| {
            Err(Error::config(format!("`--name-template` is no template: `{}`", shown(text)))
                .because(cause)
                .next(format!("fleetkey kubeconfig discover --name-template '{DEFAULT}'")))
        };
        if one_line(text) != text {
            return wrong("a name has no control characters".into());
        }
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((before, behind)) = rest.split_once('{') {
            let Some((field, after)) = behind.split_once('}') else {
                return wrong("a `{` is not closed".into());
            };
            if !FIELDS.contains(&field) {
                let known: Vec<_> = FIELDS.iter().map(|field| format!("`{{{field}}}`")).collect();
                return wrong(format!(
                    "there is no `{{{}}}`, only {}",
                    shown(field),
                    known.join(", ")
                ));
            }
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Field(field.to_owned()));
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        pieces.retain(|piece| *piece != Piece::Text(String::new()));
        if !pieces.iter().any(|piece| matches!(piece, Piece::Field(_))) {
            return wrong("every cluster would have the same name".into());
        }
        Ok(Self(pieces))
    }

    /// What that cluster of that cloud is called.
    pub(crate) fn name(&self, cloud: &str, listed: &Listed) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Field(field) => one_line(value(field, cloud, listed)),
        };
        self.0.iter().map(piece).collect()
    }
}

/// A field of a cluster; a dash where it has none.
fn value<'l>(field: &str, cloud: &'l str, listed: &'l Listed) -> &'l str {
    match field {
        "cloud" => cloud,
        "account" => &listed.account,
        "region" => &listed.region,
        "cluster" => &listed.cluster,
        label => label_of(listed, label).unwrap_or("-"),
    }
}

/// A label of a cluster.
pub(super) fn label_of<'l>(listed: &'l Listed, label: &str) -> Option<&'l str> {
    let mut labels = listed.labels.iter();
    labels.find(|(name, _)| *name == label).map(|(_, value)| value.as_str())
}

/// What can be told of a cluster: the first four of every one, the others of some.
const FIELDS: [&str; 11] = [
    "cloud",
    "account",
    "region",
    "cluster",
    "account-id",
    "profile",
    "resource-group",
    "role",
    "sso-session",
    "subscription-id",
    "tenant",
];

#[cfg(test)]
mod tests {
    use super::{super::found::tests::listed, *};

    #[test]
    fn a_template_is_filled_in() {
        let cluster = listed("prod", "42", "eu-1", &[("role", "Admin")]);
        let name = |template: &str| Template::parse(template).unwrap().name("mars", &cluster);
        assert_eq!(name(DEFAULT), "mars/42/eu-1/prod");
        assert_eq!(name("{cluster}@{role}:{tenant}"), "prod@Admin:-");
        let evil = listed("prod", "4\u{1b}[2J2", "eu-1", &[]);
        assert_eq!(Template::parse("{account}").unwrap().name("mars", &evil), "4 [2J2");
    }

    #[test]
    fn what_is_none_says_why() {
        for (template, why) in [
            ("{claster}", "there is no `{claster}`, only `{cloud}`, `{account}`"),
            ("{cluster", "not closed"),
            ("prod", "same name"),
            ("{cluster}\n", "control"),
        ] {
            let error = Template::parse(template).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}
