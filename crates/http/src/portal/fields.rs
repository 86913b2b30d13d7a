//! The fields of each act's form, and reading a posted form as an act's content.

use idcheck_domain::{
    consent::{CONDUCT_VERSION, NOTICE_VERSION},
    value::UnifiedBusinessNumber,
};
use idcheck_usecases::{Content, FieldViolation, Leaf, acts::ActName};
use minijinja::{Value, context};

use crate::kernel::{
    i18n::Lang,
    page::{FormValues, value},
};

/// A field: its name in the form, which is the pointer into the content where it has one of its own.
struct Field {
    name: &'static str,
    widget: &'static str,
    autocomplete: &'static str,
    required: bool,
}

const fn field(name: &'static str, widget: &'static str, autocomplete: &'static str) -> Field {
    Field { name, widget, autocomplete, required: true }
}

const fn optional(name: &'static str, widget: &'static str, autocomplete: &'static str) -> Field {
    Field { name, widget, autocomplete, required: false }
}

/// The field for a public key.
pub(crate) const PUBLIC_KEY: &str = "/publicKeyPem";
const UBN: &str = "ubn";
const HOSTS: &str = "hosts";
pub(crate) const CONSENT: &str = "consent";
const CUT_OVER: &str = "/cutOverAt";
const OVERLAP: &str = "/overlapDays";

/// The value of the box: the versions that are shown beside it. What is consented to is what was shown when the page
/// was made, however long it stays open.
fn shown_versions() -> String {
    format!("{NOTICE_VERSION} {CONDUCT_VERSION}")
}

const APPLY: [Field; 12] = [
    field("/companyName", "line", "organization"),
    field(UBN, "number", "off"),
    field(HOSTS, "area", "off"),
    field("/contact/name", "line", "name"),
    optional("/contact/landline", "line", "off"),
    optional("/contact/mobile", "line", "tel"),
    field("/contact/email", "line", "email"),
    field("/purpose/authority", "line", "off"),
    field("/purpose/rule", "line", "off"),
    field("/purpose/description", "area", "off"),
    optional("/formerUnifiedBusinessNumber", "number", "off"),
    field(CONSENT, "consent", "off"),
];
/// Of the later kinds the contact may stay blank: then it stays as it is.
const CHANGE_ADDRESS: [Field; 10] = [
    field(UBN, "number", "off"),
    field(HOSTS, "area", "off"),
    field("/reason", "area", "off"),
    optional(CUT_OVER, "moment", "off"),
    optional(OVERLAP, "number", "off"),
    optional("/contact/name", "line", "name"),
    optional("/contact/landline", "line", "off"),
    optional("/contact/mobile", "line", "tel"),
    optional("/contact/email", "line", "email"),
    field(CONSENT, "consent", "off"),
];
const SUSPEND: [Field; 7] = [
    field(UBN, "number", "off"),
    field("/reason", "area", "off"),
    optional("/contact/name", "line", "name"),
    optional("/contact/landline", "line", "off"),
    optional("/contact/mobile", "line", "tel"),
    optional("/contact/email", "line", "email"),
    field(CONSENT, "consent", "off"),
];
const NUMBER: [Field; 1] = [field(UBN, "number", "off")];
const REGISTER_KEY: [Field; 5] = [
    field(UBN, "number", "off"),
    field("/label", "line", "off"),
    field("/environment", "choice", "off"),
    field("/profile", "choice", "off"),
    field(PUBLIC_KEY, "key", "off"),
];
const REVOKE_KEY: [Field; 2] = [field(UBN, "number", "off"), field("/keyId", "hidden", "off")];
const CHANGE_CONTACT: [Field; 5] = [
    field(UBN, "number", "off"),
    field("/contact/name", "line", "name"),
    optional("/contact/landline", "line", "off"),
    optional("/contact/mobile", "line", "tel"),
    field("/contact/email", "line", "email"),
];
const ANSWER: [Field; 4] = [
    field(UBN, "number", "off"),
    field("/answer", "area", "off"),
    field("/applicationId", "hidden", "off"),
    field("/clarificationId", "hidden", "off"),
];
const EXPLAIN: [Field; 3] =
    [field(UBN, "number", "off"), field("/explanation", "area", "off"), field("/noticeId", "hidden", "off")];
const PLAN: [Field; 2] = [field(UBN, "number", "off"), field("/plan", "area", "off")];
const WITHDRAW: [Field; 3] = [
    field(UBN, "number", "off"),
    optional("/reason", "area", "off"),
    field("/applicationId", "hidden", "off"),
];

const fn fields(act: ActName) -> &'static [Field] {
    match act {
        ActName::Apply => &APPLY,
        ActName::ChangeAddress => &CHANGE_ADDRESS,
        ActName::Suspend => &SUSPEND,
        ActName::Progress | ActName::RevealIssKey | ActName::RotateIssKey => &NUMBER,
        ActName::RegisterKey => &REGISTER_KEY,
        ActName::RevokeKey => &REVOKE_KEY,
        ActName::ChangeContact => &CHANGE_CONTACT,
        ActName::AnswerClarification => &ANSWER,
        ActName::Explain => &EXPLAIN,
        ActName::SubmitImprovementPlan => &PLAN,
        ActName::Withdraw => &WITHDRAW,
    }
}

/// What can be chosen, the usual one first.
const fn choices(name: &str) -> &'static [&'static str] {
    match name.as_bytes() {
        b"/profile" => &["legacy", "strict"],
        b"/environment" => &["production", "sandbox"],
        _ => &[],
    }
}

/// The key of the field's label; its HTML id too.
fn label(name: &str) -> String {
    match name {
        UBN => "field-unifiedBusinessNumber".to_owned(),
        HOSTS => "field-hostAddresses".to_owned(),
        CONSENT => "field-consent".to_owned(),
        pointer => format!("field{}", pointer.replace('/', "-")),
    }
}

/// Whether a violation at `pointer` is told at this field.
fn tells(name: &str, pointer: &str) -> bool {
    match name {
        UBN => pointer == "/unifiedBusinessNumber",
        HOSTS => pointer.starts_with("/hostAddresses"),
        CONSENT => pointer.starts_with("/consent"),
        own => pointer == own,
    }
}

/// The fields with what was typed and what is wrong, for `form.html` and `check.html`.
pub(crate) fn shown(lang: Lang, act: ActName, form: &FormValues, wrong: &[FieldViolation]) -> Value {
    let one = |field: &Field| {
        let error = wrong.iter().find(|v| tells(field.name, &v.pointer)).map(|v| lang.violation(v.violation));
        let typed = value(form, field.name);
        let choices = choices(field.name);
        let typed = if typed.is_empty() { choices.first().copied().unwrap_or_default() } else { typed };
        context! {
            name => field.name, widget => field.widget, autocomplete => field.autocomplete,
            required => field.required, label => label(field.name), id => label(field.name), value => typed, error,
            versions => (field.name == CONSENT).then(shown_versions), choices => choices.iter().copied().collect::<Value>(),
        }
    };
    fields(act).iter().map(one).collect()
}

/// The error summary: every violation once, in the order of the fields, each linked to its field.
pub(crate) fn summary(lang: Lang, act: ActName, wrong: &[FieldViolation]) -> Value {
    let of = |field: &'static Field| {
        wrong.iter().filter(|v| tells(field.name, &v.pointer)).map(move |v| (field, v))
    };
    let told = fields(act).iter().flat_map(of);
    let told = told.map(|(field, v)| {
        // What nobody types has no label and no place to jump to: it came with the link that was followed.
        if field.widget == "hidden" {
            return context! { id => "main", message => lang.t("form-link-broken") };
        }
        context! { id => label(field.name), field => label(field.name), message => lang.violation(v.violation) }
    });
    let rest = wrong.iter().filter(|v| !fields(act).iter().any(|field| tells(field.name, &v.pointer)));
    told.chain(rest.map(|v| context! { id => "main", message => lang.violation(v.violation) })).collect()
}

/// A form as the content of its act. Blank fields are absent; fields of other acts are passed over.
pub(crate) fn content(act: ActName, form: &FormValues) -> Content {
    let mut leaves = Vec::new();
    for field in fields(act) {
        let typed = value(form, field.name).replace("\r\n", "\n");
        match field.name {
            HOSTS => {
                let hosts =
                    typed.split([',', '\n', ' ', '、']).map(str::trim).filter(|host| !host.is_empty());
                leaves.extend(
                    hosts.enumerate().map(|(i, host)| (format!("/hostAddresses/{i}"), host.to_owned())),
                );
            }
            CONSENT => {
                let pointers = ["/consent/noticeVersion", "/consent/conductVersion"];
                let versions = pointers.into_iter().zip(typed.split_whitespace());
                leaves.extend(versions.map(|(pointer, version)| (pointer.to_owned(), version.to_owned())));
            }
            CUT_OVER if !typed.is_empty() => leaves.push((CUT_OVER.to_owned(), in_taipei(&typed))),
            UBN => {}
            pointer if !typed.trim().is_empty() => leaves.push((pointer.to_owned(), typed)),
            _ => {}
        }
    }
    leaves.into_iter().map(|(pointer, text)| leaf(pointer, text)).collect()
}

/// Everything typed is text, but for the one whole number.
fn leaf(pointer: String, text: String) -> (String, Leaf) {
    match text.trim().parse() {
        Ok(number) if pointer == OVERLAP => (pointer, Leaf::Integer(number)),
        _ => (pointer, Leaf::Text(text)),
    }
}

/// What a browser's field for date and time gives (`2026-12-01T09:00`) is Taipei's time; anything else is as typed.
fn in_taipei(typed: &str) -> String {
    match chrono::NaiveDateTime::parse_from_str(typed.trim(), "%Y-%m-%dT%H:%M") {
        Ok(local) => format!("{}+08:00", local.format("%Y-%m-%dT%H:%M:%S")),
        Err(_) => typed.to_owned(),
    }
}

/// A violation at every field of an act.
#[cfg(test)]
pub(crate) fn all_wrong(act: ActName) -> Vec<FieldViolation> {
    let pointer = |field: &Field| match field.name {
        UBN => "/unifiedBusinessNumber",
        HOSTS => "/hostAddresses/0",
        CONSENT => "/consent/noticeVersion",
        own => own,
    };
    let violation = idcheck_domain::Violation::Required;
    let wrong = |field| FieldViolation { pointer: pointer(field).to_owned(), violation };
    fields(act).iter().map(wrong).collect()
}

/// The number that was typed.
pub(crate) fn ubn(form: &FormValues) -> Result<UnifiedBusinessNumber, FieldViolation> {
    let typed = value(form, UBN).trim();
    let parsed = if typed.is_empty() {
        Err(idcheck_domain::Violation::Required)
    } else {
        UnifiedBusinessNumber::parse(typed)
    };
    parsed.map_err(|violation| FieldViolation { pointer: "/unifiedBusinessNumber".to_owned(), violation })
}
