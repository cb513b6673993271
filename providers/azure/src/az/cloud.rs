//! The cloud that is active in az, and where people sign in to it.

use fleetkey_provider::{Endpoint, Host, Result, shown};

use super::{Folder, Ini};
use crate::{cloud::Cloud, own_host};

/// The active cloud.
#[derive(Clone, Debug)]
pub(crate) struct ActiveCloud {
    /// Its name, as subscriptions have it.
    pub(crate) name: String,
    /// Where people sign in; `None` if az alone knows.
    pub(crate) authority: Option<Endpoint>,
}

const ENDPOINT: &str = "endpoint_active_directory";

impl ActiveCloud {
    /// What `config` and `clouds.config` say. Errors if the cloud's endpoint is nobody's to be given
    /// secrets.
    pub(crate) fn find(folder: &Folder, config: &Ini, host: &Host) -> Result<Self> {
        let name = config.setting("cloud", "name", host).unwrap_or_else(|| "AzureCloud".into());
        let clouds = folder.ini(super::CLOUDS, host)?;
        let authority = match clouds.get(&name, ENDPOINT) {
            Some(endpoint) => configured(endpoint, &name, host)?,
            None => known(&name, host)?,
        };
        Ok(Self { name, authority })
    }
}

/// AD FS has paths and tenants of its own, which az knows and this does not.
fn configured(endpoint: &str, cloud: &str, host: &Host) -> Result<Option<Endpoint>> {
    let from = format!("`{ENDPOINT}` of az's cloud `{}`", shown(cloud));
    let endpoint = Endpoint::configured(endpoint, &from, own_host::is_entra, host)?;
    Ok((endpoint.url().path() == "/").then_some(endpoint))
}

fn known(name: &str, host: &Host) -> Result<Option<Endpoint>> {
    let known =
        Cloud::named(name).filter(|_| AZ_NAMES.iter().any(|n| n.eq_ignore_ascii_case(name)));
    known
        .map(|cloud| {
            Endpoint::known(cloud.authority_host(), "az's cloud", own_host::is_entra, host)
        })
        .transpose()
}

/// kubelogin has more names for the same clouds.
const AZ_NAMES: &[&str] = &["AzureCloud", "AzureChinaCloud", "AzureUSGovernment"];

#[cfg(test)]
mod tests {
    use fleetkey_provider::Kind;

    use super::*;
    use crate::testing::World;

    fn active(config: &str, clouds: &str) -> Result<ActiveCloud> {
        let world = World::default().file("/az/config", config).file("/az/clouds.config", clouds);
        let host = world.host();
        let folder = Folder::find(Some("/az".as_ref()), &host).unwrap().unwrap();
        ActiveCloud::find(&folder, &folder.config(&host)?, &host)
    }

    fn authority(config: &str, clouds: &str) -> Option<String> {
        active(config, clouds).unwrap().authority.map(|endpoint| endpoint.as_str().to_owned())
    }

    #[test]
    fn each_cloud_has_its_authority() {
        for (config, clouds, endpoint) in [
            ("", "", Some("https://login.microsoftonline.com/")),
            ("[cloud]\nname = AzureChinaCloud", "", Some("https://login.chinacloudapi.cn/")),
            ("[cloud]\nname = AzureUSGovernment", "", Some("https://login.microsoftonline.us/")),
            ("[cloud]\nname = Mars", "", None),
            (
                "",
                "[AzureCloud]\nsubscription = x\nendpoint_active_directory = http://127.0.0.1:8\n",
                Some("http://127.0.0.1:8/"),
            ),
            (
                "[cloud]\nname = Mars",
                "[Mars]\nendpoint_active_directory=https://login.microsoftonline.com/",
                Some("https://login.microsoftonline.com/"),
            ),
            ("[cloud]\nname = M", "[M]\nendpoint_active_directory=https://localhost/adfs", None),
        ] {
            assert_eq!(authority(config, clouds).as_deref(), endpoint, "{config} {clouds}");
        }
    }

    #[test]
    fn a_strangers_endpoint_is_given_nothing() {
        let clouds = "[AzureCloud]\nendpoint_active_directory = https://login.evil.example\n";
        let error = active("", clouds).unwrap_err();
        assert_eq!(error.kind(), Kind::Config);
        assert_eq!(error.next_line(), Some("fleetkey trust add login.evil.example"));
        assert!(error.message().contains("endpoint_active_directory"), "{error}");
    }
}
