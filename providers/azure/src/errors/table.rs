//! The table: what Entra says, who has to act on it, and what to say and to type.
//!
//! Codes are those of Microsoft's "AADSTS error codes" page and of reports of users; words are those
//! of RFC 6749, RFC 8628, OpenID Connect and MSAL's list of suberrors.

use fleetkey_provider::{Kind, shown};

use super::{
    Asker, Call,
    next::Next,
    row::{Row, Who, row},
};
use crate::{
    az,
    cloud::Cloud,
    server_id::{AKS, AKS_CLIENT},
};

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
    .says(
        |call, _| match call.asker {
            Asker::Application => format!("Entra does not accept what {} sent", client(call)),
            _ => format!("the sign-in to {} has ended", tenant(call)),
        },
        Next::SignIn,
    ),
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
    row(&[65004], &[], Who::Person)
        .says(
            |call, _| format!("consent to {} asking for {} was declined", client(call), server(call)),
            Next::SignIn,
        )
        .advises(|call| Some(consent(call))),
    row(&[], &["authorization_declined", "access_denied"], Who::Person)
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
        .says(|call, _| format!("the name or the password of {} is wrong", call.who()), Next::Password),
    row(&[50034], &[], REFUSED)
        .once()
        .says(|call, _| format!("{} has no user {}", tenant(call), call.who()), Next::ShowUser),
    row(&[50053], &[], REFUSED)
        .once()
        .says(
            |call, _| {
                format!("{} is locked, after wrong passwords or for where they came from", call.who())
            },
            Next::Browser,
        )
        .advises(|_| Some("nothing helps but to wait, or an administrator who unlocks it".into())),
    row(&[50057], &[], REFUSED)
        .once()
        .says(|call, _| format!("{} is disabled", call.who()), Next::ShowUser)
        .advises(|_| Some("an administrator can enable it".into())),
    // policies
    row(&[53003], &[], REFUSED)
        .firm()
        .says(
            |call, _| {
                if is_code(call) {
                    format!(
                        "Conditional Access of {} blocks this sign-in, as it often does where a code is \
                         typed",
                        tenant(call)
                    )
                } else {
                    format!(
                        "Conditional Access of {} does not give {} tokens for {}",
                        tenant(call),
                        client(call),
                        server(call)
                    )
                }
            },
            Next::BrowserForACode,
        )
        .advises(|call| {
            let (client, server) = (client(call), server(call));
            let what = format!("give your administrator that id, {client} and {server}");
            (!is_code(call)).then_some(what)
        }),
    row(
        &[50097, 50129, 53000, 53001, 53002, 530_003],
        &["protection_policy_required", "device_authentication_failed"],
        REFUSED,
    )
    .firm()
    .says(|call, _| format!("{} wants a device that it manages", tenant(call)), Next::Browser),
    row(&[530_084], &[], REFUSED).firm().says(
        |call, _| format!("{} wants a sign-in that is bound to this device", tenant(call)),
        Next::Browser,
    ),
    row(&[50005, 530_032, 530_035], &[], REFUSED).firm().says(
        |call, _| format!("the policy of {} forbids to sign in like this", tenant(call)),
        Next::Browser,
    ),
    row(&[53004, 53011], &[], REFUSED).firm().once().says(
        |call, _| format!("{} sees a risk in {}; an administrator has to look", tenant(call), call.who()),
        Next::Log,
    ),
    row(&[500_021, 500_022], &[], REFUSED)
        .says(|call, _| format!("this network does not let anybody into {}", tenant(call)), Next::Log),
    row(&[50105], &[], REFUSED).says(
        |call, _| format!("{} is not assigned to {}", call.who(), server(call)),
        Next::ShowServer,
    ),
    // consent
    row(&[65001, 90094], &["consent_required"], REFUSED)
        .says(
            |call, _| format!("nobody consented to {} asking for {}", client(call), server(call)),
            Next::Consent,
        )
        .advises(|call| Some(consent(call))),
    row(&[65002], &[], CONFIG)
        .says(
            |call, _| format!("{} may not ask for {}", client(call), server(call)),
            Next::AksClient,
        )
        .advises(|call| {
            let (server, client) = if Cloud::is_resource_manager(call.server.resource()) {
                ("Azure itself", az::CLIENT)
            } else {
                ("AKS", AKS_CLIENT)
            };
            Some(format!("for {server} people use application {client}"))
        }),
    // applications
    row(&[7_000_215, 70002], &[], REFUSED).once().says(
        |call, _| format!("the secret of {} is wrong: its value is needed, not its id", client(call)),
        Next::ResetSecret,
    ),
    row(&[7_000_222], &[], REFUSED)
        .once()
        .says(|call, _| format!("the secret of {} has expired", client(call)), Next::ResetSecret),
    row(&[50012, 700_027, 700_030], &[], REFUSED)
        .once()
        .says(
            |call, said| {
                let ours = call.thumbprint();
                let theirs = || {
                    said.quoted_behind("Thumbprint of key used by client:").map(str::to_owned)
                };
                match ours.or_else(theirs) {
                    Some(thumbprint) => format!(
                        "{} does not know the certificate with thumbprint {thumbprint}",
                        client(call)
                    ),
                    None => format!("{} does not know who signed the assertion", client(call)),
                }
            },
            Next::ShowCertificates,
        )
        .advises(|call| {
            call.thumbprint().map(|_| format!("upload this certificate to {}", client(call)))
        }),
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
    row(&[700_229], &[], REFUSED).says(
        |call, _| format!("a person's token was sent as the assertion of {}", client(call)),
        Next::ShowFederated,
    ),
    row(&[], &["invalid_client"], REFUSED).once().says(
        |call, _| format!("Entra does not believe that this is {}", client(call)),
        Next::ShowClient,
    ),
    // Entra says `invalid_client` with these two
    row(&[7_000_218], &[], REFUSED).says(
        |call, _| format!("{} has to prove itself, and people cannot sign in with it", client(call)),
        Next::AllowPeople,
    ),
    row(&[700_025], &[], REFUSED).says(
        |call, _| format!("{} is public and takes neither a secret nor a certificate", client(call)),
        Next::ShowClient,
    ),
    row(&[], &["unauthorized_client"], CONFIG).says(
        |call, _| format!("{} lets no {} sign in like this", tenant(call), client(call)),
        Next::ShowClient,
    ),
    row(&[7_000_112], &[], CONFIG).says(
        |call, _| format!("{} is disabled in {}", client(call), tenant(call)),
        Next::ShowClient,
    ),
    row(&[70001, 700_011, 700_016, 7_000_229], &[], CONFIG).says(
        |call, _| format!("{} has no {}: the wrong id, tenant or cloud", tenant(call), client(call)),
        Next::ShowClient,
    ),
    row(&[50011, 500_113], &[], CONFIG)
        .says(
            |call, _| format!("{} does not let a browser come back to http://localhost", client(call)),
            Next::ShowRedirects,
        )
        .advises(|call| {
            let client = client(call);
            Some(format!(
                "register http://localhost as a redirect of {client} for mobile and desktop \
                 applications, or name the port of one it has with `--redirect-url`"
            ))
        }),
    row(&[50194], &[], CONFIG).says(
        |call, _| format!("{} is of one tenant alone, which `--tenant-id` has to name", client(call)),
        Next::ListTenants,
    ),
    // servers and tenants
    row(&[500_014], &[], CONFIG).says(
        |call, _| format!("{} is disabled in {}", server(call), tenant(call)),
        Next::ShowServer,
    ),
    row(&[50001, 500_011, 650_052, 650_057], &["invalid_resource", "invalid_target"], CONFIG).says(
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
        Next::Log,
    ),
    row(
        &[],
        &["invalid_request", "unsupported_grant_type", "unsupported_response_type"],
        CONFIG,
    )
    .says(|call, _| format!("Entra finds what {} asked wrong", call.who()), Next::Log),
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
    row(&[], &[], REFUSED).says(|call, _| format!("Entra refused {}", call.who()), Next::Log);

fn mfa(call: &Call<'_>) -> String {
    match call.asker {
        Asker::Password { username } => format!(
            "{} wants more than a password of `{}`, and `--login ropc` has nothing more",
            tenant(call),
            shown(username)
        ),
        _ => format!("{} wants multi-factor authentication of {}", tenant(call), call.who()),
    }
}

/// Where an administrator consents.
fn consent(call: &Call<'_>) -> String {
    let authority = &call.client.authority;
    format!(
        "an administrator consents at {}/{}/adminconsent?client_id={}",
        authority.endpoint.origin(),
        shown(&authority.tenant),
        shown(&call.client.id)
    )
}

/// Whether a code was to be typed.
fn is_code(call: &Call<'_>) -> bool {
    matches!(call.asker, Asker::Person { login: Some("devicecode"), .. })
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
