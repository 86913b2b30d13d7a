//! The address that an organisation is called at, and what became of the calls.

use base64::{Engine, engine::general_purpose::STANDARD};
use idcheck_domain::{value::UnifiedBusinessNumber, webhook::WebhookSecret};
use idcheck_usecases::ports::{CallFailure, ListedCall, StoreError, Webhook};
use minijinja::{Value, context};
use poem::{Response, handler, web::Path};
use uuid::Uuid;

use crate::{
    kernel::{
        page::{Page, PostedForm, see_other},
        state::App,
        view::moment,
    },
    portal::organisation::own,
};

/// Calls that are listed.
const LISTED: u16 = 20;

/// The secret as receivers take it (Standard Webhooks 1.0).
pub(crate) fn secret_text(secret: &WebhookSecret) -> String {
    format!("whsec_{}", STANDARD.encode(secret.expose()))
}

/// An organisation's address with its last calls.
pub(crate) async fn read(
    app: &App,
    ubn: UnifiedBusinessNumber,
) -> Result<Option<(Webhook, Vec<ListedCall>)>, StoreError> {
    let webhooks = &app.services.webhooks;
    match webhooks.webhook(ubn).await? {
        Some(webhook) => Ok(Some((webhook, webhooks.calls(ubn, LISTED).await?))),
        None => Ok(None),
    }
}

/// How a call stands: the end of the key of the words for it.
pub(crate) fn state(call: &ListedCall) -> &'static str {
    match (call.delivered_at, call.due_at, call.attempts) {
        (Some(_), ..) => "delivered",
        (None, Some(_), 0) => "waiting",
        (None, Some(_), _) => "retried",
        (None, None, _) => "givenUp",
    }
}

/// The end of the key of the words for a failure; of an answer its status stands beside.
fn failure_word(failure: CallFailure) -> &'static str {
    match failure {
        CallFailure::Host => "host",
        CallFailure::Connection => "connection",
        CallFailure::Timeout => "timeout",
        CallFailure::Status(_) => "status",
    }
}

/// For a template.
pub(crate) async fn shown(page: &Page<'_>, ubn: UnifiedBusinessNumber) -> poem::Result<Value> {
    let read = page.or_problem(read(page.app, ubn).await, "/organisation")?;
    let Some((webhook, calls)) = read else { return Ok(Value::from(())) };
    let one = |call: &ListedCall| {
        let failure = call.failure.filter(|_| call.delivered_at.is_none());
        context! {
            id => call.id.to_string(),
            event => call.message.event().map_or("", |event| event.kind),
            at => moment(call.queued_at),
            state => state(call),
            again_at => call.due_at.filter(|_| call.attempts > 0).map(moment),
            failure => failure.map(failure_word),
            status => match failure {
                Some(CallFailure::Status(status)) => Some(status),
                _ => None,
            },
        }
    };
    Ok(context! {
        url => webhook.url.as_str(),
        set_at => moment(webhook.set_at),
        calls => calls.iter().map(one).collect::<Value>(),
    })
}

/// `POST /organisation/webhook/calls/:id`: makes a call again that was given up. It repeats what the card allowed, and so needs no card.
#[handler]
pub(crate) async fn again(page: Page<'_>, Path(id): Path<String>, _: PostedForm) -> poem::Result<Response> {
    let progress = own(&page).await?;
    let id = Uuid::try_parse(&id).map_err(|_| page.not_found("/organisation"))?;
    let services = &page.app.services;
    let again = services.webhooks.call_again(progress.ubn, id, services.clock.now()).await;
    // One that is under way already is shown as it is.
    page.or_problem(again, "/organisation")?;
    Ok(see_other("/organisation/contact#webhook"))
}
