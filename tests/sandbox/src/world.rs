//! What all services of a sandbox share.

use std::io;

use crate::aws::accounts::Accounts;
use crate::aws::issuer::Issuer;
use crate::aws::sso::Portal;
use crate::certificates::Certificates;
use crate::clock::Clock;
use crate::fault::Faults;
use crate::gate::Stop;
use crate::requests::Log;
use crate::server::Connections;

pub(crate) struct World {
    pub(crate) accounts: Accounts,
    pub(crate) certificates: Certificates,
    pub(crate) clock: Clock,
    pub(crate) connections: Connections,
    pub(crate) faults: Faults,
    pub(crate) issuer: Issuer,
    pub(crate) log: Log,
    pub(crate) portal: Portal,
    pub(crate) stop: Stop,
}

impl World {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            accounts: Accounts::default(),
            certificates: Certificates::new()?,
            clock: Clock::default(),
            connections: Connections::default(),
            faults: Faults::default(),
            issuer: Issuer::new()?,
            log: Log::default(),
            portal: Portal::default(),
            stop: Stop::default(),
        })
    }
}
