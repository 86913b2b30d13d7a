//! Calls to addresses that organisations named.

use std::sync::Arc;

use idcheck_persistence::Store;
use idcheck_usecases::{
    OfficePorts,
    webhook::{CallPorts, CallWebhooks},
};
use idcheck_webhook::HttpCaller;

use crate::{config::Config, wiring::acts::address_policy};

/// What makes the calls that wait.
///
/// # Errors
/// When the HTTP client can't be set up.
pub(crate) fn calls(
    config: &Config,
    store: &Arc<Store>,
    office: &OfficePorts,
) -> anyhow::Result<CallWebhooks> {
    let caller = HttpCaller::new(address_policy(config), Arc::clone(&office.clock))?;
    Ok(CallWebhooks::new(CallPorts {
        clock: Arc::clone(&office.clock),
        entropy: Arc::clone(&office.entropy),
        webhooks: Arc::clone(store) as _,
        caller: Arc::new(caller),
        organisations: Arc::clone(store) as _,
        changes: Arc::clone(&office.changes),
    }))
}
