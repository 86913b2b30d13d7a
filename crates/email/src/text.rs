//! What each mail says.

use std::{borrow::Cow, collections::HashMap, sync::LazyLock};

use chrono::{Datelike, NaiveDate};
use fluent_templates::{LanguageIdentifier, Loader, fluent_bundle::FluentValue};
use idcheck_domain::{
    abuse::AbuseRule, access::Ground, application::Kind, calendar::DueDate, reason::RecordedReason,
};
use idcheck_usecases::ports::{MailComposer, MailMessage, MailText};
use minijinja::{Environment, context};

fluent_templates::static_loader! {
    static LOCALES = {
        locales: "./locales",
        fallback_language: "zh-Hant-TW",
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    if let Err(error) = environment.add_template("mail.html", include_str!("../templates/mail.html")) {
        tracing::error!(%error, "the mail template does not parse");
    }
    environment
});

const LANGUAGES: [&str; 2] = ["zh-Hant-TW", "en"];

/// Puts mails into words, for those who may not know this crate.
#[derive(Debug, Clone, Copy, Default)]
pub struct Composer;

impl MailComposer for Composer {
    fn compose(&self, message: &MailMessage) -> MailText {
        compose(message)
    }
}

/// The words of one message in one language.
struct Part {
    lang: &'static str,
    greeting: String,
    body: String,
    quote_label: String,
    quote: Option<String>,
    footer: String,
}

/// The parameters of a message: its key in the Fluent files, the company, what is set into its sentences, and what a
/// person wrote.
struct Parameters<'m> {
    key: &'static str,
    company: &'m str,
    values: Vec<(&'static str, Value<'m>)>,
    quote: Option<Quote<'m>>,
    /// Whether a deadline in it was counted through a year whose calendar is not published.
    provisional: bool,
}

/// What stands below the sentences as it was typed, or a reason whose words are ours.
#[derive(Clone, Copy)]
enum Quote<'m> {
    Text(&'m str),
    Reason(&'m RecordedReason),
}

impl Quote<'_> {
    fn words(self, lang: &str) -> String {
        match self {
            Self::Text(text) => text.to_owned(),
            Self::Reason(reason) => {
                let text = reason.text().unwrap_or_default();
                let Some(code) = reason.code() else { return text.to_owned() };
                say(lang, &format!("reason-{code}"), &Arguments::from([("status".into(), text.into())]))
            }
        }
    }
}

enum Value<'m> {
    Text(&'m str),
    Kind(&'static str),
    Rule(&'static str),
    Date(NaiveDate),
}

fn with<'m>(
    key: &'static str,
    company: &'m str,
    values: Vec<(&'static str, Value<'m>)>,
    quote: Option<&'m str>,
) -> Parameters<'m> {
    Parameters { key, company, values, quote: quote.map(Quote::Text), provisional: false }
}

/// The same with a deadline that may be provisional.
fn due(parameters: Parameters<'_>, due: DueDate) -> Parameters<'_> {
    Parameters { provisional: due.provisional, ..parameters }
}

/// What is decided about a case.
fn outcome<'m>(
    key: &'static str,
    (company, case_number, kind): (&'m str, &'m str, Kind),
    quote: Option<&'m str>,
) -> Parameters<'m> {
    let values = vec![("caseNumber", Value::Text(case_number)), ("kind", Value::Kind(kind.as_str()))];
    with(key, company, values, quote)
}

/// A question of a case, with its deadline.
fn question<'m>(
    key: &'static str,
    (company, case_number, due): (&'m str, &'m str, NaiveDate),
    quote: Option<&'m str>,
) -> Parameters<'m> {
    with(key, company, vec![("caseNumber", Value::Text(case_number)), ("due", Value::Date(due))], quote)
}

/// A notice of abnormal use, with its deadline.
fn notice<'m>(
    key: &'static str,
    (company, rule, due): (&'m str, AbuseRule, NaiveDate),
    quote: Option<&'m str>,
) -> Parameters<'m> {
    with(key, company, vec![("rule", Value::Rule(rule.as_str())), ("due", Value::Date(due))], quote)
}

fn public_key<'m>(
    key: &'static str,
    company: &'m str,
    label: &'m str,
    fingerprint: &'m str,
) -> Parameters<'m> {
    let values = vec![("label", Value::Text(label)), ("fingerprint", Value::Text(fingerprint))];
    with(key, company, values, None)
}

fn key_ends<'m>(
    (company, label, fingerprint): (&'m str, &'m str, &'m str),
    day: NaiveDate,
) -> Parameters<'m> {
    let mut parameters = public_key("key-ends", company, label, fingerprint);
    parameters.values.push(("day", Value::Date(day)));
    parameters
}

#[expect(clippy::too_many_lines, reason = "a table of all mails")]
fn parameters(message: &MailMessage) -> Parameters<'_> {
    use MailMessage as M;
    match message {
        M::Received { case_number, kind, company, due: at } => {
            let mut parameters = outcome("received", (company, case_number, *kind), None);
            parameters.values.push(("due", Value::Date(at.date)));
            due(parameters, *at)
        }
        M::ClarificationRequested { case_number, company, question: asked, due: at } => {
            due(question("clarification", (company, case_number, at.date), Some(asked)), *at)
        }
        M::DeadlineMoved { case_number, company, answer, before, due: at } => {
            let key = if *answer { "answer-moved" } else { "decision-moved" };
            let mut parameters = question(key, (company, case_number, at.date), None);
            parameters.values.push(("before", Value::Date(*before)));
            due(parameters, *at)
        }
        M::NoticeDeadlineMoved { company, rule, before, due: at } => {
            let mut parameters = notice("notice-moved", (company, *rule, at.date), None);
            parameters.values.push(("before", Value::Date(*before)));
            due(parameters, *at)
        }
        M::Settled { case_number, kind, company } => Parameters {
            quote: Some(Quote::Reason(&RecordedReason::AccessEnded)),
            ..outcome("settled", (company, case_number, *kind), None)
        },
        M::ContactAsked { case_number, company } => {
            with("contact-asked", company, vec![("caseNumber", Value::Text(case_number))], None)
        }
        M::UserSuspended { company, user_id, rule } => {
            let values = vec![("user", Value::Text(user_id)), ("rule", Value::Rule(rule.as_str()))];
            with("user-suspended", company, values, None)
        }
        M::UserLifted { company, user_id } => {
            with("user-lifted", company, vec![("user", Value::Text(user_id))], None)
        }
        M::ClarificationDue { case_number, company, due } => {
            question("clarification-due", (company, case_number, *due), None)
        }
        M::ClarificationOverdue { case_number, company, due } => {
            question("clarification-overdue", (company, case_number, *due), None)
        }
        M::Approved { case_number, kind, company, note } => {
            outcome("approved", (company, case_number, *kind), note.as_deref())
        }
        M::Rejected { case_number, kind, company, reason } => {
            outcome("rejected", (company, case_number, *kind), Some(reason))
        }
        M::Withdrawn { case_number, kind, company } => {
            outcome("withdrawn", (company, case_number, *kind), None)
        }
        M::KeyRegistered { company, label, fingerprint } => {
            public_key("key-registered", company, label, fingerprint)
        }
        M::KeyRevoked { company, label, fingerprint } => {
            public_key("key-revoked", company, label, fingerprint)
        }
        M::KeyEnds { company, label, fingerprint, last_day: day } => {
            key_ends((company, label, fingerprint), *day)
        }
        M::IssKeyRotated { company } => with("iss-key-rotated", company, Vec::new(), None),
        M::WebhookSet { company, host } => {
            with("webhook-set", company, vec![("host", Value::Text(host))], None)
        }
        M::WebhookRemoved { company, host } => {
            with("webhook-removed", company, vec![("host", Value::Text(host))], None)
        }
        M::WebhookGivenUp { company } => with("webhook-given-up", company, Vec::new(), None),
        M::ContactChanged { company } => with("contact-changed", company, Vec::new(), None),
        M::AccessRevoked { company, ground, reason } => {
            let quote = Some(Quote::Reason(reason));
            Parameters { quote, ..with(revoked(*ground), company, Vec::new(), None) }
        }
        M::AccessSuspended { company, reason } => with("access-suspended", company, Vec::new(), Some(reason)),
        M::NoticeSent { company, rule, message, due: at } => {
            due(notice("notice-sent", (company, *rule, at.date), Some(message)), *at)
        }
        M::NoticeAskedAgain { company, rule, message, due: at } => {
            due(notice("notice-again", (company, *rule, at.date), Some(message)), *at)
        }
        M::NoticeWithdrawn { company, rule, reason } => {
            with("notice-withdrawn", company, vec![("rule", Value::Rule(rule.as_str()))], Some(reason))
        }
        M::NoticeAccepted { company, rule, note } => {
            with("notice-accepted", company, vec![("rule", Value::Rule(rule.as_str()))], note.as_deref())
        }
        M::NoticeDue { company, rule, due } => notice("notice-due", (company, *rule, *due), None),
        M::NoticeOverdue { company, rule, due } => notice("notice-overdue", (company, *rule, *due), None),
        M::Dormant { company, since } => with("dormant", company, vec![("since", Value::Date(*since))], None),
        M::PlanReceived { company } => with("plan-received", company, Vec::new(), None),
        M::PlanRejected { company, reason } => with("plan-rejected", company, Vec::new(), Some(reason)),
        M::ReturnOpened { company, note } => with("return-opened", company, Vec::new(), note.as_deref()),
    }
}

/// Each ground has its own way back.
const fn revoked(ground: Ground) -> &'static str {
    match ground {
        Ground::Abuse => "revoked-abuse",
        Ground::Conduct => "revoked-conduct",
        Ground::NotRegistered => "revoked-not-registered",
    }
}

/// Puts a mail into words.
pub fn compose(message: &MailMessage) -> MailText {
    let parameters = parameters(message);
    let parts: Vec<Part> = LANGUAGES.into_iter().map(|lang| part(lang, &parameters)).collect();
    let subject = LANGUAGES
        .map(|lang| say(lang, &format!("{}-subject", parameters.key), &arguments(lang, &parameters)))
        .join(" / ");
    let plain = parts.iter().map(plain).collect::<Vec<_>>().join("\n----\n\n");
    let html = html(&subject, &parts).unwrap_or_else(|error| {
        tracing::error!(%error, "the mail template does not render");
        String::new()
    });
    MailText { subject, plain, html }
}

fn part(lang: &'static str, parameters: &Parameters<'_>) -> Part {
    let arguments = arguments(lang, parameters);
    let quote_label = match parameters.quote {
        Some(_) => say(lang, &format!("{}-quote-label", parameters.key), &arguments),
        None => String::new(),
    };
    let mut body = say(lang, &format!("{}-body", parameters.key), &arguments);
    if parameters.provisional {
        body = format!("{body}\n\n{}", say(lang, "provisional", &arguments));
    }
    Part {
        lang,
        greeting: say(lang, "greeting", &arguments),
        body,
        quote_label,
        quote: parameters.quote.map(|quote| quote.words(lang)),
        footer: say(lang, "footer", &arguments),
    }
}

fn plain(part: &Part) -> String {
    let quoted = part.quote.as_deref().map(|text| {
        let lines: Vec<_> = text.lines().map(|line| format!("> {line}")).collect();
        format!("{}\n{}\n\n", part.quote_label, lines.join("\n"))
    });
    format!("{}\n\n{}\n\n{}{}\n", part.greeting, part.body, quoted.unwrap_or_default(), part.footer)
}

fn html(subject: &str, parts: &[Part]) -> Result<String, minijinja::Error> {
    let parts: Vec<_> = parts
        .iter()
        .map(|part| {
            context! {
                lang => part.lang,
                greeting => part.greeting.as_str(),
                body => part.body.as_str(),
                quote_label => part.quote_label.as_str(),
                quote => part.quote.as_deref(),
                footer => part.footer.as_str(),
            }
        })
        .collect();
    TEMPLATES.get_template("mail.html")?.render(context! { subject, parts => parts })
}

type Arguments<'a> = HashMap<Cow<'static, str>, FluentValue<'a>>;

fn arguments<'a>(lang: &str, parameters: &Parameters<'a>) -> Arguments<'a> {
    let mut arguments = Arguments::new();
    arguments.insert("company".into(), parameters.company.into());
    for (name, value) in &parameters.values {
        let value = match value {
            Value::Text(text) => FluentValue::from(*text),
            Value::Kind(kind) => say(lang, &format!("kind-{kind}"), &Arguments::new()).into(),
            Value::Rule(rule) => say(lang, &format!("rule-{rule}"), &Arguments::new()).into(),
            Value::Date(date) => day(lang, *date).into(),
        };
        arguments.insert((*name).into(), value);
    }
    arguments
}

/// The day in the ROC calendar, as 圖4 writes it; in English the ISO form.
fn day(lang: &str, date: NaiveDate) -> String {
    if lang == "en" {
        date.to_string()
    } else {
        format!("{}/{:02}/{:02}", date.year() - 1911, date.month(), date.day())
    }
}

fn say(lang: &str, key: &str, arguments: &Arguments<'_>) -> String {
    let language: LanguageIdentifier = lang.parse().unwrap_or_default();
    let text = LOCALES.try_lookup_with_args(&language, key, arguments);
    let found = text.is_some();
    // A mail is better sent with a name in it than not at all; in a test it is neither.
    debug_assert!(found, "no text `{key}` in {lang}");
    text.unwrap_or_else(|| {
        tracing::error!(key, lang, "a text of a mail is missing");
        key.to_owned()
    })
}
