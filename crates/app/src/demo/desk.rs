//! What the demo shows of itself at `/demo`.

use std::{fs, path::PathBuf, time::SystemTime};

use chrono::{DateTime, Utc};
use idcheck_http::{DemoCard, DemoDesk, DemoMail, DemoOfficer};
use idcheck_identity::totp_code;
use idcheck_usecases::ports::Clock;
use mail_parser::MessageParser;

use super::file::{CardEntry, OfficerEntry};
use crate::system::SystemClock;

/// Mails that are shown.
const MAILS: usize = 25;

pub(super) struct Desk {
    pub(super) cards: Vec<CardEntry>,
    pub(super) officers: Vec<OfficerEntry>,
    pub(super) mails: PathBuf,
}

impl DemoDesk for Desk {
    fn cards(&self) -> Vec<DemoCard> {
        let card = |card: &CardEntry| DemoCard {
            slot: card.slot.clone(),
            holder: card.company_name.clone().unwrap_or_default(),
            number: card.unified_business_number.clone(),
            state: card.state.as_str().unwrap_or_default().to_owned(),
            pin: card.pin.clone(),
        };
        self.cards.iter().map(card).collect()
    }

    fn officers(&self) -> Vec<DemoOfficer> {
        let now = SystemClock.now();
        let officer = |officer: &OfficerEntry| {
            let secret = base32::decode(base32::Alphabet::Rfc4648 { padding: false }, &officer.totp_secret);
            DemoOfficer {
                username: officer.username.clone(),
                role: officer.role.clone(),
                password: officer.password.clone(),
                code: secret.and_then(|secret| totp_code(&secret, now)).unwrap_or_default(),
            }
        };
        self.officers.iter().map(officer).collect()
    }

    fn mails(&self) -> Vec<DemoMail> {
        let mut found: Vec<(SystemTime, PathBuf)> = fs::read_dir(&self.mails)
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                (path.extension()? == "eml").then(|| Some((path.metadata().ok()?.modified().ok()?, path)))?
            })
            .collect();
        found.sort_unstable_by(|one, other| other.cmp(one));
        found.iter().take(MAILS).filter_map(|(_, path)| read(path)).collect()
    }
}

/// A mail as its program would show it, in plain text.
fn read(path: &std::path::Path) -> Option<DemoMail> {
    let raw = fs::read(path).ok()?;
    let message = MessageParser::default().parse(&raw)?;
    let at = message.date().and_then(|date| DateTime::<Utc>::from_timestamp(date.to_timestamp(), 0));
    Some(DemoMail {
        id: path.file_stem()?.to_str()?.to_owned(),
        to: message.to().and_then(|to| to.first()).and_then(|to| to.address()).unwrap_or_default().to_owned(),
        subject: message.subject().unwrap_or_default().to_owned(),
        at,
        text: message.body_text(0).map(|text| text.trim().to_owned()).unwrap_or_default(),
    })
}
