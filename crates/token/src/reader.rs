//! Both profiles behind one port.

use std::borrow::Cow;

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use idcheck_domain::key::Profile;
use idcheck_usecases::ports::{
    CallerKey, Condition, LegacyClaims, StrictClaims, TextMembers, TokenReader, TokenRefusal,
};

use crate::{
    claims::{Members, Value},
    jws::{Compact, Header},
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

/// A token's parts and its header, or that it has none.
fn read(token: &str) -> Result<(Compact<'_>, Header), TokenRefusal> {
    let compact = Compact::parse(token).ok_or(TokenRefusal::Malformed)?;
    let header = compact.header().ok_or(TokenRefusal::Malformed)?;
    Ok((compact, header))
}

impl TokenReader for Tokens {
    fn issuer<'t>(&self, token: &'t str) -> Result<Cow<'t, str>, TokenRefusal> {
        let (compact, _) = read(token)?;
        let claims = compact.claims().ok_or(TokenRefusal::Malformed)?;
        claims.text("iss").map(|iss| Cow::Owned(iss.to_owned())).ok_or(TokenRefusal::Malformed)
    }

    fn verify_legacy(
        &self,
        token: &str,
        keys: &[CallerKey],
        now: DateTime<Utc>,
    ) -> Result<LegacyClaims, TokenRefusal> {
        let (compact, header) = read(token)?;
        compact.signed(&header.algorithm, Profile::Legacy, keys.iter())?;
        let claims = compact.claims().ok_or(TokenRefusal::Malformed)?;
        let (valid_from, expires_at) = self.legacy.times(&claims, now)?;
        let jti = jti(&claims)?;
        let text = |name| claims.text(name).map(str::to_owned);
        Ok(LegacyClaims {
            org_id: text("orgId"),
            ap_id: text("apId"),
            user_id: text("userId"),
            sub: text("sub"),
            job_id: text("jobId"),
            op_type: text("opType"),
            condition_map: text("conditionMap"),
            jti,
            valid_from,
            expires_at,
        })
    }

    fn verify_strict(
        &self,
        token: &str,
        body: &[u8],
        keys: &[CallerKey],
        now: DateTime<Utc>,
    ) -> Result<StrictClaims, TokenRefusal> {
        let (compact, header) = read(token)?;
        let named = |key: &&CallerKey| {
            header.key_id.as_deref().is_none_or(|kid| kid == key.id.0.as_hyphenated().to_string())
        };
        compact.signed(&header.algorithm, Profile::Strict, keys.iter().filter(named))?;
        let claims = compact.claims().ok_or(TokenRefusal::Malformed)?;
        let (valid_from, expires_at) = self.strict.times(&claims, now)?;
        let (audience, bound) = (claims.text("aud"), claims.text("digest"));
        if audience.ok_or(TokenRefusal::Malformed)? != self.audience {
            return Err(TokenRefusal::WrongAudience);
        }
        let digest = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, body));
        if bound.ok_or(TokenRefusal::Malformed)? != digest {
            return Err(TokenRefusal::WrongDigest);
        }
        let user_id = claims.text("sub").map(str::to_owned);
        Ok(StrictClaims { user_id, jti: jti(&claims)?, valid_from, expires_at })
    }

    fn members(&self, json: &[u8]) -> Option<TextMembers> {
        let members = Members::parse(json)?;
        let text = |value| match value {
            Value::Text(text) => Some(text.into_owned()),
            Value::Integer(_) | Value::Other => None,
        };
        Some(members.into_iter().map(|(name, value)| (name.into_owned(), text(value))).collect())
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
