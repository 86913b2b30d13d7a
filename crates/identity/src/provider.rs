//! The identity provider of officers: OpenID Connect, authorization code flow with PKCE (docs/adr/0012).
//!
//! Its metadata and keys are got by Discovery and kept for an hour; a key that is not among them makes us look again, once a
//! minute at most. Only the ID token is believed, and only after OpenID Connect Core 1.0 §3.1.3.7; the access token is
//! dropped unread.

use std::{
    error::Error as _,
    fmt::Display,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use idcheck_usecases::ports::{Clock, IdentityProvider, ProviderError, SignInAttempt};
use jsonwebtoken::{
    Algorithm, DecodingKey, Header, Validation,
    jwk::{Jwk, JwkSet, PublicKeyUse},
};
use reqwest::{StatusCode, redirect};
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;
use zeroize::Zeroizing;

/// Greatest length of one answer, in bytes.
const MAX_ANSWER: usize = 256 * 1024;
/// How long metadata and keys are kept.
const KEPT: TimeDelta = TimeDelta::hours(1);
/// How soon an unknown key makes us look again.
const AGAIN: TimeDelta = TimeDelta::minutes(1);
/// How far the provider's clock may be off.
const SKEW: i64 = 60;
/// How old an ID token may be that was made for a code which was just exchanged, in seconds.
const FRESH: i64 = 600;
/// What is wrong with the provider or its settings, in words for the operator.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ProviderProblem(String);

fn problem(what: impl Display, why: impl Display) -> ProviderProblem {
    ProviderProblem(format!("{what}: {why}"))
}

impl From<reqwest::Error> for ProviderProblem {
    fn from(error: reqwest::Error) -> Self {
        let mut told = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            told = format!("{told}: {error}");
            cause = error.source();
        }
        Self(told)
    }
}

impl From<serde_json::Error> for ProviderProblem {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

/// How the provider is reached and what it must vouch for.
pub struct ProviderSettings {
    /// Its issuer identifier, exactly as it calls itself.
    pub issuer: String,
    /// What it calls this service.
    pub client_id: String,
    /// The secret that it gave; none for a public client.
    pub client_secret: Option<Zeroizing<String>>,
    /// Ways of signing in of which it must name one; empty is any.
    pub acr: Vec<String>,
    /// Where officers come back to; registered with the provider.
    pub redirect_uri: String,
    /// How long one request may take.
    pub timeout: Duration,
}

/// What the provider tells of itself (OpenID Connect Discovery 1.0 §3); the members that count here.
#[derive(Clone, Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: Endpoint,
    token_endpoint: Endpoint,
    jwks_uri: Endpoint,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// RFC 9207 §3.
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// An address to which what is secret may be sent.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
struct Endpoint(Url);

impl TryFrom<String> for Endpoint {
    type Error = ProviderProblem;

    fn try_from(text: String) -> Result<Self, ProviderProblem> {
        let url = Url::parse(&text).map_err(|error| problem(format!("`{text}`"), error))?;
        let local = match url.host() {
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => false,
        };
        // Who sits in between could sign in as anybody.
        let safe = url.scheme() == "https" || (url.scheme() == "http" && local);
        if safe { Ok(Self(url)) } else { Err(ProviderProblem(format!("`{text}` is not https"))) }
    }
}

struct Known {
    metadata: Metadata,
    keys: JwkSet,
    at: DateTime<Utc>,
}

/// The token endpoint's answer; the ID token is all that is used of it.
#[derive(Deserialize)]
struct TokenAnswer {
    id_token: String,
}

/// The token endpoint's refusal (RFC 6749 §5.2).
#[derive(Deserialize)]
struct TokenRefusal {
    error: String,
}

/// The claims of an ID token that count (OpenID Connect Core 1.0 §2).
#[derive(Deserialize)]
struct Claims {
    sub: String,
    aud: Audience,
    exp: i64,
    iat: i64,
    nonce: Option<String>,
    azp: Option<String>,
    acr: Option<String>,
}

/// One audience or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    /// Whether the token is for `client` and nobody else: we trust no other audience (§3.1.3.7, 3).
    fn is_only(&self, client: &str) -> bool {
        match self {
            Self::One(one) => one == client,
            Self::Several(several) => matches!(several.as_slice(), [one] if one == client),
        }
    }
}

/// Why a token's word does not hold, for the log: nothing of the token is in it.
type Doubt = &'static str;

/// An OpenID Connect provider.
pub struct OpenIdProvider {
    http: reqwest::Client,
    clock: Arc<dyn Clock>,
    settings: ProviderSettings,
    known: RwLock<Option<Arc<Known>>>,
}

impl OpenIdProvider {
    /// With its settings. Reaches out only when somebody signs in.
    ///
    /// # Errors
    /// An issuer that is not `https`.
    pub fn new(settings: ProviderSettings, clock: Arc<dyn Clock>) -> Result<Self, ProviderProblem> {
        Endpoint::try_from(settings.issuer.clone())?;
        // A redirect of one of its endpoints would lead a secret elsewhere.
        let http = reqwest::Client::builder()
            .timeout(settings.timeout)
            .redirect(redirect::Policy::none())
            .build()?;
        Ok(Self { http, clock, settings, known: RwLock::new(None) })
    }

    /// Whether the provider answers and its metadata hold: how many keys it has.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn probe(&self) -> Result<usize, ProviderProblem> {
        self.discover().await.map(|known| known.keys.keys.len())
    }

    async fn known(&self, younger_than: TimeDelta) -> Result<Arc<Known>, ProviderError> {
        let kept = self.known.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(kept) = kept
            && self.clock.now() - kept.at < younger_than
        {
            return Ok(kept);
        }
        match self.discover().await {
            Ok(fresh) => {
                let fresh = Arc::new(fresh);
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&fresh));
                Ok(fresh)
            }
            Err(error) => {
                tracing::error!(%error, "the identity provider gives no answer");
                Err(ProviderError::Unavailable)
            }
        }
    }

    async fn discover(&self) -> Result<Known, ProviderProblem> {
        let issuer = &self.settings.issuer;
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let metadata: Metadata = self.get(&url).await.map_err(|why| problem("its metadata", why))?;
        // Exactly, slash at the end and all (Discovery §4.3).
        if metadata.issuer != *issuer {
            return Err(ProviderProblem(format!("it calls itself `{}`", metadata.issuer)));
        }
        let keys = self.get(metadata.jwks_uri.0.as_str()).await.map_err(|why| problem("its keys", why))?;
        Ok(Known { metadata, keys, at: self.clock.now() })
    }

    async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, ProviderProblem> {
        let response = self.http.get(url).send().await?.error_for_status()?;
        Ok(serde_json::from_slice(&body(response).await?)?)
    }

    /// Exchanges a code for an ID token (RFC 6749 §4.1.3, RFC 7636 §4.5).
    async fn id_token(
        &self,
        metadata: &Metadata,
        attempt: &SignInAttempt,
        code: &str,
    ) -> Result<Option<String>, ProviderProblem> {
        let verifier = attempt.code_verifier();
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.settings.redirect_uri),
            ("code_verifier", &verifier),
        ];
        let mut request = self.http.post(metadata.token_endpoint.0.clone());
        match &self.settings.client_secret {
            Some(secret) if by_post(metadata) => {
                form.extend([
                    ("client_id", self.settings.client_id.as_str()),
                    ("client_secret", secret.as_str()),
                ]);
            }
            // §2.3.1: both are encoded as in a form first.
            Some(secret) => {
                request = request.basic_auth(encoded(&self.settings.client_id), Some(encoded(secret)));
            }
            None => form.push(("client_id", &self.settings.client_id)),
        }
        let response = request.form(&form).send().await?;
        let status = response.status();
        let body = Zeroizing::new(body(response).await?);
        if status == StatusCode::BAD_REQUEST {
            let refusal: TokenRefusal = serde_json::from_slice(&body)?;
            if refusal.error == "invalid_grant" {
                return Ok(None);
            }
            // Ours to mend: the client, its secret, the redirect address.
            return Err(ProviderProblem(format!("it refused with `{}`", refusal.error.escape_default())));
        }
        if !status.is_success() {
            return Err(ProviderProblem(format!("it answered {status}")));
        }
        Ok(Some(serde_json::from_slice::<TokenAnswer>(&body)?.id_token))
    }

    /// The subject of an ID token, after every check of OpenID Connect Core 1.0 §3.1.3.7.
    fn vouched(&self, token: &str, key: &Jwk, header: &Header, nonce: &str) -> Result<String, Doubt> {
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_audience(&[&self.settings.client_id]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // By our clock, below.
        validation.validate_exp = false;
        let key = DecodingKey::from_jwk(key).map_err(|_| "its key can't be used")?;
        let decoded = jsonwebtoken::decode::<Claims>(token, &key, &validation);
        let claims = decoded.map_err(|_| "signature, issuer or audience")?.claims;
        let now = self.clock.now().timestamp();
        if !claims.aud.is_only(&self.settings.client_id)
            || claims.azp.is_some_and(|azp| azp != self.settings.client_id)
        {
            Err("it is for somebody else too")
        } else if claims.exp <= now - SKEW || claims.iat > now + SKEW || claims.iat < now - FRESH {
            Err("its time")
        } else if claims.nonce.as_deref() != Some(nonce) {
            Err("its nonce")
        } else if !self.settings.acr.is_empty()
            && claims.acr.is_none_or(|acr| !self.settings.acr.contains(&acr))
        {
            Err("how the person signed in (acr)")
        } else {
            Ok(claims.sub)
        }
    }

    /// The key of a token, looked up again when it is not known: providers change keys.
    async fn key(&self, known: Arc<Known>, header: &Header) -> Result<Option<Jwk>, ProviderError> {
        if let Some(key) = key_of(&known.keys, header) {
            return Ok(Some(key.clone()));
        }
        let known = self.known(AGAIN).await?;
        Ok(key_of(&known.keys, header).cloned())
    }
}

#[async_trait]
impl IdentityProvider for OpenIdProvider {
    async fn authorization_url(&self, attempt: &SignInAttempt) -> Result<String, ProviderError> {
        let mut url = self.known(KEPT).await?.metadata.authorization_endpoint.0.clone();
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, attempt.code_verifier().as_bytes()));
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("scope", "openid")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.settings.redirect_uri)
            .append_pair("state", &attempt.state())
            .append_pair("nonce", &attempt.nonce())
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        if !self.settings.acr.is_empty() {
            query.append_pair("acr_values", &self.settings.acr.join(" "));
        }
        drop(query);
        Ok(url.into())
    }

    async fn subject<'a>(
        &self,
        attempt: &'a SignInAttempt,
        code: &'a str,
        issuer: Option<&'a str>,
    ) -> Result<String, ProviderError> {
        let known = self.known(KEPT).await?;
        let named = issuer.map_or(!known.metadata.authorization_response_iss_parameter_supported, |issuer| {
            issuer == self.settings.issuer
        });
        if !named {
            return Err(refused("another provider answered"));
        }
        let token = self.id_token(&known.metadata, attempt, code).await.map_err(|error| {
            tracing::error!(%error, "the identity provider gives no token");
            ProviderError::Unavailable
        })?;
        let token = token.ok_or_else(|| refused("it does not know the code"))?;
        let header = jsonwebtoken::decode_header(&token).map_err(|_| refused("its header"))?;
        let key = self.key(known, &header).await?.ok_or_else(|| refused("it is signed with no key of it"))?;
        self.vouched(&token, &key, &header, &attempt.nonce()).map_err(refused)
    }
}

fn refused(doubt: Doubt) -> ProviderError {
    tracing::warn!(doubt, "an officer's ID token does not hold");
    ProviderError::Refused
}

/// The key that a token names, or the only one that can be meant. A key for a symmetric algorithm is never meant: what is
/// public would count as a secret then.
fn key_of<'k>(keys: &'k JwkSet, header: &Header) -> Option<&'k Jwk> {
    let asymmetric = !matches!(header.alg, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512);
    let usable = |key: &&Jwk| {
        let common = &key.common;
        let for_signing = common.public_key_use.as_ref().is_none_or(|its| *its == PublicKeyUse::Signature);
        let named = common.key_algorithm.is_none_or(|its| its.to_string() == format!("{:?}", header.alg));
        let family =
            DecodingKey::from_jwk(key).is_ok_and(|decoding| decoding.family() == header.alg.family());
        asymmetric && for_signing && named && family
    };
    let mut fitting = keys.keys.iter().filter(usable);
    match &header.kid {
        Some(kid) => fitting.find(|key| key.common.key_id.as_ref() == Some(kid)),
        None => fitting.next().filter(|_| fitting.next().is_none()),
    }
}

/// Whether the provider takes the client's secret only in the form; without a word it takes it as HTTP Basic.
fn by_post(metadata: &Metadata) -> bool {
    let methods = metadata.token_endpoint_auth_methods_supported.as_deref().unwrap_or_default();
    let takes = |method: &str| methods.iter().any(|takes| takes == method);
    takes("client_secret_post") && !takes("client_secret_basic")
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn body(mut response: reqwest::Response) -> Result<Vec<u8>, ProviderProblem> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER {
            return Err(ProviderProblem(format!("more than {MAX_ANSWER} bytes")));
        }
    }
    Ok(body)
}

#[cfg(test)]
mod tests;
