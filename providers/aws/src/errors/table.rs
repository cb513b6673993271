//! The table: AWS's codes, who has to act on them, and what to say.

use fleetkey_provider::Kind;

use super::Call;

/// Codes that mean the same to a person.
pub(super) struct Row {
    /// The codes it is about.
    pub(super) codes: &'static [&'static str],
    /// Who has to act.
    pub(super) kind: Kind,
    /// What has to be looked at before the row is believed.
    pub(super) about: About,
    /// What happened.
    pub(super) message: fn(&Call<'_>) -> String,
    /// What to type next.
    pub(super) next: Next,
}

/// What has to be looked at before the row is believed.
pub(super) enum About {
    /// The code says it all.
    Itself,
    /// The signature's time, and nothing else.
    Clock,
    /// The signature: perhaps its time.
    Signature,
}

/// What to type next.
pub(super) enum Next {
    /// Nothing helps that could be typed.
    Nothing,
    /// Whether the service can be reached.
    Probe,
    /// As whom AWS sees these keys.
    WhoAmI,
    /// Where a person can sign in, to do that, and exit 3; else to look at the keys.
    Fresh,
}

/// Codes that ask to come again later, which STS sends with status 400.
pub(crate) const LATER: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "BandwidthLimitExceeded",
    "SlowDown",
    "IDPCommunicationError",
    "slow_down",
];

/// The table.
pub(super) static TABLE: &[Row] = &[
    Row {
        codes: &["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"],
        kind: Kind::Refused,
        about: About::Itself,
        message: |call| format!("{} did not let {} {}", call.service, call.asker.who, call.task),
        next: Next::WhoAmI,
    },
    Row {
        codes: &["ForbiddenException", "INSUFFICIENT_PERMISSIONS"],
        kind: Kind::Refused,
        about: About::Itself,
        message: |call| format!("{} did not let {} {}", call.service, call.asker.who, call.task),
        next: Next::Nothing,
    },
    Row {
        codes: &["ResourceNotFoundException"],
        kind: Kind::Refused,
        about: About::Itself,
        message: |call| {
            format!("{} knows nothing of what is needed to {}", call.service, call.task)
        },
        next: Next::Nothing,
    },
    Row {
        codes: &[
            "UnauthorizedException",
            // of CreateToken, in OAuth's words
            "invalid_grant",
            "invalid_client",
            "unauthorized_client",
            "expired_token",
            "access_denied",
            // of CreateOAuth2Token, which knows three words for what is wrong with a grant
            "TOKEN_EXPIRED",
            "AUTHCODE_EXPIRED",
            "INVALID_REQUEST",
        ],
        kind: Kind::Refused,
        about: About::Itself,
        message: |call| format!("the sign-in of {} has ended", call.asker.who),
        next: Next::Fresh,
    },
    Row {
        codes: &["USER_CREDENTIALS_CHANGED"],
        kind: Kind::Refused,
        about: About::Itself,
        message: |call| {
            format!("{} was signed in to before its password was changed", call.asker.who)
        },
        next: Next::Fresh,
    },
    Row {
        codes: &["ExpiredToken", "ExpiredTokenException"],
        kind: Kind::Refused,
        about: About::Itself,
        message: |call| {
            format!("what {} holds has expired, so it could not {}", call.asker.who, call.task)
        },
        next: Next::Fresh,
    },
    Row {
        codes: &["InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"],
        kind: Kind::Refused,
        about: About::Itself,
        message: |call| {
            format!("{} does not know the access key of {}", call.service, call.asker.who)
        },
        next: Next::WhoAmI,
    },
    Row {
        codes: &["SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature"],
        kind: Kind::Refused,
        about: About::Signature,
        message: |call| {
            format!("the secret access key of {} does not fit its access key id", call.asker.who)
        },
        next: Next::WhoAmI,
    },
    Row {
        codes: &["RequestExpired", "RequestTimeTooSkewed", "RequestInTheFuture"],
        kind: Kind::Failed,
        about: About::Clock,
        message: |_| "the clock of this machine is wrong".into(),
        next: Next::Nothing,
    },
    Row {
        codes: &["InvalidIdentityToken", "InvalidIdentityTokenException", "IDPRejectedClaim"],
        kind: Kind::Refused,
        about: About::Itself,
        message: |call| {
            format!("{} does not accept {} to {}", call.service, call.asker.who, call.task)
        },
        next: Next::Nothing,
    },
    Row {
        codes: &[
            "ValidationError",
            "ValidationException",
            "InvalidRequestException",
            "invalid_request",
            "invalid_scope",
            "unsupported_grant_type",
        ],
        kind: Kind::Config,
        about: About::Itself,
        message: |call| format!("{} finds the request to {} wrong", call.service, call.task),
        next: Next::Nothing,
    },
    Row {
        codes: &["RegionDisabledException"],
        kind: Kind::Refused,
        about: About::Itself,
        message: |call| {
            format!("the account has not switched on the region in which to {}", call.task)
        },
        next: Next::WhoAmI,
    },
    Row {
        codes: LATER,
        kind: Kind::Unavailable,
        about: About::Itself,
        message: |call| format!("{} is too busy to {}", call.service, call.task),
        next: Next::Probe,
    },
];

/// What is said of a code that stands in no row.
pub(super) static UNKNOWN: Row = Row {
    codes: &[],
    kind: Kind::Refused,
    about: About::Itself,
    message: |call| format!("{} refused to {}", call.service, call.task),
    next: Next::Nothing,
};
