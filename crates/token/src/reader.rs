//! Both profiles behind one port.

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use idcheck_domain::key::Profile;
use idcheck_usecases::ports::{
    CallerKey, Condition, LegacyClaims, ReadToken, StrictClaims, TextMembers, TokenReader, TokenRefusal,
};

use crate::{
    claims::{Members, Value},
    jws::Compact,
    window::{Window, jti},
};

/// Reads tokens of both profiles.
#[derive(Debug, Clone)]
pub struct Tokens {
    audience: String,
    legacy: Window,
    strict: Window,
}

impl Tokens {
    /// For the service at `audience`: its base URL without a slash at the end, the `aud` of the strict profile.
    pub fn new(audience: impl Into<String>) -> Self {
        Self { audience: audience.into(), legacy: Window::LEGACY, strict: Window::STRICT }
    }

    /// With other times for each profile.
    #[must_use]
    pub fn with_windows(self, legacy: Window, strict: Window) -> Self {
        Self { legacy, strict, ..self }
    }
}

/// A token with the rules that it is held to.
struct Read<'r> {
    compact: Compact<'r>,
    rules: &'r Tokens,
}

impl ReadToken for Read<'_> {
    fn issuer(&self) -> Result<&str, TokenRefusal> {
        self.compact.claims()?.text("iss").ok_or(TokenRefusal::Malformed)
    }

    fn verify_legacy(
        &self,
        keys: &[CallerKey],
        now: DateTime<Utc>,
    ) -> Result<LegacyClaims<'_>, TokenRefusal> {
        self.compact.signed(Profile::Legacy, keys.iter(), now)?;
        let claims = self.compact.claims()?;
        let (valid_from, expires_at) = self.rules.legacy.times(claims, now)?;
        Ok(LegacyClaims {
            org_id: claims.text("orgId"),
            ap_id: claims.text("apId"),
            user_id: claims.text("userId"),
            sub: claims.text("sub"),
            job_id: claims.text("jobId"),
            op_type: claims.text("opType"),
            condition_map: claims.text("conditionMap"),
            jti: jti(claims)?,
            valid_from,
            expires_at,
        })
    }

    fn verify_strict(
        &self,
        body: &[u8],
        keys: &[CallerKey],
        now: DateTime<Utc>,
    ) -> Result<StrictClaims<'_>, TokenRefusal> {
        let named = |key: &&CallerKey| {
            let asked = self.compact.key_id.as_deref();
            asked.is_none_or(|kid| kid == key.id.0.as_hyphenated().to_string())
        };
        self.compact.signed(Profile::Strict, keys.iter().filter(named), now)?;
        let claims = self.compact.claims()?;
        let (valid_from, expires_at) = self.rules.strict.times(claims, now)?;
        let (audience, bound) = (claims.text("aud"), claims.text("digest"));
        if audience.ok_or(TokenRefusal::Malformed)? != self.rules.audience {
            return Err(TokenRefusal::WrongAudience);
        }
        let digest = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, body));
        if bound.ok_or(TokenRefusal::Malformed)? != digest {
            return Err(TokenRefusal::WrongDigest);
        }
        Ok(StrictClaims { user_id: claims.text("sub"), jti: jti(claims)?, valid_from, expires_at })
    }
}

impl TokenReader for Tokens {
    fn read<'t>(&'t self, token: &'t str) -> Result<Box<dyn ReadToken + 't>, TokenRefusal> {
        let compact = Compact::parse(token).ok_or(TokenRefusal::Malformed)?;
        Ok(Box::new(Read { compact, rules: self }))
    }

    fn members(&self, json: &[u8]) -> Option<TextMembers> {
        let members = Members::parse(json)?;
        let text = |value| match value {
            Value::Text(text) => Some(text.into_owned()),
            Value::Integer(_) | Value::Other => None,
        };
        Some(members.into_iter().map(|(name, value)| (name.into_owned(), text(value))).collect())
    }

    fn condition<'t>(&self, text: &'t str) -> Option<Condition<'t>> {
        let members = Members::parse(text.as_bytes())?;
        if members.len() != 4 {
            return None;
        }
        let mut members = members.into_iter().collect::<Vec<_>>();
        let mut take = |name| {
            let place = members.iter().position(|(member, _)| member == name)?;
            match members.swap_remove(place).1 {
                Value::Text(text) => Some(text),
                Value::Integer(_) | Value::Other => None,
            }
        };
        Some(Condition {
            person_id: take("personId")?,
            apply_code: take("applyCode")?,
            apply_yyymmdd: take("applyYyymmdd")?,
            issue_site_id: take("issueSiteId")?,
        })
    }
}
