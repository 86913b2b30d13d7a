//! The body of a call: `{"type", "timestamp", "data"}`.

use idcheck_usecases::{ports::QueuedCall, webhook::timestamp};
use serde_json::{Map, Value, json};

/// Made of what was queued only, so that it is the same each time.
pub(crate) fn of(call: &QueuedCall) -> String {
    let event = call.message.event();
    let (kind, facts) = event.map_or(("", Vec::new()), |event| (event.kind, event.facts));
    let mut data = Map::new();
    data.insert("unifiedBusinessNumber".to_owned(), Value::from(call.webhook.ubn.as_str()));
    data.extend(facts.into_iter().map(|(name, fact)| (name.to_owned(), Value::from(fact))));
    json!({"type": kind, "timestamp": timestamp(call.queued_at), "data": data}).to_string()
}
