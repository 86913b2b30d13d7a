//! The parts of rows that are kept as JSON: read and written as one, never searched.

use std::collections::BTreeMap;

use chrono::DateTime;
use idcheck_domain::{
    card::{CardRole, SigningCard},
    contact::Contact,
    value::{
        AddressPolicy, Authority, ContactName, Description, EmailAddress, HostAddress, HostAddresses,
        Landline, Mobile, Purpose, Rule,
    },
};
use idcheck_usecases::{Content, Leaf};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::kernel::cell::micros;

/// Serialises a value of ours; these have no form that JSON can't hold.
pub(crate) fn text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ContactJson {
    name: String,
    landline: Option<String>,
    mobile: Option<String>,
    email: String,
}

impl ContactJson {
    pub(crate) fn of(contact: &Contact) -> Self {
        Self {
            name: contact.name().as_str().to_owned(),
            landline: contact.landline().map(|n| n.as_str().to_owned()),
            mobile: contact.mobile().map(|n| n.as_str().to_owned()),
            email: contact.email().as_str().to_owned(),
        }
    }

    pub(crate) fn value(&self) -> Option<Contact> {
        let landline = self.landline.as_deref().map(Landline::parse).transpose().ok()?;
        let mobile = self.mobile.as_deref().map(Mobile::parse).transpose().ok()?;
        let name = ContactName::parse(&self.name).ok()?;
        Contact::new(name, landline, mobile, EmailAddress::parse(&self.email).ok()?).ok()
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct PurposeJson {
    authority: String,
    rule: String,
    description: String,
}

impl PurposeJson {
    pub(crate) fn of(purpose: &Purpose) -> Self {
        Self {
            authority: purpose.authority.as_str().to_owned(),
            rule: purpose.rule.as_str().to_owned(),
            description: purpose.description.as_str().to_owned(),
        }
    }

    pub(crate) fn value(&self) -> Option<Purpose> {
        Some(Purpose {
            authority: Authority::parse(&self.authority).ok()?,
            rule: Rule::parse(&self.rule).ok()?,
            description: Description::parse(&self.description).ok()?,
        })
    }
}

/// A card; certificates as hexadecimal DER.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CardJson {
    company_name: String,
    role: Option<String>,
    serial: String,
    issuer: String,
    not_before: i64,
    not_after: i64,
    fingerprint: String,
    chain: Vec<String>,
}

impl CardJson {
    pub(crate) fn of(card: &SigningCard) -> Self {
        Self {
            company_name: card.company_name.clone(),
            role: card.role.map(|role| role.as_str().to_owned()),
            serial: card.serial.clone(),
            issuer: card.issuer.clone(),
            not_before: micros(card.not_before),
            not_after: micros(card.not_after),
            fingerprint: card.fingerprint.clone(),
            chain: card.chain.iter().map(hex::encode).collect(),
        }
    }

    pub(crate) fn value(self) -> Option<SigningCard> {
        let role = match self.role {
            Some(word) => Some(CardRole::parse(&word)?),
            None => None,
        };
        Some(SigningCard {
            company_name: self.company_name,
            role,
            serial: self.serial,
            issuer: self.issuer,
            not_before: DateTime::from_timestamp_micros(self.not_before)?,
            not_after: DateTime::from_timestamp_micros(self.not_after)?,
            fingerprint: self.fingerprint,
            chain: self.chain.iter().map(hex::decode).collect::<Result<_, _>>().ok()?,
        })
    }
}

pub(crate) fn address_texts(addresses: &HostAddresses) -> Vec<String> {
    addresses.as_slice().iter().map(ToString::to_string).collect()
}

/// Addresses as they were admitted, whatever the policy is now.
pub(crate) fn addresses(texts: &[String]) -> Option<HostAddresses> {
    let parse = |text: &String| HostAddress::parse(text, AddressPolicy::PublicOrLoopback).ok();
    HostAddresses::new(texts.iter().map(parse).collect::<Option<_>>()?).ok()
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum LeafJson {
    Integer(i64),
    Text(String),
}

/// A challenge's content as JSON.
pub(crate) fn content_text(content: &Content) -> String {
    let leaves: BTreeMap<&str, LeafJson> = content
        .iter()
        .filter_map(|(pointer, leaf)| {
            let leaf = match leaf {
                Leaf::Text(text) => LeafJson::Text(text.clone()),
                Leaf::Integer(number) => LeafJson::Integer(*number),
                Leaf::Null | Leaf::Empty => return None,
            };
            Some((pointer, leaf))
        })
        .collect();
    text(&leaves)
}

/// A challenge's content from JSON.
pub(crate) fn content_of(json: &str) -> Option<Content> {
    let leaves: BTreeMap<String, LeafJson> = read(json)?;
    let leaf = |leaf| match leaf {
        LeafJson::Text(text) => Leaf::Text(text),
        LeafJson::Integer(number) => Leaf::Integer(number),
    };
    Some(leaves.into_iter().map(|(pointer, json)| (pointer, leaf(json))).collect())
}
