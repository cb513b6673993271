//! The id of a request, by which it is found in the sign-in log of a tenant.

use fleetkey_provider::{Host, Result};

/// A random GUID (RFC 9562, version 4).
pub(crate) fn request_id(host: &Host) -> Result<String> {
    let mut bytes = [0; 16];
    host.entropy.fill(&mut bytes)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    Ok([part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    #[test]
    fn it_is_a_guid_of_version_4() {
        let host = World::default().host();
        assert_eq!(request_id(&host).unwrap(), "00010203-0405-4607-8809-0a0b0c0d0e0f");
        assert_eq!(request_id(&host).unwrap(), "10111213-1415-4617-9819-1a1b1c1d1e1f");
    }
}
