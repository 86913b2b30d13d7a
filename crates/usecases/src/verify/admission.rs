//! The checks in their order, the same for both profiles.

use idcheck_domain::outcome::QueryRefusal;
use std::{net::IpAddr, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use idcheck_domain::{
    Violation,
    key::Environment,
    sandbox::{self, Played, PlayedRefusal},
    taipei,
    value::HostAddress,
};

use crate::{
    FieldViolation,
    ports::{
        Ask, Clock, Exceeded, Ledger, LedgerAnswer, LedgerEntry, LedgerError, LimitName, Limits, RateLimiter,
        ReadToken, Standing, TokenReader, TokenRefusal,
    },
    verify::{
        callers::{Caller, CallerSnapshot},
        legacy::Legacy,
        profile::{Profile, Refused, Spent, Verdict, user_id},
        strict::Strict,
    },
};

/// How often a query is judged while callers change under it.
const JUDGED: usize = 5;
/// The window of quota and budget.
const DAY: Duration = Duration::from_hours(24);

/// A query as it arrives.
#[derive(Clone, Copy)]
pub struct Arrival<'r> {
    /// The text after `Bearer `.
    pub token: Option<&'r str>,
    /// Where it came from.
    pub address: IpAddr,
    /// Whether that is certain: else it is no registered address, whatever it is (check 3).
    pub address_known: bool,
    /// Which of the two calls it is.
    pub environment: Environment,
}

/// What the checks need in addition to token and caller.
struct Asked {
    at: DateTime<Utc>,
    environment: Environment,
    address: IpAddr,
    certain: bool,
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

/// Answers one question about one card.
#[derive(Clone)]
pub struct VerifyCard {
    ports: VerifyPorts,
}

impl VerifyCard {
    /// Creates it with these ports.
    pub fn new(ports: VerifyPorts) -> Self {
        Self { ports }
    }

    /// Answers a query of the legacy profile: everything is in its token.
    pub async fn legacy(&self, arrival: Arrival<'_>) -> Verdict {
        self.answer(arrival, &Legacy).await
    }

    /// Answers a query of the strict profile: the question is `body`, and the token is bound to its bytes.
    pub async fn strict(&self, arrival: Arrival<'_>, body: &[u8]) -> Verdict {
        self.answer(arrival, &Strict { body }).await
    }

    /// A query whose callers change while it is on its way is judged again, by what holds then.
    async fn answer<P: Profile>(&self, arrival: Arrival<'_>, profile: &P) -> Verdict {
        for _ in 0..JUDGED {
            if let Some(verdict) = self.judge(arrival, profile).await {
                return verdict;
            }
            if self.ports.callers.refresh().await.is_err() {
                break;
            }
        }
        Verdict::Unavailable
    }

    /// The verdict; none when what callers may do changed before the record.
    async fn judge<P: Profile>(&self, arrival: Arrival<'_>, profile: &P) -> Option<Verdict> {
        if !self.ports.callers.is_current() {
            return Some(Verdict::Unavailable);
        }
        if let Err(exceeded) = self.ports.rates.hear(arrival.address) {
            return Some(Verdict::TooMany(exceeded));
        }
        let now = self.ports.clock.now();
        // Before the caller is looked up: what is found is of this epoch or newer.
        let epoch = self.ports.callers.epoch();
        let (token, caller) = match self.known(&arrival) {
            Ok(known) => known,
            Err(refusal) => {
                let over = self.ports.rates.refused(arrival.address, None).err();
                return Some(over.map_or(Verdict::Token(refusal), Verdict::TooMany));
            }
        };
        let address = arrival.address.to_canonical();
        let asked =
            Asked { at: now, environment: arrival.environment, address, certain: arrival.address_known };
        let mut user = String::new();
        let (ask, verdict) = match self.admit(profile, &*token, &caller, &asked, &mut user) {
            Ok(ask) => (ask, None),
            Err((code, verdict)) => {
                if let Err(exceeded) = self.ports.rates.refused(address, Some(code)) {
                    return Some(Verdict::TooMany(exceeded));
                }
                (Ask::Refused(code), Some(verdict))
            }
        };
        let entry = LedgerEntry {
            at: now,
            ubn: caller.ubn,
            environment: asked.environment,
            user_id: user,
            address,
            epoch: Some(epoch),
            ask,
        };
        drop(token);
        if let Some(played) = played(&entry) {
            return Some(played);
        }
        match self.ports.ledger.record(entry).await {
            Ok(LedgerAnswer::Outdated) => None,
            Ok(answer) => Some(verdict.unwrap_or_else(|| answered(answer, self.ports.limits, now))),
            Err(LedgerError::Busy | LedgerError::Unavailable) => Some(Verdict::Unavailable),
        }
    }

    /// Checks 1 and 2.
    fn known<'r>(
        &'r self,
        arrival: &Arrival<'r>,
    ) -> Result<(Box<dyn ReadToken + 'r>, Arc<Caller>), TokenRefusal> {
        let token = self.ports.tokens.read(arrival.token.ok_or(TokenRefusal::Missing)?)?;
        let caller = self.ports.callers.find(token.issuer()?);
        let caller = caller.filter(|caller| caller.standing.environment() == arrival.environment);
        Ok((token, caller.ok_or(TokenRefusal::KeyUnknown)?))
    }

    /// Checks 3 to 8 and the rate: what the ledger is asked. The user is known from check 5 on.
    fn admit<P: Profile>(
        &self,
        profile: &P,
        token: &dyn ReadToken,
        caller: &Caller,
        asked: &Asked,
        user: &mut String,
    ) -> Result<Ask, Refused> {
        let (now, tokens) = (asked.at, &*self.ports.tokens);
        if let Standing::Production { addresses, .. } = &caller.standing
            && !(asked.certain && addresses.admits(HostAddress::of(asked.address), now))
        {
            // Whose it is, is found out for the record only: whoever is not known learns nothing more.
            let proven = profile.verify(token, &caller.keys, now).is_ok();
            let code =
                if proven { QueryRefusal::AddressNotRegistered } else { QueryRefusal::AddressUnproven };
            return Err((code, Verdict::AddressNotRegistered(asked.address)));
        }
        let claims = profile.verify(token, &caller.keys, now).map_err(|refusal| {
            let code = match refusal {
                TokenRefusal::SignatureInvalid => QueryRefusal::SignatureInvalid,
                _ => QueryRefusal::TokenTimes,
            };
            (code, Verdict::Token(refusal))
        })?;
        caller.asked_from(asked.address, now);
        if let Some(named) = profile.user_id(&claims).filter(|named| user_id(named)) {
            named.clone_into(user);
        }
        if self.ports.callers.forgot(profile.valid_from(&claims)) {
            return Err((QueryRefusal::TokenTimes, Verdict::Token(TokenRefusal::Expired)));
        }
        if let Standing::Production { active: false, .. } = caller.standing {
            return Err((QueryRefusal::AccessEnded, Verdict::AccessEnded));
        }
        let question = profile.question(tokens, &claims, caller, now)?;
        self.ports
            .rates
            .admit(caller.ubn, asked.environment, asked.address)
            .map_err(|exceeded| (QueryRefusal::RateExceeded, Verdict::TooMany(exceeded)))?;
        let Spent { jti, expires_at } = profile.spent(&claims);
        let jti = jti.to_owned();
        Ok(Ask::Card { question, jti, token_expires_at: expires_at, limits: self.ports.limits })
    }
}

fn answered(answer: LedgerAnswer, limits: Limits, now: DateTime<Utc>) -> Verdict {
    let until_midnight = |limit, allowed| {
        let midnight = taipei::end_of(taipei::day(now));
        let retry_after = (midnight - now).to_std().unwrap_or_default();
        Verdict::TooMany(Exceeded { limit, allowed, window: DAY, retry_after })
    };
    match answer {
        LedgerAnswer::Result(result) => Verdict::Result(result),
        LedgerAnswer::AccessEnded => Verdict::AccessEnded,
        LedgerAnswer::Replayed => Verdict::Token(TokenRefusal::AlreadyUsed),
        LedgerAnswer::QuotaExceeded => until_midnight(LimitName::DailyQuota, limits.quota),
        LedgerAnswer::BudgetExceeded => until_midnight(LimitName::WrongAnswers, limits.budget),
        // A refusal was recorded for a question: the ledger breaks its contract, so nothing is answered.
        LedgerAnswer::Recorded | LedgerAnswer::Outdated => Verdict::Unavailable,
    }
}

/// In the sandbox, the refusal that the number asked about plays: nothing happened, so there is no record.
fn played(entry: &LedgerEntry) -> Option<Verdict> {
    let Ask::Card { question, .. } = &entry.ask else { return None };
    if entry.environment != Environment::Sandbox {
        return None;
    }
    let Some(Played::Refusal(refusal)) = sandbox::played(&question.person_id) else { return None };
    let second = Duration::from_secs(1);
    Some(match refusal {
        PlayedRefusal::TokenMissing => Verdict::Token(TokenRefusal::Missing),
        PlayedRefusal::TokenMalformed => Verdict::Token(TokenRefusal::Malformed),
        PlayedRefusal::KeyUnknown => Verdict::Token(TokenRefusal::KeyUnknown),
        PlayedRefusal::SignatureInvalid => Verdict::Token(TokenRefusal::SignatureInvalid),
        PlayedRefusal::NotYetValid => Verdict::Token(TokenRefusal::NotYetValid),
        PlayedRefusal::Expired => Verdict::Token(TokenRefusal::Expired),
        PlayedRefusal::AlreadyUsed => Verdict::Token(TokenRefusal::AlreadyUsed),
        PlayedRefusal::AddressNotRegistered => Verdict::AddressNotRegistered(entry.address),
        PlayedRefusal::AccessEnded => Verdict::AccessEnded,
        PlayedRefusal::AccountMismatch => Verdict::AccountMismatch,
        PlayedRefusal::ConditionMalformed => Verdict::ConditionMalformed(vec![FieldViolation {
            pointer: "/personId".to_owned(),
            violation: Violation::PersonIdChecksum,
        }]),
        PlayedRefusal::TooManyRequests => Verdict::TooMany(Exceeded {
            limit: LimitName::OrganisationRate,
            allowed: 1,
            window: second,
            retry_after: second,
        }),
        PlayedRefusal::Unavailable => Verdict::Unavailable,
    })
}
