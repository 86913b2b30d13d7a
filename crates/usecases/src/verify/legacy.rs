//! The legacy profile: the Ministry's wire format, check by check.

use std::{net::IpAddr, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use idcheck_domain::{
    key::Environment,
    organisation::AddressPlan,
    taipei,
    value::{ApplyCode, HostAddress, IssueSite, PersonId, RocDate},
    verification::{CardData, VerificationResult},
};

use super::{Caller, CallerSnapshot};
use crate::ports::{
    Ask, CardQuestion, Clock, Ledger, LedgerAnswer, LedgerEntry, LedgerError, LegacyClaims, Limits,
    RateLimiter, RefusalCode, TokenReader, TokenRefusal,
};

/// `sub` of every token.
const SUBJECT: &str = "綠色便民專案";
/// `jobId` of every token.
const JOB: &str = "V2C201";
/// `opType` of every token.
const OPERATION: &str = "RW";
/// Longest `userId`.
const MAX_USER_ID: usize = 12;

/// What a query comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Answered: RS7009 with this result.
    Result(VerificationResult),
    /// Checks 1, 2, 4, 5, 10: 401.
    Token(TokenRefusal),
    /// Check 3: 403.
    AddressNotRegistered,
    /// Check 6: 403.
    AccessEnded,
    /// Check 7: RS3811.
    AccountMismatch,
    /// Check 8: RS3822.
    ConditionMalformed,
    /// Check 9: 429, to be tried again after this time.
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// Not recordable: 503 RS7007.
    Unavailable,
}

/// What a verification needs.
#[derive(Clone)]
pub struct VerifyPorts {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Who may ask.
    pub callers: Arc<CallerSnapshot>,
    /// Tokens.
    pub tokens: Arc<dyn TokenReader>,
    /// Rates.
    pub rates: Arc<dyn RateLimiter>,
    /// The ledger.
    pub ledger: Arc<dyn Ledger>,
    /// Quota and budget of every organisation.
    pub limits: Limits,
}

/// Answers one question in the legacy profile.
#[derive(Clone)]
pub struct VerifyCard {
    ports: VerifyPorts,
}

impl VerifyCard {
    /// With these ports.
    pub fn new(ports: VerifyPorts) -> Self {
        Self { ports }
    }

    /// Answers the query in `token` (the text after `Bearer `) that came from `address`.
    pub async fn execute(&self, token: Option<&str>, address: IpAddr, environment: Environment) -> Verdict {
        let now = self.ports.clock.now();
        let Some(token) = token else { return Verdict::Token(TokenRefusal::Missing) };
        let issuer = match self.ports.tokens.issuer(token) {
            Ok(issuer) => issuer,
            Err(refusal) => return Verdict::Token(refusal),
        };
        let caller = match self.ports.callers.find(&issuer) {
            Some(caller) if caller.environment == environment => caller,
            Some(_) | None => return Verdict::Token(TokenRefusal::KeyUnknown),
        };
        let mut entry = LedgerEntry {
            at: now,
            ubn: caller.ubn,
            environment,
            user_id: String::new(),
            address: address.to_canonical(),
            ask: Ask::Refused(RefusalCode::AddressNotRegistered),
        };
        let verdict = match self.admit(token, &caller, now, &mut entry) {
            Ok(()) => None,
            Err((code, verdict)) => {
                entry.ask = Ask::Refused(code);
                Some(verdict)
            }
        };
        match self.ports.ledger.record(entry).await {
            Ok(answer) => verdict.unwrap_or_else(|| answered(answer, now)),
            Err(LedgerError::Busy | LedgerError::Unavailable) => Verdict::Unavailable,
        }
    }

    /// Checks 3 to 8 and the rate; a query that passes is ready for the ledger.
    fn admit(
        &self,
        token: &str,
        caller: &Caller,
        now: DateTime<Utc>,
        entry: &mut LedgerEntry,
    ) -> Result<(), (RefusalCode, Verdict)> {
        let production = entry.environment == Environment::Production;
        if production && !registered(&caller.addresses, entry.address, now) {
            return Err((RefusalCode::AddressNotRegistered, Verdict::AddressNotRegistered));
        }
        let claims = self.ports.tokens.verify_legacy(token, &caller.keys, now).map_err(|refusal| {
            let code = match refusal {
                TokenRefusal::SignatureInvalid => RefusalCode::SignatureInvalid,
                _ => RefusalCode::TokenTimes,
            };
            (code, Verdict::Token(refusal))
        })?;
        if let Some(user) = claims.user_id.as_deref().filter(|user| user_id(user)) {
            user.clone_into(&mut entry.user_id);
        }
        if production && !caller.active {
            return Err((RefusalCode::AccessEnded, Verdict::AccessEnded));
        }
        if !names_caller(&claims, caller) {
            return Err((RefusalCode::AccountMismatch, Verdict::AccountMismatch));
        }
        let Some(question) = self.question(&claims, now) else {
            return Err((RefusalCode::ConditionMalformed, Verdict::ConditionMalformed));
        };
        if let Err(retry_after) = self.ports.rates.admit(caller.ubn, entry.address) {
            return Err((RefusalCode::RateExceeded, Verdict::TooMany { retry_after }));
        }
        entry.ask = Ask::Card {
            question,
            jti: claims.jti,
            token_expires_at: claims.expires_at,
            limits: self.ports.limits,
        };
        Ok(())
    }

    /// Check 8: the fixed claims and the four conditions.
    fn question(&self, claims: &LegacyClaims, now: DateTime<Utc>) -> Option<CardQuestion> {
        let fixed = claims.job_id.as_deref() == Some(JOB)
            && claims.op_type.as_deref() == Some(OPERATION)
            && claims.sub.as_deref() == Some(SUBJECT)
            && claims.user_id.as_deref().is_some_and(user_id);
        if !fixed {
            return None;
        }
        let condition = self.ports.tokens.condition(claims.condition_map.as_deref()?)?;
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
}

fn registered(plan: &AddressPlan, address: IpAddr, now: DateTime<Utc>) -> bool {
    plan.admits(HostAddress::of(address), now)
}

/// Check 7. In the sandbox the account is `SBX00` for all.
fn names_caller(claims: &LegacyClaims, caller: &Caller) -> bool {
    let account = match caller.environment {
        Environment::Production => caller.account.to_string(),
        Environment::Sandbox => "SBX00".to_owned(),
    };
    claims.org_id.as_deref() == Some(caller.ubn.as_str()) && claims.ap_id.as_deref() == Some(account.as_str())
}

/// 1 to 12 letters and digits.
fn user_id(text: &str) -> bool {
    (1..=MAX_USER_ID).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn answered(answer: LedgerAnswer, now: DateTime<Utc>) -> Verdict {
    match answer {
        LedgerAnswer::Result(result) => Verdict::Result(result),
        LedgerAnswer::AccessEnded => Verdict::AccessEnded,
        LedgerAnswer::Replayed => Verdict::Token(TokenRefusal::AlreadyUsed),
        LedgerAnswer::QuotaExceeded | LedgerAnswer::BudgetExceeded => {
            let midnight = taipei::end_of(taipei::day(now));
            Verdict::TooMany { retry_after: (midnight - now).to_std().unwrap_or_default() }
        }
        // A refusal was recorded for a question: the ledger breaks its contract, so nothing is answered.
        LedgerAnswer::Recorded => Verdict::Unavailable,
    }
}
