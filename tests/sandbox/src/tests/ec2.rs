use super::{Signer, element};
use crate::client::Reply;
use crate::{EksCluster, Route, Sandbox};

fn ask(sandbox: &Sandbox, signer: &Signer, more: &str) -> Reply {
    let body = format!("Action=DescribeRegions&Version=2016-11-15{more}");
    signer.ask(sandbox, ("ec2", "us-east-1"), &format!("{}/", sandbox.ec2_url()), &body)
}

fn regions(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let text = reply.text();
    let names = text.split("<regionName>").skip(1);
    names.map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

fn refusal(reply: &Reply) -> (u16, String) {
    assert!(reply.text().contains("<Response><Errors><Error><Code>"), "{}", reply.text());
    (reply.status, element(reply, "Code"))
}

#[test]
fn the_regions_of_an_account() {
    let sandbox = Sandbox::start().unwrap();
    let alice = Signer::from(&sandbox.user("alice"));
    let handful = ["ap-southeast-2", "eu-central-1", "eu-west-1", "us-east-1", "us-west-2"];
    let reply = ask(&sandbox, &alice, "");
    assert_eq!(regions(&reply), handful);
    assert_eq!(element(&reply, "regionEndpoint"), "ec2.ap-southeast-2.amazonaws.com");
    assert_eq!(element(&reply, "optInStatus"), "opt-in-not-required");
    sandbox.eks_cluster(EksCluster::new("c", "eu-south-1"));
    sandbox.eks_cluster(EksCluster::new("c", "sa-east-1").account("444455556666"));
    assert!(regions(&ask(&sandbox, &alice, "")).contains(&"eu-south-1".to_owned()));
    assert_eq!(regions(&ask(&sandbox, &alice, "")).len(), 6);
    let filter = "&Filter.1.Name=opt-in-status&Filter.1.Value.1=opted-in";
    assert_eq!(regions(&ask(&sandbox, &alice, filter)), ["eu-south-1"]);
    let all = regions(&ask(&sandbox, &alice, "&AllRegions=true"));
    assert_eq!((all.len(), all.last().unwrap().as_str()), (9, "me-south-1"));
    sandbox.regions("111122223333", &["us-east-1", "eu-north-1"]);
    assert_eq!(regions(&ask(&sandbox, &alice, "")), ["eu-north-1", "us-east-1"]);
    assert_eq!(regions(&ask(&sandbox, &alice, "&RegionName.1=eu-north-1")), ["eu-north-1"]);
    let unknown = ask(&sandbox, &alice, "&RegionName.1=eu-west-1");
    assert_eq!(refusal(&unknown), (400, "InvalidParameterValue".into()));
    assert_eq!(sandbox.count(Route::Ec2), 8);
}

#[test]
fn refusals_are_those_of_ec2() {
    let sandbox = Sandbox::start().unwrap();
    let alice = Signer::from(&sandbox.user("alice"));
    let failed = (401, "AuthFailure".to_owned());
    assert_eq!(
        refusal(&ask(&sandbox, &Signer { secret: "x".into(), ..alice.clone() }, "")),
        failed
    );
    assert_eq!(
        refusal(&ask(&sandbox, &Signer { id: "AKIAX".into(), ..alice.clone() }, "")),
        failed
    );
    let url = format!("{}/", sandbox.ec2_url());
    let body = "Action=DescribeRegions&Version=2016-11-15";
    assert_eq!(refusal(&alice.ask(&sandbox, ("sts", "us-east-1"), &url, body)), failed);
    let send = |body: &str| refusal(&alice.ask(&sandbox, ("ec2", "us-east-1"), &url, body)).1;
    assert_eq!(send("Action=DescribeRegions&Version=2011-06-15"), "InvalidAction");
    assert_eq!(send("Action=DescribeInstances&Version=2016-11-15"), "InvalidAction");
    assert_eq!(refusal(&ask(&sandbox, &alice, "&Regions=x")).1, "UnknownParameter");
    let unsigned = sandbox.client().unwrap().send("POST", &url, &[], body.as_bytes()).unwrap();
    assert_eq!(refusal(&unsigned), (400, "MissingParameter".into()));
    sandbox.throttle("us-east-1", None);
    assert_eq!(refusal(&ask(&sandbox, &alice, "")), (503, "RequestLimitExceeded".into()));
    sandbox.throttle_no_more("us-east-1");
    sandbox.deny(Route::Ec2, "111122223333");
    assert_eq!(refusal(&ask(&sandbox, &alice, "")), (403, "UnauthorizedOperation".into()));
}
