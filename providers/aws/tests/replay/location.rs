//! Where the two files of profiles are looked for: the cases that all of AWS's SDKs share.

use std::ffi::OsString;

use fleetkey_aws::replay;

use crate::Set;

#[test]
fn location() {
    let Some((mut set, data)) = Set::open("location", "aws/file-location-tests.json") else {
        return;
    };
    for case in data["tests"].as_array().unwrap() {
        let var = |name: &str| case["environment"].get(name)?.as_str().map(OsString::from);
        let windows = match case["platform"].as_str().unwrap() {
            "windows" => true,
            "linux" => false,
            other => panic!("an unknown platform: {other}"),
        };
        let [config, credentials] = replay::location(&var, windows);
        let expected = |key: &str| Some(case[key].as_str().unwrap());
        assert_eq!(config.as_ref().and_then(|p| p.to_str()), expected("configLocation"), "{case}");
        assert_eq!(
            credentials.as_ref().and_then(|p| p.to_str()),
            expected("credentialsLocation"),
            "{case}"
        );
        set.ran();
    }
    set.finish();
}
