//! Who asks, and the lines with which they would sign in.

use fleetkey_provider::{quoted, shown};

use crate::{
    entra::{Client, Version},
    own_host,
    server_id::ServerId,
};

/// Who asks, which decides what helps.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Asker {
    /// A person who signs in to fleetkey, as `--login` and `--login-hint` say.
    Person {
        /// `--login`, if it was given.
        login: Option<&'static str>,
        /// `--login-hint`, if it was given.
        hint: Option<String>,
    },
    /// A person who signed in to `az`.
    AzureCli,
    /// A person's name and password.
    Password {
        /// The name.
        username: String,
    },
    /// An application.
    Application,
}

impl Asker {
    /// Whether signing in is something they can do.
    pub(super) fn is_person(&self) -> bool {
        matches!(self, Self::Person { .. } | Self::AzureCli)
    }

    /// As a person would say it.
    pub(super) fn who(&self, client: &Client) -> String {
        match self {
            Self::Person { hint: Some(name), .. } | Self::Password { username: name } => {
                format!("`{}`", shown(name))
            }
            Self::Person { hint: None, .. } => "this account".into(),
            Self::AzureCli => "the account of `az`".into(),
            Self::Application => format!("application {}", shown(&client.id)),
        }
    }

    /// The line that signs them in anew; `None` if nobody can.
    pub(crate) fn sign_in(&self, client: &Client, server: &ServerId) -> Option<String> {
        match self {
            Self::Person { login, hint } => {
                Some(login_line(client, server, *login, hint.as_deref()))
            }
            Self::AzureCli => Some(az_login(client, server)),
            Self::Password { username } => {
                Some(login_line(client, server, Some("interactive"), Some(username)))
            }
            Self::Application => None,
        }
    }

    /// The same with a browser.
    pub(super) fn in_a_browser(&self, client: &Client, server: &ServerId) -> Option<String> {
        match self {
            Self::Person { hint, .. } => {
                Some(login_line(client, server, Some("interactive"), hint.as_deref()))
            }
            _ => self.sign_in(client, server),
        }
    }
}

/// With every flag that makes the identity, so that it is this one whatever the environment says.
pub(super) fn login_line(
    client: &Client,
    server: &ServerId,
    login: Option<&str>,
    hint: Option<&str>,
) -> String {
    let more = [(" --login ", login), (" --login-hint ", hint)];
    line("fleetkey login azure", client, server, &more)
}

/// The same for a token by a password, which is read from a file.
pub(super) fn password_line(client: &Client, server: &ServerId, username: &str) -> String {
    let more = [
        (" --login ", Some("ropc")),
        (" --username ", Some(username)),
        (" --password-file ", Some("password.txt")),
    ];
    line("fleetkey get-token azure", client, server, &more)
}

fn line(verb: &str, client: &Client, server: &ServerId, more: &[(&str, Option<&str>)]) -> String {
    let Client { authority, id, version } = client;
    let name = authority.endpoint.url().host_str().unwrap_or_default();
    let origin = (name != DEFAULT_AUTHORITY).then(|| format!("{}/", authority.endpoint.origin()));
    let mut line = verb.to_owned();
    let identity = [
        (" --server-id ", Some(server.resource())),
        (" --tenant-id ", Some(&authority.tenant)),
        (" --client-id ", Some(id)),
        (" --authority-host ", origin.as_deref()),
    ];
    for (flag, value) in identity.iter().chain(more) {
        if let Some(value) = value {
            line += flag;
            line += &quoted(value);
        }
    }
    if authority.is_known && !own_host::is_entra(name) && !authority.endpoint.is_loopback() {
        line += " --disable-instance-discovery";
    }
    if *version == Version::V1 {
        line += " --legacy";
    }
    line
}

fn az_login(client: &Client, server: &ServerId) -> String {
    let tenant = match client.authority.tenant.as_str() {
        "organizations" | "common" => String::new(),
        tenant => format!(" --tenant {}", quoted(tenant)),
    };
    format!("az login{tenant} --scope {}", quoted(&server.scope()))
}

/// What is meant where no authority is named.
const DEFAULT_AUTHORITY: &str = "login.microsoftonline.com";

#[cfg(test)]
mod tests {
    use fleetkey_provider::{Endpoint, Host, testing::StaticTrust};

    use super::*;
    use crate::{
        server_id::AKS,
        testing::{CLIENT, TENANT, client},
    };

    fn server() -> ServerId {
        ServerId::parse(AKS).unwrap()
    }

    #[test]
    fn the_line_has_the_flags_that_make_the_identity() {
        let person = Asker::Person { login: Some("devicecode"), hint: Some("a b@x".into()) };
        let flags = format!("--server-id {AKS} --tenant-id {TENANT} --client-id {CLIENT}");
        assert_eq!(
            person.sign_in(&client(), &server()).unwrap(),
            format!("fleetkey login azure {flags} --login devicecode --login-hint 'a b@x'")
        );
        assert_eq!(
            person.in_a_browser(&client(), &server()).unwrap(),
            format!("fleetkey login azure {flags} --login interactive --login-hint 'a b@x'")
        );
        let plain = Asker::Person { login: None, hint: None };
        let mut legacy = client();
        legacy.version = Version::V1;
        assert_eq!(
            plain.sign_in(&legacy, &server()).unwrap(),
            format!("fleetkey login azure {flags} --legacy")
        );
        let password = Asker::Password { username: "me@x".into() };
        assert_eq!(
            password.sign_in(&client(), &server()).unwrap(),
            format!("fleetkey login azure {flags} --login interactive --login-hint me@x")
        );
        assert_eq!(Asker::Application.sign_in(&client(), &server()), None);
    }

    #[test]
    fn another_authority_is_named() {
        let trust = StaticTrust { hosts: vec!["login.own.example".into()], strict: false };
        let host = Host { trust: Box::new(trust), ..Host::refusing() };
        let mut client = client();
        client.authority.endpoint =
            Endpoint::configured("https://login.own.example", "a test", |_| false, &host).unwrap();
        let person = Asker::Person { login: None, hint: None };
        let line = person.sign_in(&client, &server()).unwrap();
        let end = " --authority-host https://login.own.example/ --disable-instance-discovery";
        assert!(line.ends_with(end), "{line}");
        client.authority.is_known = false;
        let line = person.sign_in(&client, &server()).unwrap();
        assert!(line.ends_with(" --authority-host https://login.own.example/"), "{line}");
    }

    #[test]
    fn whoever_uses_az_signs_in_with_az() {
        let line = Asker::AzureCli.sign_in(&client(), &server()).unwrap();
        assert_eq!(line, format!("az login --tenant {TENANT} --scope {AKS}/.default"));
        let mut anywhere = client();
        anywhere.authority.tenant = "organizations".into();
        let line = Asker::AzureCli.sign_in(&anywhere, &server()).unwrap();
        assert_eq!(line, format!("az login --scope {AKS}/.default"));
    }
}
