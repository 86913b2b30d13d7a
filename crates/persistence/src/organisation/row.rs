//! Organisations and their keys.

use chrono::DateTime;
use idcheck_domain::{
    access::{Access, Ground},
    company::folded,
    key::{Environment, KeyId, Profile, RegisteredKey},
    organisation::{AddressPlan, CutOver, Organisation},
    reason::RecordedReason,
    value::{Account, CompanyName, KeyLabel, Purpose, Reason, UnifiedBusinessNumber},
};
use idcheck_usecases::ports::{StoreError, Versioned};
use serde::{Deserialize, Serialize};

use crate::{
    kernel::{
        cell::{corrupt, instant, kept_text, micros},
        json::{ContactJson, PurposeJson, address_texts, addresses, read, text},
    },
    organisation::entity::{organisation, registered_key},
};

const TABLE: &str = "organisations";

#[derive(Serialize, Deserialize)]
struct PlanJson {
    current: Vec<String>,
    next: Option<CutOverJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CutOverJson {
    addresses: Vec<String>,
    at: i64,
    overlap_until: i64,
}

impl PlanJson {
    fn of(plan: &AddressPlan) -> Self {
        Self {
            current: address_texts(&plan.current),
            next: plan.next.as_ref().map(|next| CutOverJson {
                addresses: address_texts(&next.addresses),
                at: micros(next.at),
                overlap_until: micros(next.overlap_until),
            }),
        }
    }

    fn value(&self) -> Option<AddressPlan> {
        let next = match &self.next {
            None => None,
            Some(next) => Some(CutOver {
                addresses: addresses(&next.addresses)?,
                at: DateTime::from_timestamp_micros(next.at)?,
                overlap_until: DateTime::from_timestamp_micros(next.overlap_until)?,
            }),
        };
        Some(AddressPlan { current: addresses(&self.current)?, next })
    }
}

/// The purpose as it is kept; none where that can't be read.
pub(crate) fn purpose_of(kept: &str) -> Option<Purpose> {
    serde_json::from_str::<PurposeJson>(kept).ok()?.value()
}

/// The row of an organisation at a version.
pub(crate) fn organisation_model(organisation: &Organisation, version: i64) -> organisation::Model {
    let (since, ground, may_return) = match &organisation.access {
        Access::None => (None, None, false),
        Access::Active { since } | Access::Suspended { since, .. } => (Some(since), None, false),
        Access::Revoked { since, ground, may_return, .. } => (Some(since), Some(ground), *may_return),
    };
    let (code, reason) = match &organisation.access {
        Access::None | Access::Active { .. } => (None, None),
        Access::Suspended { reason, .. } => (None, Some(reason.as_str().to_owned())),
        Access::Revoked { reason, .. } => (reason.code(), Some(kept_text(reason))),
    };
    organisation::Model {
        ubn: organisation.ubn.to_string(),
        folded: Some(folded(organisation.name.as_str())),
        version,
        name: organisation.name.as_str().to_owned(),
        access: organisation.access.as_str().to_owned(),
        access_since: since.map(|at| micros(*at)),
        access_reason: reason,
        access_reason_code: code.map(str::to_owned),
        access_ground: ground.map(|ground| ground.as_str().to_owned()),
        may_return,
        account: organisation.account.map(|account| i64::from(account.ordinal())),
        addresses: organisation.addresses.as_ref().map(|plan| text(&PlanJson::of(plan))),
        contact: text(&ContactJson::of(&organisation.contact)),
        purpose: organisation.purpose.as_ref().map(|purpose| text(&PurposeJson::of(purpose))),
        former_ubn: organisation.former.map(|former| former.to_string()),
    }
}

fn access_of(row: &organisation::Model) -> Result<Access, StoreError> {
    let since = || {
        let at = row.access_since.ok_or_else(|| corrupt(TABLE, "access_since"))?;
        instant(TABLE, "access_since", at)
    };
    let text = || row.access_reason.as_deref().ok_or_else(|| corrupt(TABLE, "access_reason"));
    let reason = || Reason::parse(text()?).map_err(|_| corrupt(TABLE, "access_reason"));
    let recorded = || {
        RecordedReason::parse(row.access_reason_code.as_deref(), text()?)
            .ok_or_else(|| corrupt(TABLE, "access_reason"))
    };
    match row.access.as_str() {
        "none" => Ok(Access::None),
        "active" => Ok(Access::Active { since: since()? }),
        "suspended" => Ok(Access::Suspended { since: since()?, reason: reason()? }),
        "revoked" => {
            let ground = row.access_ground.as_deref().and_then(Ground::parse);
            let ground = ground.ok_or_else(|| corrupt(TABLE, "access_ground"))?;
            Ok(Access::Revoked { since: since()?, ground, reason: recorded()?, may_return: row.may_return })
        }
        _ => Err(corrupt(TABLE, "access")),
    }
}

/// The organisation of a row and the rows of its keys.
pub(crate) fn organisation_of(
    row: &organisation::Model,
    keys: Vec<registered_key::Model>,
) -> Result<Versioned<Organisation>, StoreError> {
    let account = match row.account {
        None => None,
        Some(ordinal) => {
            let account = u32::try_from(ordinal).ok().and_then(Account::from_ordinal);
            Some(account.ok_or_else(|| corrupt(TABLE, "account"))?)
        }
    };
    let addresses = match &row.addresses {
        None => None,
        Some(json) => {
            let plan: Option<PlanJson> = read(json);
            Some(plan.and_then(|plan| plan.value()).ok_or_else(|| corrupt(TABLE, "addresses"))?)
        }
    };
    let purpose = match &row.purpose {
        None => None,
        Some(json) => {
            let purpose: Option<PurposeJson> = read(json);
            Some(purpose.and_then(|purpose| purpose.value()).ok_or_else(|| corrupt(TABLE, "purpose"))?)
        }
    };
    let contact: Option<ContactJson> = read(&row.contact);
    let access = access_of(row)?;
    Ok(Versioned {
        version: row.version,
        value: Organisation {
            ubn: UnifiedBusinessNumber::parse(&row.ubn).map_err(|_| corrupt(TABLE, "ubn"))?,
            name: CompanyName::parse(&row.name).map_err(|_| corrupt(TABLE, "name"))?,
            access,
            account,
            addresses,
            contact: contact.and_then(|json| json.value()).ok_or_else(|| corrupt(TABLE, "contact"))?,
            purpose,
            former: match row.former_ubn.as_deref().map(UnifiedBusinessNumber::parse).transpose() {
                Ok(former) => former,
                Err(_) => return Err(corrupt(TABLE, "former_ubn")),
            },
            keys: keys.into_iter().map(key_of).collect::<Result<_, _>>()?,
        },
    })
}

/// The row of a key.
pub(crate) fn key_model(ubn: UnifiedBusinessNumber, key: &RegisteredKey) -> registered_key::Model {
    registered_key::Model {
        id: key.id.0,
        ubn: ubn.to_string(),
        fingerprint: key.fingerprint.clone(),
        public_key_pem: key.public_key_pem.clone(),
        profile: key.profile.as_str().to_owned(),
        environment: key.environment.as_str().to_owned(),
        label: key.label.as_str().to_owned(),
        registered_at: micros(key.registered_at),
        expires_at: key.expires_at.map(micros),
        revoked_at: key.revoked_at.map(micros),
    }
}

/// The key of a row.
pub(crate) fn key_of(row: registered_key::Model) -> Result<RegisteredKey, StoreError> {
    const TABLE: &str = "registered_keys";
    Ok(RegisteredKey {
        id: KeyId(row.id),
        fingerprint: row.fingerprint,
        public_key_pem: row.public_key_pem,
        profile: Profile::parse(&row.profile).ok_or_else(|| corrupt(TABLE, "profile"))?,
        environment: Environment::parse(&row.environment).ok_or_else(|| corrupt(TABLE, "environment"))?,
        label: KeyLabel::parse(&row.label).map_err(|_| corrupt(TABLE, "label"))?,
        registered_at: instant(TABLE, "registered_at", row.registered_at)?,
        expires_at: row.expires_at.map(|at| instant(TABLE, "expires_at", at)).transpose()?,
        revoked_at: row.revoked_at.map(|at| instant(TABLE, "revoked_at", at)).transpose()?,
    })
}
