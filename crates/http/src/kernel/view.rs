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
use rust_embed::Embed;

use crate::kernel::i18n::Lang;

/// The templates, by their paths.
#[derive(Embed)]
#[folder = "templates"]
struct Templates;

/// What pages load.
#[derive(Embed)]
#[folder = "assets"]
struct Assets;

struct Asset {
    /// How templates call it: its file's name without its ending, `-` as `_`.
    key: String,
    /// A name that changes with the content, so that it may be kept for ever.
    name: String,
    content_type: &'static str,
    body: Cow<'static, [u8]>,
}

impl Asset {
    fn of(path: &str) -> Option<Self> {
        let (stem, extension) = path.rsplit_once('.')?;
        let content_type = match extension {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            _ => return None,
        };
        let file = Assets::get(path)?;
        let digest = hex::encode(file.metadata.sha256_hash());
        let name = format!("{stem}-{}.{extension}", digest.get(..12).unwrap_or_default());
        Some(Self { key: stem.replace('-', "_"), name, content_type, body: file.data })
    }
}

static ASSETS: LazyLock<Vec<Asset>> =
    LazyLock::new(|| Assets::iter().filter_map(|path| Asset::of(&path)).collect());

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    for name in Templates::iter() {
        let source = Templates::get(&name).map(|file| String::from_utf8_lossy(&file.data).into_owned());
        let added = environment.add_template_owned(name.to_string(), source.unwrap_or_default());
        if let Err(error) = added {
            tracing::error!(%error, %name, "a template can't be read");
        }
    }
    environment
});

/// `/assets/:name`.
#[handler]
pub(crate) fn serve_asset(Path(name): Path<String>) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    Response::builder()
        .header(header::CONTENT_TYPE, asset.content_type)
        .header(header::CACHE_CONTROL, "public, max-age=31536000, immutable")
        .body(asset.body.to_vec())
}

/// A moment as templates take it: `iso` for `datetime`, `roc` as 圖4 writes it.
pub(crate) fn moment(at: DateTime<Utc>) -> Value {
    let local = taipei::local(at);
    let roc = format!("{:03}/{}", local.year() - 1911, local.format("%m/%d %H:%M:%S"));
    let minute = roc.rsplit_once(':').map_or("", |(minute, _)| minute).to_owned();
    context! { iso => local.to_rfc3339(), roc, minute }
}

/// A day as people read it: in the ROC calendar, as everywhere on the pages.
pub(crate) fn roc(day: NaiveDate) -> String {
    format!("{:03}/{}", day.year() - 1911, day.format("%m/%d"))
}

/// A deadline as templates take it: the end of its day, which people call 24:00 of that day and not 0:00 of the next.
pub(crate) fn deadline(due: DueDate) -> Value {
    let (day, roc) = (roc(due.date), format!("{} 24:00", roc(due.date)));
    context! { iso => taipei::local(due.ends_at()).to_rfc3339(), roc => roc, day => day, provisional => due.provisional }
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
    let assets = ASSETS.iter().map(|asset| (asset.key.as_str(), format!("/assets/{}", asset.name)));
    let assets = Value::from_pairs(assets);
    let all = context! { t => translate(lang), lang => lang.tag(), nonce, assets, ..page };
    let template = ENVIRONMENT.get_template(template).map_err(|error| error.to_string())?;
    template.render(all).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The templates with their texts.
    fn templates() -> Vec<(String, String)> {
        let source = |name: &str| String::from_utf8(Templates::get(name).unwrap().data.into_owned()).unwrap();
        Templates::iter().map(|name| (name.to_string(), source(&name))).collect()
    }

    #[test]
    fn every_template_is_well_formed() {
        let all = templates();
        assert!(all.iter().any(|(name, _)| name == "officer/queue.html"), "{}", all.len());
        for (name, source) in all {
            Environment::new().add_template_owned(name, source).unwrap();
        }
    }

    #[test]
    fn moments_are_told_in_the_roc_calendar_of_taipei() {
        let at = DateTime::parse_from_rfc3339("2019-06-17T08:21:59Z").unwrap().to_utc();
        assert_eq!(moment(at).get_attr("roc").unwrap().to_string(), "108/06/17 16:21:59");
        assert_eq!(moment(at).get_attr("iso").unwrap().to_string(), "2019-06-17T16:21:59+08:00");
    }

    #[test]
    fn templates_hold_no_sentence_of_their_own() {
        for (name, source) in templates() {
            // Nor punctuation: `：` and `、` are Chinese, `: ` and `, ` are English.
            let wide = ['\u{3000}'..='\u{303f}', '\u{4e00}'..='\u{9fff}', '\u{ff00}'..='\u{ffef}'];
            let chinese = source.chars().find(|c| wide.iter().any(|range| range.contains(c)));
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
            outcome::RecordedOutcome,
            template::TemplateUse,
        };
        use idcheck_usecases::acts::ActName;
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Some(match beginning {
            "about-" => own(&[
                "company",
                "ubn",
                "kind",
                "caseNumber",
                "question",
                "rule",
                "message",
                "keyLabel",
                "fingerprint",
            ]),
            "worklist-part-" => own(&["all", "cases", "notices", "access", "mine", "nobody"]),
            "webhook-state-" => own(&["delivered", "waiting", "retried", "givenUp"]),
            "webhook-failure-" => own(&["host", "connection", "timeout", "status"]),
            "role-" => own(&["reviewer", "supervisor", "auditor", "admin"]),
            "access-" => own(&["none", "active", "suspended", "revoked"]),
            "access-return-" | "ground-" => own(&["abuse", "conduct", "notRegistered"]),
            "act-" => each(&ActName::ALL, ActName::as_str),
            "action-" => {
                let mut names = each(&Action::ALL, Action::as_str);
                names.push(Action::Redate.as_str().to_owned());
                names
            }
            "account-" | "account-lead-" => own(&["open", "close"]),
            "account-state-" => own(&["open", "closed", "locked", "invited", "invitationOver"]),
            "account-method-" => own(&["password", "provider"]),
            "audit-" => own(&["who", "what", "about", "from", "until"]),
            "demo-card-" => own(&["valid", "expired", "revoked", "locked"]),
            "demo-tour-" => own(&["apply", "review", "notices", "second", "audit", "accounts", "developers"]),
            "docs-" => own(&["guide", "reference", "errors", "sandbox", "compatibility"]),
            "field-environment-" | "operations-asks-" => own(&["production", "sandbox"]),
            "field-profile-" => own(&["legacy", "strict"]),
            "form-step-" => {
                own(&["notices", "company", "contact", "hosts", "purpose", "reason", "form", "check", "sign"])
            }
            "own-view-" => own(&["overview", "cases", "keys", "contact", "usage", "operations", "try"]),
            "home-how-" => own(&["apply", "review", "key", "verify"]),
            "key-" => own(&["in-force", "ended", "revoked"]),
            "finding-" => own(&["matches", "nameDiffers", "notFound", "dissolved", "unread"]),
            "finding-detail-" => own(&["nameDiffers", "dissolved"]),
            "kind-" | "accepted-then-" => each(&Kind::ALL, Kind::as_str),
            "mail-failure-" => own(&["temporary", "permanent"]),
            "measure-" => each(&Measure::ALL, Measure::as_str),
            "notice-" => own(&["raised", "sent", "explained", "accepted", "dismissed", "ended"]),
            "own-notice-" => own(&["sent", "explained", "accepted", "dismissed", "ended", "else"]),
            "own-plan-" | "plan-" => own(&["filed", "approved", "rejected"]),
            "refused-" | "refused-do-" => {
                let refused = RecordedOutcome::all().filter(|outcome| outcome.result().is_none());
                refused.map(|outcome| outcome.as_str().to_owned()).collect()
            }
            "registered-" | "registered-tag-" => own(&["notFound", "no-snapshot", "unreadable"]),
            "revocation-" => own(&["asked", "confirmed", "declined"]),
            "rule-" => each(&AbuseRule::ALL, AbuseRule::as_str),
            "shortcut-" => own(&["j", "k", "slash", "n", "q", "c", "m", "a", "r", "help"]),
            "signed-card-role-" => own(&["primary", "secondary"]),
            "card-today-" | "signed-card-status-" => {
                own(&["good", "revoked", "expired", "unavailable", "refused"])
            }
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
        for (name, source) in templates() {
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
            "due", "agency", "day", "at", "reason", "officer", "number", "field", "typed", "message",
            "notice", "conduct", "ground",
        ];
        let parameters = parameters.map(|name| (Cow::Borrowed(name), FluentValue::from("1"))).into();
        for (name, source) in templates() {
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
