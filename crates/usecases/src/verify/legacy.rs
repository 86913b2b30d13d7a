//! The legacy profile: the Ministry's wire format.

use chrono::{DateTime, Utc};
use idcheck_domain::outcome::QueryRefusal;
use idcheck_domain::{
    sandbox, taipei,
    value::{ApplyCode, IssueSite, PersonId, RocDate},
    verification::CardData,
};

use crate::{
    ports::{CallerKey, CardQuestion, LegacyClaims, ReadToken, Standing, TokenReader, TokenRefusal},
    verify::{
        callers::Caller,
        profile::{Profile, Refused, Spent, Verdict, user_id},
    },
};

/// `sub` of every token.
const SUBJECT: &str = "綠色便民專案";
/// `jobId` of every token.
const JOB: &str = "V2C201";
/// `opType` of every token.
const OPERATION: &str = "RW";

/// Everything is in the token.
pub(crate) struct Legacy;

impl Profile for Legacy {
    type Claims<'t> = LegacyClaims<'t>;

    fn verify<'t>(
        &self,
        token: &'t dyn ReadToken,
        keys: &[CallerKey],
        now: DateTime<Utc>,
    ) -> Result<LegacyClaims<'t>, TokenRefusal> {
        token.verify_legacy(keys, now)
    }

    fn valid_from(&self, claims: &LegacyClaims<'_>) -> DateTime<Utc> {
        claims.valid_from
    }

    fn user_id<'c>(&self, claims: &'c LegacyClaims<'_>) -> Option<&'c str> {
        claims.user_id
    }

    fn question(
        &self,
        tokens: &dyn TokenReader,
        claims: &LegacyClaims<'_>,
        caller: &Caller,
        now: DateTime<Utc>,
    ) -> Result<CardQuestion, Refused> {
        if !names_caller(claims, caller) {
            return Err((QueryRefusal::AccountMismatch, Verdict::AccountMismatch));
        }
        let malformed = || (QueryRefusal::ConditionMalformed, Verdict::ConditionMalformed(Vec::new()));
        question(tokens, claims, now).ok_or_else(malformed)
    }

    fn spent<'c>(&self, claims: &'c LegacyClaims<'_>) -> Spent<'c> {
        Spent { jti: claims.jti, expires_at: claims.expires_at }
    }
}

/// Check 7.
fn names_caller(claims: &LegacyClaims<'_>, caller: &Caller) -> bool {
    let account = claims.ap_id;
    let named = match &caller.standing {
        Standing::Production { account: given, .. } => account == Some(given.to_string().as_str()),
        Standing::Sandbox => account == Some(sandbox::ACCOUNT),
    };
    named && claims.org_id == Some(caller.ubn.as_str())
}

/// Check 8: the fixed claims and the four conditions.
fn question(tokens: &dyn TokenReader, claims: &LegacyClaims<'_>, now: DateTime<Utc>) -> Option<CardQuestion> {
    let fixed = claims.job_id == Some(JOB)
        && claims.op_type == Some(OPERATION)
        && claims.sub == Some(SUBJECT)
        && claims.user_id.is_some_and(user_id);
    if !fixed {
        return None;
    }
    let condition = tokens.condition(claims.condition_map?)?;
    let applied_on = RocDate::parse(&condition.apply_yyymmdd).ok()?.not_after(taipei::day(now)).ok()?;
    Some(CardQuestion {
        person_id: PersonId::parse(&condition.person_id).ok()?,
        data: CardData {
            apply_code: ApplyCode::parse(&condition.apply_code).ok()?,
            applied_on,
            issue_site: IssueSite::parse(&condition.issue_site_id).ok()?,
        },
    })
}
