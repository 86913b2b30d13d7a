//! `/docs`: pages for whoever writes a program that asks. Guides are the files of `docs/guides`; the reference is made of
//! the OpenAPI document, the list of errors of the same texts as the errors.

use std::{collections::BTreeSet, sync::LazyLock};

use idcheck_domain::{Violation, precondition::Precondition};
use idcheck_usecases::ports::{CardRefusal, TokenRefusal};
use minijinja::{Value, context};
use poem::{Response, Route, get, handler, http::StatusCode, web::Path};
use serde_json::Value as Json;

use crate::{
    kernel::{
        i18n::Lang,
        markdown::{Rendered, rendered},
        officer_page::OfficerPage,
        page::{Opener, Page, see_other},
    },
    openapi,
};

/// A guide: the last part of its address, and its text in both languages.
struct Guide {
    name: &'static str,
    chinese: &'static str,
    english: &'static str,
}

/// The first is the page `/docs` itself.
const GUIDES: [Guide; 3] = [
    Guide {
        name: "guide",
        chinese: include_str!("../../../docs/guides/api.zh-Hant-TW.md"),
        english: include_str!("../../../docs/guides/api.md"),
    },
    Guide {
        name: "sandbox",
        chinese: include_str!("../../../docs/guides/sandbox.zh-Hant-TW.md"),
        english: include_str!("../../../docs/guides/sandbox.md"),
    },
    Guide {
        name: "compatibility",
        chinese: include_str!("../../../docs/guides/compatibility.zh-Hant-TW.md"),
        english: include_str!("../../../docs/guides/compatibility.md"),
    },
];

/// What officers work by; of the console, not of `/docs`.
static OF_OFFICERS: LazyLock<[Rendered; 2]> = LazyLock::new(|| {
    let chinese = include_str!("../../../docs/guides/officer.zh-Hant-TW.md");
    [chinese, include_str!("../../../docs/guides/officer.md")].map(rendered)
});

/// `/officer/guide`.
#[handler]
pub(crate) fn officer_guide(page: OfficerPage<'_>) -> Response {
    let [chinese, english] = &*OF_OFFICERS;
    let guide = if page.lang == Lang::En { english } else { chinese };
    page.show(StatusCode::OK, "officer/guide.html", context! { html => &guide.html, title => &guide.title })
}

static RENDERED: LazyLock<Vec<[Rendered; 2]>> =
    LazyLock::new(|| GUIDES.iter().map(|guide| [guide.chinese, guide.english].map(rendered)).collect());

static REFERENCE: LazyLock<Reference> = LazyLock::new(|| {
    let document = serde_json::from_str(&openapi::document()).unwrap_or_default();
    Reference { groups: groups(&document), schemas: schemas(&document) }
});

struct Reference {
    groups: Value,
    schemas: Value,
}

pub(crate) fn routes(route: Route) -> Route {
    route
        .at("/docs", get(first_guide))
        .at("/docs/reference", get(show_reference))
        .at("/docs/errors", get(show_errors))
        .at("/docs/:name", get(one_guide))
        .at("/problems/:name", get(explain_problem))
}

#[handler]
fn first_guide(page: Page<'_>) -> poem::Result<Response> {
    guide_page(&page, GUIDES[0].name)
}

#[handler]
fn one_guide(page: Page<'_>, Path(name): Path<String>) -> poem::Result<Response> {
    guide_page(&page, &name)
}

fn guide_page(page: &Page<'_>, name: &str) -> poem::Result<Response> {
    let found = GUIDES.iter().position(|guide| guide.name == name).and_then(|at| RENDERED.get(at));
    let [chinese, english] = found.ok_or_else(|| page.not_found("/docs"))?;
    let text = if page.lang == Lang::En { english } else { chinese };
    let with = context! { current => name, title => &text.title, html => &text.html };
    Ok(page.show(StatusCode::OK, "docs/guide.html", Opener::Isolated, with))
}

#[handler]
fn show_reference(page: Page<'_>) -> Response {
    let with = context! {
        current => "reference", groups => &REFERENCE.groups, schemas => &REFERENCE.schemas,
    };
    page.show(StatusCode::OK, "docs/reference.html", Opener::Isolated, with)
}

#[handler]
fn show_errors(page: Page<'_>) -> Response {
    let with = context! {
        current => "errors", problems => problems(page.lang), violations => violations(page.lang),
    };
    page.show(StatusCode::OK, "docs/errors.html", Opener::Isolated, with)
}

/// Where the `type` of a problem leads.
#[handler]
fn explain_problem(Path(name): Path<String>) -> Response {
    let known = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    see_other(&if known { format!("/docs/errors#{name}") } else { "/docs/errors".to_owned() })
}

/// The calls of the document by tag, in its order.
fn groups(document: &Json) -> Value {
    let tags = document["tags"].as_array().into_iter().flatten();
    let groups = tags.map(|tag| {
        let paths = document["paths"].as_object().into_iter().flatten();
        let calls = paths.flat_map(|(path, methods)| {
            let methods = methods.as_object().into_iter().flatten();
            let calls = methods.filter(|(_, call)| {
                call["tags"].as_array().is_some_and(|tags| tags.contains(&tag["name"]))
            });
            calls.map(|(method, call)| call_of(path, method, call)).collect::<Vec<_>>()
        });
        context! { name => text(&tag["name"]), description => text(&tag["description"]), calls => calls.collect::<Value>() }
    });
    groups.collect()
}

fn call_of(path: &str, method: &str, call: &Json) -> Value {
    let parameters = call["parameters"].as_array().into_iter().flatten().map(|parameter| {
        context! {
            name => text(&parameter["name"]), within => text(&parameter["in"]),
            type => type_of(&parameter["schema"]), required => parameter["required"] == true,
            description => text(&parameter["description"]),
        }
    });
    let responses = call["responses"].as_object().into_iter().flatten().map(|(status, response)| {
        context! { status, description => text(&response["description"]), type => body_of(response) }
    });
    context! {
        path, method => method.to_uppercase(), summary => text(&call["summary"]),
        description => text(&call["description"]), body => body_of(&call["requestBody"]),
        parameters => parameters.collect::<Value>(), responses => responses.collect::<Value>(),
    }
}

/// The schema of a body; none where there is no body, or no JSON.
fn body_of(holder: &Json) -> Option<Value> {
    let content = holder["content"].as_object()?;
    content.values().next().map(|media| type_of(&media["schema"]))
}

/// The schemas of the document by name.
fn schemas(document: &Json) -> Value {
    let schemas = document["components"]["schemas"].as_object().into_iter().flatten();
    let schemas = schemas.map(|(name, schema)| {
        let required: BTreeSet<_> =
            schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        let members = schema["properties"].as_object().into_iter().flatten().map(|(name, member)| {
            context! {
                name, type => type_of(member), required => required.contains(name.as_str()),
                description => text(&member["description"]),
            }
        });
        context! {
            name, description => text(&schema["description"]), members => members.collect::<Value>(),
            type => type_of(schema),
        }
    });
    schemas.collect()
}

/// A type in words: its name, whether it is a list of them, and the schema it links to.
fn type_of(schema: &Json) -> Value {
    let alternatives = ["anyOf", "oneOf", "allOf"].iter().find_map(|key| schema[key].as_array());
    let schema =
        alternatives.and_then(|all| all.iter().find(|one| one["$ref"].is_string())).unwrap_or(schema);
    if let Some(name) = schema["$ref"].as_str().and_then(|link| link.rsplit('/').next()) {
        return context! { name, link => true, list => false };
    }
    if schema["type"] == "array" {
        let inner = type_of(&schema["items"]);
        return context! { list => true, ..inner };
    }
    let words = schema["enum"].as_array().into_iter().flatten().filter_map(Json::as_str);
    let words: Vec<_> = words.map(|word| format!("\"{word}\"")).collect();
    let name = match (words.is_empty(), schema["format"].as_str(), schema["type"].as_str()) {
        (false, ..) => words.join(" | "),
        (true, Some(format), Some(kind)) => format!("{kind} ({format})"),
        (true, _, kind) => kind.unwrap_or("object").to_owned(),
    };
    context! { name, link => false, list => false }
}

fn text(value: &Json) -> &str {
    value.as_str().unwrap_or_default()
}

/// Every problem: its `type`, title and detail.
fn problems(lang: Lang) -> Value {
    let row = |name: &str, title: &str, detail: &str| {
        // Where a state, an address or a deadline refuses, the error names it.
        let detail = lang.t_with(detail, &["state", "address", "due"].map(|name| (name, "…".into())));
        context! { name, title => lang.t(title), detail }
    };
    // Those whose type is named after their title.
    let keys = include_str!("../locales/en/api.ftl").lines().filter_map(|line| line.split_once(" = "));
    let named = keys.filter_map(|(key, _)| {
        let name = key.strip_prefix("problem-")?.strip_suffix("-detail")?;
        Some(row(name, &format!("problem-{name}"), key))
    });
    let tokens = TokenRefusal::ALL
        .iter()
        .map(|refusal| row(refusal.code(), "problem-token", &format!("token-{}", refusal.code())));
    let cards = CardRefusal::ALL.iter().map(|refusal| row(refusal.code(), "problem-card", refusal.code()));
    let preconditions = Precondition::ALL.iter().map(|precondition| {
        row(precondition.code(), "problem-precondition", &format!("precondition-{}", precondition.code()))
    });
    tokens.chain(cards).chain(preconditions).chain(named).collect()
}

/// Every rule that a field can break: its `code` and its message.
fn violations(lang: Lang) -> Value {
    let rows = Violation::ALL.iter().map(|violation| {
        context! { code => violation.code(), message => lang.violation(*violation) }
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_guide_is_the_same_in_both_languages_but_for_its_words() {
        for (guide, texts) in GUIDES.iter().zip(RENDERED.iter()) {
            let [chinese, english] = texts.each_ref().map(|text| {
                assert!(!text.title.is_empty(), "{}", guide.name);
                ["<h2", "<table", "<tr", "<pre", "<code"].map(|part| text.html.matches(part).count())
            });
            let of = |counts: [usize; 5]| counts.into_iter().take(4).collect::<Vec<_>>();
            assert_eq!(of(chinese), of(english), "{}", guide.name);
        }
    }

    #[test]
    fn programs_in_the_guides_are_the_same_in_both_languages() {
        let programs = |markdown: &str| {
            let blocks = markdown.split("```").skip(1).step_by(2).map(str::to_owned);
            blocks.collect::<Vec<_>>()
        };
        for guide in &GUIDES {
            assert_eq!(programs(guide.chinese), programs(guide.english), "{}", guide.name);
        }
    }

    #[test]
    fn the_reference_has_every_call_and_its_links_lead_somewhere() {
        let document: Json = serde_json::from_str(&openapi::document()).unwrap();
        let methods = document["paths"].as_object().unwrap().values();
        let calls = methods.flat_map(|path| path.as_object().unwrap().keys());
        let page = crate::kernel::view::render(
            "docs/reference.html",
            Lang::En,
            "",
            context! {
                current => "reference", groups => &REFERENCE.groups, schemas => &REFERENCE.schemas,
                here => "/docs/reference?",
            },
        )
        .unwrap();
        assert_eq!(page.matches("<h3 id=\"call-").count(), calls.count());
        let targets: BTreeSet<_> =
            page.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        for target in targets {
            assert!(page.contains(&format!("id=\"{target}\"")), "{target}");
        }
    }

    #[test]
    fn every_problem_and_rule_is_in_the_list_with_words() {
        for lang in [Lang::ZhHantTw, Lang::En] {
            let html = crate::kernel::view::render(
                "docs/errors.html",
                lang,
                "",
                context! {
                    current => "errors", problems => problems(lang), violations => violations(lang),
                    here => "/docs/errors?",
                },
            )
            .unwrap();
            assert!(!html.contains("Unknown localization"), "{lang:?}");
            for name in ["token-missing", "content", "challenge-expired", "too-many-requests"] {
                assert!(html.contains(&format!("id=\"{name}\"")), "{name}");
            }
            let ids: Vec<_> =
                html.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
            assert_eq!(
                ids.len(),
                ids.iter().collect::<BTreeSet<_>>().len(),
                "one place for each name: {ids:?}"
            );
        }
    }
}
