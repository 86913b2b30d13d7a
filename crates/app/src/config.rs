//! The configuration: one TOML file, each value also from the environment (`IDCHECK_LIMITS__QUOTA` is
//! `limits.quota`). Read once, at the start; an unknown key is refused with its name.

mod faults;

pub(crate) use faults::{faults, trust_fault};

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::ValueEnum;
use figment::{
    Figment,
    error::Kind,
    providers::{Env, Format, Serialized, Toml},
};
use idcheck_domain::abuse::Thresholds;
use ipnet::IpNet;
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
    /// Reverse proxies whose `X-Forwarded-For` counts: addresses, or ranges such as `10.0.0.0/8`.
    pub(crate) trusted_proxies: Vec<Proxies>,
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
    /// MiB of memory in which each process may hold the household register, one for each 65,536 cards; where it needs more, cards
    /// are looked up in the database.
    pub(crate) register_memory_mib: usize,
    /// Times of tokens.
    pub(crate) tokens: TokensConfig,
    /// How long things are kept.
    pub(crate) retention: Retention,
    /// Logs.
    pub(crate) log: Log,
}

/// The address of a proxy, or a range of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Proxies(pub(crate) IpNet);

impl TryFrom<String> for Proxies {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let range =
            text.parse().or_else(|_| text.parse::<IpAddr>().map(|one| IpNet::from(one.to_canonical())));
        range.map(Self).map_err(|_| "an address such as 10.0.0.1 or a range such as 10.0.0.0/8")
    }
}

impl From<Proxies> for String {
    fn from(Proxies(range): Proxies) -> Self {
        if range.prefix_len() == range.max_prefix_len() {
            range.addr().to_string()
        } else {
            range.to_string()
        }
    }
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

/// Limits: of the verification API, and of what anybody may ask for without being known.
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
    /// Challenges a minute from one address, on each node.
    pub(crate) challenges_per_address: u32,
    /// Signatures sent in a minute from one address, on each node.
    pub(crate) proofs_per_address: u32,
    /// Tries to sign in as an officer in a minute from one address, on each node.
    pub(crate) sign_ins_per_address: u32,
    /// Queries a minute from one address that are refused before their signature is known to be a caller's, on each node;
    /// over it an answer is 429 and there is no record.
    pub(crate) refused_per_address: u32,
    /// Challenges of one organisation, asked for from one address, that wait for their signature; over all nodes.
    pub(crate) open_challenges: u32,
    /// Challenges of all organisations, asked for from one address, that wait for their signature; over all nodes.
    pub(crate) open_challenges_per_address: u32,
}

/// From where on use is abnormal and a notice is raised; counts are of a Taipei day where nothing else is said.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Abuse {
    /// Answers below which the ratio says nothing: of a day, of 7 days and of 30.
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
    /// Queries of one user on a day below which their pace says nothing.
    pub(crate) paced_run: u64,
    /// Of a hundred of them, how many come at an even distance.
    pub(crate) paced_percent: u64,
    /// Wrong answers of one user on a day, from which on the user is suspended and gets result 8.
    pub(crate) user_wrong: u64,
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
            paced_percent: self.paced_percent,
            user_wrong: self.user_wrong,
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
            paced_percent: usual.paced_percent,
            user_wrong: usual.user_wrong,
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
            register_memory_mib: 512,
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
        Self {
            rate_per_organisation: 50,
            rate_per_address: 50,
            quota: 100_000,
            budget: 300,
            challenges_per_address: 30,
            proofs_per_address: 30,
            sign_ins_per_address: 20,
            refused_per_address: 60,
            open_challenges: 20,
            open_challenges_per_address: 60,
        }
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
    let mut given = Figment::new();
    let mut text = String::new();
    if let Some(file) = file {
        text = std::fs::read_to_string(file).with_context(|| format!("configuration {}", file.display()))?;
        // The parser's own report quotes the line, which may hold a password.
        if let Err(error) = DeTable::parse(&text) {
            let (line, column) = position(&text, error.span().map_or(0, |span| span.start));
            bail!("{}, line {line}, column {column}: not TOML: {}", file.display(), error.message());
        }
        given = given.merge(Toml::string(&text));
    }
    let environment = Env::prefixed("IDCHECK_").filter(|name| !of_others(name.as_str())).split("__");
    given = given.merge(environment);
    let usual = || Figment::from(Serialized::defaults(Config::default()));
    let wrong = match usual().merge(&given).extract::<Config>() {
        Ok(config) => {
            let faults = faults(&config);
            if faults.is_empty() {
                return Ok(config);
            }
            faults
        }
        // Reading ends at the first key that is wrong: each is read by itself, so that all are told.
        Err(all) => {
            let each = leaves(&given).into_iter().filter_map(|(key, value)| {
                let alone = usual().merge(Serialized::default(&key, value)).extract::<Config>();
                alone.err().map(|error| told(error, &key, file, &text))
            });
            let each: Vec<_> = each.collect();
            if each.is_empty() { vec![told(all, "", file, &text)] } else { each }
        }
    };
    bail!("{}", wrong.join("; "))
}

/// Each value that is given, with its key; a list is one value.
fn leaves(given: &Figment) -> Vec<(String, figment::value::Value)> {
    fn walk(prefix: &str, value: figment::value::Value, leaves: &mut Vec<(String, figment::value::Value)>) {
        match value {
            figment::value::Value::Dict(_, members) if !members.is_empty() => {
                for (name, value) in members {
                    let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
                    walk(&key, value, leaves);
                }
            }
            value => leaves.push((prefix.to_owned(), value)),
        }
    }
    let mut leaves = Vec::new();
    if let Ok(all) = given.extract::<figment::value::Value>() {
        walk("", all, &mut leaves);
    }
    leaves
}

/// What is wrong with a key, with its place in the file where it stands there. No value is shown: one may be a secret.
fn told(errors: figment::Error, given: &str, file: Option<&Path>, text: &str) -> String {
    let told = errors.into_iter().map(|error| {
        let path = if error.path.is_empty() {
            given.split('.').map(str::to_owned).collect()
        } else {
            error.path.clone()
        };
        let key = path.join(".").to_lowercase();
        let wrong = match &error.kind {
            Kind::UnknownField(_, known) => format!("there is no such key; there are {}", known.join(", ")),
            Kind::UnknownVariant(_, known) => format!("must be one of {}", known.join(", ")),
            Kind::InvalidType(_, expected)
            | Kind::InvalidValue(_, expected)
            | Kind::InvalidLength(_, expected) => format!("must be {expected}"),
            _ => "has a value that can't be read".to_owned(),
        };
        match (file, place(text, &path)) {
            (Some(file), Some((line, column))) => {
                format!("{}, line {line}, column {column}: `{key}`: {wrong}", file.display())
            }
            _ => format!("`{key}`, from the environment as `{}`: {wrong}", environment_name(&path)),
        }
    });
    told.collect::<Vec<_>>().join("; ")
}

/// Line and column, from 1, of an octet.
fn position(text: &str, octet: usize) -> (usize, usize) {
    let before = text.get(..octet).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before.len() - line_start + 1)
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
    Some(position(text, key.span().start))
}

/// The environment variable of a key.
fn environment_name(path: &[String]) -> String {
    format!("IDCHECK_{}", path.join("__").to_uppercase())
}

/// Names that the client program, the project's own tests and tasks, and Kubernetes for a service called `idcheck` use, so that
/// all can stand in one environment.
fn of_others(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let links =
        name.starts_with("service_host") || name.starts_with("service_port") || name.starts_with("port_");
    let ours = name.starts_with("test_") || name.starts_with("client_");
    links || ours || ["shared", "cache", "port"].contains(&name.as_str())
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
            ("listen = 5", "/idcheck.toml, line 1, column 1: `listen`: must be "),
            ("\n[limits]\n  quota = -1", "/idcheck.toml, line 3, column 3: `limits.quota`: must be "),
            (
                "[mail]\ncolour = \"x\"",
                "/idcheck.toml, line 2, column 1: `mail.colour`: there is no such key; there are sender",
            ),
            (
                "roles = [\"portal\", \"clerk\"]",
                "/idcheck.toml, line 1, column 1: `roles.1`: must be one of portal, officer",
            ),
            ("[limits\n", "line 1, column 8"),
            ("database_url = \"postgres://u:hunter2@h/d\" x", "line 1, column 43: not TOML: "),
            ("database_url = [\"postgres://u:hunter2@h/d\"]", "`database_url`: must be a string"),
            ("listen = \"hunter2\"", "`listen`: "),
            ("database_url = \"mysql://u:hunter2@h/d\"", "`database_url`: it must begin with"),
            ("[limits]\nquota = 0", "`limits.quota`: must be 1 at least"),
        ] {
            let told = refused(text);
            assert!(told.contains(expected), "{text}: {told}");
            assert!(!told.contains("hunter2"), "{told}");
        }
    }

    #[test]
    fn every_key_that_is_wrong_is_told_at_once() {
        let told = refused("listen = 5\nsize = 1\n[limits]\nquota = -1\n[mail]\ncolour = 2");
        for key in [
            "line 1, column 1: `listen`",
            "line 2, column 1: `size`",
            "line 4, column 1: `limits.quota`",
            "line 6, column 1: `mail.colour`",
        ] {
            assert!(told.contains(key), "{key}: {told}");
        }
    }

    #[test]
    fn what_kubernetes_puts_beside_is_passed_over() {
        for name in [
            "SERVICE_HOST",
            "SERVICE_PORT",
            "SERVICE_PORT_HTTP",
            "PORT",
            "PORT_8080_TCP",
            "PORT_8080_TCP_ADDR",
        ] {
            assert!(of_others(name), "{name}");
        }
        for name in ["LISTEN", "LIMITS__QUOTA", "DATABASE_URL"] {
            assert!(!of_others(name), "{name}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let told = format!("{:#}", read(Some(Path::new("/nowhere/idcheck.toml"))).unwrap_err());
        assert!(told.starts_with("configuration /nowhere/idcheck.toml: "), "{told}");
    }
}
