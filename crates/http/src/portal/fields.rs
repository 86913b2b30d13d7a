//! The form of each act, made from what its content consists of, and reading a posted form as that content.

use std::borrow::Cow;

use idcheck_domain::{
    consent::{CONDUCT_VERSION, NOTICE_VERSION},
    value::UnifiedBusinessNumber,
};
use idcheck_usecases::{
    Content, FieldViolation, Leaf,
    acts::{
        ActName,
        schema::{Group, Shape},
    },
};
use minijinja::{Value, context};

use crate::{
    kernel::{
        i18n::Lang,
        page::{FormValues, value},
    },
    portal::spelling::usual,
};

/// A field of a form.
struct Field {
    /// The pointer into the content where the field has one of its own.
    name: Cow<'static, str>,
    required: bool,
    shape: Shape,
}

/// The field for a public key.
pub(crate) const PUBLIC_KEY: &str = "/publicKeyPem";
const UBN: &str = "ubn";
const HOSTS: &str = "hosts";
pub(crate) const CONSENT: &str = "consent";

/// The value of the box: the versions that are shown beside it. What is consented to is what was shown when the page
/// was made, however long it stays open.
fn shown_versions() -> String {
    format!("{NOTICE_VERSION} {CONDUCT_VERSION}")
}

/// The fields of a group, those of the groups in it among them. Of a group that may be left out every field may.
fn open(group: &Group, at: &str, required: bool, fields: &mut Vec<Field>) {
    for field in group.fields {
        let pointer = format!("{at}/{}", field.name);
        let required = required && field.required;
        let (name, required) = match field.shape {
            Shape::Group(group) => {
                open(group, &pointer, required, fields);
                continue;
            }
            Shape::HostAddresses { .. } => (HOSTS.into(), required),
            Shape::Consent(_) => (CONSENT.into(), required),
            // One of them is always chosen.
            Shape::Choice(_) => (pointer.into(), true),
            _ => (pointer.into(), required),
        };
        fields.push(Field { name, required, shape: field.shape });
    }
}

/// The fields of an act's form. The company's number comes first, but after the company's name.
fn fields(act: ActName) -> Vec<Field> {
    let mut fields = Vec::new();
    open(&act.content(), "", true, &mut fields);
    let place = usize::from(fields.first().is_some_and(|field| field.name == "/companyName"));
    fields.insert(place, Field { name: UBN.into(), required: true, shape: Shape::BusinessNumber });
    fields
}

impl Field {
    fn widget(&self) -> &'static str {
        match self.shape {
            Shape::Line { .. } | Shape::Landline => "line",
            Shape::Mobile => "tel",
            Shape::Email { .. } => "email",
            Shape::Text { .. } | Shape::HostAddresses { .. } => "area",
            Shape::BusinessNumber | Shape::Integer { .. } => "number",
            Shape::Identity => "hidden",
            Shape::Instant => "moment",
            Shape::Choice(_) => "choice",
            Shape::PublicKey => "key",
            Shape::Consent(_) | Shape::Group(_) => "consent",
        }
    }

    fn autocomplete(&self) -> &'static str {
        match self.shape {
            Shape::Line { autocomplete, .. } => autocomplete,
            Shape::Mobile => "tel",
            Shape::Email { .. } => "email",
            _ => "off",
        }
    }

    fn choices(&self) -> &'static [&'static str] {
        match self.shape {
            Shape::Choice(words) => words,
            _ => &[],
        }
    }

    /// The key of its label; its HTML id too.
    fn label(&self) -> String {
        match &*self.name {
            UBN => "field-unifiedBusinessNumber".to_owned(),
            HOSTS => "field-hostAddresses".to_owned(),
            CONSENT => "field-consent".to_owned(),
            pointer => format!("field{}", pointer.replace('/', "-")),
        }
    }

    /// Whether a violation at `pointer` is told at this field.
    fn tells(&self, pointer: &str) -> bool {
        match &*self.name {
            UBN => pointer == "/unifiedBusinessNumber",
            HOSTS => pointer.starts_with("/hostAddresses"),
            CONSENT => pointer.starts_with("/consent"),
            own => pointer == own,
        }
    }
}

/// The fields with what was typed and what is wrong, for `form.html` and `check.html`.
pub(crate) fn shown(lang: Lang, act: ActName, form: &FormValues, wrong: &[FieldViolation]) -> Value {
    let one = |field: &Field| {
        let error = wrong.iter().find(|v| field.tells(&v.pointer)).map(|v| lang.violation(v.violation));
        let typed = value(form, &field.name);
        let choices = field.choices();
        let typed = if typed.is_empty() { choices.first().copied().unwrap_or_default() } else { typed };
        context! {
            name => &*field.name, widget => field.widget(), autocomplete => field.autocomplete(),
            required => field.required, label => field.label(), id => field.label(), value => typed, error,
            versions => (field.name == CONSENT).then(shown_versions),
            choices => choices.iter().copied().collect::<Value>(),
        }
    };
    fields(act).iter().map(one).collect()
}

/// The error summary: every violation once, in the order of the fields, each linked to its field.
pub(crate) fn summary(lang: Lang, act: ActName, wrong: &[FieldViolation]) -> Value {
    let fields = fields(act);
    let told = fields.iter().flat_map(|field| {
        wrong.iter().filter(|v| field.tells(&v.pointer)).map(move |v| {
            // What nobody types has no label and no place to jump to: it came with the link that was followed.
            if matches!(field.shape, Shape::Identity) {
                return context! { id => "main", message => lang.t("form-link-broken") };
            }
            let message = lang.violation(v.violation);
            context! { id => field.label(), field => field.label(), message }
        })
    });
    let rest = wrong.iter().filter(|v| !fields.iter().any(|field| field.tells(&v.pointer)));
    told.chain(rest.map(|v| context! { id => "main", message => lang.violation(v.violation) })).collect()
}

/// A form with what people usually spell in several ways in the spelling that the rules know, which the check page shows.
pub(crate) fn understood(act: ActName, form: &FormValues) -> FormValues {
    let fields = fields(act);
    let shape = |name: &str| fields.iter().find(|field| field.name == name).map(|field| field.shape);
    let one = |(name, typed): &(String, String)| {
        let understood = shape(name).map_or_else(|| typed.clone(), |shape| usual(shape, typed));
        (name.clone(), understood)
    };
    form.iter().map(one).collect()
}

/// A form as the content of its act. Blank fields are absent; fields of other acts are passed over.
pub(crate) fn content(act: ActName, form: &FormValues) -> Content {
    let mut leaves = Vec::new();
    for field in fields(act) {
        let typed = usual(field.shape, &value(form, &field.name).replace("\r\n", "\n"));
        let text = |pointer: String, text: &str| (pointer, Leaf::Text(text.to_owned()));
        match field.shape {
            Shape::HostAddresses { .. } => {
                let hosts = typed.lines().filter(|host| !host.is_empty()).enumerate();
                leaves.extend(hosts.map(|(index, host)| text(format!("/hostAddresses/{index}"), host)));
            }
            Shape::Consent(group) => {
                let versions = group.fields.iter().zip(typed.split_whitespace());
                leaves.extend(versions.map(|(of, version)| text(format!("/consent/{}", of.name), version)));
            }
            _ if field.name == UBN || typed.trim().is_empty() => {}
            Shape::Instant => leaves.push((field.name.into_owned(), Leaf::Text(in_taipei(&typed)))),
            Shape::Integer { .. } => {
                let leaf = typed.trim().parse().map_or(Leaf::Text(typed), Leaf::Integer);
                leaves.push((field.name.into_owned(), leaf));
            }
            _ => leaves.push((field.name.into_owned(), Leaf::Text(typed))),
        }
    }
    leaves.into_iter().collect()
}

/// The form that a content was typed into.
pub(crate) fn typed(act: ActName, ubn: UnifiedBusinessNumber, content: &Content) -> FormValues {
    let leaf = |pointer: &str| match content.iter().find(|(at, _)| *at == pointer) {
        Some((_, Leaf::Text(text))) => text.clone(),
        Some((_, Leaf::Integer(number))) => number.to_string(),
        Some((_, Leaf::Null | Leaf::Empty)) | None => String::new(),
    };
    let one = |field: Field| {
        let typed = match field.shape {
            Shape::HostAddresses { .. } => {
                let places = (0..).map(|index| leaf(&format!("/hostAddresses/{index}")));
                places.take_while(|host| !host.is_empty()).collect::<Vec<_>>().join("\n")
            }
            Shape::Consent(group) => {
                let versions = group.fields.iter().map(|of| leaf(&format!("/consent/{}", of.name)));
                versions.collect::<Vec<_>>().join(" ").trim().to_owned()
            }
            // As a browser's field has it, which is Taipei's time; anything else is as it was typed.
            Shape::Instant => {
                let typed = leaf(&field.name);
                typed.strip_suffix(":00+08:00").map_or(typed.clone(), str::to_owned)
            }
            _ if field.name == UBN => ubn.to_string(),
            _ => leaf(&field.name),
        };
        (field.name.into_owned(), typed)
    };
    fields(act).into_iter().map(one).collect()
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
    let pointer = |field: Field| match &*field.name {
        UBN => "/unifiedBusinessNumber".to_owned(),
        HOSTS => "/hostAddresses/0".to_owned(),
        CONSENT => "/consent/noticeVersion".to_owned(),
        own => own.to_owned(),
    };
    let violation = idcheck_domain::Violation::Required;
    fields(act).into_iter().map(|field| FieldViolation { pointer: pointer(field), violation }).collect()
}

/// The number that was typed.
pub(crate) fn ubn(form: &FormValues) -> Result<UnifiedBusinessNumber, FieldViolation> {
    let typed = usual(Shape::BusinessNumber, value(form, UBN));
    let parsed = if typed.is_empty() {
        Err(idcheck_domain::Violation::Required)
    } else {
        UnifiedBusinessNumber::parse(&typed)
    };
    parsed.map_err(|violation| FieldViolation { pointer: "/unifiedBusinessNumber".to_owned(), violation })
}
