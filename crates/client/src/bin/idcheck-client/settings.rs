//! Settings of a connection: flags, then `IDCHECK_CLIENT_…` of the environment, then a TOML file. An unknown name is
//! refused, and no value is ever in an error.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, anyhow, bail};
use figment::{
    Figment,
    error::Kind,
    providers::{Env, Format, Serialized, Toml},
};
use idcheck_client::{Client, Credentials, Environment, Profile, Retries, UserId};
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{
    ConnectionArguments, owner_only, read_secret,
    words::{self, Lang},
};

/// What the help says about them.
pub(crate) const HELP: &str = "\
Settings (TOML, or the environment in upper case with IDCHECK_CLIENT_ before):
  base_url                 the service's address
  unified_business_number  the company's UBN (統一編號)
  account                  the company's account (機關帳號), such as AW001; SBX00 in the sandbox
  iss_key_file, iss_key    the Iss Key: a file with it (mode 0600), or the key itself
  private_key_file         the private key, PKCS#8 in PEM (mode 0600)
  profile                  legacy (default) or strict
  environment              production (default) or sandbox
  user                     who asks, 1 to 12 letters and digits (default api)
  key_id                   the key's id at the service, sent as kid (strict)
  audience                 the service's own base URL, where base_url is another name of it (strict)
  ca_file                  certificates to trust beside the system's, PEM
  registered_fingerprint   the key's fingerprint as the service shows it, for explain
  timeout_seconds          the longest time for one exchange (default 10)
  retries                  how often the same token is sent again where that is safe (default 3)
  lang                     language of messages: zh-Hant-TW (default) or en";

/// Settings that are numbers.
const NUMBERS: [&str; 2] = ["timeout_seconds", "retries"];

/// Settings as they were read.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    base_url: Option<String>,
    unified_business_number: Option<String>,
    account: Option<String>,
    iss_key: Option<String>,
    iss_key_file: Option<PathBuf>,
    private_key_file: Option<PathBuf>,
    profile: Option<String>,
    environment: Option<String>,
    user: Option<String>,
    key_id: Option<String>,
    audience: Option<String>,
    ca_file: Option<PathBuf>,
    registered_fingerprint: Option<String>,
    timeout_seconds: Option<u64>,
    retries: Option<u32>,
    lang: Option<String>,
}

/// Settings with the flags before them.
pub(crate) struct Connection {
    settings: Settings,
    profile: Profile,
    environment: Environment,
    pub(crate) lang: Lang,
}

pub(crate) fn profile(text: &str) -> Result<Profile, &'static str> {
    Profile::parse(text).ok_or("legacy or strict")
}

pub(crate) fn environment(text: &str) -> Result<Environment, &'static str> {
    Environment::parse(text).ok_or("production or sandbox")
}

/// A setting that is a word, unless a flag gave it.
fn word<T>(
    name: &str,
    flag: Option<T>,
    setting: Option<&str>,
    default: T,
    parse: impl Fn(&str) -> Result<T, &'static str>,
) -> anyhow::Result<T> {
    match (flag, setting) {
        (Some(value), _) => Ok(value),
        (None, Some(text)) => parse(text).map_err(|allowed| anyhow!("{name}: not {allowed}")),
        (None, None) => Ok(default),
    }
}

fn need<T>(name: &str, value: Option<T>) -> anyhow::Result<T> {
    value.with_context(|| {
        format!(
            "{name} is not set: in the file of --config, or as IDCHECK_CLIENT_{}",
            name.to_ascii_uppercase()
        )
    })
}

impl Connection {
    /// Reads file and environment.
    ///
    /// # Errors
    /// Names of settings and places, never values.
    pub(crate) fn read(arguments: ConnectionArguments) -> anyhow::Result<Self> {
        let mut settings = read(arguments.config.as_deref())?;
        if arguments.base_url.is_some() {
            settings.base_url = arguments.base_url;
        }
        Ok(Self {
            profile: word(
                "profile",
                arguments.profile,
                settings.profile.as_deref(),
                Profile::Legacy,
                profile,
            )?,
            environment: word(
                "environment",
                arguments.environment,
                settings.environment.as_deref(),
                Environment::Production,
                environment,
            )?,
            lang: word("lang", arguments.lang, settings.lang.as_deref(), Lang::default(), words::lang)?,
            settings,
        })
    }

    /// The company's credentials; `None` where none of them is set.
    pub(crate) fn credentials_if_set(&self) -> anyhow::Result<Option<Credentials>> {
        let s = &self.settings;
        let set = s.unified_business_number.is_some() || s.account.is_some() || s.private_key_file.is_some();
        if set { self.credentials().map(Some) } else { Ok(None) }
    }

    fn credentials(&self) -> anyhow::Result<Credentials> {
        let s = &self.settings;
        let iss_key = match (&s.iss_key, &s.iss_key_file) {
            (Some(key), None) => Zeroizing::new(key.clone()),
            (None, Some(file)) => read_secret(file).context("iss_key_file")?,
            (None, None) => bail!("iss_key_file is not set, nor iss_key"),
            (Some(_), Some(_)) => bail!("both iss_key and iss_key_file are set"),
        };
        let file = need("private_key_file", s.private_key_file.as_ref())?;
        let pem = read_secret(file).context("private_key_file")?;
        let ubn = need("unified_business_number", s.unified_business_number.as_deref())?;
        Ok(Credentials::new(ubn, need("account", s.account.as_deref())?, iss_key.trim(), &pem)?)
    }

    /// A client for these settings.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        let s = &self.settings;
        let mut builder = Client::builder(need("base_url", s.base_url.as_deref())?, self.credentials()?)
            .profile(self.profile)
            .environment(self.environment);
        if let Some(user) = &s.user {
            builder = builder
                .user(UserId::parse(user).map_err(|_| anyhow!("user: not 1 to 12 letters and digits"))?);
        }
        if let Some(key_id) = &s.key_id {
            builder = builder.key_id(key_id);
        }
        if let Some(audience) = &s.audience {
            builder = builder.audience(audience);
        }
        if let Some(file) = &s.ca_file {
            builder = builder.root_certificates(std::fs::read(file).context("ca_file")?);
        }
        if let Some(seconds) = s.timeout_seconds {
            builder = builder.timeout(Duration::from_secs(seconds));
        }
        if let Some(times) = s.retries {
            builder = builder.retries(Retries { times, ..Retries::default() });
        }
        Ok(builder.build()?)
    }

    /// The service's base URL.
    pub(crate) fn base_url(&self) -> &str {
        self.settings.base_url.as_deref().unwrap_or_default()
    }

    /// The `aud` that a strict token must have, when it is known.
    pub(crate) fn audience(&self) -> &str {
        self.settings.audience.as_deref().unwrap_or_else(|| self.base_url()).trim_end_matches('/')
    }

    /// The fingerprint that the service shows, when it was set.
    pub(crate) fn registered_fingerprint(&self) -> Option<&str> {
        self.settings.registered_fingerprint.as_deref()
    }
}

fn read(file: Option<&Path>) -> anyhow::Result<Settings> {
    let mut figment = Figment::new();
    if let Some(file) = file {
        std::fs::metadata(file).with_context(|| format!("settings {}", file.display()))?;
        let toml = Figment::from(Toml::file_exact(file));
        if toml.contains("iss_key") {
            owner_only(file)?;
        }
        figment = figment.merge(toml);
    }
    figment.merge(Serialized::defaults(environment_settings())).extract().map_err(|error| told(&error))
}

/// The environment's settings as text: figment would read a UBN as a number and lose its leading zero.
fn environment_settings() -> BTreeMap<String, Value> {
    let settings = Env::prefixed("IDCHECK_CLIENT_").ignore(&["config"]);
    let mut read = BTreeMap::new();
    for (name, value) in settings.iter() {
        let name = name.as_str().to_ascii_lowercase();
        let number = value.parse::<u64>().ok().filter(|_| NUMBERS.contains(&name.as_str()));
        read.insert(name, number.map_or_else(|| Value::from(value), Value::from));
    }
    read
}

/// What is wrong with the settings, without the values that figment would show.
fn told(error: &figment::Error) -> anyhow::Error {
    let name = error.path.join(".");
    match &error.kind {
        Kind::UnknownField(name, _) => anyhow!("settings: there is no `{name}`"),
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => {
            anyhow!("settings: {name}: not {expected}")
        }
        // The first line of a TOML error has line and column, the next ones show the text.
        _ => anyhow!("settings: {}", error.to_string().lines().next().unwrap_or_default()),
    }
}
