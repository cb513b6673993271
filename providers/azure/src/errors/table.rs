//! The table: what Entra says, who has to act on it, and what to say and to type.
//!
//! Codes are those of Microsoft's "AADSTS error codes" page and of reports of users; words are those
//! of RFC 6749, RFC 8628, OpenID Connect and MSAL's list of suberrors.

use fleetkey_provider::{Kind, shown};

use super::{Call, Said};
use crate::server_id::AKS;

/// Refusals that mean the same to a person.
pub(super) struct Row {
    /// The numbers behind `AADSTS`.
    pub(super) codes: &'static [u32],
    /// The same where no code is known: a `suberror`, or an `error`.
    pub(super) words: &'static [&'static str],
    /// Who has to act.
    pub(super) who: Who,
    /// Whether asking the same again would do harm.
    pub(super) once: bool,
    /// Whether a refresh token that was sent is of no more use, to anybody, for anything.
    pub(super) dead: bool,
    /// What happened.
    pub(super) message: fn(&Call<'_>, &Said) -> String,
    /// What to type next.
    pub(super) next: Next,
}

/// "Error validating credentials."
const GENERAL: u32 = 70002;

/// Who has to act.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Who {
    /// A person, by signing in, if there is one; else it is a refusal.
    Person,
    /// Whoever that kind says.
    Is(Kind),
}

/// What to type next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Next {
    Nothing,
    SignIn,
    Browser,
    Consent,
    AksClient,
    ShowClient,
    ShowServer,
    ShowTenant,
    ResetSecret,
    ShowCertificates,
    ShowFederated,
    AllowPeople,
    ShowRedirects,
    Probe,
    /// To set the clock, if it is that.
    Clock,
}

impl Row {
    /// The row of a refusal. That it will pass comes first, then codes, then what stands for them.
    pub(super) fn of(said: &Said) -> &'static Self {
        if said.is_transient() {
            return &LATER;
        }
        let by_code = |code: &u32| TABLE.iter().find(|row| row.codes.contains(code));
        let by_word = |word: &str| TABLE.iter().find(|row| row.words.contains(&word));
        // v1 puts a general code before the one that says what is meant
        let said_more = said.codes.iter().filter(|code| **code != GENERAL);
        said_more
            .chain([&GENERAL].into_iter().filter(|code| said.codes.contains(code)))
            .find_map(by_code)
            .or_else(|| said.suberror.as_deref().and_then(by_word))
            .or_else(|| by_word(&said.error))
            .unwrap_or(&UNKNOWN)
    }
}

const fn row(codes: &'static [u32], words: &'static [&'static str], who: Who) -> Row {
    Row {
        codes,
        words,
        who,
        once: false,
        dead: false,
        message: |_, _| String::new(),
        next: Next::Nothing,
    }
}

impl Row {
    const fn once(self) -> Self {
        Self { once: true, ..self }
    }

    const fn dead(self) -> Self {
        Self { dead: true, ..self }
    }

    const fn says(self, message: fn(&Call<'_>, &Said) -> String, next: Next) -> Self {
        Self { message, next, ..self }
    }
}

const REFUSED: Who = Who::Is(Kind::Refused);
const CONFIG: Who = Who::Is(Kind::Config);

/// The table.
pub(super) static TABLE: &[Row] = &[
    // people
    row(&[50072, 50079], &[], Who::Person).says(
        |call, _| format!("{}; a method is registered at https://aka.ms/mfasetup", mfa(call)),
        Next::SignIn,
    ),
    row(&[50074, 50076, 50078, 50158], &["basic_action", "additional_action"], Who::Person)
        .says(|call, _| mfa(call), Next::SignIn),
    row(
        &[50089, 50132, 50133, 50173, 70000, 70008, 70043, 700_082, 700_084, 9_002_313],
        &["bad_token", "token_expired"],
        Who::Person,
    )
    .dead()
    .says(|call, _| format!("the sign-in to {} has ended", tenant(call)), Next::SignIn),
    row(&[700_007], &["client_mismatch"], Who::Person).says(
        |call, _| format!("the sign-in was made by another application than {}", client(call)),
        Next::SignIn,
    ),
    row(&[16000, 50014, 50020, 51004, 90072], &[], Who::Person).once().says(
        |call, _| format!("{} is not one of {}: use another, or get invited", call.who(), tenant(call)),
        Next::SignIn,
    ),
    row(&[54005], &[], Who::Person).says(|_, _| "the browser's code was used already".into(), Next::SignIn),
    row(&[70018, 70019, 70020], &["expired_token", "code_expired", "bad_verification_code"], Who::Person)
        .says(|_, _| "the code was not typed in time".into(), Next::SignIn),
    row(&[70016], &["authorization_pending", "slow_down"], Who::Person)
        .says(|_, _| "nobody has typed the code yet".into(), Next::SignIn),
    row(&[65004], &["authorization_declined", "access_denied"], Who::Person)
        .says(|_, _| "the sign-in was declined".into(), Next::SignIn),
    row(&[50058, 50140], &["interaction_required", "login_required", "invalid_grant"], Who::Person).says(
        |call, _| {
            if call.asker.is_person() {
                format!("a person has to sign in to {}", tenant(call))
            } else {
                format!("{} does not let {} in like this", tenant(call), call.who())
            }
        },
        Next::SignIn,
    ),
    // passwords
    row(&[50055], &["user_password_expired"], Who::Person)
        .once()
        .says(|call, _| format!("the password of {} has expired", call.who()), Next::SignIn),
    row(&[50126, 50056], &[], REFUSED)
        .once()
        .says(|call, _| format!("the name or the password of {} is wrong", call.who()), Next::Nothing),
    row(&[50034], &[], REFUSED)
        .once()
        .says(|call, _| format!("{} has no user {}", tenant(call), call.who()), Next::Nothing),
    row(&[50053], &[], REFUSED).once().says(
        |call, _| format!("{} is locked, after wrong passwords or for where they came from", call.who()),
        Next::Nothing,
    ),
    row(&[50057], &[], REFUSED).once().says(|call, _| format!("{} is disabled", call.who()), Next::Nothing),
    // policies
    row(&[53003], &[], REFUSED).says(
        |call, _| match call.asker {
            super::Asker::Person { login: Some("devicecode"), .. } => format!(
                "Conditional Access of {} blocks this sign-in, as it often does where a code is typed",
                tenant(call)
            ),
            _ => format!(
                "Conditional Access of {} does not give {} tokens for {}; \
                 an administrator finds out why by the correlation id",
                tenant(call),
                client(call),
                server(call)
            ),
        },
        Next::Browser,
    ),
    row(
        &[50097, 50129, 53000, 53001, 53002, 530_003],
        &["protection_policy_required", "device_authentication_failed"],
        REFUSED,
    )
    .says(|call, _| format!("{} wants a device that it manages", tenant(call)), Next::Browser),
    row(&[50005, 530_032, 530_035], &[], REFUSED).says(
        |call, _| format!("the policy of {} forbids to sign in like this", tenant(call)),
        Next::Browser,
    ),
    row(&[53004, 53011], &[], REFUSED).once().says(
        |call, _| format!("{} sees a risk in {}; an administrator has to look", tenant(call), call.who()),
        Next::Nothing,
    ),
    row(&[500_021, 500_022], &[], REFUSED)
        .says(|call, _| format!("this network does not let anybody into {}", tenant(call)), Next::Nothing),
    row(&[50105], &[], REFUSED).says(
        |call, _| format!("{} is not assigned to {}", call.who(), server(call)),
        Next::ShowServer,
    ),
    // consent
    row(&[65001, 90094], &["consent_required"], REFUSED).says(
        |call, _| {
            let authority = &call.client.authority;
            format!(
                "nobody consented to {} asking for {}; an administrator can, at {}/{}/adminconsent?client_id={}",
                client(call),
                server(call),
                authority.endpoint.origin(),
                authority.tenant,
                shown(&call.client.id)
            )
        },
        Next::Consent,
    ),
    row(&[65002], &[], CONFIG).says(
        |call, _| format!("{} may not ask for {}", client(call), server(call)),
        Next::AksClient,
    ),
    // applications
    row(&[7_000_215, 70002], &[], REFUSED).once().says(
        |call, _| format!("the secret of {} is wrong: its value is needed, not its id", client(call)),
        Next::ResetSecret,
    ),
    row(&[7_000_222], &[], REFUSED)
        .once()
        .says(|call, _| format!("the secret of {} has expired", client(call)), Next::ResetSecret),
    row(&[50012, 700_027, 700_030], &[], REFUSED).once().says(
        |call, said| match said.quoted_behind("Thumbprint of key used by client:") {
            Some(thumbprint) => {
                format!("{} does not know the certificate with thumbprint {thumbprint}", client(call))
            }
            None => format!("{} does not know who signed the assertion", client(call)),
        },
        Next::ShowCertificates,
    ),
    row(&[70021, 700_211, 700_212, 700_213], &[], REFUSED).says(
        |call, _| match call.assertion_is() {
            Some(is) => format!("{} has no federated credential for {is}", client(call)),
            None => format!("{} has no federated credential for this assertion", client(call)),
        },
        Next::ShowFederated,
    ),
    row(
        &[500_133, 700_024, 700_220, 700_221, 700_222, 700_223, 700_224, 700_225],
        &[],
        REFUSED,
    )
    .says(|call, _| format!("the assertion for {} is not valid now", client(call)), Next::Clock),
    row(&[700_229], &[], CONFIG).says(
        |call, _| format!("a person's token was sent as the assertion of {}", client(call)),
        Next::ShowFederated,
    ),
    row(&[], &["invalid_client"], REFUSED).once().says(
        |call, _| format!("Entra does not believe that this is {}", client(call)),
        Next::ShowClient,
    ),
    row(&[7_000_218], &[], CONFIG).says(
        |call, _| format!("{} has to prove itself, and people cannot sign in with it", client(call)),
        Next::AllowPeople,
    ),
    row(&[700_025], &[], CONFIG).says(
        |call, _| format!("{} is public and takes neither a secret nor a certificate", client(call)),
        Next::ShowClient,
    ),
    row(&[], &["unauthorized_client"], CONFIG).says(
        |call, _| format!("{} lets no {} sign in like this", tenant(call), client(call)),
        Next::ShowClient,
    ),
    row(&[70001, 700_011, 700_016, 7_000_112, 7_000_229], &[], CONFIG).says(
        |call, _| format!("{} has no {}: the wrong id, tenant or cloud", tenant(call), client(call)),
        Next::ShowClient,
    ),
    row(&[50011, 500_113], &[], CONFIG).says(
        |call, _| format!("{} does not let a browser come back to http://localhost", client(call)),
        Next::ShowRedirects,
    ),
    row(&[50194], &[], CONFIG).says(
        |call, _| format!("{} is of one tenant alone, which `--tenant-id` has to name", client(call)),
        Next::Nothing,
    ),
    // servers and tenants
    row(&[50001, 500_011, 500_014, 650_052, 650_057], &["invalid_resource", "invalid_target"], CONFIG).says(
        |call, _| {
            let or = if call.server.resource() == AKS {
                "the wrong tenant, or one without AKS".to_owned()
            } else {
                format!("the wrong tenant, or a cluster with AKS's own server, {AKS}")
            };
            format!("{} has no {}: {or}", tenant(call), server(call))
        },
        Next::ShowServer,
    ),
    row(&[28002, 70011, 1_002_012], &["invalid_scope"], CONFIG)
        .says(|call, _| format!("{} is none that Entra knows a scope of", server(call)), Next::ShowServer),
    row(&[50059, 90002, 90038, 900_023], &[], CONFIG).says(
        |call, _| {
            let origin = call.client.authority.endpoint.origin();
            format!("there is no {} at {origin}: the wrong name, or another cloud's", tenant(call))
        },
        Next::ShowTenant,
    ),
    // programs
    row(&[50196], &[], Who::Is(Kind::Unavailable)).once().says(
        |call, _| format!("Entra stopped {}, which asked for the same too often", client(call)),
        Next::Nothing,
    ),
    row(
        &[],
        &["invalid_request", "unsupported_grant_type", "unsupported_response_type"],
        CONFIG,
    )
    .says(|call, _| format!("Entra finds what {} asked wrong", call.who()), Next::Nothing),
];

/// What comes and goes.
pub(super) static LATER: Row = row(
    &[50033, 90006, 90012, 90024, 90033],
    &["temporarily_unavailable", "server_error"],
    Who::Is(Kind::Unavailable),
)
.says(|_, _| "Entra is too busy, or not well".into(), Next::Probe);

/// What is said of what stands in no row.
pub(super) static UNKNOWN: Row =
    row(&[], &[], REFUSED).says(|call, _| format!("Entra refused {}", call.who()), Next::Nothing);

fn mfa(call: &Call<'_>) -> String {
    match call.asker {
        super::Asker::Password { username } => format!(
            "{} wants more than a password of `{}`, and `--login ropc` has nothing more",
            tenant(call),
            shown(username)
        ),
        _ => format!("{} wants multi-factor authentication of {}", tenant(call), call.who()),
    }
}

fn tenant(call: &Call<'_>) -> String {
    format!("tenant {}", shown(&call.client.authority.tenant))
}

fn client(call: &Call<'_>) -> String {
    format!("application {}", shown(&call.client.id))
}

fn server(call: &Call<'_>) -> String {
    format!("server {}", shown(call.server.resource()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_code_and_no_word_stands_in_two_rows() {
        let rows = || TABLE.iter().chain([&LATER]);
        let codes: Vec<u32> = rows().flat_map(|row| row.codes).copied().collect();
        let words: Vec<&str> = rows().flat_map(|row| row.words).copied().collect();
        assert_eq!(codes.iter().collect::<HashSet<_>>().len(), codes.len());
        assert_eq!(words.iter().collect::<HashSet<_>>().len(), words.len());
        assert!(rows().all(|row| !row.codes.is_empty() || !row.words.is_empty()));
    }
}
