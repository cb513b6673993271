//! What an SSO session leads to: accounts, the roles in each, and the first of them that sees clusters.
//!
//! The session's token is read, and renewed if it has to be, once; the rest of the search asks with it.

use std::{collections::BTreeMap, sync::Arc};

use fleetkey_provider::{
    BoxFuture, Credential, Errand, Error, Find, Host, Kind, Request, Result, shown,
};

use super::{
    caller::{Caller, Settings},
    pages::Pages,
    signed_in::SignedIn,
    viewer::{Home, Viewer, Wanted, errand, place},
};
use crate::{
    arguments::{AskedSso, written},
    keys::Keys,
    plan,
    region::Region,
    source::{Account, Catalogue, Token},
};

/// What all errands of a session have in common.
pub(super) struct Search {
    /// The session.
    pub(super) catalogue: Catalogue,
    /// The roles to look with, the first that an account has; all, if none is named.
    pub(super) role_names: Vec<String>,
    /// The regions to look in.
    pub(super) wanted: Wanted,
    /// Where services are.
    pub(super) settings: Settings,
    /// The profiles that stand for a role of this session, by account and role.
    pub(super) profiles: BTreeMap<(String, String), String>,
}

/// Asks for the accounts of a session.
pub(super) struct Accounts {
    pub(super) search: Arc<Search>,
    /// Whoever has to be signed in first, where one may be asked for it.
    pub(super) signed_in: Option<SignedIn>,
}

impl Errand for Accounts {
    fn describe(&self) -> String {
        format!("accounts of SSO session `{}`", shown(&self.search.session().name))
    }

    fn request(&self) -> Option<&dyn Request> {
        self.signed_in.as_ref().map(|signed_in| signed_in as &dyn Request)
    }

    fn run<'a>(
        &'a self,
        _credential: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<Vec<Find>>> {
        Box::pin(async move {
            let Self { search, signed_in: _ } = self;
            let token = Arc::new(search.catalogue.token(host).await?);
            let (mut pages, mut found) = (Pages::default(), Vec::new());
            loop {
                let page = search.catalogue.accounts(&token, pages.next(), host).await?;
                found.extend(page.items.into_iter().map(|account| {
                    let (search, token) = (Arc::clone(search), Arc::clone(&token));
                    Place { search, token, account }.first()
                }));
                if !pages.turn(page.next).map_err(|what| endless(&search.catalogue, what))? {
                    return Ok(found);
                }
            }
        })
    }
}

impl Search {
    fn session(&self) -> &plan::Session {
        self.catalogue.settings()
    }
}

/// One account of a session.
struct Place {
    search: Arc<Search>,
    token: Arc<Token>,
    account: Account,
}

impl Place {
    /// Which roles there are, unless the one to look with is named anyway.
    fn first(self) -> Find {
        let names = self.search.role_names.clone();
        let place = Arc::new(self);
        match names.len() {
            1 => errand(Lend { place, roles: names, regions: None }),
            _ => errand(Roles(place)),
        }
    }
}

/// Asks for the roles of an account.
struct Roles(Arc<Place>);

impl Errand for Roles {
    fn describe(&self) -> String {
        format!("roles in {}", place(&self.0.account))
    }

    fn run<'a>(
        &'a self,
        _credential: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<Vec<Find>>> {
        Box::pin(async move {
            let Place { search, token, account } = &*self.0;
            let (mut pages, mut there) = (Pages::default(), Vec::new());
            loop {
                let page = search.catalogue.roles(token, account, pages.next(), host).await?;
                there.extend(page.items);
                if !pages.turn(page.next).map_err(|what| endless(&search.catalogue, what))? {
                    break;
                }
            }
            let wanted = search.role_names.iter().find(|name| there.contains(name));
            let roles = match (search.role_names.is_empty(), wanted) {
                (true, _) => there,
                (false, Some(role)) => vec![role.clone()],
                (false, None) => Vec::new(),
            };
            if roles.is_empty() {
                host.notes.note(&format!("no role to look with in {}", place(account)));
                return Ok(Vec::new());
            }
            let place = Arc::clone(&self.0);
            Ok(vec![errand(Lend { place, roles, regions: None })])
        })
    }
}

/// Asks for the keys of the first of some roles, to look with.
#[derive(Clone)]
pub(super) struct Lend {
    place: Arc<Place>,
    roles: Vec<String>,
    /// The regions that the account is known to have.
    regions: Option<Vec<Region>>,
}

impl Lend {
    /// The same in these regions, if they are known.
    pub(super) fn in_regions(self, regions: Option<&Vec<Region>>) -> Self {
        Self { regions: regions.cloned().or(self.regions), ..self }
    }

    /// The same after a role that may not list clusters; `None` if there is no other. `regions` are
    /// those left to ask.
    pub(super) fn next(&self, regions: &[Region]) -> Option<Self> {
        if self.roles.is_empty() {
            return None;
        }
        let known = self.regions.as_ref().map(|_| regions.to_vec());
        Some(Self { regions: known, ..self.clone() })
    }

    /// Whoever looks with these keys of this role.
    fn viewer(&self, role: &str, keys: Keys) -> Viewer {
        let Place { search, token: _, account } = &*self.place;
        let session = search.session();
        let asker = search.catalogue.role(&account.id, role).asker();
        let profile = search.profiles.get(&(account.id.clone(), role.to_owned()));
        let mut labels = vec![("account-id", account.id.clone()), ("role", role.to_owned())];
        labels.extend(profile.map(|profile| ("profile", profile.clone())));
        labels.push(("sso-session", session.name.clone()));
        let flags = match profile {
            Some(profile) => written("profile", profile),
            None => AskedSso::flags(&session.name, &account.id, role),
        };
        let from = format!("`sso_region` of `[sso-session {}]`", shown(&session.name));
        Viewer {
            caller: Arc::new(Caller { keys, asker, settings: search.settings.clone() }),
            account: account.clone(),
            labels,
            flags,
            home: Home { region: session.region.clone(), from },
        }
    }
}

impl Errand for Lend {
    fn describe(&self) -> String {
        let role = self.roles.first().map(String::as_str).unwrap_or_default();
        format!("role {role} in {}", place(&self.place.account))
    }

    fn run<'a>(
        &'a self,
        _credential: Option<&'a Credential>,
        host: &'a Host,
    ) -> BoxFuture<'a, Result<Vec<Find>>> {
        Box::pin(async move {
            let Place { search, token, account } = &*self.place;
            let Some((role, rest)) = self.roles.split_first() else {
                return Err(Error::failed("no role was left to look with"));
            };
            let sso = search.catalogue.role(&account.id, role);
            let keys = match sso.at_hand(host) {
                Some(keys) => Ok(keys),
                None => sso.lent(token, host).await,
            };
            let others = Self { roles: rest.to_vec(), ..self.clone() };
            match keys {
                Ok(keys) => {
                    let wanted = match &self.regions {
                        Some(known) => &Wanted(Some(known.clone())),
                        None => &search.wanted,
                    };
                    let find = self.viewer(role, keys).looks(wanted, Some(others), host);
                    Ok(find.into_iter().collect())
                }
                // an account in which nobody was given this role
                Err(error) if error.kind() == Kind::Refused => {
                    host.notes.note(&error.to_string());
                    match rest {
                        [_, ..] => Ok(vec![errand(others)]),
                        [] if search.role_names.len() == 1 => Ok(Vec::new()),
                        [] => Err(error),
                    }
                }
                Err(error) => Err(error),
            }
        })
    }
}

fn endless(catalogue: &Catalogue, what: &str) -> Error {
    let name = shown(&catalogue.settings().name);
    Error::unavailable("SSO's answer was not understood")
        .because(format!("{what}, for SSO session `{name}`"))
}

#[cfg(test)]
mod tests;
