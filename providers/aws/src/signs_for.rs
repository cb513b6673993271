//! For which host of STS a token is signed: that of a region which something names, or else of the
//! one this machine is in.
//!
//! The machine's is asked of its metadata service, so it is not known when a question is understood.
//! It comes with the first keys, and goes from step to step with them.

use fleetkey_provider::{Error, Host, Result};

use crate::{
    keys::Keys,
    metadata::Metadata,
    region::Region,
    sts::Sts,
    sts_host::{Mode, StsHost, sts_host},
};

/// The host of STS a token is for.
#[derive(Debug)]
pub(crate) enum SignsFor {
    /// This one.
    Host(StsHost),
    /// That of the region this machine is in.
    Machine(Metadata, Mode),
}

impl SignsFor {
    /// Whether keys have to bring their region along.
    pub(crate) fn is_of_machine(&self) -> bool {
        matches!(self, Self::Machine(..))
    }

    /// The region of this machine, if it is needed: as the source's keys have it, or asked for.
    pub(crate) async fn region(
        &self,
        source: Option<&Keys>,
        host: &Host,
    ) -> Result<Option<Region>> {
        let Self::Machine(metadata, _) = self else { return Ok(None) };
        match source.and_then(|keys| keys.region.as_deref()) {
            Some(region) => Region::parse(region, OF_MACHINE).map(Some),
            None => metadata.region(host).await.map(Some),
        }
    }

    /// STS, where it is asked from that region.
    pub(crate) fn sts(&self, sts: &Sts, region: Option<&Region>, host: &Host) -> Result<Sts> {
        match (self, region) {
            (Self::Machine(_, mode), Some(region)) => sts.in_region(region, *mode, host),
            _ => Ok(sts.clone()),
        }
    }

    /// The host a token of these keys is for.
    pub(crate) fn host(&self, keys: &Keys) -> Result<StsHost> {
        match (self, &keys.region) {
            (Self::Host(sts), _) => Ok(sts.clone()),
            (Self::Machine(_, mode), Some(region)) => {
                sts_host(&Region::parse(region, OF_MACHINE)?, *mode)
            }
            (Self::Machine(..), None) => {
                Err(Error::failed("a credential came without the region of this machine"))
            }
        }
    }
}

const OF_MACHINE: &str = "the region of this machine";

#[cfg(test)]
mod tests {
    use fleetkey_provider::{ExposeSecret, Kind};

    use crate::testing::{KEYS, ROLE, VENDOR, World};

    /// A machine of EC2 without a region anywhere.
    fn world() -> World {
        World::new().env(&[("AWS_REGION", "")]).file(VENDOR, "Amazon EC2\n")
    }

    fn answers(world: &World, bodies: &[&str]) {
        for body in bodies {
            world.http.answer(200, &[], body);
        }
    }

    fn url(token: &str) -> String {
        use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
        let text = token.strip_prefix("k8s-aws-v1.").unwrap();
        String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    }

    #[test]
    fn keys_at_hand_wait_for_the_region_of_the_machine() {
        let world = world().env(&KEYS);
        answers(&world, &["session", "ap-south-1"]);
        let request = world.ask("").unwrap();
        let credential = world.lend(request.as_ref()).unwrap();
        assert_eq!(credential.expires(), None, "not kept either way");
        let token = request.token(&credential, &world.host()).unwrap();
        let url = url(token.secret.expose_secret());
        assert!(url.starts_with("https://sts.ap-south-1.amazonaws.com/"), "{url}");
        let asked: Vec<_> =
            world.http.requests().iter().map(|sent| sent.endpoint.to_string()).collect();
        assert_eq!(
            asked,
            [
                "http://169.254.169.254/latest/api/token",
                "http://169.254.169.254/latest/meta-data/placement/region",
            ]
        );
    }

    #[test]
    fn the_region_is_asked_once_and_roles_are_assumed_in_it() {
        let world = world();
        let line = format!("--profile keys --via-role {ROLE} --role {ROLE}");
        answers(&world, &["session", "ap-south-1"]);
        world.sts_lends("AssumeRole");
        world.sts_lends("AssumeRole");
        let request = world.ask(&line).unwrap();
        let credential = world.lend(request.as_ref()).unwrap();
        let sent = world.http.requests();
        assert_eq!(sent.len(), 4);
        for sent in &sent[2..] {
            assert_eq!(sent.endpoint.origin(), "https://sts.ap-south-1.amazonaws.com");
        }
        assert!(request.token(&credential, &world.host()).is_ok());
        // and a credential without a region is another one
        let elsewhere = World::new().ask(&line).unwrap();
        assert_ne!(elsewhere.fingerprint(), request.fingerprint());
    }

    #[test]
    fn who_is_not_on_ec2_has_to_name_a_region() {
        let error = world().file(VENDOR, "LENOVO").ask("--profile keys").unwrap_err();
        assert_eq!(error.kind(), Kind::Config);
        assert!(error.to_string().contains("this machine is of `LENOVO`"), "{error}");
        let off = world().env(&[("AWS_EC2_METADATA_DISABLED", "true")]);
        let error = off.ask("--profile keys").unwrap_err();
        assert!(error.to_string().contains("`AWS_EC2_METADATA_DISABLED`"), "{error}");
    }
}
