//! What the acts of a card stand on.

use std::sync::Arc;

use chrono::TimeDelta;
use idcheck_domain::value::AddressPolicy;
use idcheck_persistence::Store;
use idcheck_token::PublicKeys;
use idcheck_usecases::{
    OfficePorts,
    acts::{ActPorts, OpenChallenges},
    attachment::{AttachmentPorts, KeepAttachments},
    draft::{DraftPorts, KeepDrafts},
    ports::CardVerifier,
};

use crate::config::Config;

/// The addresses an organisation may register and be called at.
pub(crate) fn address_policy(config: &Config) -> AddressPolicy {
    if config.allow_loopback_hosts { AddressPolicy::PublicOrLoopback } else { AddressPolicy::Public }
}

/// What the acts of a card stand on.
pub(crate) fn act_ports(
    config: &Config,
    store: &Arc<Store>,
    office: &OfficePorts,
    cards: Arc<dyn CardVerifier>,
) -> ActPorts {
    ActPorts {
        clock: Arc::clone(&office.clock),
        entropy: Arc::clone(&office.entropy),
        cards,
        keys: Arc::new(PublicKeys),
        challenges: Arc::clone(store) as _,
        sessions: store.own_sessions(),
        applications: Arc::clone(store) as _,
        organisations: Arc::clone(store) as _,
        attachments: Arc::clone(store) as _,
        webhooks: Arc::clone(store) as _,
        plans: Arc::clone(store) as _,
        uses: Arc::clone(store) as _,
        notices: Arc::clone(store) as _,
        calendar: Arc::clone(store) as _,
        usage: office.usage(),
        changes: Arc::clone(&office.changes),
        challenge_life: TimeDelta::seconds(i64::from(config.card.challenge_seconds)),
        address_policy: address_policy(config),
        open_challenges: OpenChallenges {
            of_organisation: config.limits.open_challenges,
            of_address: config.limits.open_challenges_per_address,
        },
    }
}

/// What was typed and not signed yet.
pub(crate) fn drafts(config: &Config, store: &Arc<Store>, office: &OfficePorts) -> KeepDrafts {
    KeepDrafts::new(DraftPorts {
        clock: Arc::clone(&office.clock),
        entropy: Arc::clone(&office.entropy),
        drafts: Arc::clone(store) as _,
        of_address: config.limits.drafts_per_address,
    })
}

/// Files beside answers and explanations.
pub(crate) fn attachments(config: &Config, store: &Arc<Store>, office: &OfficePorts) -> KeepAttachments {
    KeepAttachments::new(AttachmentPorts {
        clock: Arc::clone(&office.clock),
        entropy: Arc::clone(&office.entropy),
        attachments: Arc::clone(store) as _,
        changes: Arc::clone(&office.changes),
        of_address: config.limits.files_per_address,
        of_all: config.limits.files,
    })
}
