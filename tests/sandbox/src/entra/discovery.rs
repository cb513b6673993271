//! What a client may read before it asks for anything: where everything is, with which keys, and whose domain a name is.

use jiff::Timestamp;
use serde_json::{Value, json};
use url::Url;

use super::directory::Directory;
use super::errors::Refusal;
use super::form::Form;
use super::tenancy::Tenancy;
use crate::http::{Request, Response};

/// `GET /common/discovery/instance`: whether a host is one of Entra's, and which hosts are one.
pub(crate) fn instance(directory: &Directory, request: &Request, now: Timestamp) -> Response {
    let answer = || {
        let form = Form::query(request)?;
        let here = Url::parse(directory.url()).ok();
        let here = here.as_ref().map(|url| url.authority().to_owned()).unwrap_or_default();
        let asked = form.need("authorization_endpoint")?;
        let (Ok(asked), Some(_)) = (Url::parse(asked), form.find("api-version")) else {
            return Err(Refusal::malformed("api-version and authorization_endpoint"));
        };
        let mut clouds =
            CLOUDS.iter().map(|(best, names)| metadata(best, names)).collect::<Vec<_>>();
        clouds.push(metadata(&here, &[&here]));
        let known = asked.authority() == here
            || CLOUDS.iter().any(|(_, names)| names.contains(&asked.authority()));
        if !known || asked.scheme() != "https" {
            return Err(Refusal::new(50049, "Unknown or invalid instance."));
        }
        let tenant = asked.path_segments().and_then(|mut path| path.next()).unwrap_or_default();
        Ok(json!({
            "tenant_discovery_endpoint":
                format!("https://{}/{tenant}/v2.0/.well-known/openid-configuration", asked.authority()),
            "api-version": "1.1",
            "metadata": clouds,
        }))
    };
    respond(answer(), request, now)
}

/// `GET /TENANT/v2.0/.well-known/openid-configuration`.
pub(crate) fn configuration(
    directory: &Directory,
    tenant: &str,
    v2: bool,
    request: &Request,
    now: Timestamp,
) -> Response {
    let answer = || {
        let tenancy = Tenancy::parse(tenant, &directory.state())?;
        let url = directory.url();
        let of = match &tenancy {
            Tenancy::Tenant(tenant) => tenant.as_str(),
            Tenancy::Anybody(_) => "{tenantid}",
        };
        let base = format!("{url}/{}", tenancy.name());
        let (path, keys, issuer) = if v2 {
            ("oauth2/v2.0", "discovery/v2.0/keys", format!("{url}/{of}/v2.0"))
        } else {
            ("oauth2", "discovery/keys", format!("https://sts.windows.net/{of}/"))
        };
        Ok(json!({
            "token_endpoint": format!("{base}/{path}/token"),
            "token_endpoint_auth_methods_supported":
                ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": format!("{base}/{keys}"),
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": issuer,
            "request_uri_parameter_supported": false,
            "authorization_endpoint": format!("{base}/{path}/authorize"),
            "device_authorization_endpoint": format!("{base}/{path}/devicecode"),
            "end_session_endpoint": format!("{base}/{path}/logout"),
            "tenant_region_scope": "NA",
            "cloud_instance_name": "microsoftonline.com",
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": "graph.microsoft.com",
            "rbac_url": "https://pas.windows.net",
        }))
    };
    respond(answer(), request, now)
}

/// `GET /TENANT/discovery/v2.0/keys`.
pub(crate) fn keys(
    directory: &Directory,
    tenant: &str,
    request: &Request,
    now: Timestamp,
) -> Response {
    let tenancy = Tenancy::parse(tenant, &directory.state());
    let keys = tenancy.map(|tenancy| {
        directory.keys.public(&format!("{}/{}/v2.0", directory.url(), tenancy.name()))
    });
    respond(keys, request, now)
}

/// `GET /common/UserRealm/USER`: who checks that person's password.
pub(crate) fn realm(
    directory: &Directory,
    user: &str,
    request: &Request,
    now: Timestamp,
) -> Response {
    // The path is percent-encoded; a form is, too, and its `+` is no part of a user name that matters here.
    let user = user.replace('+', "%2B");
    let user =
        url::form_urlencoded::parse(user.as_bytes()).next().map(|(name, _)| name.into_owned());
    let user = user.unwrap_or_default();
    let person = directory.state().person(&user);
    let domain = user.split_once('@').map_or("", |(_, domain)| domain);
    let mut body = json!({
        "ver": "1.0",
        "account_type": "Unknown",
        "domain_name": domain,
        "cloud_instance_name": "microsoftonline.com",
        "cloud_audience_urn": "urn:federation:MicrosoftOnline",
    });
    match person {
        Some(person) if person.federated => {
            let sts = format!("https://sts.{domain}/adfs/services/trust");
            body["account_type"] = "Federated".into();
            body["federation_protocol"] = "WSTrust".into();
            body["federation_metadata_url"] = format!("{sts}/mex").into();
            body["federation_active_auth_url"] = format!("{sts}/2005/usernamemixed").into();
        }
        Some(_) => body["account_type"] = "Managed".into(),
        None => {}
    }
    let answer = Form::query(request).and_then(|form| match form.need("api-version")? {
        "1.0" | "2.1" => Ok(body),
        _ => Err(Refusal::malformed("api-version")),
    });
    respond(answer, request, now)
}

fn respond(answer: super::errors::Result<Value>, request: &Request, now: Timestamp) -> Response {
    if request.method != "GET" {
        return Response::new(405, "text/plain", "method not allowed");
    }
    match answer {
        Ok(body) => {
            let mut response = Response::json(200, &body);
            response
                .headers
                .push(("Cache-Control".to_owned(), "max-age=86400, private".to_owned()));
            response
        }
        Err(refusal) => refusal.response(request, now),
    }
}

fn metadata(best: &str, names: &[&str]) -> Value {
    let cache = if names.contains(&"login.windows.net") { "login.windows.net" } else { best };
    json!({ "preferred_network": best, "preferred_cache": cache, "aliases": names })
}

/// The hosts of each cloud, as recorded in 2025.
const CLOUDS: [(&str, &[&str]); 4] = [
    (
        "login.microsoftonline.com",
        &[
            "login.microsoftonline.com",
            "login.windows.net",
            "login.microsoft.com",
            "sts.windows.net",
        ],
    ),
    (
        "login.partner.microsoftonline.cn",
        &["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"],
    ),
    ("login.microsoftonline.us", &["login.microsoftonline.us", "login.usgovcloudapi.net"]),
    ("login-us.microsoftonline.com", &["login-us.microsoftonline.com"]),
];
