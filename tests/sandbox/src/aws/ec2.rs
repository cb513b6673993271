//! As much of EC2 as a search for clusters needs: `DescribeRegions`, in the query protocol and with EC2's own errors.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::aws::authentication::{Caller, authenticate};
use crate::aws::regions::{HANDFUL, OPT_IN};
use crate::aws::sts::error::{StsError, escape};
use crate::http::{Request, Response};
use crate::random;
use crate::route::Route;
use crate::server::Handler;
use crate::world::World;

pub(crate) struct Ec2(pub(crate) Arc<World>);

impl Handler for Ec2 {
    fn service(&self) -> String {
        "ec2".to_owned()
    }

    fn route(&self, _request: &Request) -> Route {
        Route::Ec2
    }

    fn answer(&self, request: &Request) -> Response {
        let caller = match authenticate(request, "ec2", &self.0.accounts, self.0.clock.now()) {
            Ok(caller) if self.0.regions.admit(&caller.identity.account, &caller.region) => caller,
            Ok(_) => return invalid_key(),
            Err(refusal) => return unauthenticated(&refusal),
        };
        let answer = self.describe(request, &caller).unwrap_or_else(|refusal| refusal);
        Response { caller: Some(caller.identity.arn), ..answer }
    }
}

impl Ec2 {
    fn describe(&self, request: &Request, caller: &Caller) -> Result<Response, Response> {
        let Caller { identity, region, .. } = caller;
        if let Some(throttle) = self.0.control_plane.throttles(region) {
            let refusal = error(503, "RequestLimitExceeded", "Request limit exceeded.");
            return Err(throttle.tell(refusal));
        }
        let Asked { all, only, opted_in } = Asked::read(request)?;
        if self.0.control_plane.denies(Route::Ec2, &[&identity.arn]) {
            let message = format!(
                "You are not authorized to perform this operation. User: {} is not authorized to perform: \
                 ec2:DescribeRegions because no identity-based policy allows the ec2:DescribeRegions action",
                identity.arn
            );
            return Err(error(403, "UnauthorizedOperation", &message));
        }
        let mut regions = self.regions(&identity.account);
        if all {
            let others =
                OPT_IN.iter().filter(|other| !regions.iter().any(|(known, _)| known == *other));
            let others: Vec<_> =
                others.map(|other| ((*other).to_owned(), "not-opted-in")).collect();
            regions.extend(others);
        }
        if let Some(unknown) =
            only.iter().find(|name| !regions.iter().any(|(known, _)| known == *name))
        {
            let message = format!("Invalid region provided: {unknown}");
            return Err(error(400, "InvalidParameterValue", &message));
        }
        regions.retain(|(name, status)| {
            (only.is_empty() || only.contains(name))
                && (opted_in.is_empty() || opted_in.iter().any(|wanted| wanted == status))
        });
        Ok(document(&regions))
    }

    /// The regions that an account may use, each with how it came to that.
    fn regions(&self, account: &str) -> Vec<(String, &'static str)> {
        let mut names = self.0.regions.named(account).unwrap_or_else(|| {
            let own = self.0.eks.regions(account);
            HANDFUL.iter().map(|&name| name.to_owned()).chain(own).collect()
        });
        names.sort();
        names.dedup();
        let status = |name: &str| {
            if OPT_IN.contains(&name) { "opted-in" } else { "opt-in-not-required" }
        };
        names.into_iter().map(|name| (name.clone(), status(&name))).collect()
    }
}

/// What of all regions is wanted.
#[derive(Default)]
struct Asked {
    all: bool,
    only: Vec<String>,
    opted_in: Vec<String>,
}

impl Asked {
    fn read(request: &Request) -> Result<Self, Response> {
        let [action, version] =
            ["Action", "Version"].map(|name| request.parameter(name).unwrap_or_default());
        let there = request.method == "POST" && request.path() == "/" && version == VERSION;
        if !there || action != "DescribeRegions" {
            let message = format!("The action {action} is not valid for this web service.");
            return Err(error(400, "InvalidAction", &message));
        }
        let (mut asked, mut filter) = (Self::default(), String::new());
        for (name, value) in request.parameters() {
            let parts: Vec<&str> = name.split('.').collect();
            match parts.as_slice() {
                ["Action" | "Version"] => {}
                ["AllRegions"] => asked.all = value == "true",
                ["RegionName", _] => asked.only.push(value),
                ["Filter", _, "Name"] => filter = value,
                ["Filter", _, "Value", _] if filter == "opt-in-status" => {
                    asked.opted_in.push(value);
                }
                ["Filter", _, "Value", _] => {
                    let message = format!("The filter '{filter}' is invalid");
                    return Err(error(400, "InvalidParameterValue", &message));
                }
                _ => {
                    let message = format!("The parameter {name} is not recognized");
                    return Err(error(400, "UnknownParameter", &message));
                }
            }
        }
        Ok(asked)
    }
}

fn document(regions: &[(String, &str)]) -> Response {
    let mut items = String::new();
    for (name, status) in regions {
        let domain = if name.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let _ = writeln!(
            items,
            "        <item>\n            <regionName>{name}</regionName>\n            \
             <regionEndpoint>ec2.{name}.{domain}</regionEndpoint>\n            \
             <optInStatus>{status}</optInStatus>\n        </item>"
        );
    }
    let id = random::uuid();
    let body = format!(
        "{XML}<DescribeRegionsResponse xmlns=\"http://ec2.amazonaws.com/doc/{VERSION}/\">\n    \
         <requestId>{id}</requestId>\n    <regionInfo>\n{items}    </regionInfo>\n</DescribeRegionsResponse>"
    );
    Response::new(200, CONTENT_TYPE, body)
}

/// How EC2 says no.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Response {
    let (message, id) = (escape(message), random::uuid());
    let body = format!(
        "{XML}<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>\
         <RequestID>{id}</RequestID></Response>"
    );
    Response { error: Some(code.to_owned()), ..Response::new(status, CONTENT_TYPE, body) }
}

/// EC2 tells a wrong key, a wrong signature and a wrong clock apart for nobody.
fn unauthenticated(refusal: &StsError) -> Response {
    let StsError { status, code, message } = refusal;
    match code.as_str() {
        "ExpiredToken" => error(400, "RequestExpired", "Request has expired."),
        "MissingAuthenticationToken" => {
            error(400, "MissingParameter", "The request must contain the parameter AWSAccessKeyId")
        }
        "InvalidClientTokenId" | "SignatureDoesNotMatch" => invalid_key(),
        code => error(*status, code, message),
    }
}

fn invalid_key() -> Response {
    error(401, "AuthFailure", "AWS was not able to validate the provided access credentials")
}

const VERSION: &str = "2016-11-15";
const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const CONTENT_TYPE: &str = "text/xml;charset=UTF-8";
