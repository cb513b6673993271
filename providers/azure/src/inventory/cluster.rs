//! A cluster's place in Azure: its resource id, which is also the path by which it is asked for.

use fleetkey_provider::{Error, Result, Rule, shown};

use super::subscription::is_id;

/// A cluster.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Cluster {
    /// The id of the subscription it is in.
    pub(super) subscription: String,
    /// Its resource group, as it was written.
    pub(super) group: String,
    /// Its name.
    pub(super) name: String,
}

/// As whom a cluster is reached, and by which address.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Access {
    /// As its local administrator.
    pub(super) is_admin: bool,
    /// By the public address of a private cluster.
    pub(super) is_public: bool,
}

impl Cluster {
    /// From a resource id, whose words may be in any case.
    pub(super) fn parse(id: &str) -> Option<Self> {
        let words: Vec<&str> = id.strip_prefix('/')?.split('/').collect();
        let [subscriptions, subscription, groups, group, providers, space, kind, name] = words[..]
        else {
            return None;
        };
        let is = |word: &str, known: &str| word.eq_ignore_ascii_case(known);
        let is_cluster = is(subscriptions, "subscriptions")
            && is(groups, "resourceGroups")
            && is(providers, "providers")
            && is(space, SPACE)
            && is(kind, KIND)
            && is_id(subscription)
            && check_group("", group).is_ok()
            && NAME.check("", name).is_ok();
        is_cluster.then(|| Self {
            subscription: subscription.into(),
            group: group.into(),
            name: name.into(),
        })
    }

    /// Its resource id, the same however Azure happens to write it.
    pub(super) fn id(&self) -> String {
        let Self { subscription, group, name } = self;
        format!(
            "/subscriptions/{subscription}/resourceGroups/{group}/providers/{SPACE}/{KIND}/{name}"
        )
        .to_lowercase()
    }

    /// The path by which it is asked for.
    pub(super) fn path(&self) -> String {
        let [subscription, group, name] =
            [&self.subscription, &self.group, &self.name].map(|text| segment(text));
        format!(
            "/subscriptions/{subscription}/resourceGroups/{group}/providers/{SPACE}/{KIND}/{name}"
        )
    }

    /// What `az` and Azure call its users' entry in a kubeconfig.
    pub(super) fn user(&self) -> String {
        format!("clusterUser_{}_{}", self.group, self.name)
    }

    /// As a person would call it.
    pub(super) fn shown(&self) -> String {
        format!("cluster `{}` of resource group `{}`", shown(&self.name), shown(&self.group))
    }
}

/// Checks what names a resource group. None ends in a dot, so none can be a step upwards in a path.
pub(super) fn check_group(from: &str, group: &str) -> Result<()> {
    GROUP.check(from, group)?;
    if group.ends_with('.') {
        return Err(Error::config(format!("{from} is not {}: `{}`", GROUP.what, shown(group)))
            .because("none ends in a dot"));
    }
    Ok(())
}

/// The path of a subscription's clusters.
pub(super) fn path_of_all(subscription: &str) -> String {
    format!("/subscriptions/{}/providers/{SPACE}/{KIND}", segment(subscription))
}

/// One segment of a path, encoded (RFC 3986, section 3.3).
fn segment(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~()".contains(&byte);
    let encoded = text.bytes().map(|byte| {
        if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    });
    encoded.collect()
}

const SPACE: &str = "Microsoft.ContainerService";
const KIND: &str = "managedClusters";

/// A resource group's name ("Naming rules and restrictions for Azure resources"); 90 letters, of any
/// script.
const GROUP: Rule = Rule {
    what: "a resource group",
    min: 1,
    max: 360,
    allows: |c| c.is_alphanumeric() || "-._()".contains(c),
    allowed: "letters, digits and `-._()`",
};

/// A cluster's name, from the same page.
pub(super) const NAME: Rule = Rule {
    what: "a cluster's name",
    min: 1,
    max: 63,
    allows: |c| c.is_ascii_alphanumeric() || "-_".contains(c),
    allowed: "letters, digits and `-_`",
};

#[cfg(test)]
mod tests {
    use super::*;

    const SUBSCRIPTION: &str = "aaaaaaaa-0000-0000-0000-000000000001";

    #[test]
    fn an_id_is_read_in_any_case_and_written_in_one() {
        let id = format!(
            "/subscriptions/{SUBSCRIPTION}/resourcegroups/Team_(ä)/providers/\
             Microsoft.ContainerService/managedClusters/Prod-1"
        );
        let cluster = Cluster::parse(&id).unwrap();
        assert_eq!((&*cluster.group, &*cluster.name), ("Team_(ä)", "Prod-1"));
        assert_eq!(cluster.id(), id.to_lowercase());
        assert_eq!(Cluster::parse(&id.to_uppercase()).unwrap().id(), cluster.id());
        assert!(cluster.path().contains("/resourceGroups/Team_(%C3%A4)/"), "{}", cluster.path());
    }

    #[test]
    fn what_is_no_cluster_is_none() {
        let id = |group: &str, name: &str| {
            format!(
                "/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/\
                 Microsoft.ContainerService/managedClusters/{name}"
            )
        };
        for bad in [
            String::new(),
            "/".into(),
            id("rg", ""),
            id("", "c"),
            id("..", "c"),
            id(".", "c"),
            id("rg.", "c"),
            id("rg", "c/d"),
            id("rg", ".."),
            id("rg?x", "c"),
            id("rg", "c\u{1b}"),
            id("rg", "c").replace(SUBSCRIPTION, "s"),
            id("rg", "c").replace("managedClusters", "fleets"),
            id("rg", "c") + "/",
        ] {
            assert_eq!(Cluster::parse(&bad), None, "{bad}");
        }
    }
}
