//! What a request asks for: `scope` of the newer endpoint, `resource` of the older.

use super::errors::{Refusal, Result};

/// Which of the two endpoints is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// `/oauth2/token`.
    V1,
    /// `/oauth2/v2.0/token`.
    V2,
}

/// What a token should be good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) endpoint: Endpoint,
    /// As the audience will name it.
    pub(crate) resource: Option<String>,
    pub(crate) offline_access: bool,
    pub(crate) openid: bool,
}

impl Wanted {
    /// `scope`: one resource's `.default`, and what OpenID has.
    pub(crate) fn scope(scope: Option<&str>) -> Result<Self> {
        let mut wanted =
            Self { endpoint: Endpoint::V2, resource: None, offline_access: false, openid: false };
        for part in scope.unwrap_or_default().split(' ').filter(|part| !part.is_empty()) {
            match part {
                "openid" => wanted.openid = true,
                "offline_access" => wanted.offline_access = true,
                "profile" | "email" => {}
                part => {
                    let resource = part.strip_suffix("/.default").filter(|name| !name.is_empty());
                    let resource = resource.ok_or_else(|| invalid(part))?;
                    if wanted.resource.replace(resource.to_owned()).is_some() {
                        return Err(invalid(part));
                    }
                }
            }
        }
        Ok(wanted)
    }

    /// `resource`; people always get a refresh token and an id token there.
    pub(crate) fn resource(resource: Option<&str>, api_version: Option<&str>) -> Result<Self> {
        if api_version.is_some_and(|version| version != "1.0") {
            return Err(Refusal::malformed("api-version"));
        }
        let resource = resource.map(|resource| {
            // Azure/kubelogin's --legacy, and client-go before it, get their `spn:` by saying the version.
            let bare = super::directory::is_guid(resource) && api_version.is_some();
            if bare { format!("spn:{resource}") } else { resource.to_owned() }
        });
        Ok(Self { endpoint: Endpoint::V1, resource, offline_access: true, openid: true })
    }

    /// The resource, which must be there.
    pub(crate) fn required(&self) -> Result<&str> {
        self.resource.as_deref().ok_or_else(|| match self.endpoint {
            Endpoint::V1 => Refusal::missing("resource"),
            Endpoint::V2 => invalid(""),
        })
    }
}

fn invalid(scope: &str) -> Refusal {
    Refusal::new(
        70011,
        format!(
            "The provided value for the input parameter 'scope' isn't valid. The scope '{scope}' is not valid."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_resource_and_its_company() {
        let wanted = Wanted::scope(Some("a/.default offline_access openid profile")).unwrap();
        assert_eq!(wanted.required().unwrap(), "a");
        assert!(wanted.offline_access && wanted.openid);
        let wanted = Wanted::scope(Some("https://management.core.windows.net//.default")).unwrap();
        assert_eq!(wanted.required().unwrap(), "https://management.core.windows.net/");
        for bad in [
            "a",
            "a/user.read",
            "/.default",
            ".default",
            "a/.default b/.default",
            "a/.default,openid",
        ] {
            assert_eq!(Wanted::scope(Some(bad)).unwrap_err().code, 70011, "{bad}");
        }
        for empty in [None, Some(""), Some("openid")] {
            assert_eq!(Wanted::scope(empty).unwrap().required().unwrap_err().code, 70011);
        }
    }

    #[test]
    fn the_version_makes_the_prefix() {
        let id = super::super::directory::AKS_SERVER;
        let audience = |resource: &str, version| {
            Wanted::resource(Some(resource), version).unwrap().required().unwrap().to_owned()
        };
        assert_eq!(audience(id, None), id);
        assert_eq!(audience(id, Some("1.0")), format!("spn:{id}"));
        assert_eq!(audience(&format!("spn:{id}"), None), format!("spn:{id}"));
        assert_eq!(audience("https://a/", Some("1.0")), "https://a/");
        assert_eq!(Wanted::resource(Some(id), Some("2.0")).unwrap_err().code, 9_002_313);
        let nothing = Wanted::resource(None, None).unwrap();
        assert_eq!(nothing.required().unwrap_err().code, 900_144);
    }
}
