//! What each mail says.

use std::{borrow::Cow, collections::HashMap, sync::LazyLock};

use chrono::{Datelike, NaiveDate};
use fluent_templates::{LanguageIdentifier, Loader, fluent_bundle::FluentValue};
use idcheck_domain::access::Ground;
use idcheck_usecases::ports::MailMessage;
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

/// A mail's texts, ready for a transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailText {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub plain: String,
    /// The same as HTML.
    pub html: String,
}

/// The words of one message in one language.
struct Part {
    lang: &'static str,
    greeting: String,
    body: String,
    quote_label: String,
    footer: String,
}

/// The parameters of a message: its key in the Fluent files, the company, what is set into its sentences, and what a
/// person wrote.
struct Parameters<'m> {
    key: &'static str,
    company: &'m str,
    values: Vec<(&'static str, Value<'m>)>,
    quote: Option<&'m str>,
}

enum Value<'m> {
    Text(&'m str),
    Kind(&'static str),
    Date(NaiveDate),
}

fn parameters(message: &MailMessage) -> Parameters<'_> {
    use Value::{Date, Kind, Text};
    let with = |key, company, values, quote| Parameters { key, company, values, quote };
    match message {
        MailMessage::Received { case_number, kind, company, due } => with(
            "received",
            company,
            vec![("caseNumber", Text(case_number)), ("kind", Kind(kind.as_str())), ("due", Date(*due))],
            None,
        ),
        MailMessage::ClarificationRequested { case_number, company, question, due } => with(
            "clarification",
            company,
            vec![("caseNumber", Text(case_number)), ("due", Date(*due))],
            Some(question),
        ),
        MailMessage::Approved { case_number, kind, company, note } => with(
            "approved",
            company,
            vec![("caseNumber", Text(case_number)), ("kind", Kind(kind.as_str()))],
            note.as_deref(),
        ),
        MailMessage::Rejected { case_number, kind, company, reason } => with(
            "rejected",
            company,
            vec![("caseNumber", Text(case_number)), ("kind", Kind(kind.as_str()))],
            Some(reason),
        ),
        MailMessage::Withdrawn { case_number, kind, company } => with(
            "withdrawn",
            company,
            vec![("caseNumber", Text(case_number)), ("kind", Kind(kind.as_str()))],
            None,
        ),
        MailMessage::KeyRegistered { company, label, fingerprint } => with(
            "key-registered",
            company,
            vec![("label", Text(label)), ("fingerprint", Text(fingerprint))],
            None,
        ),
        MailMessage::KeyRevoked { company, label, fingerprint } => with(
            "key-revoked",
            company,
            vec![("label", Text(label)), ("fingerprint", Text(fingerprint))],
            None,
        ),
        MailMessage::IssKeyRotated { company } => with("iss-key-rotated", company, Vec::new(), None),
        MailMessage::ContactChanged { company } => with("contact-changed", company, Vec::new(), None),
        MailMessage::AccessRevoked { company, ground, reason } => {
            with(revoked(*ground), company, Vec::new(), Some(reason))
        }
        MailMessage::AccessSuspended { company, reason } => {
            with("access-suspended", company, Vec::new(), Some(reason))
        }
        MailMessage::PlanReceived { company } => with("plan-received", company, Vec::new(), None),
        MailMessage::PlanRejected { company, reason } => {
            with("plan-rejected", company, Vec::new(), Some(reason))
        }
        MailMessage::ReturnOpened { company, note } => {
            with("return-opened", company, Vec::new(), note.as_deref())
        }
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
    let plain = parts.iter().map(|part| plain(part, parameters.quote)).collect::<Vec<_>>().join("\n----\n\n");
    let html = html(&subject, &parts, parameters.quote).unwrap_or_else(|error| {
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
    Part {
        lang,
        greeting: say(lang, "greeting", &arguments),
        body: say(lang, &format!("{}-body", parameters.key), &arguments),
        quote_label,
        footer: say(lang, "footer", &arguments),
    }
}

fn plain(part: &Part, quote: Option<&str>) -> String {
    let quoted = quote.map(|text| {
        let lines: Vec<_> = text.lines().map(|line| format!("> {line}")).collect();
        format!("{}\n{}\n\n", part.quote_label, lines.join("\n"))
    });
    format!("{}\n\n{}\n\n{}{}\n", part.greeting, part.body, quoted.unwrap_or_default(), part.footer)
}

fn html(subject: &str, parts: &[Part], quote: Option<&str>) -> Result<String, minijinja::Error> {
    let parts: Vec<_> = parts
        .iter()
        .map(|part| {
            context! {
                lang => part.lang,
                greeting => part.greeting.as_str(),
                body => part.body.as_str(),
                quote_label => part.quote_label.as_str(),
                footer => part.footer.as_str(),
            }
        })
        .collect();
    TEMPLATES.get_template("mail.html")?.render(context! { subject, parts => parts, quote })
}

type Arguments<'a> = HashMap<Cow<'static, str>, FluentValue<'a>>;

fn arguments<'a>(lang: &str, parameters: &Parameters<'a>) -> Arguments<'a> {
    let mut arguments = Arguments::new();
    arguments.insert("company".into(), parameters.company.into());
    for (name, value) in &parameters.values {
        let value = match value {
            Value::Text(text) => FluentValue::from(*text),
            Value::Kind(kind) => say(lang, &format!("kind-{kind}"), &Arguments::new()).into(),
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
    LOCALES.lookup_with_args(&language, key, arguments)
}
