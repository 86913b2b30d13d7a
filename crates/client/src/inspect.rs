//! Looking at a token without sending it: what the service would not like, named without any value of the token.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::{
    key::Profile,
    taipei,
    value::{ApplyCode, IssueSite, PersonId, RocDate},
};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::{
    credentials::Credentials,
    key::Algorithm,
    question::UserId,
    token::{JOB, OPERATION, SUBJECT},
};

/// How far the service lets clocks be apart.
const SKEW: TimeDelta = TimeDelta::seconds(300);
/// Longest time from `iat` to `exp`.
const SPAN: (TimeDelta, TimeDelta) = (TimeDelta::minutes(60), TimeDelta::seconds(300));
/// Longest `jti`.
const MAX_JTI: usize = 128;
const CONDITIONS: [&str; 4] = ["personId", "applyCode", "applyYyymmdd", "issueSiteId"];

/// What is wrong with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Not three parts of base64url, the first two of them JSON objects.
    NotAToken,
    /// Another `alg` than the profile takes.
    AlgorithmRefused,
    /// Neither a legacy nor a strict token: no `conditionMap` and no `digest`.
    ProfileUnclear,
    /// The member is missing, or of another type.
    Member,
    /// The member is not as the profile fixes it, or malformed.
    Value,
    /// The member is not that of the credentials.
    NotOurs,
    /// The signature is not by the credentials' key.
    OtherKey,
    /// `iat` lies too far ahead.
    NotYetValid,
    /// `exp` is over.
    Expired,
    /// From `iat` to `exp` is too long, or negative.
    Span,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::NotAToken,
        Self::AlgorithmRefused,
        Self::ProfileUnclear,
        Self::Member,
        Self::Value,
        Self::NotOurs,
        Self::OtherKey,
        Self::NotYetValid,
        Self::Expired,
        Self::Span,
    ];

    /// A stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotAToken => "not-a-token",
            Self::AlgorithmRefused => "algorithm-refused",
            Self::ProfileUnclear => "profile-unclear",
            Self::Member => "member-missing",
            Self::Value => "value-wrong",
            Self::NotOurs => "not-ours",
            Self::OtherKey => "other-key",
            Self::NotYetValid => "token-not-yet-valid",
            Self::Expired => "token-expired",
            Self::Span => "span-wrong",
        }
    }
}

/// One thing that is wrong, and the member of the token that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub cause: Cause,
    /// Where.
    pub member: Option<&'static str>,
}

/// What was found. Nothing in it is a value of the token but times and the profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The profile that the token is made for.
    pub profile: Option<Profile>,
    /// Its algorithm, if it is one of ours.
    pub algorithm: Option<Algorithm>,
    /// `iat`.
    pub issued_at: Option<DateTime<Utc>>,
    /// `exp`.
    pub expires_at: Option<DateTime<Utc>>,
    /// Everything that is wrong, in the order in which the service would find it.
    pub findings: Vec<Finding>,
}

impl Report {
    fn add(&mut self, cause: Cause, member: impl Into<Option<&'static str>>) {
        self.findings.push(Finding { cause, member: member.into() });
    }
}

/// Whose token it should be.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Whose.
    pub credentials: &'a Credentials,
    /// The `aud` of the strict profile.
    pub audience: &'a str,
}

struct Parts<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

fn parts(token: &str) -> Option<Parts<'_>> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let object = |part: &str| {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(part).ok()?);
        serde_json::from_slice(&bytes).ok()
    };
    Some(Parts {
        signed,
        signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        header: object(header)?,
        claims: object(claims)?,
    })
}

/// Looks at a token at the time `now`, and compares it with what the company has.
pub fn token(text: &str, expected: Option<Expected<'_>>, now: DateTime<Utc>) -> Report {
    let mut report =
        Report { profile: None, algorithm: None, issued_at: None, expires_at: None, findings: Vec::new() };
    let Some(parts) = parts(text.trim()) else {
        report.add(Cause::NotAToken, None);
        return report;
    };
    report.profile = profile(&parts.claims);
    let Some(profile) = report.profile else {
        report.add(Cause::ProfileUnclear, None);
        return report;
    };
    let claims = Claims { members: &parts.claims, profile, now };
    if let Some(expected) = expected {
        claims.compare("iss", expected.credentials.iss_key.expose(), &mut report);
    }
    signature(&parts, profile, expected, &mut report);
    claims.times(&mut report);
    claims.text("jti", |jti| !jti.is_empty() && jti.len() <= MAX_JTI, &mut report);
    match profile {
        Profile::Legacy => claims.legacy(expected, &mut report),
        Profile::Strict => claims.strict(expected, &mut report),
    }
    report
}

fn profile(claims: &Map<String, Value>) -> Option<Profile> {
    if ["conditionMap", "orgId", "jobId"].iter().any(|name| claims.contains_key(*name)) {
        Some(Profile::Legacy)
    } else {
        claims.contains_key("digest").then_some(Profile::Strict)
    }
}

fn signature(parts: &Parts<'_>, profile: Profile, expected: Option<Expected<'_>>, report: &mut Report) {
    let named = parts.header.get("alg").and_then(Value::as_str);
    report.algorithm = Algorithm::ALL.into_iter().find(|algorithm| named == Some(algorithm.as_str()));
    let Some(algorithm) = report.algorithm.filter(|a| profile == Profile::Strict || *a == Algorithm::Rs256)
    else {
        report.add(Cause::AlgorithmRefused, "alg");
        return;
    };
    if let Some(expected) = expected
        && !expected.credentials.key.made(algorithm, parts.signed.as_bytes(), &parts.signature)
    {
        report.add(Cause::OtherKey, None);
    }
}

struct Claims<'a> {
    members: &'a Map<String, Value>,
    profile: Profile,
    now: DateTime<Utc>,
}

impl Claims<'_> {
    /// A member that must be text and hold a rule.
    fn text(&self, name: &'static str, rule: impl FnOnce(&str) -> bool, report: &mut Report) {
        match self.members.get(name).and_then(Value::as_str) {
            None => report.add(Cause::Member, name),
            Some(text) if !rule(text) => report.add(Cause::Value, name),
            Some(_) => {}
        }
    }

    /// A member that must be the credentials' own.
    fn compare(&self, name: &'static str, ours: &str, report: &mut Report) {
        match self.members.get(name).and_then(Value::as_str) {
            None => report.add(Cause::Member, name),
            Some(text) if text != ours => report.add(Cause::NotOurs, name),
            Some(_) => {}
        }
    }

    fn times(&self, report: &mut Report) {
        let instant = |name| DateTime::from_timestamp(self.members.get(name)?.as_i64()?, 0);
        (report.issued_at, report.expires_at) = (instant("iat"), instant("exp"));
        for (name, time) in [("iat", report.issued_at), ("exp", report.expires_at)] {
            if time.is_none() {
                report.add(Cause::Member, name);
            }
        }
        let (Some(issued), Some(expires)) = (report.issued_at, report.expires_at) else { return };
        if issued > self.now + SKEW {
            report.add(Cause::NotYetValid, "iat");
        }
        if expires <= self.now - SKEW {
            report.add(Cause::Expired, "exp");
        }
        let longest = if self.profile == Profile::Legacy { SPAN.0 } else { SPAN.1 };
        if !(TimeDelta::zero()..=longest).contains(&(expires - issued)) {
            report.add(Cause::Span, "exp");
        }
    }

    fn legacy(&self, expected: Option<Expected<'_>>, report: &mut Report) {
        if let Some(Expected { credentials, .. }) = expected {
            self.compare("orgId", credentials.ubn.as_str(), report);
            self.compare("apId", credentials.account.as_str(), report);
        }
        for (name, fixed) in [("jobId", JOB), ("opType", OPERATION), ("sub", SUBJECT)] {
            self.text(name, |text| text == fixed, report);
        }
        self.text("userId", |text| UserId::parse(text).is_ok(), report);
        match self.members.get("conditionMap") {
            Some(Value::String(text)) => match serde_json::from_str(text) {
                Ok(conditions) => Claims { members: &conditions, ..*self }.conditions(report),
                Err(_) => report.add(Cause::Value, "conditionMap"),
            },
            // An object instead of an object in a string is a slip that clients are known to make.
            _ => report.add(Cause::Member, "conditionMap"),
        }
    }

    fn conditions(&self, report: &mut Report) {
        let today = taipei::day(self.now);
        let past = |text: &str| RocDate::parse(text).and_then(|day| day.not_after(today)).is_ok();
        self.text("personId", |text| PersonId::parse(text).is_ok(), report);
        self.text("applyCode", |text| ApplyCode::parse(text).is_ok(), report);
        self.text("applyYyymmdd", past, report);
        self.text("issueSiteId", |text| IssueSite::parse(text).is_ok(), report);
        if self.members.keys().any(|name| !CONDITIONS.contains(&name.as_str())) {
            report.add(Cause::Value, "conditionMap");
        }
    }

    fn strict(&self, expected: Option<Expected<'_>>, report: &mut Report) {
        if let Some(expected) = expected {
            self.compare("aud", expected.audience, report);
        }
        self.text("sub", |text| UserId::parse(text).is_ok(), report);
        let digest = |text: &str| URL_SAFE_NO_PAD.decode(text).is_ok_and(|digest| digest.len() == 32);
        self.text("digest", digest, report);
    }
}
