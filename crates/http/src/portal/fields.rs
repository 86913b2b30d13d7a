//! The form of each act, made from what its content consists of, and reading a posted form as that content.

use std::borrow::Cow;

use idcheck_domain::{
    Violation,
    attachment::{FileReference, MAX_BYTES},
    consent::{CONDUCT_VERSION, NOTICE_VERSION},
    value::{FileName, UnifiedBusinessNumber},
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
    portal::spelling::{instant_as_sent, instant_as_typed, usual},
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
pub(crate) const UBN: &str = "ubn";
pub(crate) const HOSTS: &str = "hosts";
pub(crate) const CONSENT: &str = "consent";
/// Each value is the reference of a file that was kept; nobody types it.
pub(crate) const FILES: &str = "/attachments";
/// The file that was refused last: the code of the rule, a blank, the file's name.
pub(crate) const REFUSED_FILE: &str = "refused-file";

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

/// The key of a field's label; its HTML id too.
pub(crate) fn label(name: &str) -> String {
    match name {
        UBN => "field-unifiedBusinessNumber".to_owned(),
        HOSTS => "field-hostAddresses".to_owned(),
        CONSENT => "field-consent".to_owned(),
        pointer => format!("field{}", pointer.replace('/', "-")),
    }
}

impl Field {
    fn widget(&self) -> &'static str {
        match self.shape {
            Shape::Line { .. } | Shape::Landline => "line",
            Shape::Mobile => "tel",
            Shape::Email { .. } => "email",
            Shape::Text { .. } => "area",
            Shape::HostAddresses { .. } => "hosts",
            Shape::Files { .. } => "files",
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

    fn label(&self) -> String {
        label(&self.name)
    }

    /// Whether a violation at `pointer` is told at this field.
    fn tells(&self, pointer: &str) -> bool {
        match &*self.name {
            UBN => pointer == "/unifiedBusinessNumber",
            HOSTS => pointer.starts_with("/hostAddresses"),
            CONSENT => pointer.starts_with("/consent"),
            FILES => pointer.starts_with(FILES),
            own => pointer == own,
        }
    }
}

/// Every value of a name.
fn values<'f>(form: &'f FormValues, name: &'f str) -> impl Iterator<Item = &'f str> {
    form.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// What is wrong with a field, in the words of its rule; what was left empty is asked for by its name.
fn told(lang: Lang, field: &Field, violation: Violation) -> String {
    if violation != Violation::Required {
        return lang.violation(violation);
    }
    match field.shape {
        Shape::Consent(_) => lang.t("consent-needed"),
        Shape::Identity => lang.t("form-link-broken"),
        _ => lang.t_with("field-needed", &[("field", lang.t(&field.label()).into())]),
    }
}

/// The name of the file that a violation is about, where it is the one that was refused.
fn refused_file<'f>(wrong: &FieldViolation, form: &'f FormValues) -> Option<&'f str> {
    let (_, name) = value(form, REFUSED_FILE).split_once(' ')?;
    (wrong.pointer == format!("{FILES}/refused")).then_some(name)
}

/// What is wrong with the file that was refused last.
pub(crate) fn refused(form: &FormValues) -> Option<FieldViolation> {
    let (code, _) = value(form, REFUSED_FILE).split_once(' ')?;
    let violation = match Violation::ALL.into_iter().find(|violation| violation.code() == code)? {
        Violation::FileTooLarge { .. } => Violation::FileTooLarge { max: MAX_BYTES >> 20 },
        Violation::TooLong { .. } => Violation::TooLong { max: FileName::MAX },
        other => other,
    };
    Some(FieldViolation { pointer: format!("{FILES}/refused"), violation })
}

/// The references of the files that were kept for a form.
pub(crate) fn files(form: &FormValues) -> Vec<FileReference> {
    values(form, FILES).filter_map(|text| FileReference::parse(text).ok()).collect()
}

fn summary_line(lang: Lang, field: String, violation: Violation) -> String {
    let places = [("field", field.into()), ("message", lang.violation(violation).into())];
    lang.t_with("summary-line", &places)
}

/// The rows in which host addresses are asked for: those that were typed, and one more.
fn rows(lang: Lang, form: &FormValues, max: usize, wrong: &[FieldViolation]) -> Value {
    let mut typed: Vec<_> = values(form, HOSTS).filter(|host| !host.trim().is_empty()).collect();
    if typed.len() < max {
        typed.push("");
    }
    let row = |(index, host): (usize, &str)| {
        let pointer = format!("/hostAddresses/{index}");
        let error = wrong.iter().find(|v| v.pointer == pointer).map(|v| {
            let places = [("typed", host.into()), ("message", lang.violation(v.violation).into())];
            lang.t_with("row-wrong", &places)
        });
        context! { index, number => index + 1, value => host, error }
    };
    typed.into_iter().enumerate().map(row).collect()
}

/// The fields of one step, or of all, with what was typed and what is wrong, for `form.html` and `check.html`.
pub(crate) fn shown(
    lang: Lang,
    act: ActName,
    asked: impl Fn(&str) -> bool,
    form: &FormValues,
    wrong: &[FieldViolation],
) -> Value {
    let one = |field: &Field| {
        let error = wrong.iter().find(|v| field.tells(&v.pointer)).map(|v| match refused_file(v, form) {
            Some(name) => summary_line(lang, name.to_owned(), v.violation),
            None => told(lang, field, v.violation),
        });
        let typed = value(form, &field.name);
        let choices = field.choices();
        let typed = if typed.is_empty() { choices.first().copied().unwrap_or_default() } else { typed };
        let rows = match field.shape {
            Shape::HostAddresses { max } => rows(lang, form, max, wrong),
            _ => Value::UNDEFINED,
        };
        let typed = match field.shape {
            Shape::HostAddresses { .. } => values(form, HOSTS).collect::<Vec<_>>().join("\n"),
            _ => typed.to_owned(),
        };
        context! {
            name => &*field.name, widget => field.widget(), autocomplete => field.autocomplete(),
            required => field.required, label => field.label(), id => field.label(), value => typed, error, rows,
            versions => (field.name == CONSENT).then(shown_versions),
            choices => choices.iter().copied().collect::<Value>(),
        }
    };
    fields(act).iter().filter(|field| asked(&field.name)).map(one).collect()
}

/// Names of what nobody types: it comes with the link, and says what the act is about.
pub(crate) fn identities(act: ActName) -> Vec<String> {
    let named =
        |field: &Field| matches!(field.shape, Shape::Identity).then(|| field.name.clone().into_owned());
    fields(act).iter().filter_map(named).collect()
}

/// Whether the form of an act has a field of this name.
pub(crate) fn has(act: ActName, name: &str) -> bool {
    fields(act).iter().any(|field| field.name == name)
}

/// Whether something is wrong that no field tells.
pub(crate) fn nowhere(act: ActName, wrong: &[FieldViolation]) -> bool {
    let fields = fields(act);
    wrong.iter().any(|v| !fields.iter().any(|field| field.tells(&v.pointer)))
}

/// Whether something is wrong with a field that is asked for.
pub(crate) fn any_wrong(act: ActName, asked: impl Fn(&str) -> bool, wrong: &[FieldViolation]) -> bool {
    let fields = fields(act);
    wrong.iter().any(|v| fields.iter().any(|field| asked(&field.name) && field.tells(&v.pointer)))
}

/// The error summary: every violation of the fields that are asked for once, in their order, each linked to its field.
pub(crate) fn summary(
    lang: Lang,
    act: ActName,
    asked: impl Fn(&str) -> bool,
    form: &FormValues,
    wrong: &[FieldViolation],
) -> Value {
    let fields = fields(act);
    let hosts: Vec<_> = values(form, HOSTS).collect();
    let one = |field: &Field, v: &FieldViolation| {
        // What nobody types has no label and no place to jump to: it came with the link that was followed.
        if matches!(field.shape, Shape::Identity) {
            return context! { id => "main", message => lang.t("form-link-broken") };
        }
        let id = field.label();
        if v.violation == Violation::Required {
            return context! { id, message => told(lang, field, v.violation) };
        }
        let row = v.pointer.strip_prefix("/hostAddresses/").and_then(|row| row.parse::<usize>().ok());
        let (id, name) = match row.zip(row.and_then(|row| hosts.get(row))) {
            Some((row, host)) => (format!("{id}-{row}"), (*host).to_owned()),
            None => (id.clone(), lang.t(&id)),
        };
        let name = refused_file(v, form).map_or(name, str::to_owned);
        context! { id, message => summary_line(lang, name, v.violation) }
    };
    let asked = fields.iter().filter(|field| asked(&field.name));
    let told =
        asked.flat_map(|field| wrong.iter().filter(|v| field.tells(&v.pointer)).map(move |v| one(field, v)));
    let rest = wrong.iter().filter(|v| !fields.iter().any(|field| field.tells(&v.pointer)));
    told.chain(rest.map(|v| context! { id => "main", message => lang.violation(v.violation) })).collect()
}

/// A form with what people usually spell in several ways in the spelling that the rules know, which the check page shows.
pub(crate) fn understood(act: ActName, form: &FormValues) -> FormValues {
    let fields = fields(act);
    let shape = |name: &str| fields.iter().find(|field| field.name == name).map(|field| field.shape);
    let one = |(name, typed): &(String, String)| {
        let understood = shape(name).map_or_else(|| typed.clone(), |shape| usual(shape, typed));
        let parts: Vec<_> = match name.as_str() {
            // A list that was put into one row is a list.
            HOSTS => understood.lines().map(str::to_owned).collect(),
            _ => vec![understood],
        };
        parts.into_iter().map(|part| (name.clone(), part)).collect::<Vec<_>>()
    };
    form.iter().flat_map(one).collect()
}

/// A form as the content of its act. Blank fields are absent; fields of other acts are passed over.
pub(crate) fn content(act: ActName, form: &FormValues) -> Content {
    let mut leaves = Vec::new();
    for field in fields(act) {
        let typed = usual(field.shape, &value(form, &field.name).replace("\r\n", "\n"));
        let text = |pointer: String, text: &str| (pointer, Leaf::Text(text.to_owned()));
        match field.shape {
            Shape::HostAddresses { .. } => {
                let typed: Vec<_> = values(form, HOSTS).map(|host| usual(field.shape, host)).collect();
                let hosts = typed.iter().flat_map(|host| host.lines()).filter(|host| !host.is_empty());
                let hosts = hosts.enumerate();
                leaves.extend(hosts.map(|(index, host)| text(format!("/hostAddresses/{index}"), host)));
            }
            Shape::Files { .. } => {
                let files = values(form, FILES).enumerate();
                leaves.extend(files.map(|(index, file)| text(format!("{FILES}/{index}"), file)));
            }
            Shape::Consent(group) => {
                let versions = group.fields.iter().zip(typed.split_whitespace());
                leaves.extend(versions.map(|(of, version)| text(format!("/consent/{}", of.name), version)));
            }
            _ if field.name == UBN || typed.trim().is_empty() => {}
            Shape::Instant => leaves.push((field.name.into_owned(), Leaf::Text(instant_as_sent(&typed)))),
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
                places.take_while(|host| !host.is_empty()).collect()
            }
            Shape::Files { .. } => {
                let places = (0..).map(|index| leaf(&format!("{FILES}/{index}")));
                places.take_while(|file| !file.is_empty()).collect()
            }
            Shape::Consent(group) => {
                let versions = group.fields.iter().map(|of| leaf(&format!("/consent/{}", of.name)));
                vec![versions.collect::<Vec<_>>().join(" ").trim().to_owned()]
            }
            Shape::Instant => vec![instant_as_typed(&leaf(&field.name))],
            _ if field.name == UBN => vec![ubn.to_string()],
            _ => vec![leaf(&field.name)],
        };
        typed.into_iter().map(move |typed| (field.name.clone().into_owned(), typed))
    };
    fields(act).into_iter().flat_map(one).collect()
}

#[cfg(test)]
pub(crate) fn names(act: ActName) -> Vec<String> {
    fields(act).into_iter().map(|field| field.name.into_owned()).collect()
}

/// A violation at every field of an act.
#[cfg(test)]
pub(crate) fn all_wrong(act: ActName) -> Vec<FieldViolation> {
    let pointer = |field: Field| match &*field.name {
        UBN => "/unifiedBusinessNumber".to_owned(),
        HOSTS => "/hostAddresses/0".to_owned(),
        CONSENT => "/consent/noticeVersion".to_owned(),
        FILES => format!("{FILES}/0"),
        own => own.to_owned(),
    };
    let violation = Violation::Required;
    fields(act).into_iter().map(|field| FieldViolation { pointer: pointer(field), violation }).collect()
}

/// The number that was typed.
pub(crate) fn ubn(form: &FormValues) -> Result<UnifiedBusinessNumber, FieldViolation> {
    let typed = usual(Shape::BusinessNumber, value(form, UBN));
    let parsed =
        if typed.is_empty() { Err(Violation::Required) } else { UnifiedBusinessNumber::parse(&typed) };
    parsed.map_err(|violation| FieldViolation { pointer: "/unifiedBusinessNumber".to_owned(), violation })
}
