//! `--pop-enabled` and `--pop-claims`: two flags for one wish.

use fleetkey_provider::{Error, Result, Rule, shown};

use crate::{given::Chosen, pop::PopClaims};

/// What a bound token is to say; `None` if none is wanted. kubelogin cuts a value at its second `=`;
/// here it is kept.
pub(crate) fn read(is_enabled: bool, claims: Option<&Chosen>) -> Result<Option<PopClaims>> {
    let Some(claims) = claims else {
        return if is_enabled {
            Err(missing("`--pop-enabled` needs `--pop-claims`"))
        } else {
            Ok(None)
        };
    };
    if !is_enabled {
        return Err(missing("`--pop-claims` needs `--pop-enabled`"));
    }
    CLAIMS.check(&claims.from.to_string(), &claims.value)?;
    let mut host = None;
    for claim in claims.value.split(',') {
        let pair = claim.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
        match pair {
            Some(("", _) | (_, "")) | None => {
                return Err(Error::config(format!(
                    "{} is not a list of claims: `{}`",
                    claims.from,
                    shown(&claims.value)
                ))
                .because("it is `name=value`, and perhaps more of them behind commas"));
            }
            Some(("u", value)) => host = Some(value.to_owned()),
            Some(_) => {}
        }
    }
    match host {
        Some(host) => Ok(Some(PopClaims { host })),
        None => Err(missing(&format!("{} has no `u`", claims.from))),
    }
}

fn missing(message: &str) -> Error {
    Error::config(message)
        .because("a token that is bound to a key names the cluster it is for, as `u=RESOURCE-ID`")
        .next("az aks list --query '[].id' --output tsv")
}

const CLAIMS: Rule = Rule {
    what: "a list of claims",
    min: 1,
    max: 4096,
    allows: |_| true,
    allowed: "printable characters",
};

#[cfg(test)]
mod tests {
    use super::*;

    fn given(is_enabled: bool, claims: Option<&str>) -> Result<Option<PopClaims>> {
        read(is_enabled, claims.map(|claims| Chosen::flag("pop-claims", claims)).as_ref())
    }

    #[test]
    fn u_is_the_host_and_others_are_read_and_dropped() {
        for (claims, host) in [
            ("u=/subscriptions/s", "/subscriptions/s"),
            (" u = testhost , 1=2", "testhost"),
            ("1=2,u=a=b==", "a=b=="),
            ("u=first,u=last", "last"),
        ] {
            let read = given(true, Some(claims)).unwrap();
            assert_eq!(read, Some(PopClaims { host: host.into() }), "{claims}");
        }
        assert_eq!(given(false, None).unwrap(), None);
    }

    #[test]
    fn half_a_wish_is_a_mistake() {
        for (is_enabled, claims, words) in [
            (true, None, "`--pop-enabled` needs `--pop-claims`"),
            (false, Some("u=x"), "`--pop-claims` needs `--pop-enabled`"),
            (true, Some("x=y"), "`--pop-claims` has no `u`"),
            (true, Some("u"), "is not a list of claims"),
            (true, Some("u="), "is not a list of claims"),
            (true, Some("=x"), "is not a list of claims"),
            (true, Some("u=x,"), "is not a list of claims"),
            (true, Some("u=x\n"), "may not stand in it"),
            (true, Some("  "), "is not a list of claims"),
        ] {
            let error = given(is_enabled, claims).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
