//! One sending of one message over HTTP, and how it ended. It repeats nothing and follows no redirect.

use std::{io, net::SocketAddr, time::Duration};

use chrono::{DateTime, Utc};
use idcheck_domain::key::Profile;
use reqwest::{
    Certificate, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
    redirect,
};
use zeroize::Zeroizing;

use crate::{
    error::{Lost, NotSent},
    message::Message,
    reply::{Reading, Reply, is_plain},
};

/// A header that the Ministry's service asks for; its value never changes.
const CONSUMER: (HeaderName, HeaderValue) =
    (HeaderName::from_static("sris-consumeradminid"), HeaderValue::from_static("00000000"));
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// The service's name for a request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// No reply of the service is near this size.
const MAX_BODY: usize = 64 * 1024;
/// How long an idle connection is kept. Servers close theirs after a minute or so, and a request that meets the close
/// has an unknown outcome.
const IDLE: Duration = Duration::from_secs(15);

/// How a sending ended.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// No connection; nothing was sent.
    NotSent(NotSent),
    /// Sent, and no whole reply.
    Lost(Lost),
    /// A whole reply.
    Replied {
        reading: Reading,
        retry_after: Option<Duration>,
        /// The service's clock, in whole seconds.
        date: Option<DateTime<Utc>>,
        /// The service's address.
        peer: Option<SocketAddr>,
    },
}

/// Time limits and trust of a transport.
pub(crate) struct Settings {
    pub(crate) timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) roots: Vec<Certificate>,
}

#[derive(Debug)]
pub(crate) struct Transport {
    http: reqwest::Client,
    url: Url,
    profile: Profile,
}

impl Transport {
    /// `None` when TLS can't be set up.
    pub(crate) fn new(url: Url, profile: Profile, settings: Settings) -> Option<Self> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("idcheck-client/", env!("CARGO_PKG_VERSION")))
            .timeout(settings.timeout)
            .connect_timeout(settings.connect_timeout)
            .pool_idle_timeout(IDLE)
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only();
        if url.scheme() == "http" {
            // Plain HTTP is for the loopback interface; it must not wander to a proxy.
            builder = builder.no_proxy();
        } else {
            builder = builder.https_only(true).tls_version_min(reqwest::tls::Version::TLS_1_2);
        }
        if !settings.roots.is_empty() {
            builder = builder.tls_certs_merge(settings.roots);
        }
        Some(Self { http: builder.build().ok()?, url, profile })
    }

    /// Sends; `now` is for a `Retry-After` that names a time.
    pub(crate) async fn send(&self, message: &Message, now: DateTime<Utc>) -> Delivery {
        let bearer = Zeroizing::new(format!("Bearer {}", message.token.text.as_str()));
        let Ok(mut authorization) = HeaderValue::from_str(&bearer) else {
            return Delivery::NotSent(NotSent::Unreachable);
        };
        authorization.set_sensitive(true);
        let request = match &message.body {
            None => self.http.get(self.url.clone()).header(CONSUMER.0, CONSUMER.1),
            Some(body) => self.http.post(self.url.clone()).body(body.to_vec()),
        };
        let request = request.header(CONTENT_TYPE, JSON).header(AUTHORIZATION, authorization);
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return failed(&error),
        };
        let peer = response.remote_addr();
        match reply(response, now).await {
            Ok(reply) => Delivery::Replied {
                reading: reply.reading(self.profile),
                retry_after: reply.retry_after,
                date: reply.date,
                peer,
            },
            Err(lost) => Delivery::Lost(lost),
        }
    }
}

/// Reads a reply to its end or to the bound.
async fn reply(mut response: reqwest::Response, now: DateTime<Utc>) -> Result<Reply, Lost> {
    let headers = response.headers();
    let date = headers.get(DATE).and_then(|value| http_date(value.to_str().ok()?));
    let mut reply = Reply {
        status: response.status().as_u16(),
        retry_after: retry_after(headers, date.unwrap_or(now)),
        date,
        request_id: request_id(headers),
        body: Vec::new(),
    };
    loop {
        match response.chunk().await {
            Ok(None) => return Ok(reply),
            Ok(Some(chunk)) if reply.body.len() + chunk.len() <= MAX_BODY => reply.body.extend(&chunk),
            Ok(Some(_)) => return Err(Lost::Unreadable),
            Err(error) if error.is_timeout() => return Err(Lost::Timeout),
            Err(_) => return Err(Lost::Connection),
        }
    }
}

/// RFC 9110 §5.6.7, the preferred form.
fn http_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text).ok().map(|date| date.with_timezone(&Utc))
}

/// RFC 9110 §10.2.3: seconds or a time.
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Some((http_date(text)? - now).to_std().unwrap_or_default()),
    }
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(REQUEST_ID)?.to_str().ok()?;
    is_plain(text).then(|| text.to_owned())
}

/// Tells what was never sent from what may have been.
fn failed(error: &reqwest::Error) -> Delivery {
    if error.is_connect() {
        Delivery::NotSent(cause(error))
    } else if error.is_builder() {
        Delivery::NotSent(NotSent::Unreachable)
    } else if error.is_timeout() {
        Delivery::Lost(Lost::Timeout)
    } else {
        Delivery::Lost(Lost::Connection)
    }
}

fn cause(error: &reqwest::Error) -> NotSent {
    use io::ErrorKind::{ConnectionRefused, InvalidData, TimedOut, UnexpectedEof};
    if error.is_dns() {
        return NotSent::Name;
    }
    if error.is_timeout() {
        return NotSent::Timeout;
    }
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        match error.downcast_ref::<io::Error>().map(innermost) {
            Some(ConnectionRefused) => return NotSent::Refused,
            Some(TimedOut) => return NotSent::Timeout,
            // What the handshake could not read or trust, or a peer that hung up on it.
            Some(InvalidData | UnexpectedEof) => return NotSent::Tls,
            _ => source = error.source(),
        }
    }
    NotSent::Unreachable
}

/// The kind of an error that others may have wrapped; `source` steps over the one it wraps.
fn innermost(error: &io::Error) -> io::ErrorKind {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<io::Error>());
    inner.map_or(error.kind(), innermost)
}

#[cfg(test)]
mod tests {
    use super::{Duration, HeaderMap, HeaderValue, RETRY_AFTER, http_date, retry_after};

    #[test]
    fn retry_after_in_both_forms() {
        let now = http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(now.timestamp(), 784_111_777);
        for (text, expected) in [
            ("5", Some(5)),
            (" 120 ", Some(120)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:40:00 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]);
            assert_eq!(retry_after(&headers, now), expected.map(Duration::from_secs), "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
