//! Calls to addresses that organisations named, signed as Standard Webhooks 1.0 says.
//!
//! Whoever names an address decides where this service connects to. So each call looks where the host leads and goes to
//! public addresses only, keeps no connection that an earlier look allowed, follows no redirection, asks no proxy, and reads nothing of the
//! answer but its status.

mod body;
mod signature;

use std::{error::Error, io, net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use idcheck_domain::value::{AddressPolicy, HostAddress};
use idcheck_usecases::ports::{CallFailure, Clock, QueuedCall, WebhookCaller};
use reqwest::{
    Client,
    dns::{Addrs, Name, Resolve, Resolving},
    header::CONTENT_TYPE,
    redirect::Policy,
};
use url::{Host, Url};

/// Until there is a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Until there is an answer.
const ANSWER: Duration = Duration::from_secs(15);

/// Makes calls over HTTPS.
pub struct HttpCaller {
    client: Client,
    policy: AddressPolicy,
    clock: Arc<dyn Clock>,
}

impl HttpCaller {
    /// Calls what this policy allows.
    ///
    /// # Errors
    /// When the HTTP client can't be set up.
    pub fn new(policy: AddressPolicy, clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .user_agent(concat!("idcheck/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .redirect(Policy::none())
            .no_proxy()
            .pool_max_idle_per_host(0)
            .dns_resolver(Arc::new(Allowed(policy)))
            .build()?;
        Ok(Self { client, policy, clock })
    }

    /// The address, if it may be called. A host that is an address is asked of no resolver, and so is looked at here.
    fn allowed(&self, url: &str) -> Option<Url> {
        let url = Url::parse(url).ok()?;
        let public = |address: String| HostAddress::parse(&address, self.policy).is_ok();
        let may = match url.host()? {
            Host::Ipv4(address) => public(address.to_string()),
            Host::Ipv6(address) => public(address.to_string()),
            Host::Domain(_) => url.scheme() == "https",
        };
        may.then_some(url)
    }
}

/// Leads to addresses that may be called, and to no others.
struct Allowed(AddressPolicy);

impl Resolve for Allowed {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found
                .filter(|found| HostAddress::parse(&found.ip().to_canonical().to_string(), policy).is_ok())
                .collect();
            if allowed.is_empty() {
                return Err(Box::new(io::Error::new(io::ErrorKind::AddrNotAvailable, NoPublicAddress)) as _);
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// The host leads to no address that may be called.
#[derive(Debug)]
struct NoPublicAddress;

impl std::fmt::Display for NoPublicAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the host has no public address")
    }
}

impl Error for NoPublicAddress {}

/// Why there was no answer.
fn failure(error: &reqwest::Error) -> CallFailure {
    if error.is_timeout() {
        return CallFailure::Timeout;
    }
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(one) = cause {
        // A resolver that fails is the connector's error of this kind too.
        if one.to_string().contains("dns error") {
            return CallFailure::Host;
        }
        cause = one.source();
    }
    CallFailure::Connection
}

#[async_trait]
impl WebhookCaller for HttpCaller {
    async fn call(&self, call: &QueuedCall) -> Result<(), CallFailure> {
        let url = self.allowed(call.webhook.url.as_str()).ok_or(CallFailure::Host)?;
        let body = body::of(call);
        let (id, at) = (call.id.to_string(), self.clock.now().timestamp());
        let signature = signature::of(&call.webhook.secret, &id, at, &body);
        let request = self.client.post(url).header(CONTENT_TYPE, "application/json");
        let request = request
            .header("webhook-id", id)
            .header("webhook-timestamp", at)
            .header("webhook-signature", signature);
        match request.body(body).send().await {
            Ok(response) if response.status().is_success() => Ok(()),
            Ok(response) => Err(CallFailure::Status(response.status().as_u16())),
            Err(error) => Err(failure(&error)),
        }
    }
}

#[cfg(test)]
mod tests;
