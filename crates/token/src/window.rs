//! Times and identity of a token (check 5), the same for both profiles.

use chrono::{DateTime, TimeDelta, Utc};
use idcheck_usecases::ports::TokenRefusal;

use crate::claims::Members;

/// Times that a token must keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// How far the caller's clock may be off.
    pub skew: TimeDelta,
    /// Longest time from `iat` to `exp`.
    pub span: TimeDelta,
}

impl Window {
    /// The legacy profile's: clients in use span up to 20 minutes.
    pub const LEGACY: Self = Self { skew: TimeDelta::seconds(300), span: TimeDelta::minutes(60) };
    pub const STRICT: Self = Self { skew: TimeDelta::seconds(300), span: TimeDelta::seconds(300) };

    /// The first instant at which the token could be taken, and its end, if `now` is inside its times.
    pub(crate) fn times(
        self,
        claims: &Members<'_>,
        now: DateTime<Utc>,
    ) -> Result<(DateTime<Utc>, DateTime<Utc>), TokenRefusal> {
        let instant = |name| {
            let seconds = claims.integer(name).ok_or(TokenRefusal::Malformed)?;
            DateTime::from_timestamp(seconds, 0).ok_or(TokenRefusal::Malformed)
        };
        let (issued, expires) = (instant("iat")?, instant("exp")?);
        // RFC 7519 §4.1.5: who names a beginning means it.
        let from = if claims.get("nbf").is_some() { issued.max(instant("nbf")?) } else { issued };
        if from > now + self.skew {
            return Err(TokenRefusal::NotYetValid);
        }
        let span = expires - issued;
        if expires <= now - self.skew || span > self.span || span < TimeDelta::zero() {
            return Err(TokenRefusal::Expired);
        }
        Ok((from - self.skew, expires))
    }
}

/// Longest `jti` taken.
const MAX_JTI: usize = 128;

pub(crate) fn jti<'t>(claims: &'t Members<'_>) -> Result<&'t str, TokenRefusal> {
    let jti = claims.text("jti").ok_or(TokenRefusal::Malformed)?;
    if jti.is_empty() || jti.len() > MAX_JTI || jti.contains('\0') {
        return Err(TokenRefusal::Malformed);
    }
    Ok(jti)
}
