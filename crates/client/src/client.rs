//! The client: makes a token for each question and sends it by the rules of the crate's overview.

use std::{
    fmt,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use aws_lc_rs::rand;
use backon::Retryable;
use chrono::{DateTime, Utc};
use idcheck_domain::{
    key::{Environment, Profile},
    taipei,
};
use reqwest::{Certificate, Url};
use zeroize::Zeroizing;

use crate::{
    answer::Answered,
    credentials::Credentials,
    error::{Error, Lost},
    key::Algorithm,
    message::{Message, Unanswered},
    question::{Question, UserId},
    reply::Reading,
    retry::Retries,
    token::{self, Making},
    transport::{Delivery, Settings, Transport},
};

type NowFn = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Why a client can't be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// Not an absolute http or https URL, or one with user, query or fragment.
    #[error("base URL: not a plain https URL")]
    BaseUrl,
    /// Plain HTTP outside the loopback interface would show personal data to the network.
    #[error("base URL: http is only for the loopback interface; use https")]
    TlsRequired,
    /// The profile does not take this kind of key, or the key does not have the algorithm.
    #[error(
        "the key does not sign for this profile or with this algorithm; the legacy profile takes RSA only"
    )]
    Algorithm,
    /// Not certificates in PEM.
    #[error("root certificate: not in PEM")]
    RootCertificate,
    /// The system's trusted certificates can't be read, or TLS can't be set up.
    #[error("TLS can't be set up")]
    Tls,
}

/// Settings of a client; the defaults are the legacy profile, production, 10 s for a whole exchange.
pub struct Builder {
    base_url: String,
    credentials: Credentials,
    profile: Profile,
    environment: Environment,
    user: UserId,
    algorithm: Option<Algorithm>,
    key_id: Option<String>,
    audience: Option<String>,
    timeout: Duration,
    retries: Retries,
    root_certificates: Vec<u8>,
    now: NowFn,
}

impl Builder {
    /// The wire format; the key must be registered for it.
    pub fn profile(self, profile: Profile) -> Self {
        Self { profile, ..self }
    }

    /// Production, or the sandbox under `/sandbox`; key, account and Iss Key must be those of the environment.
    pub fn environment(self, environment: Environment) -> Self {
        Self { environment, ..self }
    }

    /// Who asks when a question does not say; `api` by default.
    pub fn user(self, user: UserId) -> Self {
        Self { user, ..self }
    }

    /// One of [`crate::SigningKey::algorithms`] instead of the first.
    pub fn algorithm(self, algorithm: Algorithm) -> Self {
        Self { algorithm: Some(algorithm), ..self }
    }

    /// The `kid` of tokens in the strict profile: the key's id as the service gave it. Without it the service looks
    /// at all keys of the company.
    pub fn key_id(self, key_id: impl Into<String>) -> Self {
        Self { key_id: Some(key_id.into()), ..self }
    }

    /// The `aud` of tokens in the strict profile, where the service's own base URL is not the one it is reached by.
    pub fn audience(self, audience: impl Into<String>) -> Self {
        Self { audience: Some(audience.into()), ..self }
    }

    /// The longest time for one exchange, connecting included.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// How often and how long the same token is tried.
    pub fn retries(self, retries: Retries) -> Self {
        Self { retries, ..self }
    }

    /// Trusts these certificates (PEM, one or more) in addition to the system's.
    pub fn root_certificates(self, pem: impl Into<Vec<u8>>) -> Self {
        Self { root_certificates: pem.into(), ..self }
    }

    /// Another clock than the system's, for tests and for hosts whose clock is known to be off.
    pub fn clock(self, now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self { now: Arc::new(now), ..self }
    }

    /// Builds the client.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn build(self) -> Result<Client, BuildError> {
        let base_url = base_url(&self.base_url)?;
        let allowed = self.credentials.key.algorithms(self.profile);
        let algorithm = match self.algorithm {
            Some(algorithm) if allowed.contains(&algorithm) => algorithm,
            None => *allowed.first().ok_or(BuildError::Algorithm)?,
            Some(_) => return Err(BuildError::Algorithm),
        };
        let url = Url::parse(&format!("{base_url}{}", path(self.profile, self.environment)))
            .map_err(|_| BuildError::BaseUrl)?;
        let roots = match self.root_certificates.as_slice() {
            [] => Vec::new(),
            pem => Certificate::from_pem_bundle(pem)
                .ok()
                .filter(|roots| !roots.is_empty())
                .ok_or(BuildError::RootCertificate)?,
        };
        let settings = Settings { timeout: self.timeout, connect_timeout: self.timeout / 2, roots };
        let transport = Transport::new(url, self.profile, settings).ok_or(BuildError::Tls)?;
        Ok(Client(Arc::new(Inner {
            transport,
            credentials: self.credentials,
            profile: self.profile,
            environment: self.environment,
            user: self.user,
            algorithm,
            key_id: self.key_id,
            audience: self.audience.unwrap_or(base_url),
            retries: self.retries,
            now: self.now,
        })))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("credentials", &self.credentials).finish_non_exhaustive()
    }
}

fn path(profile: Profile, environment: Environment) -> &'static str {
    match (environment, profile) {
        (Environment::Production, Profile::Legacy) => "/integration/rwv2c2",
        (Environment::Production, Profile::Strict) => "/api/v1/verifications",
        (Environment::Sandbox, Profile::Legacy) => "/sandbox/integration/rwv2c2",
        (Environment::Sandbox, Profile::Strict) => "/sandbox/api/v1/verifications",
    }
}

/// The base URL without a slash at its end.
fn base_url(text: &str) -> Result<String, BuildError> {
    let url = Url::parse(text).map_err(|_| BuildError::BaseUrl)?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    match url.scheme() {
        "https" if plain => {}
        "http" if plain && url.host_str().is_some_and(loopback) => {}
        "http" if plain => return Err(BuildError::TlsRequired),
        _ => return Err(BuildError::BaseUrl),
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

struct Inner {
    transport: Transport,
    credentials: Credentials,
    profile: Profile,
    environment: Environment,
    user: UserId,
    algorithm: Algorithm,
    key_id: Option<String>,
    audience: String,
    retries: Retries,
    now: NowFn,
}

/// A company's connection to the service. Cheap to clone; one is enough for a program.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

impl Client {
    /// Begins with the service's base URL and what the company asks with.
    pub fn builder(base_url: impl Into<String>, credentials: Credentials) -> Builder {
        Builder {
            base_url: base_url.into(),
            credentials,
            profile: Profile::Legacy,
            environment: Environment::Production,
            user: UserId::default(),
            algorithm: None,
            key_id: None,
            audience: None,
            timeout: Duration::from_secs(10),
            retries: Retries::default(),
            root_certificates: Vec::new(),
            now: Arc::new(system_time),
        }
    }

    /// Asks a question: one token, sent as often as the crate's overview says.
    ///
    /// # Errors
    /// See [`Error`]; [`Error::may_ask_again`] tells whether a new question is safe.
    pub async fn verify(&self, question: &Question) -> Result<Answered, Error> {
        question.not_after(taipei::day(self.now()))?;
        let message = self.message(question).ok_or(Error::Signing)?;
        self.deliver(Arc::new(message), false).await
    }

    /// Sends the same token again, to learn what became of a question.
    ///
    /// # Errors
    /// [`Error::AlreadyRecorded`] when the first sending was recorded. Every other error holds the token again: what
    /// became of the first sending is still not known.
    pub async fn send_again(&self, unanswered: &Unanswered) -> Result<Answered, Error> {
        self.deliver(Arc::clone(&unanswered.0), true).await
    }

    /// The company's credentials.
    pub fn credentials(&self) -> &Credentials {
        &self.0.credentials
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.0.now)()
    }

    /// The profile that the client asks in.
    pub fn profile(&self) -> Profile {
        self.0.profile
    }

    /// The environment that the client asks in.
    pub fn environment(&self) -> Environment {
        self.0.environment
    }

    /// The `aud` of its tokens in the strict profile.
    pub fn audience(&self) -> &str {
        &self.0.audience
    }

    pub(crate) async fn send_once(&self, message: &Message) -> Delivery {
        self.0.transport.send(message, self.now()).await
    }

    fn message(&self, question: &Question) -> Option<Message> {
        let user = question.user.as_ref().unwrap_or(&self.0.user);
        match self.0.profile {
            Profile::Legacy => self.legacy(user, &token::condition(question)?),
            Profile::Strict => self.strict(user, token::body(question)?),
        }
    }

    /// A question without conditions: the service looks at everything else first and then refuses it as malformed,
    /// which spends no token and counts nothing.
    pub(crate) fn empty_message(&self) -> Option<Message> {
        match self.0.profile {
            Profile::Legacy => self.legacy(&self.0.user, "{}"),
            Profile::Strict => self.strict(&self.0.user, Zeroizing::new(b"{}".to_vec())),
        }
    }

    fn legacy(&self, user: &UserId, condition: &str) -> Option<Message> {
        Some(Message { token: token::legacy(self.making(user, None)?, condition)?, body: None })
    }

    fn strict(&self, user: &UserId, body: Zeroizing<Vec<u8>>) -> Option<Message> {
        let making = self.making(user, self.0.key_id.as_deref())?;
        Some(Message { token: token::strict(making, &self.0.audience, &body)?, body: Some(body) })
    }

    fn making<'a>(&'a self, user: &'a UserId, key_id: Option<&'a str>) -> Option<Making<'a>> {
        let mut random = [0; 16];
        rand::fill(&mut random).ok()?;
        Some(Making {
            credentials: &self.0.credentials,
            algorithm: self.0.algorithm,
            key_id,
            user,
            now: self.now(),
            jti: hex::encode(random),
        })
    }

    /// Sends one message by the rules of [`Retries`]. `open` says that an earlier sending of it may have been
    /// recorded; a 503 says so too, because the service gives it when it can't learn how its commit ended.
    async fn deliver(&self, message: Arc<Message>, open: bool) -> Result<Answered, Error> {
        let open = AtomicBool::new(open);
        let retries = self.0.retries;
        let attempt = || async {
            match self.send_once(&message).await {
                Delivery::Replied { reading: Reading::Answer { answer, request_id }, .. } => {
                    Ok(Answered { answer, jti: message.token.jti.clone(), request_id })
                }
                delivery => {
                    if matches!(delivery, Delivery::Replied { reading: Reading::Unavailable, .. }) {
                        open.store(true, Ordering::Relaxed);
                    }
                    Err(delivery)
                }
            }
        };
        let ended = attempt
            .retry(retries.backoff())
            .when(|delivery| retries.apply_to(delivery))
            .adjust(Retries::wait)
            .await;
        ended.map_err(|delivery| ended_in(delivery, open.into_inner(), Unanswered(Arc::clone(&message))))
    }
}

/// The error of a sending that was not answered.
fn ended_in(delivery: Delivery, open: bool, unanswered: Unanswered) -> Error {
    let (reading, retry_after) = match delivery {
        Delivery::NotSent(cause) => return unless_open(open, Error::NotSent(cause), unanswered),
        Delivery::Lost(lost) => return Error::OutcomeUnknown { lost, unanswered },
        Delivery::Replied { reading, retry_after, .. } => (reading, retry_after),
    };
    match reading {
        Reading::AlreadyUsed => Error::AlreadyRecorded,
        Reading::Unavailable => Error::Unavailable { retry_after, unanswered },
        Reading::Undecided { status } => Error::OutcomeUnknown { lost: Lost::Status(status), unanswered },
        Reading::Unreadable | Reading::Answer { .. } => {
            Error::OutcomeUnknown { lost: Lost::Unreadable, unanswered }
        }
        Reading::Refused(refusal) => unless_open(open, Error::Refused(refusal), unanswered),
        Reading::TooMany => unless_open(open, Error::TooMany { retry_after }, unanswered),
    }
}

/// The service looks at the `jti` last, so an error that comes before says nothing of an earlier sending.
fn unless_open(open: bool, error: Error, unanswered: Unanswered) -> Error {
    if open { Error::OutcomeUnknown { lost: Lost::SentAgain(Box::new(error)), unanswered } } else { error }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("credentials", &self.0.credentials)
            .field("profile", &self.0.profile)
            .field("environment", &self.0.environment)
            .finish_non_exhaustive()
    }
}

#[expect(clippy::disallowed_methods, reason = "the clock of a program that has no other to take it from")]
fn system_time() -> DateTime<Utc> {
    SystemTime::now().into()
}

#[cfg(test)]
mod tests {
    use super::{BuildError, base_url};

    #[test]
    fn tls_is_required_outside_the_loopback_interface() {
        for (url, expected) in [
            ("https://idcheck.example", Ok("https://idcheck.example")),
            ("https://idcheck.example/", Ok("https://idcheck.example")),
            ("https://gateway.example/idcheck/", Ok("https://gateway.example/idcheck")),
            ("http://127.0.0.1:8080", Ok("http://127.0.0.1:8080")),
            ("http://127.8.8.8", Ok("http://127.8.8.8")),
            ("http://[::1]:8080", Ok("http://[::1]:8080")),
            ("http://localhost:8080/", Ok("http://localhost:8080")),
            ("http://idcheck.example", Err(BuildError::TlsRequired)),
            ("http://127.0.0.1.example", Err(BuildError::TlsRequired)),
            ("http://localhost.example", Err(BuildError::TlsRequired)),
            ("http://192.168.0.1", Err(BuildError::TlsRequired)),
            ("https://user:secret@idcheck.example", Err(BuildError::BaseUrl)),
            ("https://idcheck.example/?a=b", Err(BuildError::BaseUrl)),
            ("https://idcheck.example/#a", Err(BuildError::BaseUrl)),
            ("ftp://idcheck.example", Err(BuildError::BaseUrl)),
            ("idcheck.example", Err(BuildError::BaseUrl)),
        ] {
            assert_eq!(base_url(url).as_deref().map_err(|e| *e), expected, "{url}");
        }
    }
}
