//! Templates and assets: what turns values into HTML. It knows no use case.

use std::{borrow::Cow, collections::HashMap, sync::LazyLock};

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use fluent_templates::fluent_bundle::FluentValue;
use idcheck_domain::{calendar::DueDate, taipei};
use minijinja::{
    Environment, UndefinedBehavior, Value, context,
    value::{Kwargs, ValueKind},
};
use poem::{
    IntoResponse, Response, handler,
    http::{StatusCode, header},
    web::Path,
};
use sha2::{Digest, Sha256};

use crate::kernel::i18n::Lang;

const TEMPLATES: &[(&str, &str)] = &[
    ("layout.html", include_str!("../../templates/layout.html")),
    ("macros.html", include_str!("../../templates/macros.html")),
    ("home.html", include_str!("../../templates/home.html")),
    ("articles.html", include_str!("../../templates/articles.html")),
    ("kind.html", include_str!("../../templates/kind.html")),
    ("form.html", include_str!("../../templates/form.html")),
    ("check.html", include_str!("../../templates/check.html")),
    ("sign.html", include_str!("../../templates/sign.html")),
    ("accepted.html", include_str!("../../templates/accepted.html")),
    ("organisation.html", include_str!("../../templates/organisation.html")),
    ("result.html", include_str!("../../templates/result.html")),
    ("charts.html", include_str!("../../templates/charts.html")),
    ("design.html", include_str!("../../templates/design.html")),
    ("register.html", include_str!("../../templates/register.html")),
    ("operations.html", include_str!("../../templates/operations.html")),
    ("problem.html", include_str!("../../templates/problem.html")),
    ("docs/layout.html", include_str!("../../templates/docs/layout.html")),
    ("docs/macros.html", include_str!("../../templates/docs/macros.html")),
    ("docs/guide.html", include_str!("../../templates/docs/guide.html")),
    ("docs/reference.html", include_str!("../../templates/docs/reference.html")),
    ("docs/errors.html", include_str!("../../templates/docs/errors.html")),
    ("officer/layout.html", include_str!("../../templates/officer/layout.html")),
    ("officer/sign-in.html", include_str!("../../templates/officer/sign-in.html")),
    ("officer/signed-in.html", include_str!("../../templates/officer/signed-in.html")),
    ("officer/queue.html", include_str!("../../templates/officer/queue.html")),
    ("officer/case.html", include_str!("../../templates/officer/case.html")),
    ("officer/notices.html", include_str!("../../templates/officer/notices.html")),
    ("officer/mail.html", include_str!("../../templates/officer/mail.html")),
    ("officer/macros.html", include_str!("../../templates/officer/macros.html")),
    ("officer/organisation.html", include_str!("../../templates/officer/organisation.html")),
    ("officer/audit.html", include_str!("../../templates/officer/audit.html")),
    ("officer/sweep.html", include_str!("../../templates/officer/sweep.html")),
    ("officer/sweeps.html", include_str!("../../templates/officer/sweeps.html")),
    ("officer/preview.html", include_str!("../../templates/officer/preview.html")),
    ("officer/templates.html", include_str!("../../templates/officer/templates.html")),
    ("officer/usage.html", include_str!("../../templates/officer/usage.html")),
    ("officer/waiting.html", include_str!("../../templates/officer/waiting.html")),
];

struct Asset {
    /// How templates call it.
    key: &'static str,
    stem: &'static str,
    extension: &'static str,
    content_type: &'static str,
    body: &'static str,
}

const ASSETS: [Asset; 6] = [
    Asset {
        key: "keys",
        stem: "keys",
        extension: "js",
        content_type: "text/javascript; charset=utf-8",
        body: include_str!("../../assets/keys.js"),
    },
    Asset {
        key: "make_key",
        stem: "make-key",
        extension: "js",
        content_type: "text/javascript; charset=utf-8",
        body: include_str!("../../assets/make-key.js"),
    },
    Asset {
        key: "secret",
        stem: "secret",
        extension: "js",
        content_type: "text/javascript; charset=utf-8",
        body: include_str!("../../assets/secret.js"),
    },
    Asset {
        key: "css",
        stem: "site",
        extension: "css",
        content_type: "text/css; charset=utf-8",
        body: include_str!("../../assets/site.css"),
    },
    Asset {
        key: "print",
        stem: "print",
        extension: "js",
        content_type: "text/javascript; charset=utf-8",
        body: include_str!("../../assets/print.js"),
    },
    Asset {
        key: "sign",
        stem: "sign",
        extension: "js",
        content_type: "text/javascript; charset=utf-8",
        body: include_str!("../../assets/sign.js"),
    },
];

impl Asset {
    /// A name that changes with the content, so that it may be kept for ever.
    fn name(&self) -> String {
        let digest = hex::encode(Sha256::digest(self.body));
        format!("{}-{}.{}", self.stem, digest.get(..12).unwrap_or_default(), self.extension)
    }
}

static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| ASSETS.iter().map(Asset::name).collect());

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    for (name, source) in TEMPLATES {
        if let Err(error) = environment.add_template(name, source) {
            tracing::error!(%error, name, "a template can't be read");
        }
    }
    environment
});

/// `/assets/:name`.
#[handler]
pub(crate) fn serve_asset(Path(name): Path<String>) -> Response {
    let found = ASSETS.iter().zip(NAMES.iter()).find(|(_, known)| **known == name);
    let Some((asset, _)) = found else { return StatusCode::NOT_FOUND.into_response() };
    Response::builder()
        .header(header::CONTENT_TYPE, asset.content_type)
        .header(header::CACHE_CONTROL, "public, max-age=31536000, immutable")
        .body(asset.body)
}

/// A moment as templates take it: `iso` for `datetime`, `roc` as 圖4 writes it.
pub(crate) fn moment(at: DateTime<Utc>) -> Value {
    let local = taipei::local(at);
    let roc = format!("{:03}/{}", local.year() - 1911, local.format("%m/%d %H:%M:%S"));
    context! { iso => local.to_rfc3339(), roc => roc }
}

/// A day as people read it: in the ROC calendar, as everywhere on the pages.
pub(crate) fn roc(day: NaiveDate) -> String {
    format!("{:03}/{}", day.year() - 1911, day.format("%m/%d"))
}

/// A deadline as templates take it: the end of its day, which people call 24:00 of that day and not 0:00 of the next.
pub(crate) fn deadline(due: DueDate) -> Value {
    let roc = format!("{} 24:00", roc(due.date));
    context! { iso => taipei::local(due.ends_at()).to_rfc3339(), roc => roc, provisional => due.provisional }
}

fn translate(lang: Lang) -> Value {
    Value::from_function(move |key: &str, kwargs: Kwargs| -> Result<String, minijinja::Error> {
        let mut parameters = HashMap::new();
        for name in kwargs.args() {
            let value: Value = kwargs.get(name)?;
            let value = match value.kind() {
                ValueKind::Number => FluentValue::from(i64::try_from(value).unwrap_or_default()),
                _ => FluentValue::from(value.to_string()),
            };
            parameters.insert(Cow::Owned(name.to_owned()), value);
        }
        Ok(lang.lookup(key, &parameters))
    })
}

/// The page, as HTML.
///
/// # Errors
/// The template's, which is a fault of this crate: names and values are not in it.
pub(crate) fn render(template: &str, lang: Lang, nonce: &str, page: Value) -> Result<String, String> {
    let names = ASSETS.iter().zip(NAMES.iter());
    let assets = Value::from_pairs(names.map(|(asset, name)| (asset.key, format!("/assets/{name}"))));
    let all = context! { t => translate(lang), lang => lang.tag(), nonce, assets, ..page };
    let template = ENVIRONMENT.get_template(template).map_err(|error| error.to_string())?;
    template.render(all).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_well_formed() {
        let mut environment = Environment::new();
        for (name, source) in TEMPLATES {
            environment.add_template(name, source).unwrap();
        }
    }

    #[test]
    fn every_template_is_in_the_list() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        let mut found = std::collections::BTreeSet::new();
        let mut folders = vec![folder.clone()];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.insert(path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        assert_eq!(found, TEMPLATES.iter().map(|(name, _)| (*name).to_owned()).collect());
    }

    #[test]
    fn moments_are_told_in_the_roc_calendar_of_taipei() {
        let at = DateTime::parse_from_rfc3339("2019-06-17T08:21:59Z").unwrap().to_utc();
        assert_eq!(moment(at).get_attr("roc").unwrap().to_string(), "108/06/17 16:21:59");
        assert_eq!(moment(at).get_attr("iso").unwrap().to_string(), "2019-06-17T16:21:59+08:00");
    }

    #[test]
    fn templates_hold_no_sentence_of_their_own() {
        for (name, source) in TEMPLATES {
            let chinese = source.chars().find(|c| ('\u{4e00}'..='\u{9fff}').contains(c));
            assert_eq!(chinese, None, "{name}");
        }
    }

    fn each<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str) -> Vec<String> {
        all.iter().map(|one| name(*one).to_owned()).collect()
    }

    /// The names that follow a fixed beginning, by that beginning, or by the variable that holds a whole key. What a
    /// form, a chart or a list of its own makes keys of is rendered by its own test.
    fn names_of(beginning: &str) -> Option<Vec<String>> {
        use idcheck_domain::{
            abuse::{AbuseRule, Measure},
            application::{Action, Kind, StateName},
            template::TemplateUse,
        };
        use idcheck_usecases::acts::ActName;
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Some(match beginning {
            "access-" => own(&["none", "active", "suspended", "revoked"]),
            "access-return-" | "ground-" => own(&["abuse", "conduct", "notRegistered"]),
            "act-" => each(&ActName::ALL, ActName::as_str),
            "action-" => {
                let mut names = each(&Action::ALL, Action::as_str);
                names.push(Action::Redate.as_str().to_owned());
                names
            }
            "audit-" => own(&["who", "what", "about", "from", "until"]),
            "docs-" => own(&["guide", "reference", "errors", "sandbox", "compatibility"]),
            "field-environment-" => own(&["production", "sandbox"]),
            "field-profile-" => own(&["legacy", "strict"]),
            "finding-" => own(&["matches", "nameDiffers", "notFound", "dissolved", "unread"]),
            "finding-detail-" => own(&["nameDiffers", "dissolved"]),
            "kind-" => each(&Kind::ALL, Kind::as_str),
            "mail-failure-" => own(&["temporary", "permanent"]),
            "measure-" => each(&Measure::ALL, Measure::as_str),
            "notice-" => own(&["raised", "sent", "explained", "accepted", "dismissed", "ended"]),
            "own-notice-" => own(&["sent", "explained", "accepted", "ended", "else"]),
            "own-plan-" | "plan-" => own(&["filed", "approved", "rejected"]),
            "registered-" => own(&["notFound", "no-snapshot", "unreadable"]),
            "revocation-" => own(&["asked", "confirmed", "declined"]),
            "rule-" => each(&AbuseRule::ALL, AbuseRule::as_str),
            "shortcut-" => own(&["j", "k", "slash", "n", "q", "c", "m", "a", "r", "help"]),
            "signed-card-role-" => own(&["primary", "secondary"]),
            "signed-card-status-" => own(&["good", "revoked", "expired", "unavailable", "refused"]),
            "state-" => each(&StateName::ALL, StateName::as_str),
            "step-" => {
                own(&["claim", "release", "clarification", "approve", "reject", "revoke", "suspend", "lift"])
            }
            "suggestion-" => own(&["askForExplanation", "lookAtUser", "considerRevoking"]),
            "sweep-" => own(&["waiting", "revoked", "kept"]),
            "templates-use-" => each(&TemplateUse::ALL, TemplateUse::as_str),
            "usage-chart-" => own(&["reviews", "queries", "lock-outs", "latency"]),
            "usage-series-" => {
                own(&["decisions", "match", "wrong", "locked", "other", "refused", "lock-outs", "answers"])
            }
            _ => return None,
        })
    }

    #[test]
    fn every_key_that_a_template_makes_exists_in_both_languages() {
        let parameters = ["max", "count", "year"];
        let parameters = parameters.map(|name| (Cow::Borrowed(name), FluentValue::from("1"))).into();
        for (name, source) in TEMPLATES {
            for part in source.split("t(\"").skip(1) {
                let Some((beginning, after)) = part.split_once('"') else { continue };
                let Some((_, end)) = after.split_once(" ~").filter(|(before, _)| before.is_empty()) else {
                    continue;
                };
                let names =
                    names_of(beginning).unwrap_or_else(|| panic!("{name}: which names follow {beginning}?"));
                // A second part, such as `"-text"`, is of the names that have one, and those are rendered elsewhere.
                if end.split(')').next().is_some_and(|rest| rest.contains('~')) {
                    continue;
                }
                for key in names.iter().map(|name| format!("{beginning}{name}")) {
                    for lang in Lang::ALL {
                        assert_ne!(lang.lookup(&key, &parameters), "");
                    }
                }
            }
        }
    }

    #[test]
    fn every_fixed_key_of_the_templates_exists_in_both_languages() {
        let parameters = [
            "version", "count", "act", "year", "from", "head", "until", "percent", "intime", "late", "email",
            "due",
        ];
        let parameters = parameters.map(|name| (Cow::Borrowed(name), FluentValue::from("1"))).into();
        for (name, source) in TEMPLATES {
            for quote in ['"', '\''] {
                for part in source.split(&format!("t({quote}")).skip(1) {
                    let (key, after) = part.split_once(quote).unwrap();
                    if after.starts_with(" ~") {
                        continue;
                    }
                    for lang in Lang::ALL {
                        assert_ne!(lang.lookup(key, &parameters), "", "{name}: {key} {lang:?}");
                    }
                }
            }
        }
    }
}
