//! What judges card signatures.

use std::time::Duration;

use anyhow::Context;
use idcheck_certificate::{FetchPolicy, Fetcher, FolderVerifier, Policy, StatusOrder};

use crate::config::{Card, Config, Order};

/// The rules for card certificates.
///
/// # Errors
/// A policy that is no object identifier.
pub(crate) fn card_policy(card: &Card) -> anyhow::Result<Policy> {
    Policy::configured(card.allow_sha1, &card.policies)
        .map_err(|text| anyhow::anyhow!("card.policies: `{text}` is no object identifier"))
}

/// The verifier of card signatures.
///
/// # Errors
/// What of the configuration or of the trust folder can't be used.
pub(crate) fn card_verifier(config: &Config) -> anyhow::Result<FolderVerifier> {
    let card = &config.card;
    let verifier = FolderVerifier::load(&config.trust_dir, card_policy(card)?)
        .with_context(|| format!("trusted certificates in {}", config.trust_dir.display()))?;
    if !card.fetch {
        return Ok(verifier);
    }
    let order = match card.revocation {
        Order::OcspThenCrl => StatusOrder::OcspThenCrl,
        Order::CrlThenOcsp => StatusOrder::CrlThenOcsp,
        Order::CrlOnly => StatusOrder::CrlOnly,
    };
    let fetching = FetchPolicy {
        order,
        timeout: Duration::from_secs(card.fetch_timeout),
        max_crl: card.max_list_bytes,
        min_interval: Duration::from_secs(card.fetch_interval),
    };
    Ok(verifier.fetching(Fetcher::new(fetching).context("fetching revocation information")?))
}
