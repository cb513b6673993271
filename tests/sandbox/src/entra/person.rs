//! A person: who they are at home, and where else they are a guest.

/// Somebody who can sign in.
#[derive(Clone, Debug)]
pub struct Person {
    pub(crate) username: String,
    /// The first is home.
    pub(crate) tenants: Vec<String>,
    pub(crate) password: Option<String>,
    pub(crate) federated: bool,
    pub(crate) groups: Vec<String>,
}

impl Person {
    /// Somebody at home in the first of these tenants and a guest in the others.
    pub fn new<T: AsRef<str>>(username: &str, tenants: &[T]) -> Self {
        Self {
            username: username.to_owned(),
            tenants: tenants.iter().map(|tenant| tenant.as_ref().to_ascii_lowercase()).collect(),
            password: None,
            federated: false,
            groups: Vec::new(),
        }
    }

    /// With a password that Entra itself checks.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// Of a domain whose passwords another server checks.
    #[must_use]
    pub fn federated(mut self) -> Self {
        self.federated = true;
        self
    }

    /// A member of this group, by its object id, in every tenant.
    #[must_use]
    pub fn group(mut self, id: &str) -> Self {
        self.groups.push(id.to_owned());
        self
    }

    pub(crate) fn home(&self) -> &str {
        self.tenants.first().map_or("", String::as_str)
    }
}
