//! The component itself: cards in readers, requests in, answers out. HTTP is [`crate::server`]'s.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use chrono::{DateTime, Utc};

use crate::Clock;
use crate::card::{PinCheck, SoftCard};
use crate::cms::{Attributes, HashAlgorithm, sign};
use crate::fault::Fault;
use crate::protocol::{Cert, Failure, InfoAnswer, SignAnswer, SignRequest, Slot, Token};

const VERSION: &str = "1.3.4.103327";
const OLD_VERSION: &str = "1.0.0.1";
/// What a card's PIN may be long.
const PIN_LENGTH: std::ops::RangeInclusive<usize> = 6..=8;

/// The component with its cards.
pub struct Component {
    cards: Vec<SoftCard>,
    faults: Vec<Fault>,
    trusted_sites: Mutex<BTreeSet<String>>,
    clock: Clock,
}

impl std::fmt::Debug for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Component")
            .field("cards", &self.cards)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

impl Component {
    /// A component with each of these cards in a reader of its own.
    pub fn new(cards: Vec<SoftCard>, faults: Vec<Fault>, clock: Clock) -> Self {
        Self { cards, faults, trusted_sites: Mutex::default(), clock }
    }

    pub fn cards(&self) -> &[SoftCard] {
        &self.cards
    }

    /// Whether it shows this fault.
    pub fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    fn version(&self) -> &'static str {
        if self.has(Fault::OldVersion) { OLD_VERSION } else { VERSION }
    }

    /// The person trusts a site (`/addDomain`).
    pub(crate) fn trust_site(&self, host: &str) {
        self.trusted_sites.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_ascii_lowercase());
    }

    fn check_site(&self, origin: Option<&str>) -> Result<(), Failure> {
        if self.has(Fault::ForbiddenSite) {
            return Err(Failure::FORBIDDEN_SITE);
        }
        let known = || {
            let host = origin.and_then(|origin| origin.split_once("://")).map(|(_, rest)| rest);
            let host = host.and_then(|host| host.split(':').next()).unwrap_or_default().to_ascii_lowercase();
            self.trusted_sites.lock().unwrap_or_else(PoisonError::into_inner).contains(&host)
        };
        if self.has(Fault::NotTrusted) && !known() { Err(Failure::SITE_NOT_TRUSTED) } else { Ok(()) }
    }

    /// Answers `MakeSignature`, given as the JSON that the page posted; `origin` is the page's, where known.
    pub(crate) fn make_signature(&self, json: &str, origin: Option<&str>) -> SignAnswer {
        let outcome = serde_json::from_str(json)
            .map_err(|_| Failure::BAD_JSON)
            .and_then(|request: SignRequest| self.try_sign(&request, origin));
        let mut answer = SignAnswer {
            func: "sign",
            ret_code: 0,
            last_error: 0,
            signature: None,
            certb64: None,
            card_sn: None,
            server_version: self.version(),
        };
        match outcome {
            Ok((card, signature)) => {
                answer.signature = Some(BASE64_STANDARD.encode(signature));
                answer.certb64 = Some(BASE64_STANDARD.encode(&card.certificate));
                answer.card_sn = Some(card.record.card_number.clone());
            }
            Err(failure) => {
                let failure = match (self.has(Fault::NegativeCodes), self.has(Fault::WideCodes)) {
                    (_, true) => failure.wide(),
                    (true, false) => failure.negative(),
                    (false, false) => failure,
                };
                (answer.ret_code, answer.last_error) = (failure.ret_code, failure.last_error);
            }
        }
        answer
    }

    fn try_sign(&self, request: &SignRequest, origin: Option<&str>) -> Result<(&SoftCard, Vec<u8>), Failure> {
        self.check_site(origin)?;
        if request.func != "MakeSignature" || request.signature_type != "PKCS7" {
            return Err(Failure::UNSUPPORTED);
        }
        if request.tbs.is_empty() {
            return Err(Failure::NOTHING_TO_SIGN);
        }
        let content = self.content(request)?;
        let hash = HashAlgorithm::parse(&request.hash_algorithm).ok_or(Failure::BAD_PARAMETER)?;
        let card = self.choose(request.slot_description.as_deref())?;
        self.login(card, &request.pin)?;
        for (fault, failure) in
            [(Fault::NotYetValid, Failure::NOT_YET_VALID), (Fault::Expired, Failure::EXPIRED)]
        {
            if self.has(fault) {
                return Err(failure);
            }
        }
        let attributes = Attributes {
            signing_time: (self.clock)(),
            nonce: &request.nonce,
            with_card_number: request.with_card_sn == "true",
        };
        let attributes = (!self.has(Fault::NoAttributes)).then_some(attributes);
        let signature = sign(card, &content, hash, attributes).map_err(|error| {
            tracing::error!(%error, "signing failed");
            Failure::SIGNING_FAILED
        })?;
        Ok((card, signature))
    }

    fn content(&self, request: &SignRequest) -> Result<Vec<u8>, Failure> {
        match request.tbs_encoding.as_str() {
            "base64" => BASE64_STANDARD.decode(&request.tbs).map_err(|_| Failure::BAD_BASE64),
            "NONE" | "" if self.has(Fault::Utf16) => {
                Ok(request.tbs.encode_utf16().flat_map(u16::to_le_bytes).collect())
            }
            "NONE" | "" => Ok(request.tbs.clone().into_bytes()),
            _ => Err(Failure::BAD_PARAMETER),
        }
    }

    /// The card in the named reader; without a name the first.
    fn choose(&self, slot: Option<&str>) -> Result<&SoftCard, Failure> {
        if self.has(Fault::NoReader) {
            return Err(Failure::NO_READER);
        }
        if self.has(Fault::NoCard) {
            return Err(Failure::NO_CARD);
        }
        match slot {
            Some(slot) => self.cards.iter().find(|card| card.slot() == slot).ok_or(Failure::NO_CARD),
            None if self.has(Fault::SeveralCards) => Err(Failure::CARD_NOT_FOUND),
            None => self.cards.first().ok_or(Failure::NO_CARD),
        }
    }

    fn login(&self, card: &SoftCard, pin: &str) -> Result<(), Failure> {
        if self.has(Fault::Cancelled) {
            return Err(Failure::CANCELLED);
        }
        if self.has(Fault::Locked) {
            return Err(Failure::LOCKED);
        }
        if self.has(Fault::WrongPin) {
            return Err(Failure::WRONG_PIN);
        }
        if pin.is_empty() {
            return Err(Failure::NO_PIN);
        }
        if !PIN_LENGTH.contains(&pin.len()) {
            return Err(Failure::PIN_LENGTH);
        }
        match card.enter_pin(pin) {
            PinCheck::Right => Ok(()),
            PinCheck::Wrong(tries_left) => Err(Failure::wrong_pin(tries_left)),
            PinCheck::Locked => Err(Failure::LOCKED),
        }
    }

    /// Answers `GetUserCert` and `CheckEnvir`: the readers and what is in them.
    pub(crate) fn info(&self, with_certificates: bool) -> InfoAnswer {
        let no_reader = self.has(Fault::NoReader);
        let slots = self.cards.iter().filter(|_| !no_reader).map(|card| Slot {
            slot_description: card.slot().to_owned(),
            token: (!self.has(Fault::NoCard)).then(|| {
                let mut token = token(card, with_certificates);
                token.certs.retain(|_| !self.has(Fault::NoCertificates));
                token
            }),
        });
        InfoAnswer {
            func: "pkcs11info",
            ret_code: if no_reader { Failure::NO_READER.ret_code } else { 0 },
            last_error: 0,
            server_version: self.version(),
            slots: slots.collect(),
        }
    }
}

fn token(card: &SoftCard, with_certificate: bool) -> Token {
    let record = &card.record;
    let time = |seconds| {
        DateTime::<Utc>::from_timestamp(seconds, 0)
            .unwrap_or_default()
            .format("%Y-%m-%dT%H:%M:%SZ")
            .to_string()
    };
    Token {
        serial_number: record.card_number.clone(),
        certs: vec![Cert {
            label: "cert1",
            usage: "digitalSignature",
            certb64: with_certificate.then(|| BASE64_STANDARD.encode(&card.certificate)),
            subject_dn: record.subject.clone(),
            subject_id: record.unified_business_number.clone().unwrap_or_default(),
            issuer_dn: record.issuer.clone(),
            sn: record.serial.clone(),
            not_before: time(record.not_before),
            not_after: time(record.not_after),
        }],
    }
}
