//! Getting revocation information over HTTP: CRLs by distribution point, OCSP by authority information access.
//!
//! Only addresses out of validated paths are asked, so a message can't send us anywhere. Every request is bounded in
//! size and time, follows no redirect, and is not repeated for the same address within
//! [`FetchPolicy::min_interval`]: a slow authority makes applicants wait once, not us hang.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::certificate::Certificate;
use crate::crl::Crl;
use crate::ocsp::{self, OcspAnswers, OcspResponse};
use crate::path::Path;

const OCSP_REQUEST: &str = "application/ocsp-request";
/// OCSP answers have less than 4 KiB.
const MAX_OCSP: usize = 64 * 1024;
/// Addresses asked for one path: the real ones have one list and one responder for each certificate.
const MAX_ADDRESSES: usize = 8;
const NONCE_LEN: usize = 16;

/// Whom to ask, and whom first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StatusOrder {
    #[default]
    CrlOnly,
    /// OCSP where no current list covers the certificate.
    CrlThenOcsp,
    /// Lists where OCSP gives no answer.
    OcspThenCrl,
}

/// How revocation information is got.
#[derive(Debug, Clone)]
pub struct FetchPolicy {
    pub order: StatusOrder,
    /// For one request, connecting included.
    pub timeout: Duration,
    /// Octets of one list.
    pub max_crl: usize,
    /// Between two requests to one address.
    pub min_interval: Duration,
}

impl Default for FetchPolicy {
    fn default() -> Self {
        Self {
            order: StatusOrder::default(),
            timeout: Duration::from_secs(5),
            max_crl: 32 * 1024 * 1024,
            min_interval: Duration::from_mins(1),
        }
    }
}

/// Fetches and keeps lists and answers.
#[derive(Debug)]
pub struct Fetcher {
    client: reqwest::Client,
    policy: FetchPolicy,
    cache: Mutex<Cache>,
}

#[derive(Debug, Default)]
struct Cache {
    crls: HashMap<String, Arc<Crl>>,
    answers: OcspAnswers,
    asked: HashMap<String, DateTime<Utc>>,
}

impl Fetcher {
    /// A fetcher with nothing in its cache.
    ///
    /// # Errors
    /// When the HTTP client can't be set up.
    pub fn new(policy: FetchPolicy) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .timeout(policy.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self { client, policy, cache: Mutex::default() })
    }

    pub const fn order(&self) -> StatusOrder {
        self.policy.order
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lists fetched so far.
    pub fn crls(&self) -> Vec<Arc<Crl>> {
        self.cache().crls.values().cloned().collect()
    }

    /// The answers fetched so far.
    pub fn answers(&self) -> OcspAnswers {
        self.cache().answers.clone()
    }

    /// Asks the responders of a validated path about each certificate; true if something came.
    pub async fn fetch_answers(&self, path: &Path, now: DateTime<Utc>, random: fn(&mut [u8])) -> bool {
        let mut any = false;
        for pair in path.windows(2) {
            let (certificate, issuer) = (&pair[0], &pair[1]);
            if self.cache().answers.status(certificate, issuer, now).is_some() {
                continue;
            }
            for url in certificate.ocsp_urls().into_iter().take(MAX_ADDRESSES) {
                // A responder may know one certificate and not the next.
                if !self.may_ask(&format!("{url}#{}", certificate.serial_hex()), now) {
                    continue;
                }
                let mut nonce = [0; NONCE_LEN];
                random(&mut nonce);
                if let Some(response) = self.ask(url, certificate, issuer, &nonce).await
                    && response.status(certificate, issuer, now).is_some()
                {
                    let mut cache = self.cache();
                    cache.answers.forget_stale(now);
                    cache.answers.insert(certificate, Arc::new(response));
                    any = true;
                    break;
                }
            }
        }
        any
    }

    async fn ask(
        &self,
        url: &str,
        certificate: &Certificate,
        issuer: &Certificate,
        nonce: &[u8],
    ) -> Option<OcspResponse> {
        let request = self.client.post(url).header("content-type", OCSP_REQUEST);
        let body = bounded(request.body(ocsp::request(certificate, issuer, nonce)), MAX_OCSP, url).await?;
        match OcspResponse::parse(&body) {
            Ok(response) if response.answers(nonce) => Some(response),
            _ => {
                tracing::warn!(url, "OCSP answer unusable");
                None
            }
        }
    }

    /// Fetches the lists that a validated path's certificates point to; true if something came.
    pub async fn fetch_lists(&self, path: &Path, now: DateTime<Utc>) -> bool {
        let below_anchor = path.len().saturating_sub(1);
        let urls: Vec<String> = path
            .iter()
            .take(below_anchor)
            .flat_map(|certificate| certificate.crl_urls().into_iter().take(MAX_ADDRESSES).map(str::to_owned))
            .collect();
        self.fetch_urls(&urls, now).await
    }

    /// Fetches again every list known so far, for a background job; true if something came.
    pub async fn refresh(&self, now: DateTime<Utc>) -> bool {
        let urls: Vec<String> = self.cache().crls.keys().cloned().collect();
        self.fetch_urls(&urls, now).await
    }

    async fn fetch_urls(&self, urls: &[String], now: DateTime<Utc>) -> bool {
        let mut any = false;
        for url in urls {
            if !self.may_ask(url, now) {
                continue;
            }
            let Some(body) = bounded(self.client.get(url), self.policy.max_crl, url).await else { continue };
            if let Ok(crl) = Crl::parse(&body) {
                any |= self.keep(url, crl);
            } else {
                tracing::warn!(url, "CRL can't be read");
            }
        }
        any
    }

    /// Keeps a list unless it is older than the one there is.
    fn keep(&self, url: &str, crl: Crl) -> bool {
        let mut cache = self.cache();
        let newer = cache.crls.get(url).is_none_or(|known| known.this_update() <= crl.this_update());
        if newer {
            cache.crls.insert(url.to_owned(), Arc::new(crl));
        }
        newer
    }

    fn may_ask(&self, url: &str, now: DateTime<Utc>) -> bool {
        let mut cache = self.cache();
        cache
            .asked
            .retain(|_, asked| (now - *asked).to_std().is_ok_and(|since| since < self.policy.min_interval));
        let first = !cache.asked.contains_key(url);
        if first {
            cache.asked.insert(url.to_owned(), now);
        }
        first
    }
}

/// The body of a successful answer of at most `max` octets.
async fn bounded(request: reqwest::RequestBuilder, max: usize, url: &str) -> Option<Vec<u8>> {
    let outcome = async {
        let mut response = request.send().await?.error_for_status()?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > max {
                tracing::warn!(url, max, "answer too large");
                return Ok(None);
            }
            body.extend_from_slice(&chunk);
        }
        // Without redirects a 3xx is a success without a list.
        Ok::<_, reqwest::Error>(response.status().is_success().then_some(body))
    };
    outcome.await.unwrap_or_else(|error| {
        tracing::warn!(url, %error, "revocation information can't be fetched");
        None
    })
}
