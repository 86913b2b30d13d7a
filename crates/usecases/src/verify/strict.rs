//! The strict profile: the question is the body, so that no personal data is in a header.

use chrono::{DateTime, NaiveDate, Utc};
use idcheck_domain::outcome::QueryRefusal;
use idcheck_domain::{
    Violation, taipei,
    value::{ApplyCode, IssueSite, PersonId, RocDate},
    verification::CardData,
};

use crate::{
    FieldViolation,
    ports::{CallerKey, CardQuestion, ReadToken, StrictClaims, TextMembers, TokenReader, TokenRefusal},
    verify::{
        callers::Caller,
        profile::{Profile, Refused, Spent, Verdict, user_id},
    },
};

/// A question with the body's bytes as they were sent.
pub(crate) struct Strict<'b> {
    pub(crate) body: &'b [u8],
}

impl Profile for Strict<'_> {
    type Claims<'t> = StrictClaims<'t>;

    fn verify<'t>(
        &self,
        token: &'t dyn ReadToken,
        keys: &[CallerKey],
        now: DateTime<Utc>,
    ) -> Result<StrictClaims<'t>, TokenRefusal> {
        token.verify_strict(self.body, keys, now)
    }

    fn valid_from(&self, claims: &StrictClaims<'_>) -> DateTime<Utc> {
        claims.valid_from
    }

    fn user_id<'c>(&self, claims: &'c StrictClaims<'_>) -> Option<&'c str> {
        claims.user_id
    }

    /// Check 8; this profile has no check 7, because its token names no account.
    fn question(
        &self,
        tokens: &dyn TokenReader,
        claims: &StrictClaims<'_>,
        _: &Caller,
        now: DateTime<Utc>,
    ) -> Result<CardQuestion, Refused> {
        let malformed =
            |violations| (QueryRefusal::ConditionMalformed, Verdict::ConditionMalformed(violations));
        let members = tokens.members(self.body).ok_or_else(|| malformed(Vec::new()))?;
        let mut form = Form { members, violations: Vec::new() };
        // The one claim that can break a rule of its own.
        if !claims.user_id.is_some_and(user_id) {
            form.refuse("sub", Violation::UserIdFormat);
        }
        form.question(now).map_err(malformed)
    }

    fn spent<'c>(&self, claims: &'c StrictClaims<'_>) -> Spent<'c> {
        Spent { jti: claims.jti, expires_at: claims.expires_at }
    }
}

/// The members of the body, taken out one by one; every broken rule is reported.
struct Form {
    members: TextMembers,
    violations: Vec<FieldViolation>,
}

impl Form {
    fn refuse(&mut self, name: &str, violation: Violation) {
        // RFC 6901 §3.
        let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        self.violations.push(FieldViolation { pointer, violation });
    }

    fn take<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, Violation>) -> Option<T> {
        let value = match self.members.iter().position(|(member, _)| member == name) {
            None => Err(Violation::Required),
            Some(place) => match self.members.swap_remove(place).1 {
                None => Err(Violation::WrongType),
                Some(text) => parse(&text),
            },
        };
        value.map_err(|violation| self.refuse(name, violation)).ok()
    }

    fn question(mut self, now: DateTime<Utc>) -> Result<CardQuestion, Vec<FieldViolation>> {
        let person_id = self.take("personId", PersonId::parse);
        let apply_code = self.take("applyCode", ApplyCode::parse);
        let applied_on = self.take("applyDate", |text| iso_date(text)?.not_after(taipei::day(now)));
        let issue_site = self.take("issueSiteId", IssueSite::parse);
        for (name, _) in std::mem::take(&mut self.members) {
            self.refuse(&name, Violation::UnknownMember);
        }
        match (person_id, apply_code, applied_on, issue_site) {
            (Some(person_id), Some(apply_code), Some(applied_on), Some(issue_site))
                if self.violations.is_empty() =>
            {
                Ok(CardQuestion { person_id, data: CardData { apply_code, applied_on, issue_site } })
            }
            _ => Err(self.violations),
        }
    }
}

/// `YYYY-MM-DD` (RFC 3339 §5.6 `full-date`), a real day of the ROC calendar.
fn iso_date(text: &str) -> Result<RocDate, Violation> {
    let digits = |b: &u8| b.is_ascii_digit();
    let well_formed = text.len() == 10
        && text.bytes().enumerate().all(|(n, b)| if n == 4 || n == 7 { b == b'-' } else { digits(&b) });
    if !well_formed {
        return Err(Violation::IsoDateFormat);
    }
    let day: NaiveDate = text.parse().map_err(|_| Violation::RocDateImpossible)?;
    RocDate::from_date(day)
}
