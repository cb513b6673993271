//! What all services of a sandbox share.

use std::io;

use crate::aws::accounts::Accounts;
use crate::aws::eks::clusters::Clusters;
use crate::aws::issuer::Issuer;
use crate::aws::machine::Machine;
use crate::aws::pod_identity::Pods;
use crate::aws::regions::Regions;
use crate::aws::signin::directory::Directory as SignIn;
use crate::aws::sso::directory::Portal;
use crate::azure::arm::resources::Resources;
use crate::azure::federation::Federation;
use crate::azure::identities::Identities;
use crate::certificates::Certificates;
use crate::clock::Clock;
use crate::control_plane::ControlPlane;
use crate::entra::Directory;
use crate::fault::Faults;
use crate::gate::Stop;
use crate::requests::Log;
use crate::server::Connections;

pub(crate) struct World {
    pub(crate) accounts: Accounts,
    pub(crate) certificates: Certificates,
    pub(crate) clock: Clock,
    pub(crate) connections: Connections,
    pub(crate) control_plane: ControlPlane,
    pub(crate) eks: Clusters,
    pub(crate) entra: Directory,
    pub(crate) faults: Faults,
    pub(crate) federation: Federation,
    pub(crate) identities: Identities,
    pub(crate) issuer: Issuer,
    pub(crate) log: Log,
    pub(crate) machine: Machine,
    pub(crate) pods: Pods,
    pub(crate) portal: Portal,
    pub(crate) regions: Regions,
    pub(crate) resources: Resources,
    pub(crate) signin: SignIn,
    pub(crate) stop: Stop,
}

impl World {
    pub(crate) fn new() -> io::Result<Self> {
        let federation = Federation::new()?;
        let entra = Directory::default();
        federation.introduce(&entra);
        Ok(Self {
            accounts: Accounts::default(),
            certificates: Certificates::new()?,
            clock: Clock::default(),
            connections: Connections::default(),
            control_plane: ControlPlane::default(),
            eks: Clusters::default(),
            entra,
            faults: Faults::default(),
            federation,
            identities: Identities::default(),
            issuer: Issuer::new()?,
            log: Log::default(),
            machine: Machine::default(),
            pods: Pods::default(),
            portal: Portal::default(),
            regions: Regions::default(),
            resources: Resources::default(),
            signin: SignIn::default(),
            stop: Stop::default(),
        })
    }
}
