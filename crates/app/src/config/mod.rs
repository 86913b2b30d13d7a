//! The configuration: one TOML file, each value also from the environment (`IDCHECK_LIMITS__QUOTA` is
//! `limits.quota`). Read once, at the start; an unknown key is refused with its name. A file a section.

mod abuse;
mod card;
mod company_register;
mod contact;
mod faults;
mod limits;
mod log;
mod mail;
mod oidc;
mod proxies;
mod read;
mod retention;
mod review;
mod role;
mod tokens;

pub(crate) use abuse::Abuse;
pub(crate) use card::{Card, Order};
pub(crate) use company_register::CompanyRegisterConfig;
pub(crate) use contact::ContactConfig;
pub(crate) use faults::{faults, trust_fault};
pub(crate) use limits::LimitsConfig;
pub(crate) use log::Log;
pub(crate) use mail::{Mail, Security};
pub(crate) use oidc::Oidc;
pub(crate) use proxies::Proxies;
pub(crate) use read::read;
pub(crate) use retention::Retention;
pub(crate) use review::ReviewConfig;
pub(crate) use role::Role;
pub(crate) use tokens::TokensConfig;

use std::{net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};

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
    /// How cases are decided.
    pub(crate) review: ReviewConfig,
    /// Who runs the service.
    pub(crate) contact: ContactConfig,
    /// Fonts, OpenType or TrueType, for characters of documents in PDF that the program's own font lacks, which holds the 5,401 most
    /// used: tried in turn, and passed over where they are not there.
    pub(crate) document_fonts: Vec<PathBuf>,
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
            review: ReviewConfig::default(),
            contact: ContactConfig::default(),
            document_fonts: vec![PathBuf::from("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")],
            abuse: Abuse::default(),
            ledger_batch: 256,
            register_memory_mib: 512,
            tokens: TokensConfig::default(),
            retention: Retention::default(),
            log: Log::default(),
        }
    }
}
