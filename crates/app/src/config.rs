//! The configuration: one TOML file, each value also from the environment (`IDCHECK_LIMITS__QUOTA` is
//! `limits.quota`). Read once, at the start; an unknown key is refused with its name.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::ValueEnum;
use figment::{
    Figment,
    error::Kind,
    providers::{Env, Format, Serialized, Toml},
};
use idcheck_domain::abuse::Thresholds;
use serde::{Deserialize, Serialize};
use toml::de::DeTable;

/// Everything that can be set.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// What this process does; the parts can run on nodes of their own.
    pub(crate) roles: Vec<Role>,
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// The service's address as browsers and programs see it, without a slash at the end.
    pub(crate) base_url: String,
    /// `sqlite:///path/to/file.db` or `postgres://user@host/database`.
    pub(crate) database_url: String,
    /// The key file: 64 hexadecimal digits.
    pub(crate) key_file: PathBuf,
    /// `anchors/`, `company-ca/`, `intermediates/` and `crls/` of the card certificates.
    pub(crate) trust_dir: PathBuf,
    /// How card certificates are judged.
    pub(crate) card: Card,
    /// The origin of the signing component on the applicant's computer.
    pub(crate) card_component_origin: String,
    /// Reverse proxies whose `X-Forwarded-For` counts.
    pub(crate) trusted_proxies: Vec<IpAddr>,
    /// Whether loopback addresses may be registered as host addresses: for the demo only.
    pub(crate) allow_loopback_hosts: bool,
    /// Mail.
    pub(crate) mail: Mail,
    /// Limits of the verification API.
    pub(crate) limits: LimitsConfig,
    /// Officers' sign-in through an identity provider.
    pub(crate) oidc: Oidc,
    /// The company register.
    pub(crate) company_register: CompanyRegisterConfig,
    /// From where on use is abnormal.
    pub(crate) abuse: Abuse,
    /// Queries that one transaction records at most; 1 shows what batches are worth (`cargo xtask bench verify`).
    pub(crate) ledger_batch: usize,
    /// Times of tokens.
    pub(crate) tokens: TokensConfig,
    /// How long things are kept.
    pub(crate) retention: Retention,
    /// Logs.
    pub(crate) log: Log,
}

/// A part of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Role {
    /// Pages and calls of applicants.
    Portal,
    /// Pages and calls of officers.
    Officer,
    /// The verification API.
    Verify,
    /// What nobody waits for: mail, reminders, notices, the sweep, removal of what ended.
    Worker,
}

/// Officers' sign-in through an identity provider (OpenID Connect); without `issuer` officers sign in with password and
/// second factor.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Oidc {
    /// The provider's issuer identifier, exactly as it calls itself.
    pub(crate) issuer: Option<String>,
    /// What the provider calls this service.
    pub(crate) client_id: String,
    /// A file with the secret that the provider gave; none for a public client.
    pub(crate) client_secret_file: Option<PathBuf>,
    /// Ways of signing in (`acr`) of which the provider must name one, such as one with a second factor; empty is any.
    pub(crate) acr: Vec<String>,
    /// Whether accounts with password and second factor still count beside the provider's.
    pub(crate) local_accounts: bool,
    /// Seconds that one request to the provider may take.
    pub(crate) timeout: u64,
}

impl Default for Oidc {
    fn default() -> Self {
        Self {
            issuer: None,
            client_id: String::new(),
            client_secret_file: None,
            acr: Vec::new(),
            local_accounts: false,
            timeout: 5,
        }
    }
}

/// Where companies are looked up.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CompanyRegisterConfig {
    /// The address of the GCIS open data on companies (公司登記基本資料); without it the imported snapshot is asked.
    pub(crate) gcis: Option<String>,
    /// Seconds that one request may take.
    pub(crate) timeout: u64,
}

impl Default for CompanyRegisterConfig {
    fn default() -> Self {
        Self { gcis: None, timeout: 5 }
    }
}

/// How long things are kept, in days. Strikes go by themselves, the rest with `idcheck retention run`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Retention {
    /// Records of queries.
    pub(crate) records: u32,
    /// Mails that were sent or given up.
    pub(crate) mails: u32,
    /// An organisation with its cases, notices and keys, after its access ended and its last case was closed.
    pub(crate) organisations: u32,
    /// Wrong answers about an ID number, and what users and numbers are counted by for notices.
    pub(crate) strikes: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { records: 2 * 365, mails: 365, organisations: 3653, strikes: 35 }
    }
}

/// Times that tokens of the verification API must keep (check 5), in seconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TokensConfig {
    /// How far a caller's clock may be off.
    pub(crate) skew: u32,
    /// Longest time from `iat` to `exp`, legacy profile.
    pub(crate) legacy_span: u32,
    /// The same, strict profile.
    pub(crate) strict_span: u32,
}

impl Default for TokensConfig {
    fn default() -> Self {
        Self { skew: 300, legacy_span: 3600, strict_span: 300 }
    }
}

/// How card certificates are judged, and how their revocation status is got.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Card {
    /// `ocspThenCrl`, `crlThenOcsp` or `crlOnly`.
    pub(crate) revocation: Order,
    /// Whether lists and OCSP answers are fetched from the addresses in the certificates; else only `crls/` counts.
    pub(crate) fetch: bool,
    /// Seconds that one request may take.
    pub(crate) fetch_timeout: u64,
    /// Octets that one list may have.
    pub(crate) max_list_bytes: usize,
    /// Seconds between two requests to one address.
    pub(crate) fetch_interval: u64,
    /// Seconds after which lists that were fetched are fetched again, so that no applicant waits for them.
    pub(crate) refresh_interval: u64,
    /// Whether signatures with SHA-1 count: only for cards that can't do otherwise.
    pub(crate) allow_sha1: bool,
    /// Certificate policies of which a path needs one; empty is any.
    pub(crate) policies: Vec<String>,
    /// Seconds in which a challenge can be signed.
    pub(crate) challenge_seconds: u32,
}

/// Whom to ask about revocation first.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Order {
    /// The responder, and lists where it gives no answer.
    OcspThenCrl,
    /// Lists, and the responder where no current one covers the certificate.
    CrlThenOcsp,
    /// Only lists.
    CrlOnly,
}

/// How mail leaves.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Mail {
    /// The sender's mailbox.
    pub(crate) sender: String,
    /// Write `.eml` files here instead of sending.
    pub(crate) folder: Option<PathBuf>,
    /// The SMTP server's name.
    pub(crate) smtp_host: Option<String>,
    /// Its port.
    pub(crate) smtp_port: u16,
    /// `tls`, `starttls` or `plain`.
    pub(crate) smtp_security: Security,
    /// User name, where the server asks for one.
    pub(crate) smtp_user: Option<String>,
    /// A file with the password.
    pub(crate) smtp_password_file: Option<PathBuf>,
}

/// How the SMTP connection is protected.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Security {
    /// From the first byte.
    Tls,
    /// STARTTLS, required.
    StartTls,
    /// Not at all.
    Plain,
}

/// Limits of the verification API.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LimitsConfig {
    /// Queries a second of one organisation, on each node.
    pub(crate) rate_per_organisation: u32,
    /// Queries a second from one address, on each node.
    pub(crate) rate_per_address: u32,
    /// Queries of one organisation a Taipei day, over all nodes.
    pub(crate) quota: u32,
    /// Wrong answers of one organisation a Taipei day, over all nodes.
    pub(crate) budget: u32,
}

/// From where on use is abnormal and a notice is raised; counts are of a Taipei day where nothing else is said.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Abuse {
    /// Answers below which the ratio says nothing.
    pub(crate) answers: u64,
    /// Wrong answers in a hundred.
    pub(crate) mismatch_percent: u64,
    /// ID numbers locked.
    pub(crate) locked_numbers: u64,
    /// Queries of one user in a minute.
    pub(crate) user_per_minute: u64,
    /// Tokens sent again.
    pub(crate) replays: u64,
    /// Queries from addresses that are not registered.
    pub(crate) refused_addresses: u64,
    /// Wrong or locked answers about one ID number in a week, whoever asked.
    pub(crate) number_attempts: u64,
    /// Organisations with such answers about one ID number in a week.
    pub(crate) number_organisations: u64,
    /// Queries of one user that follow each other at the same distance.
    pub(crate) paced_run: u64,
}

impl Abuse {
    /// As the rules take them.
    pub(crate) const fn thresholds(&self) -> Thresholds {
        Thresholds {
            answers: self.answers,
            mismatch_percent: self.mismatch_percent,
            locked_numbers: self.locked_numbers,
            user_per_minute: self.user_per_minute,
            replays: self.replays,
            refused_addresses: self.refused_addresses,
            number_attempts: self.number_attempts,
            number_organisations: self.number_organisations,
            paced_run: self.paced_run,
        }
    }
}

impl Default for Abuse {
    fn default() -> Self {
        let usual = Thresholds::default();
        Self {
            answers: usual.answers,
            mismatch_percent: usual.mismatch_percent,
            locked_numbers: usual.locked_numbers,
            user_per_minute: usual.user_per_minute,
            replays: usual.replays,
            refused_addresses: usual.refused_addresses,
            number_attempts: usual.number_attempts,
            number_organisations: usual.number_organisations,
            paced_run: usual.paced_run,
        }
    }
}

/// Logs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    /// A filter such as `info` or `idcheck_persistence=debug,info`.
    pub(crate) filter: String,
    /// One JSON object a line.
    pub(crate) json: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            roles: vec![Role::Portal, Role::Officer, Role::Verify, Role::Worker],
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            base_url: "http://127.0.0.1:8080".to_owned(),
            database_url: "sqlite:///var/lib/idcheck/idcheck.db".to_owned(),
            key_file: PathBuf::from("/etc/idcheck/key"),
            trust_dir: PathBuf::from("/etc/idcheck/trust"),
            card: Card::default(),
            card_component_origin: "http://localhost:61161".to_owned(),
            trusted_proxies: Vec::new(),
            allow_loopback_hosts: false,
            mail: Mail::default(),
            limits: LimitsConfig::default(),
            oidc: Oidc::default(),
            company_register: CompanyRegisterConfig::default(),
            abuse: Abuse::default(),
            ledger_batch: 256,
            tokens: TokensConfig::default(),
            retention: Retention::default(),
            log: Log::default(),
        }
    }
}

impl Default for Card {
    fn default() -> Self {
        Self {
            revocation: Order::CrlThenOcsp,
            fetch: true,
            fetch_timeout: 5,
            max_list_bytes: 32 * 1024 * 1024,
            fetch_interval: 60,
            refresh_interval: 600,
            allow_sha1: false,
            policies: Vec::new(),
            challenge_seconds: 15 * 60,
        }
    }
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            sender: "idcheck <noreply@idcheck.example>".to_owned(),
            folder: None,
            smtp_host: None,
            smtp_port: 587,
            smtp_security: Security::StartTls,
            smtp_user: None,
            smtp_password_file: None,
        }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self { rate_per_organisation: 50, rate_per_address: 50, quota: 100_000, budget: 300 }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".to_owned(), json: false }
    }
}

/// Reads the configuration.
///
/// # Errors
/// The file, line and key that can't be read.
pub(crate) fn read(file: Option<&Path>) -> anyhow::Result<Config> {
    let mut figment = Figment::from(Serialized::defaults(Config::default()));
    if let Some(file) = file {
        std::fs::metadata(file).with_context(|| format!("configuration {}", file.display()))?;
        figment = figment.merge(Toml::file(file));
    }
    let environment = Env::prefixed("IDCHECK_").filter(|name| !of_others(name.as_str())).split("__");
    figment.merge(environment).extract().map_err(|error| told(error, file))
}

/// What is wrong, one sentence for each key, with its place in the file where it stands there.
fn told(errors: figment::Error, file: Option<&Path>) -> anyhow::Error {
    let text = file.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
    let told = errors.into_iter().map(|error| {
        let key = error.path.join(".").to_lowercase();
        let file =
            file.filter(|_| error.metadata.as_ref().is_none_or(|from| !from.name.contains("environment")));
        let wrong = match &error.kind {
            Kind::UnknownField(_, known) => format!("there is no such key; there are {}", known.join(", ")),
            kind => kind.to_string().trim_end().to_owned(),
        };
        match (file, place(&text, &error.path)) {
            (Some(file), Some((line, column))) => {
                format!("{}, line {line}, column {column}: `{key}`: {wrong}", file.display())
            }
            // A file that is not TOML; the parser tells the line itself.
            (Some(file), None) if key.is_empty() => format!("{}: {wrong}", file.display()),
            _ => format!("`{key}`, from the environment as `{}`: {wrong}", environment_name(&error.path)),
        }
    });
    anyhow::anyhow!("{}", told.collect::<Vec<_>>().join("; "))
}

/// Line and column, from 1, of a key.
fn place(text: &str, path: &[String]) -> Option<(usize, usize)> {
    let (last, tables) = path.split_last()?;
    let document = DeTable::parse(text).ok()?;
    let mut table = document.get_ref();
    for name in tables {
        match table.get(name.as_str()).and_then(|value| value.get_ref().as_table()) {
            Some(inner) => table = inner,
            // A member of a list: the list's place.
            None => return place(text, tables),
        }
    }
    let Some((key, _)) = table.iter().find(|(key, _)| key.get_ref() == last) else {
        return place(text, tables);
    };
    let before = text.get(..key.span().start)?;
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    Some((before.matches('\n').count() + 1, before.len() - line_start + 1))
}

/// The environment variable of a key.
fn environment_name(path: &[String]) -> String {
    format!("IDCHECK_{}", path.join("__").to_uppercase())
}

/// Names that the client program and the project's own tests and tasks use, so that all can stand in one environment.
fn of_others(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("test_") || name.starts_with("client_") || ["shared", "cache"].contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("idcheck.toml");
        std::fs::write(&file, text).unwrap();
        let told = format!("{:#}", read(Some(&file)).unwrap_err());
        told.replace(&dir.path().display().to_string(), "")
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, expected) in [
            ("listen = 5", "/idcheck.toml, line 1, column 1: `listen`: invalid type: found signed int `5`"),
            ("\n[limits]\n  quota = -1", "/idcheck.toml, line 3, column 3: `limits.quota`: invalid value"),
            (
                "[mail]\ncolour = \"x\"",
                "/idcheck.toml, line 2, column 1: `mail.colour`: there is no such key; there are sender",
            ),
            (
                "roles = [\"portal\", \"clerk\"]",
                "/idcheck.toml, line 1, column 1: `roles.1`: unknown variant",
            ),
            ("[limits\n", "line 1, column 8"),
        ] {
            let told = refused(text);
            assert!(told.contains(expected), "{text}: {told}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let told = format!("{:#}", read(Some(Path::new("/nowhere/idcheck.toml"))).unwrap_err());
        assert!(told.starts_with("configuration /nowhere/idcheck.toml: "), "{told}");
    }
}
