//! Officers' passwords (argon2id) and second factors (TOTP, RFC 6238).

use std::sync::Arc;

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_usecases::ports::Credentials;
use tokio::sync::Semaphore;
use totp_rs::{Algorithm, Builder, Totp};

/// Seconds of a time step.
const STEP_SECONDS: u64 = 30;
/// Hashes computed at one time, of which each takes 19 MiB and a core: half of the cores stay for queries.
fn parallel() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).clamp(1, 4))
}

/// How many more wait, which is a second at most; beyond them people are told to try again.
const WAITING: usize = 32;

/// A password that can't be hashed.
#[derive(Debug, thiserror::Error)]
#[error("a password can't be hashed: {0}")]
pub struct HashProblem(#[from] argon2::password_hash::Error);

/// Checks and makes officers' secrets on threads of their own, a few at a time.
pub struct OfficerCredentials {
    slots: Arc<Semaphore>,
    /// Whoever computes or waits for a slot.
    queue: Semaphore,
    /// Compared with when there is no such user, so that the answer takes as long.
    decoy: String,
}

impl OfficerCredentials {
    /// With a decoy hash of its own.
    ///
    /// # Errors
    /// When the password can't be hashed at all.
    pub fn new() -> Result<Self, HashProblem> {
        let decoy = hash("nobody has this password")?;
        Ok(Self {
            slots: Arc::new(Semaphore::new(parallel())),
            queue: Semaphore::new(parallel() + WAITING),
            decoy,
        })
    }

    async fn compute<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let _slot = self.slots.acquire().await.ok()?;
        tokio::task::spawn_blocking(work).await.ok()
    }
}

fn hash(password: &str) -> Result<String, HashProblem> {
    Ok(Argon2::default().hash_password(password.as_bytes())?.to_string())
}

fn matches(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

fn totp(secret: &[u8]) -> Option<Totp> {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_skew(1)
        .with_step_duration(STEP_SECONDS)
        .with_secret(secret.to_vec())
        .build()
        .ok()
}

/// The second factor's code of a moment, as an authenticator shows it.
pub fn totp_code(secret: &[u8], now: DateTime<Utc>) -> Option<String> {
    let seconds = u64::try_from(now.timestamp()).ok()?;
    Some(totp(secret)?.generate(seconds).to_string())
}

#[async_trait]
impl Credentials for OfficerCredentials {
    async fn password_matches<'a>(&self, password: &'a str, hash: Option<&'a str>) -> Option<bool> {
        let _place = self.queue.try_acquire().ok()?;
        let known = hash.is_some();
        let password = password.to_owned();
        let hash = hash.unwrap_or(&self.decoy).to_owned();
        let matched = self.compute(move || matches(&password, &hash)).await.unwrap_or(false);
        Some(known && matched)
    }

    fn totp_step(&self, secret: &[u8], code: &str, now: DateTime<Utc>) -> Option<u64> {
        let totp = totp(secret)?;
        let seconds = u64::try_from(now.timestamp()).ok()?;
        // The step that the code is of: the one now, or a neighbour. Each step's code is accepted once.
        totp.check(code, seconds)
    }

    async fn hash_password(&self, password: &str) -> String {
        let password = password.to_owned();
        let hashed = self.compute(move || hash(&password)).await.and_then(Result::ok);
        // An empty hash matches no password.
        hashed.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// So many compute or wait; the next is turned away at once, and once there is room again somebody is let in.
    #[tokio::test(flavor = "multi_thread")]
    async fn the_queue_has_an_end() {
        let credentials = Arc::new(OfficerCredentials::new().unwrap());
        let most = parallel() + WAITING;
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..most * 2 {
            let credentials = Arc::clone(&credentials);
            all.spawn(async move { credentials.password_matches("a long password", None).await });
        }
        let outcomes = all.join_all().await;
        let turned_away = outcomes.iter().filter(|outcome| outcome.is_none()).count();
        assert!((1..=most).contains(&turned_away), "{turned_away} of {}", outcomes.len());
        assert_eq!(credentials.password_matches("a long password", None).await, Some(false));
    }
}
