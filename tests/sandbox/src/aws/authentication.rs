//! Who signed this request? The whole check that a service makes before it does anything, for both places a signature
//! can be. Services differ in what they call a refusal; here it has the names that STS has for it.

use jiff::{SignedDuration, Timestamp};

use crate::aws::accounts::{Accounts, Identity};
use crate::aws::sigv4::{self, Scope};
use crate::aws::sts::error::StsError;
use crate::clock::{amz_date, parse_amz_date};
use crate::http::Request;

/// A caller whose signature was right.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) access_key_id: String,
    pub(crate) identity: Identity,
    pub(crate) mfa: bool,
    /// The region that was signed for.
    pub(crate) region: String,
}

/// Checks the signature in the Authorization header, or else, where STS is asked, in the query.
pub(crate) fn authenticate(
    request: &Request,
    service: &str,
    accounts: &Accounts,
    now: Timestamp,
) -> Result<Caller, StsError> {
    let claim = match request.header("authorization") {
        Some(header) => Claim::from_header(header, request)?,
        None if service == STS && request.parameter("X-Amz-Signature").is_some() => {
            Claim::from_query(request)?
        }
        None => {
            return Err(StsError::new(
                403,
                "MissingAuthenticationToken",
                "Request is missing Authentication Token",
            ));
        }
    };
    claim.check_scope(service, now)?;
    let key = accounts.key(&claim.access_key_id).ok_or_else(unknown_key)?;
    if key.session_token != claim.session_token {
        return Err(unknown_key());
    }
    let Claim { scope, date, signed_headers, signature, access_key_id, .. } = claim;
    if sigv4::signature(&key.secret, &scope, &date, &signed_headers, request) != signature {
        return Err(mismatch(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
             Access Key and signing method. Consult the service documentation for details.",
        ));
    }
    if key.expires.is_some_and(|expires| expires <= now) {
        return Err(StsError::new(
            403,
            "ExpiredToken",
            "The security token included in the request is expired",
        ));
    }
    Ok(Caller { access_key_id, identity: key.identity, mfa: key.mfa, region: scope.region })
}

/// What a request says about its signer.
struct Claim {
    access_key_id: String,
    scope: Scope,
    date: String,
    signed_headers: Vec<String>,
    signature: String,
    session_token: Option<String>,
}

impl Claim {
    fn from_header(header: &str, request: &Request) -> Result<Self, StsError> {
        let fields =
            header.strip_prefix("AWS4-HMAC-SHA256 ").ok_or_else(|| incomplete("Algorithm"))?;
        let field = |name: &str| {
            let mut fields = fields.split(',').filter_map(|field| field.trim().split_once('='));
            fields
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value)
                .ok_or_else(|| incomplete(name))
        };
        let date = request.header("x-amz-date").ok_or_else(|| incomplete("X-Amz-Date"))?;
        let claim = Self::new(
            field("Credential")?,
            date,
            field("SignedHeaders")?,
            field("Signature")?,
            request.header("x-amz-security-token").map(str::to_owned),
        )?;
        if !claim.signed_headers.iter().any(|name| name == "x-amz-date") {
            return Err(mismatch(
                "'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization.",
            ));
        }
        let mut names = request.headers.iter().map(|(name, _)| name);
        let unsigned =
            names.find(|&name| name.starts_with("x-amz-") && !claim.signed_headers.contains(name));
        if let Some(name) = unsigned {
            return Err(mismatch(&format!(
                "There were headers present in the request which were not signed: {name}"
            )));
        }
        let hash = request.header("x-amz-content-sha256");
        if hash.is_some_and(|hash| hash != sigv4::digest(&request.body)) {
            return Err(mismatch("The value of X-Amz-Content-Sha256 is not that of the payload."));
        }
        Ok(claim)
    }

    fn from_query(request: &Request) -> Result<Self, StsError> {
        let parameter = |name: &str| request.parameter(name).ok_or_else(|| incomplete(name));
        if parameter("X-Amz-Algorithm")? != "AWS4-HMAC-SHA256" {
            return Err(incomplete("X-Amz-Algorithm"));
        }
        Self::new(
            &parameter("X-Amz-Credential")?,
            &parameter("X-Amz-Date")?,
            &parameter("X-Amz-SignedHeaders")?,
            &parameter("X-Amz-Signature")?,
            request.parameter("X-Amz-Security-Token"),
        )
    }

    fn new(
        credential: &str,
        date: &str,
        signed_headers: &str,
        signature: &str,
        session_token: Option<String>,
    ) -> Result<Self, StsError> {
        let (access_key_id, scope) =
            Scope::parse(credential).ok_or_else(|| incomplete("Credential"))?;
        let claim = Self {
            access_key_id,
            scope,
            date: date.to_owned(),
            signed_headers: signed_headers.split(';').map(str::to_owned).collect(),
            signature: signature.to_owned(),
            session_token,
        };
        if claim.signed_headers.iter().any(|name| name == "host") {
            return Ok(claim);
        }
        Err(mismatch("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."))
    }

    fn check_scope(&self, asked: &str, now: Timestamp) -> Result<(), StsError> {
        let Scope { date: day, region, service, terminator } = &self.scope;
        if service != asked {
            let message = format!("Credential should be scoped to correct service: '{asked}'. ");
            return Err(mismatch(&message));
        }
        if terminator != "aws4_request" {
            let message = format!(
                "Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'."
            );
            return Err(mismatch(&message));
        }
        if region.is_empty()
            || !region
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        {
            return Err(mismatch("Credential should be scoped to a valid region. "));
        }
        let date = &self.date;
        let signed = parse_amz_date(date).ok_or_else(|| incomplete("X-Amz-Date"))?;
        if !date.starts_with(day.as_str()) || day.len() != 8 {
            let message = format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
                 '{day}' != '{}', from '{date}'.",
                &date[..8]
            );
            return Err(mismatch(&message));
        }
        let (earliest, latest) = (now.saturating_sub(WINDOW), now.saturating_add(WINDOW));
        let (earliest, latest) =
            (earliest.unwrap_or(Timestamp::MIN), latest.unwrap_or(Timestamp::MAX));
        let (limit, current) = (amz_date(earliest), amz_date(now));
        if signed < earliest {
            return Err(mismatch(&format!(
                "Signature expired: {date} is now earlier than {limit} ({current} - 15 min.)"
            )));
        }
        let limit = amz_date(latest);
        if signed > latest {
            return Err(mismatch(&format!(
                "Signature not yet current: {date} is still later than {limit} ({current} + 15 min.)"
            )));
        }
        Ok(())
    }
}

fn mismatch(message: &str) -> StsError {
    StsError::new(403, "SignatureDoesNotMatch", message)
}

fn incomplete(what: &str) -> StsError {
    let message = format!("Authorization header requires '{what}' parameter.");
    StsError::new(400, "IncompleteSignature", &message)
}

fn unknown_key() -> StsError {
    StsError::new(
        403,
        "InvalidClientTokenId",
        "The security token included in the request is invalid.",
    )
}

/// The service that reads presigned requests, too.
pub(crate) const STS: &str = "sts";

/// How far a clock may be off, either way.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);
