//! What of a configuration can't be used although each value has its type: told all at once, each with its key and what to
//! write instead, never with a value that may be a secret.

use std::path::Path;

use idcheck_persistence::address_fault;
use tracing_subscriber::EnvFilter;
use url::{Position, Url};

use super::Config;

/// Tokens are kept an hour after their end, and a spent one must not be taken once it is gone.
pub(crate) const MAX_SKEW: u32 = 900;
/// A challenge that ends before a card is found helps nobody; one that lasts a day is a risk.
const CHALLENGE: std::ops::RangeInclusive<u32> = 1..=86_400;
/// Use is judged over up to 30 days (`[abuse]`).
const STRIKES_KEPT: u32 = 31;

/// Everything that is wrong, one sentence each; empty when it can be used.
pub(crate) fn faults(config: &Config) -> Vec<String> {
    let mut faults = Vec::new();
    let mut say = |key: &str, wrong: &str| faults.push(format!("`{key}`: {wrong}"));
    if let Some(fault) = address_fault(&config.database_url) {
        say("database_url", &fault.to_string());
    }
    if !is_origin(config.base_url.trim_end_matches('/')) {
        say(
            "base_url",
            "must be `https://` (or `http://`) and a host, without a path, such as https://idcheck.example",
        );
    }
    if !is_origin(&config.card_component_origin) {
        say("card_component_origin", "must be an origin such as http://localhost:61161");
    }
    if EnvFilter::try_new(&config.log.filter).is_err() {
        say("log.filter", "is no filter; write such as `info` or `idcheck_persistence=debug,info`");
    }
    if !idcheck_email::is_mailbox(&config.mail.sender) {
        say("mail.sender", "must be a mailbox such as `idcheck <noreply@agency.example>`");
    }
    if config.roles.is_empty() {
        say("roles", "must name one at least");
    }
    if !(1..=256).contains(&config.ledger_batch) {
        say("ledger_batch", "must be from 1 to 256");
    }
    if config.register_memory_mib > 65_536 {
        say("register_memory_mib", "must be at most 65536");
    }
    for (key, value) in counts(config) {
        if value == 0 {
            say(key, "must be 1 at least");
        }
    }
    if config.tokens.skew > MAX_SKEW {
        say(
            "tokens.skew",
            &format!("must be at most {MAX_SKEW} seconds: used tokens are not kept for longer"),
        );
    }
    if config.tokens.legacy_span > 3600 || config.tokens.strict_span > 3600 {
        say("tokens", "`legacy_span` and `strict_span` must be at most 3600 seconds");
    }
    if !CHALLENGE.contains(&config.card.challenge_seconds) {
        say("card.challenge_seconds", "must be from 1 to 86400");
    }
    if config.retention.strikes < STRIKES_KEPT {
        say("retention.strikes", &format!("must be at least {STRIKES_KEPT} days: use is judged over 30"));
    }
    if config.abuse.thresholds().any_zero() || config.abuse.mismatch_percent > 100 {
        say("abuse", "every threshold must be 1 at least, and a percentage at most 100");
    }
    if let Some(gcis) = &config.company_register.gcis
        && Url::parse(gcis).is_err()
    {
        say("company_register.gcis", "must be an address such as https://data.gcis.nat.gov.tw/od/data/api/…");
    }
    faults
}

/// Counts and seconds of which 0 would stop what they bound.
fn counts(config: &Config) -> Vec<(&'static str, u64)> {
    let limits = &config.limits;
    let counts = [
        ("limits.rate_per_organisation", limits.rate_per_organisation),
        ("limits.rate_per_address", limits.rate_per_address),
        ("limits.quota", limits.quota),
        ("limits.budget", limits.budget),
        ("limits.challenges_per_address", limits.challenges_per_address),
        ("limits.draft_changes_per_address", limits.draft_changes_per_address),
        ("limits.proofs_per_address", limits.proofs_per_address),
        ("limits.sign_ins_per_address", limits.sign_ins_per_address),
        ("limits.refused_per_address", limits.refused_per_address),
        ("limits.open_challenges", limits.open_challenges),
        ("limits.open_challenges_per_address", limits.open_challenges_per_address),
        ("limits.drafts_per_address", limits.drafts_per_address),
        ("limits.files_per_address", limits.files_per_address),
        ("limits.files", limits.files),
        ("retention.records", config.retention.records),
        ("retention.mails", config.retention.mails),
        ("retention.organisations", config.retention.organisations),
        ("tokens.legacy_span", config.tokens.legacy_span),
        ("tokens.strict_span", config.tokens.strict_span),
    ];
    let seconds = [
        ("card.fetch_timeout", config.card.fetch_timeout),
        ("card.refresh_interval", config.card.refresh_interval),
        ("company_register.timeout", config.company_register.timeout),
        ("oidc.timeout", config.oidc.timeout),
    ];
    counts.map(|(key, count)| (key, count.into())).into_iter().chain(seconds).collect()
}

/// What only a process that serves needs: the folder of trusted certificates.
pub(crate) fn trust_fault(config: &Config) -> Option<String> {
    let missing = !Path::new(&config.trust_dir).is_dir();
    missing.then(|| format!("`trust_dir`: there is no folder {}", config.trust_dir.display()))
}

/// Scheme, host, and a port or none.
fn is_origin(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url[..Position::AfterPort].len() >= text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut Config);

    #[test]
    fn each_value_that_can_t_be_used_is_told_by_its_key() {
        assert_eq!(faults(&Config::default()), Vec::<String>::new());
        let cases: [(&str, Change); 23] = [
            ("database_url", |c| c.database_url = "mysql://u:hunter2@h/d".to_owned()),
            ("database_url", |c| c.database_url = "postgres://u:hunter2#x@h/d".to_owned()),
            ("base_url", |c| c.base_url = "x".to_owned()),
            ("base_url", |c| c.base_url = "https://hunter2@h".to_owned()),
            ("base_url", |c| c.base_url = "https://h/path".to_owned()),
            ("card_component_origin", |c| c.card_component_origin = "javascript:alert(1)".to_owned()),
            ("log.filter", |c| c.log.filter = "a=b=c".to_owned()),
            ("mail.sender", |c| c.mail.sender = "nobody".to_owned()),
            ("roles", |c| c.roles.clear()),
            ("ledger_batch", |c| c.ledger_batch = 0),
            ("ledger_batch", |c| c.ledger_batch = 257),
            ("register_memory_mib", |c| c.register_memory_mib = 65_537),
            ("limits.quota", |c| c.limits.quota = 0),
            ("limits.budget", |c| c.limits.budget = 0),
            ("limits.rate_per_organisation", |c| c.limits.rate_per_organisation = 0),
            ("limits.open_challenges", |c| c.limits.open_challenges = 0),
            ("card.fetch_timeout", |c| c.card.fetch_timeout = 0),
            ("card.challenge_seconds", |c| c.card.challenge_seconds = 0),
            ("tokens.skew", |c| c.tokens.skew = MAX_SKEW + 1),
            ("tokens", |c| c.tokens.legacy_span = 3601),
            ("retention.strikes", |c| c.retention.strikes = 30),
            ("abuse", |c| c.abuse.answers = 0),
            ("company_register.gcis", |c| c.company_register.gcis = Some("gcis".to_owned())),
        ];
        for (key, change) in cases {
            let mut config = Config::default();
            change(&mut config);
            let told = faults(&config);
            assert!(told.len() == 1 && told[0].starts_with(&format!("`{key}`: ")), "{key}: {told:?}");
            assert!(!told[0].contains("hunter2"), "{told:?}");
        }
    }
}
