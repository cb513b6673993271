//! What a session may be lent: its accounts, and the roles in each.

use std::path::{Path, PathBuf};

use fleetkey_provider::{
    Error, Host, Means, Result, SessionKey, SessionState, SignIn, SignedOut, quoted, shown,
};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    Ends, Sso,
    portal::{Portal, Question},
    session::{Known, Session, Token},
};
use crate::{
    arguments::{ACCOUNT_ID, ROLE_NAME},
    plan,
    shell::files_prefix,
    source::role_cache::RoleCache,
};

/// An SSO session by itself.
#[derive(Clone, Debug)]
pub(crate) struct Catalogue {
    settings: plan::Session,
    home: PathBuf,
    session: Session,
    portal: Portal,
}

/// One page of an answer.
pub(crate) struct Page<T> {
    /// What stands on it.
    pub(crate) items: Vec<T>,
    /// What to ask for the next one with.
    pub(crate) next: Option<String>,
}

/// An account that the session may look into.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Account {
    /// Its number.
    pub(crate) id: String,
    /// What people call it.
    pub(crate) name: Option<String>,
}

impl Account {
    /// What people call it, or else its number.
    pub(crate) fn called(&self) -> &str {
        self.name.as_ref().unwrap_or(&self.id)
    }
}

impl Catalogue {
    /// That of these settings. `home` is where `~/.aws` is.
    pub(crate) fn new(
        settings: plan::Session,
        home: &Path,
        ends: Ends,
        ca_bundle: Option<PathBuf>,
        host: &Host,
    ) -> Self {
        let Ends { portal: target, oidc } = ends;
        let plan::Session { name, start_url, region, scopes } = settings.clone();
        // whoever has no role in mind yet is looking for one
        let sign_in_line = format!(
            "{}fleetkey kubeconfig discover --sso-session {}",
            files_prefix(host),
            quoted(&name)
        );
        let name = Some(name);
        let known = Known { profile: None, name, start_url, region, scopes, sign_in_line };
        let session = Session::new(known, home, oidc, ca_bundle.clone(), host);
        Self { settings, home: home.to_owned(), session, portal: Portal { target, ca_bundle } }
    }

    /// The same for who only wants to sign in.
    pub(crate) fn by_itself(mut self, host: &Host) -> Self {
        let (prefix, name) = (files_prefix(host), quoted(&self.settings.name));
        self.session.known.sign_in_line =
            format!("{prefix}fleetkey login aws --sso-session {name}");
        self
    }

    /// The session's settings.
    pub(crate) fn settings(&self) -> &plan::Session {
        &self.settings
    }

    /// Whether somebody is, or was, signed in to it. One `stat`.
    pub(crate) fn is_signed_in(&self, host: &Host) -> bool {
        self.session.stamp(host).is_some()
    }

    /// What it is, apart from all others.
    pub(crate) fn key(&self) -> SessionKey {
        self.session.key()
    }

    /// Who signs in.
    pub(crate) fn signer(&self) -> SessionKey {
        self.session.signer()
    }

    /// How a person is asked to sign in.
    pub(crate) fn how(&self, means: Means) -> Option<SignIn> {
        self.session.how(means)
    }

    /// The line with which a person signs in by hand.
    pub(crate) fn sign_in_line(&self) -> &str {
        self.session.sign_in_line()
    }

    /// Has a person sign in, and keeps the session.
    pub(crate) async fn sign_in(&self, how: SignIn, host: &Host) -> Result<()> {
        self.session.sign_in(how, host).await
    }

    /// How it stands.
    pub(crate) fn state(&self, host: &Host) -> SessionState {
        self.session.state(host)
    }

    /// Ends it, for `aws` too.
    pub(crate) async fn sign_out(&self, host: &Host) -> Result<SignedOut> {
        self.session.sign_out(&self.portal, host).await
    }

    /// Its token, renewed if it has to be.
    pub(crate) async fn token(&self, host: &Host) -> Result<Token> {
        self.session.token(host).await
    }

    /// A role that it lends.
    pub(crate) fn role(&self, account: &str, role: &str) -> Sso {
        let settings = self.settings.lends(account, role);
        let kept = RoleCache::new(&settings, &self.home);
        Sso { settings, session: self.session.clone(), kept, portal: self.portal.clone() }
    }

    /// A page of its accounts.
    pub(crate) async fn accounts(
        &self,
        token: &Token,
        page: Option<&str>,
        host: &Host,
    ) -> Result<Page<Account>> {
        let asker = self.session.asker();
        let mut query = vec![("max_result", MOST)];
        query.extend(page.map(|page| ("next_token", page)));
        let question = Question {
            path: "/assignment/accounts",
            query: &query,
            task: "list its accounts",
            asker: &asker,
            token,
        };
        let AccountList { account_list, next_token } = self.page(&question, host).await?;
        let items = account_list.into_iter().map(|Listed { account_id, account_name }| {
            ACCOUNT_ID
                .check("an account", &account_id)
                .map_err(|flaw| self.strange(&question, &flaw))?;
            let name = account_name.map(|name| shown(name.trim())).filter(|name| !name.is_empty());
            Ok(Account { id: account_id, name })
        });
        Ok(Page { items: items.collect::<Result<_>>()?, next: next_token })
    }

    /// A page of the names of the roles in an account.
    pub(crate) async fn roles(
        &self,
        token: &Token,
        account: &Account,
        page: Option<&str>,
        host: &Host,
    ) -> Result<Page<String>> {
        let asker = self.session.asker();
        let mut query = vec![("account_id", account.id.as_str()), ("max_result", MOST)];
        query.extend(page.map(|page| ("next_token", page)));
        let task = format!("list its roles in {}", account.id);
        let question = Question {
            path: "/assignment/roles",
            query: &query,
            task: &task,
            asker: &asker,
            token,
        };
        let RoleList { role_list, next_token } = self.page(&question, host).await?;
        let items = role_list.into_iter().map(|Named { role_name }| {
            ROLE_NAME.check("a role", &role_name).map_err(|flaw| self.strange(&question, &flaw))?;
            Ok(role_name)
        });
        Ok(Page { items: items.collect::<Result<_>>()?, next: next_token })
    }

    async fn page<T: DeserializeOwned>(&self, question: &Question<'_>, host: &Host) -> Result<T> {
        let (answer, _) = self.portal.ask(question, host).await?;
        serde_json::from_slice(&answer.body).map_err(|_| {
            self.portal.call(question, &[]).not_understood("an answer of another shape")
        })
    }

    fn strange(&self, question: &Question<'_>, flaw: &Error) -> Error {
        self.portal.call(question, &[]).not_understood(&flaw.to_string())
    }
}

/// The most that a page may have.
const MOST: &str = "100";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccountList {
    #[serde(default)]
    account_list: Vec<Listed>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    account_id: String,
    account_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RoleList {
    #[serde(default)]
    role_list: Vec<Named>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    role_name: String,
}
