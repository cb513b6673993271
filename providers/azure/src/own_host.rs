//! Which host names are Microsoft's, and nobody else's.
//!
//! Customers are given names below many of Microsoft's domains, so a name is read whole: an exact
//! one, or a shape in which every label has its place. `https://x-8080.app.online.visualstudio.com`
//! is a customer's program, `https://x.visualstudio.com` is not.

use crate::cloud;

/// Hosts of Entra: those that MSAL calls trusted, in every cloud.
pub(crate) fn is_entra(name: &str) -> bool {
    cloud::AUTHORITIES.contains(&name)
}

/// Azure Resource Manager, in every cloud.
pub(crate) fn is_resource_manager(name: &str) -> bool {
    cloud::RESOURCE_MANAGERS.contains(&name)
}

/// API servers of AKS, public and behind a private link, as "Outbound network and FQDN rules for
/// AKS clusters" and "Azure Private Endpoint private DNS zone values" name them for each cloud.
/// Clusters of Arc are reached by a proxy on loopback, and have no name here.
pub(crate) fn is_api_server(name: &str) -> bool {
    API_SERVERS.iter().any(|suffix| {
        let Some(rest) = name.strip_suffix(suffix).and_then(|rest| rest.strip_suffix('.')) else {
            return false;
        };
        // the cluster's own labels, then the kind, then the region
        let labels: Vec<&str> = rest.split('.').collect();
        let [cluster @ .., kind, region] = labels.as_slice() else { return false };
        !cluster.is_empty()
            && ["hcp", "privatelink", "private"].contains(kind)
            && cluster.iter().chain([region]).all(|label| is_label(label))
    })
}

const API_SERVERS: &[&str] =
    &["azmk8s.io", "cx.aks.containerservice.azure.us", "cx.prod.service.azk8s.cn"];

/// Hosts that give a job of GitHub Actions its token: `ACTIONS_ID_TOKEN_REQUEST_URL` on github.com.
/// An Enterprise Server has a name of its own, which has to be trusted by hand.
pub(crate) fn is_github_oidc(name: &str) -> bool {
    name.strip_suffix(".actions.githubusercontent.com").is_some_and(is_label)
}

/// Hosts that give a job of Azure Pipelines its token: `SYSTEM_OIDCREQUESTURI`. An organisation may
/// still have its old name below `visualstudio.com`; deeper names there are not all Microsoft's.
pub(crate) fn is_pipelines(name: &str) -> bool {
    ["dev.azure.com", "vstoken.dev.azure.com"].contains(&name)
        || name.strip_suffix(".visualstudio.com").is_some_and(is_label)
}

/// One label of a host name.
fn is_label(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    type Known = fn(&str) -> bool;

    #[test]
    fn microsofts_own_names_are_known() {
        let known: &[(Known, &[&str])] = &[
            (
                is_entra,
                &[
                    "login.microsoftonline.com",
                    "login.microsoft.com",
                    "login.windows.net",
                    "sts.windows.net",
                    "login.microsoftonline.us",
                    "login.usgovcloudapi.net",
                    "login.chinacloudapi.cn",
                    "login.partner.microsoftonline.cn",
                    "login.sovcloud-identity.fr",
                ],
            ),
            (
                is_resource_manager,
                &[
                    "management.azure.com",
                    "management.usgovcloudapi.net",
                    "management.chinacloudapi.cn",
                ],
            ),
            (
                is_api_server,
                &[
                    "aks-dns-1a2b3c4d.hcp.westeurope.azmk8s.io",
                    "aks-dns-1a2b3c4d.0a1b2c3d-1111.privatelink.westeurope.azmk8s.io",
                    "aks.private.westeurope.azmk8s.io",
                    "aks.team.privatelink.westeurope.azmk8s.io",
                    "aks-1a2b.hcp.usgovvirginia.cx.aks.containerservice.azure.us",
                    "aks.privatelink.usgovarizona.cx.aks.containerservice.azure.us",
                    "aks-1a2b.hcp.chinaeast2.cx.prod.service.azk8s.cn",
                ],
            ),
            (
                is_github_oidc,
                &[
                    "pipelines.actions.githubusercontent.com",
                    "run-actions-2-azure-eastus.actions.githubusercontent.com",
                ],
            ),
            (is_pipelines, &["dev.azure.com", "vstoken.dev.azure.com", "contoso.visualstudio.com"]),
        ];
        for (is_known, names) in known {
            for name in *names {
                assert!(is_known(name), "{name}");
            }
        }
    }

    #[test]
    fn names_that_others_can_have_are_not() {
        let everything: [Known; 5] =
            [is_entra, is_resource_manager, is_api_server, is_github_oidc, is_pipelines];
        for name in [
            // customers' own, below Microsoft's domains
            "evil.b2clogin.com",
            "evil.blob.core.windows.net",
            "evil.azurewebsites.net",
            "evil.westeurope.cloudapp.azure.com",
            "evil-8080.app.online.visualstudio.com",
            "evil.windows.net",
            "evil.1a2b.westeurope.aksapp.io",
            "evil.github.io",
            "raw.githubusercontent.com",
            // nearly right
            "azmk8s.io",
            "hcp.westeurope.azmk8s.io",
            ".hcp.westeurope.azmk8s.io",
            "aks..hcp.westeurope.azmk8s.io",
            "aks.tun.westeurope.azmk8s.io",
            "aks.westeurope.azmk8s.io",
            "aks.hcp.westeurope.azmk8s.us",
            "aks.hcp.west_europe.azmk8s.io",
            "x.login.microsoftonline.com",
            "login.microsoftonline.com.",
            "actions.githubusercontent.com",
            ".actions.githubusercontent.com",
            "a.b.actions.githubusercontent.com",
            "visualstudio.com",
            "x.dev.azure.com",
            "x.management.azure.com",
            "azure.com",
            // somebody else's
            "aks.hcp.westeurope.azmk8s.io.evil.example",
            "aks.hcp.westeurope.evilazmk8s.io",
            "login.microsoftonline.com.evil.example",
            "evillogin.microsoftonline.com",
            "pipelines.actions.githubusercontent.com.evil.example",
            "dev.azure.com.evil.example",
            "management.azure.com.evil.example",
            "10.0.0.1",
            "",
        ] {
            for is_known in everything {
                assert!(!is_known(name), "{name}");
            }
        }
    }
}
