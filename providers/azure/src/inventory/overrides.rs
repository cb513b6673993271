//! How the users of a kubeconfig sign in, once Azure has written it: as whoever asked for it.

use fleetkey_provider::{Host, Overrides};

use crate::{
    arguments::{Arguments, Family, Precedence, Secret},
    authority::Discovery,
    login::Login,
};

/// The flags that were typed, and the way to sign in that was taken; an empty one is none. A secret is
/// in no kubeconfig: whoever typed it has to say it elsewhere. `tenant` is where az was asked.
pub(super) fn of(
    arguments: &Arguments,
    login: Option<Login>,
    tenant: Option<&str>,
    host: &Host,
) -> Overrides {
    let Arguments {
        login: _,
        server_id: _,
        client_id,
        tenant_id,
        environment,
        subscription: _, // of the cluster; the tenant says which account
        authority_host,
        secret,
        certificate,
        certificate_password: _,
        username,
        password,
        resource_id,
        object_id,
        token_file,
        connection,
        redirect,
        login_hint,
        pop: _,
        is_legacy: _,
        run_az,
        family,
        precedence,
        discovery,
    } = arguments;
    let port = redirect.as_ref().and_then(|redirect| redirect.port(host));
    let redirect = port.map(|port| format!("http://localhost:{port}"));
    let of_az = tenant.filter(|_| login == Some(Login::AzureCli));
    let tenant = tenant_id.as_ref().map(|id| id.value.as_str()).or(of_az);
    let texts = [
        ("login", Some(login.map_or("", Login::name))),
        ("tenant-id", tenant),
        ("client-id", client_id.as_ref().map(|id| id.value.as_str())),
        ("environment", environment.as_ref().map(|name| name.value.as_str())),
        ("authority-host", authority_host.as_ref().map(|host| host.value.as_str())),
        ("username", username.as_ref().map(|name| name.value.as_str())),
        ("identity-resource-id", resource_id.as_ref().map(|id| id.value.as_str())),
        ("object-id", object_id.as_ref().map(|id| id.value.as_str())),
        ("azure-pipelines-service-connection-id", connection.as_ref().map(|id| id.value.as_str())),
        ("redirect-url", redirect.as_deref()),
        ("login-hint", login_hint.as_ref().map(|name| name.value.as_str())),
    ];
    let files = [
        ("client-secret-file", in_file(secret.as_ref())),
        ("client-certificate", certificate.as_ref()),
        ("password-file", in_file(password.as_ref())),
        ("federated-token-file", token_file.as_ref()),
    ];
    let switches = [
        ("run-az", *run_az),
        ("use-azurerm-env-vars", (*family == Family::AzureRm).then_some(true)),
        ("env-overrides-flags", (*precedence == Precedence::Overrides).then_some(true)),
        ("disable-environment-override", (*precedence == Precedence::Ignored).then_some(true)),
        ("disable-instance-discovery", (*discovery == Discovery::Disabled).then_some(true)),
    ];
    let texts = texts.into_iter().filter_map(|(name, text)| Some((name, text?.to_owned())));
    let files = files
        .into_iter()
        .filter_map(|(name, file)| Some((name, file?.value.to_string_lossy().into_owned())));
    let switches =
        switches.into_iter().filter_map(|(name, switch)| Some((name, switch?.to_string())));
    let all = texts.chain(files).chain(switches);
    Overrides(all.map(|(name, value)| (name.to_owned(), value)).collect())
}

fn in_file(secret: Option<&Secret>) -> Option<&crate::given::File> {
    match secret? {
        Secret::In(file) => Some(file),
        Secret::Typed(_) => None,
    }
}
