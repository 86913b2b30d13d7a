//! The legacy profile: RS256, claims of the Ministry's wire format.

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::key::Profile;
use idcheck_usecases::ports::{CallerKey, Condition, LegacyClaims, TokenReader, TokenRefusal};

use crate::{claims::Members, jws::Compact};

/// Times that a token must keep (check 5).
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// How far the caller's clock may be off.
    pub skew: TimeDelta,
    /// Longest time from `iat` to `exp`.
    pub span: TimeDelta,
}

impl Default for Window {
    fn default() -> Self {
        Self { skew: TimeDelta::seconds(300), span: TimeDelta::minutes(60) }
    }
}

/// Longest `jti` taken.
const MAX_JTI: usize = 128;

/// Reads tokens of the legacy profile.
#[derive(Debug, Default, Clone, Copy)]
pub struct LegacyTokens {
    window: Window,
}

impl LegacyTokens {
    /// With this window.
    pub const fn new(window: Window) -> Self {
        Self { window }
    }

    fn times(&self, claims: &Members<'_>, now: DateTime<Utc>) -> Result<DateTime<Utc>, TokenRefusal> {
        let instant = |name| {
            let seconds = claims.integer(name).ok_or(TokenRefusal::Malformed)?;
            DateTime::from_timestamp(seconds, 0).ok_or(TokenRefusal::Malformed)
        };
        let (issued, expires) = (instant("iat")?, instant("exp")?);
        if issued > now + self.window.skew {
            return Err(TokenRefusal::NotYetValid);
        }
        let span = expires - issued;
        if expires <= now - self.window.skew || span > self.window.span || span < TimeDelta::zero() {
            return Err(TokenRefusal::Expired);
        }
        Ok(expires)
    }
}

impl TokenReader for LegacyTokens {
    fn issuer<'t>(&self, token: &'t str) -> Result<Cow<'t, str>, TokenRefusal> {
        let compact = Compact::parse(token).ok_or(TokenRefusal::Malformed)?;
        compact.algorithm().ok_or(TokenRefusal::Malformed)?;
        let claims = compact.claims().ok_or(TokenRefusal::Malformed)?;
        claims.text("iss").map(|iss| Cow::Owned(iss.to_owned())).ok_or(TokenRefusal::Malformed)
    }

    fn verify_legacy(
        &self,
        token: &str,
        keys: &[CallerKey],
        now: DateTime<Utc>,
    ) -> Result<LegacyClaims, TokenRefusal> {
        let compact = Compact::parse(token).ok_or(TokenRefusal::Malformed)?;
        let algorithm = compact.algorithm().ok_or(TokenRefusal::Malformed)?;
        let signed = keys
            .iter()
            .filter(|key| key.profile == Profile::Legacy)
            .any(|key| key.material.verify(&algorithm, compact.signing_input.as_bytes(), &compact.signature));
        if !signed {
            return Err(TokenRefusal::SignatureInvalid);
        }
        let claims = compact.claims().ok_or(TokenRefusal::Malformed)?;
        let expires_at = self.times(&claims, now)?;
        let jti = claims.text("jti").ok_or(TokenRefusal::Malformed)?;
        if jti.is_empty() || jti.len() > MAX_JTI || jti.contains('\0') {
            return Err(TokenRefusal::Malformed);
        }
        let text = |name| claims.text(name).map(str::to_owned);
        Ok(LegacyClaims {
            org_id: text("orgId"),
            ap_id: text("apId"),
            user_id: text("userId"),
            sub: text("sub"),
            job_id: text("jobId"),
            op_type: text("opType"),
            condition_map: text("conditionMap"),
            jti: jti.to_owned(),
            expires_at,
        })
    }

    fn condition(&self, text: &str) -> Option<Condition> {
        let members = Members::parse(text.as_bytes())?;
        let text = |name| members.text(name).map(str::to_owned);
        if members.len() != 4 {
            return None;
        }
        Some(Condition {
            person_id: text("personId")?,
            apply_code: text("applyCode")?,
            apply_yyymmdd: text("applyYyymmdd")?,
            issue_site_id: text("issueSiteId")?,
        })
    }
}
