//! The demo's authorities and cards, made once in a folder and read again ever after.
//!
//! ```text
//! DIR/trust/anchors/root.pem          what a verifier is configured with
//! DIR/trust/company-ca/company.pem
//! DIR/trust/intermediates/*.pem
//! DIR/trust/crls/*.crl                renewed long before they run out
//! DIR/authorities/*.key, state.json   the authorities' keys, PKCS #8
//! DIR/cards/*.key, *.cer, *.json      the cards
//! ```
//!
//! `authorities/state.json` is written last: a folder without it was left half-made and is made again.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use aws_lc_rs::rand;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use crate::pki::{
    Authority, COMMON_NAME, COUNTRY, ORGANIZATION, Purpose, SERIAL_NUMBER, SigningKey, UNIT, Validity, name,
    random_serial,
};
use crate::{
    card::{CardKind, CardRecord, CardState, SoftCard},
    cms::{HashAlgorithm, sign},
    role::CardRole,
};

/// A list's lifetime, and how much of it must be left.
const LIST_DAYS: i64 = 30;
const RENEW_BELOW_DAYS: i64 = 20;

/// An authority of the demo: its files' name, the folder it is trusted in, its organisation and unit.
struct AuthorityPlan {
    id: &'static str,
    folder: &'static str,
    organization: &'static str,
    unit: &'static str,
}

const ROOT: usize = 0;
const COMPANIES: usize = 1;
const AUTHORITIES: [AuthorityPlan; 4] = [
    AuthorityPlan {
        id: "root", folder: "anchors", organization: "示範根機構", unit: "示範根憑證管理中心"
    },
    AuthorityPlan {
        id: "company",
        folder: "company-ca",
        organization: "示範機構",
        unit: "示範工商憑證管理中心",
    },
    AuthorityPlan {
        id: "personal",
        folder: "intermediates",
        organization: "示範機構",
        unit: "示範自然人憑證管理中心",
    },
    AuthorityPlan {
        id: "government",
        folder: "intermediates",
        organization: "示範機構",
        unit: "示範機關憑證管理中心",
    },
];

/// A card of the demo. Numbers are of no real company; names say that they are made up.
struct CardPlan<'p> {
    kind: CardKind,
    state: CardState,
    number: &'p str,
    holder: &'p str,
    role: CardRole,
}

const fn company<'p>(number: &'p str, holder: &'p str, state: CardState) -> CardPlan<'p> {
    CardPlan { kind: CardKind::Company, state, number, holder, role: CardRole::Primary }
}

const CARDS: [CardPlan<'static>; 11] = [
    company("99900003", "測試甲股份有限公司", CardState::Valid),
    company("99900019", "測試乙股份有限公司", CardState::Valid),
    company("99900025", "測試丙有限公司", CardState::Valid),
    company("99900030", "測試丁有限公司", CardState::Valid),
    CardPlan {
        role: CardRole::Secondary, ..company("99900046", "測試戊股份有限公司", CardState::Valid)
    },
    company("99900051", "測試己股份有限公司", CardState::Valid),
    CardPlan { kind: CardKind::Personal, ..company("", "測試自然人", CardState::Valid) },
    CardPlan { kind: CardKind::Government, ..company("", "測試機關", CardState::Valid) },
    company("99900067", "測試庚有限公司", CardState::Expired),
    company("99900072", "測試辛有限公司", CardState::Revoked),
    company("99900088", "測試壬有限公司", CardState::Locked),
];

impl<'p> CardPlan<'p> {
    const fn authority(&self) -> usize {
        match self.kind {
            CardKind::Company => COMPANIES,
            CardKind::Personal => 2,
            CardKind::Government => 3,
        }
    }

    fn subject(&self) -> Vec<(&'static str, &'p str)> {
        match self.kind {
            CardKind::Company => {
                vec![(COUNTRY, "TW"), (ORGANIZATION, self.holder), (SERIAL_NUMBER, self.number)]
            }
            CardKind::Personal => {
                vec![(COUNTRY, "TW"), (COMMON_NAME, self.holder), (SERIAL_NUMBER, "0000000000000001")]
            }
            CardKind::Government => vec![(COUNTRY, "TW"), (ORGANIZATION, self.holder), (UNIT, "測試處")],
        }
    }
}

/// What the authorities know besides their keys.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct State {
    cards: Vec<String>,
    /// Serial numbers of revoked cards, hexadecimal, and since when (seconds since 1970).
    revoked: Vec<(usize, String, i64)>,
    lists_from: i64,
    lists_until: i64,
}

/// The demo's authorities and cards.
#[derive(Debug)]
pub struct DemoPki {
    dir: PathBuf,
    cards: Vec<SoftCard>,
}

impl DemoPki {
    /// Reads the authorities and cards of `dir`, making them if they are not there, and sees to it that the lists are
    /// current at `now`.
    ///
    /// # Errors
    /// When the folder can't be read or written, or holds something else.
    pub fn load_or_create(dir: &Path, now: DateTime<Utc>) -> Result<Self> {
        Self::load_or_create_at(dir, LIST_ADDRESS, now)
    }

    /// The same with certificates that send those who look for revocation lists to `address`, such as
    /// `http://127.0.0.1:9000`; it counts only when they are made.
    ///
    /// # Errors
    /// As [`DemoPki::load_or_create`].
    pub fn load_or_create_at(dir: &Path, address: &str, now: DateTime<Utc>) -> Result<Self> {
        if !dir.join("authorities/state.json").exists() {
            create(dir, address, now).with_context(|| format!("making demo cards in {}", dir.display()))?;
        }
        let state = read_state(dir)?;
        let cards = state.cards.iter().map(|id| read_card(dir, id)).collect::<Result<_>>()?;
        refresh_crls(dir, now)?;
        Ok(Self { dir: dir.to_owned(), cards })
    }

    pub fn cards(&self) -> &[SoftCard] {
        &self.cards
    }

    /// The cards, to put them into a [`crate::Component`].
    pub fn into_cards(self) -> Vec<SoftCard> {
        self.cards
    }

    /// Signatures over `content` of companies that have no card here: for each number and name a card of its own, of which
    /// nothing is kept. All of them share one key.
    ///
    /// # Errors
    /// When the folder can't be read, or a signature can't be made.
    pub fn sign_for(
        &self,
        companies: &[(&str, &str)],
        content: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Vec<Vec<u8>>> {
        let authority = read_authority(&self.dir, &AUTHORITIES[COMPANIES])?;
        let key = SigningKey::generate()?;
        let list = list_address(LIST_ADDRESS, COMPANIES);
        let signed = companies.iter().map(|(number, holder)| {
            let plan = CardPlan { number, holder, ..company("", "", CardState::Valid) };
            let (certificate, record) = certified(&plan, "0", (&authority, &list), &key, now)?;
            let card = SoftCard::new(record, SigningKey::from_pkcs8(&key.to_pkcs8()?)?, certificate);
            sign(&card, content, HashAlgorithm::Sha256, None)
        });
        signed.collect()
    }

    /// The folder with `anchors`, `company-ca`, `intermediates` and `crls` for a verifier.
    pub fn trust_dir(&self) -> PathBuf {
        self.dir.join("trust")
    }
}

/// Issues new lists in a folder of [`DemoPki`] if less than twenty days of their thirty are left, or the clock was set
/// back before them; true if it did. Call it daily.
///
/// # Errors
/// When the folder can't be read or written.
pub fn refresh_crls(dir: &Path, now: DateTime<Utc>) -> Result<bool> {
    let mut state = read_state(dir)?;
    let left = state.lists_until - now.timestamp();
    if left > Duration::days(RENEW_BELOW_DAYS).num_seconds() && state.lists_from <= now.timestamp() {
        return Ok(false);
    }
    let authorities = AUTHORITIES.iter().map(|plan| read_authority(dir, plan)).collect::<Result<Vec<_>>>()?;
    write_lists(dir, &authorities, &mut state, now)?;
    Ok(true)
}

/// Revokes the card in a reader of a [`DemoPki`]'s folder and issues new lists. A component that runs goes on signing
/// with it, as a real one does: the lists are what a verifier learns it from.
///
/// # Errors
/// When there is no such reader, or the folder can't be read or written.
pub fn revoke(dir: &Path, slot: &str, now: DateTime<Utc>) -> Result<()> {
    let mut state = read_state(dir)?;
    for (id, plan) in state.cards.iter().zip(&CARDS) {
        let mut record = read_card(dir, id)?.record;
        if record.slot == slot {
            state.revoked.push((plan.authority(), record.serial.clone(), now.timestamp()));
            record.state = CardState::Revoked;
            write_private(
                &dir.join("cards").join(format!("{id}.json")),
                &serde_json::to_vec_pretty(&record)?,
            )?;
            let authorities = AUTHORITIES.iter().map(|plan| read_authority(dir, plan));
            return write_lists(dir, &authorities.collect::<Result<Vec<_>>>()?, &mut state, now);
        }
    }
    Err(anyhow!("no reader is called {slot}"))
}

fn create(dir: &Path, address: &str, now: DateTime<Utc>) -> Result<()> {
    for folder in
        ["trust/anchors", "trust/company-ca", "trust/intermediates", "trust/crls", "authorities", "cards"]
    {
        fs::create_dir_all(dir.join(folder))?;
    }
    let mut keys = generate_keys(AUTHORITIES.len() + CARDS.len())?.into_iter();
    let mut next_key = || keys.next().ok_or_else(|| anyhow!("too few keys"));

    let mut authorities = Vec::new();
    for plan in &AUTHORITIES {
        let key = next_key()?;
        write_private(&dir.join(format!("authorities/{}.key", plan.id)), &key.to_pkcs8()?)?;
        authorities.push(Authority { name: authority_name(plan), key });
    }
    let lifetime = Validity { from: now - Duration::days(3650), until: now + Duration::days(7300) };
    for (plan, authority) in AUTHORITIES.iter().zip(&authorities) {
        let certificate = if plan.id == AUTHORITIES[ROOT].id {
            authority.self_signed(lifetime)?
        } else {
            let purpose = Purpose::Authority { path_length: Some(0) };
            let root = &authorities[ROOT];
            root.certify(
                &authority.name,
                &authority.key,
                &random_serial()?,
                lifetime,
                &purpose,
                Some(&list_address(address, ROOT)),
            )?
        };
        let file = dir.join("trust").join(plan.folder).join(format!("{}.pem", plan.id));
        write(&file, pem(&certificate).as_bytes())?;
    }

    let mut state = State { cards: Vec::new(), revoked: Vec::new(), lists_from: 0, lists_until: 0 };
    for (index, plan) in CARDS.iter().enumerate() {
        let id = format!("{:02}", index + 1);
        let issuer = (&authorities[plan.authority()], list_address(address, plan.authority()));
        let record = create_card(dir, &id, plan, (issuer.0, &issuer.1), &next_key()?, now)?;
        if plan.state == CardState::Revoked {
            state.revoked.push((plan.authority(), record.serial, (now - Duration::days(7)).timestamp()));
        }
        state.cards.push(id);
    }
    write_lists(dir, &authorities, &mut state, now)
}

/// Makes keys on all cores: they are what takes time at the first start.
fn generate_keys(count: usize) -> Result<Vec<SigningKey>> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers)
            .map(|worker| {
                let share = (worker..count).step_by(workers).count();
                scope.spawn(move || (0..share).map(|_| SigningKey::generate()).collect::<Result<Vec<_>>>())
            })
            .collect();
        let mut keys = Vec::new();
        for thread in threads {
            keys.extend(thread.join().map_err(|_| anyhow!("making a key failed"))??);
        }
        Ok(keys)
    })
}

fn create_card(
    dir: &Path,
    id: &str,
    plan: &CardPlan<'_>,
    by: (&Authority, &str),
    key: &SigningKey,
    now: DateTime<Utc>,
) -> Result<CardRecord> {
    let (certificate, record) = certified(plan, id, by, key, now)?;
    let file = |suffix: &str| dir.join("cards").join(format!("{id}.{suffix}"));
    write_private(&file("key"), &key.to_pkcs8()?)?;
    write(&file("cer"), &certificate)?;
    write_private(&file("json"), &serde_json::to_vec_pretty(&record)?)?;
    Ok(record)
}

/// The certificate of a card, and what is printed on it.
fn certified(
    plan: &CardPlan<'_>,
    id: &str,
    (authority, list): (&Authority, &str),
    key: &SigningKey,
    now: DateTime<Utc>,
) -> Result<(Vec<u8>, CardRecord)> {
    let (from, until) = match plan.state {
        CardState::Expired => (now - Duration::days(5 * 365 + 90), now - Duration::days(90)),
        _ => (now - Duration::days(60), now + Duration::days(5 * 365)),
    };
    let serial = random_serial()?;
    let is_company = plan.kind == CardKind::Company;
    let purpose = Purpose::Card { company: is_company.then_some((plan.number, plan.role)) };
    let subject = name(&plan.subject());
    let certificate =
        authority.certify(&subject, key, &serial, Validity { from, until }, &purpose, Some(list))?;
    let issuer = &AUTHORITIES[plan.authority()];
    let record = CardRecord {
        slot: format!("Softcard Reader {id}"),
        kind: plan.kind,
        state: plan.state,
        unified_business_number: is_company.then(|| plan.number.to_owned()),
        company_name: (plan.kind != CardKind::Personal).then(|| plan.holder.to_owned()),
        subject: display_name(&plan.subject()),
        issuer: display_name(&[(COUNTRY, "TW"), (ORGANIZATION, issuer.organization), (UNIT, issuer.unit)]),
        card_number: format!("TEST{:012}", id.parse::<u32>()?),
        serial: hex::encode(&serial),
        issuer_der: hex::encode(&authority.name),
        not_before: from.timestamp(),
        not_after: until.timestamp(),
        pin: random_pin()?,
    };
    Ok((certificate, record))
}

fn write_lists(dir: &Path, authorities: &[Authority], state: &mut State, now: DateTime<Utc>) -> Result<()> {
    // An hour back: a verifier's clock may be a little behind.
    let period = Validity { from: now - Duration::hours(1), until: now + Duration::days(LIST_DAYS) };
    for (index, (plan, authority)) in AUTHORITIES.iter().zip(authorities).enumerate() {
        let revoked = state
            .revoked
            .iter()
            .filter(|(issuer, ..)| *issuer == index)
            .map(|(_, serial, since)| {
                Ok((hex::decode(serial)?, DateTime::from_timestamp(*since, 0).unwrap_or(now)))
            })
            .collect::<Result<Vec<_>>>()?;
        // Numbers must grow (RFC 5280 §5.2.3): the time does.
        let list = authority.revocation_list(&now.timestamp().to_be_bytes(), period, &revoked)?;
        write(&dir.join("trust/crls").join(format!("{}.crl", plan.id)), &list)?;
    }
    (state.lists_from, state.lists_until) = (period.from.timestamp(), period.until.timestamp());
    write(&dir.join("authorities/state.json"), &serde_json::to_vec_pretty(state)?)
}

fn read_state(dir: &Path) -> Result<State> {
    let path = dir.join("authorities/state.json");
    let text = fs::read(&path).with_context(|| path.display().to_string())?;
    serde_json::from_slice(&text).with_context(|| path.display().to_string())
}

fn read_authority(dir: &Path, plan: &AuthorityPlan) -> Result<Authority> {
    let path = dir.join(format!("authorities/{}.key", plan.id));
    let key = SigningKey::from_pkcs8(&fs::read(&path).with_context(|| path.display().to_string())?)?;
    Ok(Authority { name: authority_name(plan), key })
}

fn read_card(dir: &Path, id: &str) -> Result<SoftCard> {
    let read = |suffix: &str| {
        let path = dir.join("cards").join(format!("{id}.{suffix}"));
        fs::read(&path).with_context(|| path.display().to_string())
    };
    let record = serde_json::from_slice(&read("json")?).with_context(|| format!("card {id}"))?;
    Ok(SoftCard::new(record, SigningKey::from_pkcs8(&read("key")?)?, read("cer")?))
}

fn authority_name(plan: &AuthorityPlan) -> Vec<u8> {
    name(&[(COUNTRY, "TW"), (ORGANIZATION, plan.organization), (UNIT, plan.unit)])
}

/// `.test` never resolves (RFC 6761): the demo reads files.
const LIST_ADDRESS: &str = "http://crl.idcheck.test";

/// Where an authority's list is fetched from.
fn list_address(address: &str, authority: usize) -> String {
    format!("{address}/{}.crl", AUTHORITIES[authority].id)
}

fn display_name(attributes: &[(&str, &str)]) -> String {
    let keyword = |oid: &str| match oid {
        COUNTRY => "C",
        ORGANIZATION => "O",
        UNIT => "OU",
        COMMON_NAME => "CN",
        _ => "serialNumber",
    };
    let parts: Vec<String> =
        attributes.iter().map(|(oid, value)| format!("{}={value}", keyword(oid))).collect();
    parts.join(",")
}

fn random_pin() -> Result<String> {
    let mut octets = [0; 8];
    rand::fill(&mut octets).map_err(|_| anyhow!("no randomness"))?;
    Ok(octets.iter().map(|octet| char::from(b'0' + octet % 10)).collect())
}

fn pem(der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// Replaces a file at once: a verifier may be reading it.
fn write(path: &Path, contents: &[u8]) -> Result<()> {
    write_with(path, contents, fs::OpenOptions::new().write(true).create(true).truncate(true))
}

/// The same, readable only by its owner.
fn write_private(path: &Path, contents: &[u8]) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    write_with(path, contents, &options)
}

fn write_with(path: &Path, contents: &[u8], options: &fs::OpenOptions) -> Result<()> {
    let file_name = path.file_name().and_then(|name| name.to_str()).unwrap_or("file");
    let temporary = path.with_file_name(format!(".{file_name}.new"));
    let mut file = options.open(&temporary).with_context(|| temporary.display().to_string())?;
    file.write_all(contents)?;
    file.sync_all()?;
    fs::rename(&temporary, path).with_context(|| path.display().to_string())
}
