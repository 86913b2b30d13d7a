//! Use cases of applicants and officers on a store, with a clock that is set, cards that are taken at their word, and mails that nobody
//! reads.

#![allow(dead_code, reason = "each test uses its part")]

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::{
    Violation,
    card::SigningCard,
    key::Profile,
    value::{AddressPolicy, UnifiedBusinessNumber},
};
use idcheck_persistence::Store;
use idcheck_testing::{FixedClock, SeededEntropy, builders::signing_card};
use idcheck_usecases::{
    Content, Leaf, OfficePorts,
    acts::{ActPorts, OpenChallenges},
    ports::{
        CardFacts, CardRefusal, CardVerifier, Clock, Entropy, KeyReader, MailComposer, MailMessage, MailText,
        ParsedKey,
    },
    usage::{ReadUsage, UsagePorts},
};

/// Takes the company from the text that it signs.
pub(crate) struct Cards;

#[async_trait]
impl CardVerifier for Cards {
    async fn verify(&self, _: &[u8], content: &[u8], now: DateTime<Utc>) -> Result<CardFacts, CardRefusal> {
        let text = std::str::from_utf8(content).map_err(|_| CardRefusal::Malformed)?;
        let number = text.split('.').nth(3).ok_or(CardRefusal::Malformed)?;
        let ubn = UnifiedBusinessNumber::parse(number).map_err(|_| CardRefusal::NoCompanyNumber)?;
        Ok(CardFacts { ubn, card: signing_card(ubn, now) })
    }

    async fn recheck(&self, _: &SigningCard, _: DateTime<Utc>) -> Result<(), CardRefusal> {
        Ok(())
    }
}

/// Nobody reads these mails.
struct NoWords;

impl MailComposer for NoWords {
    fn compose(&self, _: &MailMessage) -> MailText {
        MailText { subject: String::new(), plain: String::new(), html: String::new() }
    }
}

/// No key is registered in these lives.
struct NoKeys;

impl KeyReader for NoKeys {
    fn read(&self, _: &str, _: Profile) -> Result<ParsedKey, Violation> {
        Err(Violation::PublicKeyFormat)
    }
}

/// What everybody stands on.
pub(crate) struct Ground {
    pub(crate) acts: ActPorts,
    pub(crate) office: OfficePorts,
}

/// Everything on this store, at the time of this clock.
pub(crate) fn ground(store: &Arc<Store>, clock: &FixedClock) -> Ground {
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::default());
    let acts = ActPorts {
        clock: Arc::clone(&clock),
        entropy: Arc::clone(&entropy),
        cards: Arc::new(Cards),
        keys: Arc::new(NoKeys),
        challenges: Arc::clone(store) as _,
        applications: Arc::clone(store) as _,
        organisations: Arc::clone(store) as _,
        attachments: Arc::clone(store) as _,
        webhooks: Arc::clone(store) as _,
        plans: Arc::clone(store) as _,
        uses: Arc::clone(store) as _,
        notices: Arc::clone(store) as _,
        sessions: store.own_sessions(),
        calendar: Arc::clone(store) as _,
        usage: ReadUsage::new(UsagePorts {
            clock: Arc::clone(&clock),
            counts: Arc::clone(store) as _,
            organisations: Arc::clone(store) as _,
            calendar: Arc::clone(store) as _,
            changes: Arc::clone(store) as _,
        }),
        changes: Arc::clone(store) as _,
        address_policy: AddressPolicy::Public,
        open_challenges: OpenChallenges { of_organisation: 1_000, of_address: 1_000_000 },
        challenge_life: TimeDelta::minutes(15),
    };
    let office = OfficePorts {
        clock,
        entropy,
        applications: Arc::clone(store) as _,
        organisations: Arc::clone(store) as _,
        revocations: Arc::clone(store) as _,
        plans: Arc::clone(store) as _,
        notices: Arc::clone(store) as _,
        company_register: Arc::clone(store) as _,
        users: Arc::clone(store) as _,
        counts: Arc::clone(store) as _,
        dormancy: Arc::clone(store) as _,
        templates: Arc::clone(store) as _,
        calendar: Arc::clone(store) as _,
        officers: Arc::clone(store) as _,
        composer: Arc::new(NoWords),
        changes: Arc::clone(store) as _,
    };
    Ground { acts, office }
}

pub(crate) fn text(leaves: &[(&str, &str)]) -> Content {
    leaves.iter().map(|(pointer, value)| ((*pointer).to_owned(), Leaf::Text((*value).to_owned()))).collect()
}

pub(crate) fn consenting(leaves: &[(&str, &str)]) -> Content {
    let consent = [("/consent/noticeVersion", "108-06"), ("/consent/conductVersion", "108-06")];
    text(&[leaves, &consent].concat())
}

pub(crate) fn apply() -> Content {
    consenting(&[
        ("/companyName", "測試甲股份有限公司"),
        ("/hostAddresses/0", "8.8.8.8"),
        ("/contact/name", "王小明"),
        ("/contact/mobile", "0912345678"),
        ("/contact/email", "it@example.com"),
        ("/purpose/authority", "金融監督管理委員會"),
        ("/purpose/rule", "金融機構防制洗錢辦法"),
        ("/purpose/description", "開戶時確認客戶身分"),
    ])
}

pub(crate) fn change_address() -> Content {
    consenting(&[("/hostAddresses/0", "8.8.4.4"), ("/reason", "機房搬遷")])
}
