//! Organisations, revocations and improvement plans as the API tells them.

use chrono::{DateTime, Utc};
use idcheck_domain::{
    abuse::AbuseRule, access::Access, key, officer::OfficerId, organisation, plan, revocation, ruling,
    taipei, value::UnifiedBusinessNumber,
};
use idcheck_usecases::{
    OfficerNames,
    ports::{SuspendedUser, Versioned},
};
use poem_openapi::Object;
use uuid::Uuid;

use crate::{
    application::show::access_reason,
    kernel::{
        i18n::Lang,
        shape::{Contact, Time, contact_of, time},
    },
};

/// A registered public key.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct Key {
    id: Uuid,
    fingerprint: String,
    profile: String,
    environment: String,
    label: String,
    registered_at: Time,
    /// When it ends by itself; absent for a key without an end.
    expires_at: Option<Time>,
    revoked_at: Option<Time>,
}

pub(crate) fn key_of(key: &key::RegisteredKey) -> Key {
    Key {
        id: key.id.0,
        fingerprint: key.fingerprint.clone(),
        profile: key.profile.as_str().to_owned(),
        environment: key.environment.as_str().to_owned(),
        label: key.label.as_str().to_owned(),
        registered_at: time(key.registered_at),
        expires_at: key.expires_at.map(time),
        revoked_at: key.revoked_at.map(time),
    }
}

/// An organisation.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct Organisation {
    unified_business_number: String,
    name: String,
    access: String,
    access_since: Option<Time>,
    /// Why access was suspended or revoked.
    access_reason: Option<String>,
    /// On what ground it was revoked: `abuse`, `conduct` or `notRegistered`.
    revocation_ground: Option<String>,
    /// After a revocation: whether a new `apply` is possible.
    may_return: Option<bool>,
    account: Option<String>,
    host_addresses: Vec<String>,
    contact: Option<Contact>,
    keys: Vec<Key>,
}

/// An organisation that has not filed anything yet.
pub(crate) fn unknown(ubn: UnifiedBusinessNumber) -> Organisation {
    Organisation {
        unified_business_number: ubn.to_string(),
        name: String::new(),
        access: "none".to_owned(),
        access_since: None,
        access_reason: None,
        revocation_ground: None,
        may_return: None,
        account: None,
        host_addresses: Vec::new(),
        contact: None,
        keys: Vec::new(),
    }
}

/// An organisation, with the addresses in force at `now`.
pub(crate) fn organisation_of(
    lang: Lang,
    organisation: &organisation::Organisation,
    now: DateTime<Utc>,
) -> Organisation {
    let access = &organisation.access;
    let (ground, may_return) = match access {
        Access::Revoked { ground, may_return, .. } => (Some(ground.as_str().to_owned()), Some(*may_return)),
        Access::None | Access::Active { .. } | Access::Suspended { .. } => (None, None),
    };
    let shown = organisation.addresses.as_ref().map(|plan| plan.shown(now));
    Organisation {
        unified_business_number: organisation.ubn.to_string(),
        name: organisation.name.as_str().to_owned(),
        access: access.as_str().to_owned(),
        access_since: access.since().map(time),
        access_reason: access_reason(lang, access),
        revocation_ground: ground,
        may_return,
        account: organisation.account.map(|account| account.to_string()),
        host_addresses: shown
            .map_or_else(Vec::new, |set| set.as_slice().iter().map(ToString::to_string).collect()),
        contact: Some(contact_of(&organisation.contact)),
        keys: organisation.keys.iter().map(key_of).collect(),
    }
}

/// What was decided about a request or a plan.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct Ruling {
    /// The officer's user name; for officers only.
    officer: Option<String>,
    at: Time,
    note: Option<String>,
}

pub(crate) fn name(names: Option<&OfficerNames>, id: OfficerId) -> Option<String> {
    names.and_then(|names| names.get(&id).cloned())
}

pub(crate) fn ruling_of(ruling: &ruling::Ruling, names: Option<&OfficerNames>) -> Ruling {
    Ruling {
        officer: name(names, ruling.by),
        at: taipei::local(ruling.at),
        note: ruling.note.as_ref().map(|note| note.as_str().to_owned()),
    }
}

/// A request to revoke.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct Revocation {
    id: Uuid,
    /// To be named by a ruling.
    version: i64,
    /// `asked`, `confirmed` or `declined`.
    state: String,
    unified_business_number: String,
    /// `abuse`, `conduct` or `notRegistered`.
    ground: String,
    reason: String,
    /// The user name of who asked.
    asked_by: Option<String>,
    asked_at: Time,
    ruling: Option<Ruling>,
}

/// A request, for officers.
pub(crate) fn revocation_of(read: &Versioned<revocation::Revocation>, names: &OfficerNames) -> Revocation {
    let value = &read.value;
    Revocation {
        id: value.id.0,
        version: read.version,
        state: value.state.as_str().to_owned(),
        unified_business_number: value.ubn.to_string(),
        ground: value.ground.as_str().to_owned(),
        reason: value.reason.as_str().to_owned(),
        asked_by: name(Some(names), value.asked_by),
        asked_at: taipei::local(value.asked_at),
        ruling: value.state.ruling().map(|ruling| ruling_of(ruling, Some(names))),
    }
}

/// An improvement plan.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct ImprovementPlan {
    id: Uuid,
    /// To be named by a ruling; for officers only.
    version: Option<i64>,
    /// `filed`, `approved` or `rejected`.
    state: String,
    unified_business_number: String,
    plan: String,
    filed_at: Time,
    ruling: Option<Ruling>,
}

/// A plan, as its owner sees it.
pub(crate) fn own_plan(value: &plan::ImprovementPlan) -> ImprovementPlan {
    ImprovementPlan {
        id: value.id.0,
        version: None,
        state: value.state.as_str().to_owned(),
        unified_business_number: value.ubn.to_string(),
        plan: value.plan.as_str().to_owned(),
        filed_at: taipei::local(value.filed_at),
        ruling: value.state.ruling().map(|ruling| ruling_of(ruling, None)),
    }
}

/// A plan, for officers.
pub(crate) fn plan_of(read: &Versioned<plan::ImprovementPlan>, names: &OfficerNames) -> ImprovementPlan {
    let ruling = read.value.state.ruling().map(|ruling| ruling_of(ruling, Some(names)));
    ImprovementPlan { version: Some(read.version), ruling, ..own_plan(&read.value) }
}

/// A user of an organisation who gets result 8 until the suspension is lifted.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct Suspended {
    unified_business_number: String,
    /// As the organisation's queries name the user.
    user_id: String,
    since: Time,
    /// The rule of abnormal use that found it.
    rule: Option<String>,
}

/// A suspended user, for officers.
pub(crate) fn suspended_of(user: &SuspendedUser) -> Suspended {
    Suspended {
        unified_business_number: user.ubn.to_string(),
        user_id: user.user_id.clone(),
        since: taipei::local(user.since),
        rule: user.rule.map(AbuseRule::as_str).map(str::to_owned),
    }
}
