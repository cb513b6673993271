//! What a value may look like.

use fleetkey_provider::Rule;

/// An application's or identity's id: a GUID.
pub(crate) const ID: Rule = Rule {
    what: "an id",
    min: 1,
    max: 128,
    allows: |c| c.is_ascii_alphanumeric() || "-._".contains(c),
    allowed: "letters, digits and `-._`",
};

/// A resource's id in Azure: `/subscriptions/…`. Resource groups may have letters of any script.
pub(crate) const RESOURCE_ID: Rule = Rule {
    what: "a resource id",
    min: 1,
    max: 2048,
    allows: |c| c.is_alphanumeric() || "-._()/".contains(c),
    allowed: "letters, digits and `-._()/`",
};

/// A person's name, or a subscription's.
pub(crate) const NAME: Rule =
    Rule { what: "a name", min: 1, max: 256, allows: |_| true, allowed: "printable characters" };
