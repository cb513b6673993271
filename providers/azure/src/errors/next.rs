//! What to type next.

use fleetkey_provider::quoted;

use super::{Asker, Call, asker};
use crate::{az, cloud::Cloud, entra::Client, server_id::AKS_CLIENT};

/// What helps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Next {
    SignIn,
    Browser,
    /// The same for whoever was to type a code.
    BrowserForACode,
    /// What Entra's own log says of it.
    Log,
    /// The password, from a file.
    Password,
    ShowUser,
    Consent,
    AksClient,
    ShowClient,
    ShowServer,
    ShowTenant,
    ListTenants,
    ResetSecret,
    ShowCertificates,
    ShowFederated,
    AllowPeople,
    ShowRedirects,
    Probe,
    /// To look at the clock.
    Clock,
}

impl Call<'_> {
    /// The line, which a row always has; where signing in is nothing that whoever asks can do, it is
    /// the one by which an administrator finds what happened. `id` is that of the request.
    pub(super) fn next(&self, next: Next, id: &str) -> String {
        let Self { client, server, asker, .. } = self;
        let (app, resource) = (quoted(&client.id), quoted(server.resource()));
        let line = match next {
            Next::SignIn => asker.sign_in(client, server),
            Next::Browser => asker.in_a_browser(client, server),
            Next::BrowserForACode => match asker {
                Asker::Person { login: Some("devicecode"), .. } => {
                    asker.in_a_browser(client, server)
                }
                _ => None,
            },
            Next::Log => None,
            Next::Password => match asker {
                Asker::Password { username } => {
                    Some(asker::password_line(client, server, username))
                }
                _ => asker.sign_in(client, server),
            },
            Next::ShowUser => match asker {
                Asker::Person { hint: Some(name), .. } | Asker::Password { username: name } => {
                    Some(format!("az ad user show --id {}", quoted(name)))
                }
                _ => asker.in_a_browser(client, server),
            },
            Next::Consent => Some(format!("az ad app permission admin-consent --id {app}")),
            Next::AksClient if **asker != Asker::Application => {
                let is_azure = Cloud::is_resource_manager(server.resource());
                let id = if is_azure { az::CLIENT } else { AKS_CLIENT };
                let theirs = Client { id: id.into(), ..(*client).clone() };
                match asker {
                    Asker::AzureCli => Some(asker::login_line(&theirs, server, None, None)),
                    _ => asker.in_a_browser(&theirs, server),
                }
            }
            Next::ShowClient => Some(format!("az ad sp show --id {app}")),
            Next::AksClient | Next::ShowServer => Some(format!("az ad sp show --id {resource}")),
            Next::ShowTenant => {
                let origin = client.authority.endpoint.origin();
                let tenant = &client.authority.tenant;
                let url = format!("{origin}/{tenant}/v2.0/.well-known/openid-configuration");
                Some(format!("curl -sS {}", quoted(&url)))
            }
            Next::ListTenants => {
                Some("az account list --query '[].tenantId' --output tsv".to_owned())
            }
            Next::ResetSecret => Some(format!("az ad app credential reset --id {app}")),
            Next::ShowCertificates => Some(format!("az ad app credential list --id {app} --cert")),
            Next::ShowFederated => Some(format!("az ad app federated-credential list --id {app}")),
            Next::AllowPeople => {
                Some(format!("az ad app update --id {app} --is-fallback-public-client true"))
            }
            Next::ShowRedirects => {
                Some(format!("az ad app show --id {app} --query publicClient.redirectUris"))
            }
            Next::Probe => Some(self.probe()),
            Next::Clock => Some("date -u".to_owned()),
        };
        line.unwrap_or_else(|| self.log(id))
    }

    /// Asks whether the authority can be reached at all.
    pub(super) fn probe(&self) -> String {
        let url = format!("{}/", self.client.authority.endpoint.origin());
        format!(r"curl -sS -o /dev/null -w '%{{http_code}}\n' {}", quoted(&url))
    }

    /// Asks the tenant's sign-in log, which names the policies that applied. Only `beta` has the
    /// sign-ins of applications and of sessions, and only to who asks for them (Microsoft Graph,
    /// `signIn` resource type).
    fn log(&self, id: &str) -> String {
        let authority = self.client.authority.endpoint.url().host_str().unwrap_or_default();
        let graph = match authority {
            "login.microsoftonline.us" | "login.usgovcloudapi.net" => "graph.microsoft.us",
            "login.chinacloudapi.cn" | "login.partner.microsoftonline.cn" => {
                "microsoftgraph.chinacloudapi.cn"
            }
            _ => "graph.microsoft.com",
        };
        let types = ["interactiveUser", "nonInteractiveUser", "servicePrincipal"]
            .map(|name| format!("t eq '{name}'"))
            .join(" or ");
        let filter = format!("correlationId eq '{id}' and signInEventTypes/any(t:{types})");
        let filter = filter.replace(' ', "%20").replace('\'', "%27");
        let url = format!("https://{graph}/beta/auditLogs/signIns?$filter={filter}");
        format!("az rest --url {}", quoted(&url))
    }
}

#[cfg(test)]
mod tests {
    use fleetkey_provider::{Endpoint, Host, Kind};

    use super::*;
    use crate::{
        errors::{
            table::{LATER, TABLE},
            tests::{ID, coded, log, person},
        },
        own_host,
        server_id::AKS,
        testing::{CLIENT, TENANT, client, wanted},
    };

    fn askers() -> [Asker; 5] {
        [
            person(),
            Asker::Person { login: Some("devicecode"), hint: Some("it's me".into()) },
            Asker::Password { username: "me@x".into() },
            Asker::AzureCli,
            Asker::Application,
        ]
    }

    #[test]
    fn each_code_of_the_table_has_a_line_for_everybody() {
        for code in TABLE.iter().chain([&LATER]).flat_map(|row| row.codes) {
            for asker in askers() {
                let error = coded(&asker, "invalid_grant", *code);
                let line = error.next_line().unwrap();
                assert!(!line.contains("--help") && !line.contains('\n'), "{code}: {line}");
                let starts = ["az ", "curl ", "date ", "fleetkey "];
                assert!(starts.iter().any(|start| line.starts_with(start)), "{code}: {line}");
            }
        }
    }

    #[test]
    fn whoever_is_blocked_outside_of_codes_is_told_what_to_tell() {
        for asker in [
            person(),
            Asker::Person { login: Some("interactive"), hint: None },
            Asker::AzureCli,
            Asker::Application,
        ] {
            let error = coded(&asker, "interaction_required", 53003);
            let end =
                format!("; give your administrator that id, application {CLIENT} and server {AKS}");
            assert!(error.cause().unwrap().ends_with(&end), "{error}");
            assert_eq!(error.next_line(), Some(&*log(ID)), "{asker:?}");
        }
    }

    #[test]
    fn what_a_person_declined_or_lost_is_theirs_to_mend() {
        let sign_in = format!(
            "fleetkey login azure --server-id {AKS} --tenant-id {TENANT} --client-id {CLIENT}"
        );
        let error = coded(&person(), "access_denied", 65004);
        let url = format!(
            "at https://login.microsoftonline.com/{TENANT}/adminconsent?client_id={CLIENT}"
        );
        assert!(error.cause().unwrap().ends_with(&url), "{error}");
        assert_eq!((error.kind(), error.next_line()), (Kind::SignInNeeded, Some(&*sign_in)));

        let me = Asker::Password { username: "me@x".into() };
        let error = coded(&me, "invalid_grant", 50053);
        assert!(error.cause().unwrap().contains("nothing helps but to wait"), "{error}");
        let line = format!("{sign_in} --login interactive --login-hint me@x");
        assert_eq!((error.is_once(), error.next_line()), (true, Some(&*line)));
        let error = coded(&me, "invalid_grant", 50057);
        assert_eq!(error.next_line(), Some("az ad user show --id me@x"));

        let error = coded(&person(), "invalid_request", 50011);
        assert!(error.cause().unwrap().contains("register http://localhost as a redirect"));
        assert!(error.cause().unwrap().contains("`--redirect-url`"), "{error}");
    }

    #[test]
    fn what_an_application_is_told_is_of_applications() {
        for code in [70000, 9_002_313] {
            let error = coded(&Asker::Application, "invalid_grant", code);
            assert!(!error.message().contains("sign-in"), "{error}");
            assert_eq!(error.kind(), Kind::Refused);
            assert!(coded(&person(), "invalid_grant", code).message().ends_with("has ended"));
        }
        let error = coded(&Asker::Application, "unauthorized_client", 7_000_112);
        let message = format!("application {CLIENT} is disabled in tenant {TENANT}");
        assert_eq!((error.kind(), error.message()), (Kind::Config, &*message));
        for asker in askers() {
            let error = coded(&asker, "invalid_grant", 65002);
            assert!(error.cause().unwrap().ends_with(AKS_CLIENT), "{error}");
            let line = error.next_line().unwrap();
            assert_eq!(line.contains(AKS_CLIENT), asker != Asker::Application, "{line}");
        }
    }

    #[test]
    fn each_cloud_has_its_own_log() {
        for (authority, graph) in [
            ("login.microsoftonline.us", "https://graph.microsoft.us/"),
            ("login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn/"),
        ] {
            let mut client = client();
            client.authority.endpoint =
                Endpoint::known(authority, "a test", own_host::is_entra, &Host::refusing())
                    .unwrap();
            let wanted = wanted();
            let call = Call {
                client: &client,
                server: &wanted.server,
                asker: &Asker::Application,
                assertion: None,
                secrets: Vec::new(),
                request_id: "",
            };
            assert!(call.next(Next::Log, "i").contains(graph));
        }
    }
}
