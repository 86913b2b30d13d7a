//! What an act is about, as the company's own session shows it: its number and name, the key, the case, the question, the notice.
//! Without a session a form shows nothing of the company and asks for its number.

use idcheck_domain::{
    key::Environment,
    organisation::Organisation,
    value::{Landline, Mobile},
};
use idcheck_usecases::acts::{ActName, Progress};
use minijinja::{Value, context};

use crate::{
    application::show::grouped,
    kernel::page::{FormValues, value},
    portal::fields::{HOSTS, UBN},
};

/// A form as it is opened: filled in as far as the company is known, and what it is about.
#[derive(Default)]
pub(crate) struct Opened {
    pub(crate) typed: FormValues,
    pub(crate) about: FormValues,
}

/// The names of what a form can be about, in the order in which it is shown. Each has a text for its label.
const ABOUT: [&str; 9] =
    ["company", UBN, "kind", "caseNumber", "question", "rule", "message", "keyLabel", "fingerprint"];

/// Set where the company can't use production yet.
pub(crate) const SANDBOX_ONLY: &str = "sandboxOnly";

/// The form of an act that a link leads to, for the company whose session is there, if it is the link's.
pub(crate) fn opened(act: ActName, link: FormValues, own: Option<&Progress>) -> Opened {
    let own = own.filter(|own| {
        let named = value(&link, UBN);
        act != ActName::Progress && (named.is_empty() || named == own.ubn.as_str())
    });
    let Some(own) = own else { return Opened { typed: link, about: Vec::new() } };
    let mut about = vec![(UBN.to_owned(), own.ubn.to_string())];
    let mut add = |name: &str, value: &str| about.push((name.to_owned(), value.to_owned()));
    let held = own.organisation.as_ref();
    if let Some(held) = held {
        add("company", held.name.as_str());
    }
    for case in own.cases.iter().map(|case| &case.application) {
        if value(&link, "/applicationId") == case.id.to_string() {
            add("kind", case.kind().as_str());
            add("caseNumber", case.case_number.as_str());
            let named = value(&link, "/clarificationId");
            for asked in case.clarifications.iter().filter(|asked| asked.id.0.to_string() == named) {
                add("question", asked.question.as_str());
            }
        }
    }
    for notice in own.notices.iter().filter(|notice| notice.id.to_string() == value(&link, "/noticeId")) {
        add("rule", notice.rule.as_str());
        if let Some(sent) = notice.sendings.last() {
            add("message", sent.message.as_str());
        }
    }
    for key in held.into_iter().flat_map(|held| &held.keys) {
        if key.id.0.to_string() == value(&link, "/keyId") {
            add("keyLabel", key.label.as_str());
            add("fingerprint", &grouped(&key.fingerprint));
        }
    }
    let active = held.is_some_and(|held| held.access.is_active());
    if matches!(act, ActName::RegisterKey | ActName::RevealIssKey) && !active {
        add(SANDBOX_ONLY, "yes");
    }
    Opened { typed: filled(act, link, own, held), about }
}

/// What is typed already: the link's, and what the company has now.
fn filled(act: ActName, link: FormValues, own: &Progress, held: Option<&Organisation>) -> FormValues {
    let mut typed = link;
    let mut fill = |name: &str, text: &str| {
        if name == HOSTS || value(&typed, name).is_empty() {
            typed.push((name.to_owned(), text.to_owned()));
        }
    };
    fill(UBN, own.ubn.as_str());
    if matches!(act, ActName::RegisterKey | ActName::RevealIssKey) {
        let active = held.is_some_and(|held| held.access.is_active());
        let environment = if active { Environment::Production } else { Environment::Sandbox };
        fill("/environment", environment.as_str());
    }
    let Some(held) = held else { return typed };
    if matches!(act, ActName::Apply) {
        fill("/companyName", held.name.as_str());
    }
    if matches!(act, ActName::Apply | ActName::ChangeAddress | ActName::Suspend | ActName::ChangeContact) {
        fill("/contact/name", held.contact.name().as_str());
        fill("/contact/landline", held.contact.landline().map_or("", Landline::as_str));
        fill("/contact/mobile", held.contact.mobile().map_or("", Mobile::as_str));
        fill("/contact/email", held.contact.email().as_str());
    }
    if matches!(act, ActName::Apply | ActName::ChangeAddress) {
        let hosts = held.addresses.as_ref().map(|plan| plan.shown(own.queried_at));
        for host in hosts.iter().flat_map(|hosts| hosts.as_slice()) {
            fill(HOSTS, &host.to_string());
        }
    }
    typed
}

/// What a form is about, for its page.
pub(crate) fn shown(about: &FormValues) -> Value {
    let given = ABOUT.iter().filter_map(|name| {
        let text = value(about, name);
        (!text.is_empty()).then(|| context! { name => *name, text })
    });
    given.collect()
}

/// Whether the company is known: its number is not asked for again.
pub(crate) fn knows_company(about: &FormValues) -> bool {
    !value(about, UBN).is_empty()
}
