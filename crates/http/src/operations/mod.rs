//! The operations document of an organisation: what its own program needs, as a page and as PDF, from one Markdown text. It
//! never holds an Iss Key or a private key.

pub(crate) mod api;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use idcheck_domain::{key::Environment, organisation::Organisation};
use idcheck_usecases::{acts::Progress, ports::StoreError};
use krilla::error::KrillaError;
use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use tokio::task::spawn_blocking;

use crate::kernel::{
    i18n::Lang,
    markdown::html,
    pdf::{self, About, Fonts},
    state::HttpConfig,
    view::moment,
};

const CHINESE: [&str; 2] = [
    include_str!("../../../../docs/guides/operations.zh-Hant-TW.md"),
    include_str!("../../../../docs/guides/api.zh-Hant-TW.md"),
];
const ENGLISH: [&str; 2] =
    [include_str!("../../../../docs/guides/operations.md"), include_str!("../../../../docs/guides/api.md")];
/// The sections of the guide that follow the programs: the token's members, the results, the refusals.
const OF_THE_GUIDE: std::ops::RangeInclusive<usize> = 4..=6;

/// A program that asks one question, with places that are filled for the organisation.
struct Program {
    /// As the code block names it.
    language: &'static str,
    name: &'static str,
    /// As it is downloaded.
    file: &'static str,
    text: &'static str,
}

macro_rules! programs {
    ($($language:literal, $name:literal, $file:literal;)*) => {
        const PROGRAMS: [Program; [$($language),*].len()] = [$(Program {
            language: $language,
            name: $name,
            file: $file,
            text: include_str!(concat!("../../../../docs/guides/samples/", $file)),
        }),*];
    };
}

programs! {
    "sh", "curl, OpenSSL", "verify.sh";
    "python", "Python", "verify.py";
    "csharp", "C# (.NET 8)", "Verify.cs";
    "java", "Java 17", "Verify.java";
    "php", "PHP 8", "verify.php";
    "go", "Go", "verify.go";
    "javascript", "Node.js 20", "verify.mjs";
}

/// What stands behind the value for the sandbox on a line that production has another value for.
const PRODUCTION: &str = "production: ";

/// A program for production: on its marked lines what stands behind the mark takes the place of the value.
fn for_production(text: &str) -> String {
    let line = |line: &str| {
        let Some((code, production)) = line.split_once(PRODUCTION) else { return line.to_owned() };
        let Some((name, value)) = code.split_once('=') else { return line.to_owned() };
        let blank = if value.starts_with(' ') { " " } else { "" };
        let end = if value.contains(';') { ";" } else { "" };
        format!("{name}={blank}{production}{end}")
    };
    text.lines().map(line).fold(String::new(), |all, line| all + &line + "\n")
}

/// How the document is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Html,
    /// PDF, A4.
    Pdf,
}

impl Format {
    /// The format of that word; a page without a word.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "" | "html" => Some(Self::Html),
            "pdf" => Some(Self::Pdf),
            _ => None,
        }
    }
}

/// The document for one organisation in one language.
pub(crate) struct Document {
    lang: Lang,
    /// Which environment its programs ask in.
    environment: Environment,
    title: String,
    made_at: DateTime<Utc>,
    footer: String,
    /// Name and value of each place.
    places: Vec<(&'static str, String)>,
}

impl Document {
    /// Of the organisation of a progress query; none before its first case.
    pub(crate) fn of(progress: &Progress, base_url: &str, lang: Lang) -> Option<Self> {
        let organisation = progress.organisation.as_ref()?;
        let made = moment(progress.queried_at).get_attr("roc").map(|roc| roc.to_string()).unwrap_or_default();
        let account =
            organisation.account.map_or_else(|| lang.t("operations-none"), |account| account.to_string());
        let title = lang.t("operations-title");
        Some(Self {
            lang,
            environment: Environment::Sandbox,
            footer: format!("{title} · {} · {made}", progress.ubn),
            title,
            made_at: progress.queried_at,
            places: vec![
                ("{{made}}", made),
                ("{{company}}", organisation.name.as_str().to_owned()),
                ("{{ubn}}", progress.ubn.to_string()),
                ("{{account}}", account),
                ("{{access}}", lang.t(&format!("access-{}", organisation.access.as_str()))),
                ("{{base}}", base_url.to_owned()),
                ("{{hosts}}", hosts(organisation, progress, lang)),
                ("{{keys}}", keys(organisation, progress, lang)),
            ],
        })
    }

    /// The same with programs that ask in another environment; production is there for who may ask in it.
    pub(crate) fn asking_in(self, environment: Environment, progress: &Progress) -> Self {
        let active = progress.organisation.as_ref().is_some_and(|held| held.access.is_active());
        let environment = if active { environment } else { Environment::Sandbox };
        Self { environment, ..self }
    }

    pub(crate) const fn environment(&self) -> Environment {
        self.environment
    }

    /// The names of the programs and of their files.
    pub(crate) fn programs() -> impl Iterator<Item = (&'static str, &'static str)> {
        PROGRAMS.iter().map(|program| (program.name, program.file))
    }

    /// A program, by its file's name.
    pub(crate) fn program(&self, file: &str) -> Option<String> {
        let program = PROGRAMS.iter().find(|program| program.file == file)?;
        Some(filled(&self.asked(program), &self.places).into_string())
    }

    fn asked(&self, program: &Program) -> String {
        match self.environment {
            Environment::Sandbox => program.text.to_owned(),
            Environment::Production => for_production(program.text),
        }
    }

    /// What the page and the file are called.
    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    /// The body of a page.
    pub(crate) fn html(&self) -> String {
        html(self.events(false))
    }

    /// The same with each program folded away.
    pub(crate) fn folded_html(&self) -> String {
        html(self.events(true))
    }

    /// Made where requests don't wait for it.
    pub(crate) async fn pdf(self, config: Arc<HttpConfig>) -> Result<Vec<u8>, StoreError> {
        let made = spawn_blocking(move || self.made(&config.fonts).map_err(|error| format!("{error:?}")));
        let made = made.await.map_err(|error| error.to_string()).flatten();
        made.map_err(|error| {
            tracing::error!(error, "the operations document can't be made as PDF");
            StoreError::Unavailable
        })
    }

    fn made(&self, fonts: &Fonts) -> Result<Vec<u8>, KrillaError> {
        let (title, footer, lang) = (&self.title, &self.footer, self.lang.tag());
        pdf::document(&About { title, footer, lang, made: self.made_at }, fonts, self.events(false))
    }

    fn events(&self, folded: bool) -> impl Iterator<Item = Event<'static>> {
        let [own, guide] = if self.lang == Lang::En { ENGLISH } else { CHINESE };
        let mut section = 0;
        let guide = parsed(guide).filter(move |event| {
            if matches!(event, Event::Start(Tag::Heading { level: HeadingLevel::H2, .. })) {
                section += 1;
            }
            OF_THE_GUIDE.contains(&section)
        });
        let places = self.places.clone();
        let programs: Vec<_> =
            PROGRAMS.iter().flat_map(|program| shown(program, self.asked(program), folded)).collect();
        parsed(own).chain(programs).chain(guide).map(move |event| match event {
            Event::Text(text) => Event::Text(filled(&text, &places)),
            Event::Code(text) => Event::Code(filled(&text, &places)),
            event => event,
        })
    }
}

fn parsed(markdown: &'static str) -> impl Iterator<Item = Event<'static>> {
    Parser::new_ext(markdown, Options::ENABLE_TABLES)
}

fn shown(program: &Program, text: String, folded: bool) -> Vec<Event<'static>> {
    let heading = Tag::Heading { level: HeadingLevel::H3, id: None, classes: Vec::new(), attrs: Vec::new() };
    let html = |html: &'static str| vec![Event::Html(html.into())];
    let title = vec![
        Event::Start(heading),
        Event::Text(program.name.into()),
        Event::End(TagEnd::Heading(HeadingLevel::H3)),
    ];
    let code = vec![
        Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(program.language.into()))),
        Event::Text(text.into()),
        Event::End(TagEnd::CodeBlock),
    ];
    if folded {
        [html("<details><summary>"), title, html("</summary>"), code, html("</details>")].concat()
    } else {
        [title, code].concat()
    }
}

/// A text of the document with its places filled. What fills them is text already and never read as Markdown.
fn filled(text: &str, places: &[(&'static str, String)]) -> CowStr<'static> {
    let filled = places.iter().fold(text.to_owned(), |text, (place, value)| text.replace(place, value));
    filled.into()
}

fn listed(items: &[String], lang: Lang) -> String {
    if items.is_empty() { lang.t("operations-none") } else { items.join(&lang.t("list-separator")) }
}

fn hosts(organisation: &Organisation, progress: &Progress, lang: Lang) -> String {
    let shown = organisation.addresses.as_ref().map(|plan| plan.shown(progress.queried_at));
    let hosts = shown.iter().flat_map(|set| set.as_slice()).map(ToString::to_string);
    listed(&hosts.collect::<Vec<_>>(), lang)
}

fn keys(organisation: &Organisation, progress: &Progress, lang: Lang) -> String {
    let in_force = organisation.keys.iter().filter(|key| key.in_force(progress.queried_at));
    let told = in_force.map(|key| {
        let sandbox = if key.environment == Environment::Sandbox { ", sandbox" } else { "" };
        format!("{} ({}{sandbox}) {}", key.label.as_str(), key.profile.as_str(), key.fingerprint)
    });
    listed(&told.collect::<Vec<_>>(), lang)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(lang: Lang) -> Document {
        let value = |text: &str| text.to_owned();
        Document {
            lang,
            environment: Environment::Sandbox,
            title: value("介接作業說明"),
            made_at: DateTime::UNIX_EPOCH,
            footer: value("介接作業說明 · 04595257"),
            places: vec![
                ("{{made}}", value("115/11/24 11:00:00")),
                ("{{company}}", value("<b>甲 *乙* | `丙`</b>")),
                ("{{ubn}}", value("04595257")),
                ("{{account}}", value("AW001")),
                ("{{access}}", value("啟用中")),
                ("{{base}}", value("https://idcheck.example")),
                ("{{hosts}}", value("192.0.2.1、198.51.100.0/28")),
                ("{{keys}}", value("主機 (legacy) ab12")),
            ],
        }
    }

    #[test]
    fn every_place_is_filled_with_text_and_never_with_markup() {
        for lang in [Lang::ZhHantTw, Lang::En] {
            let html = document(lang).html();
            assert!(!html.contains("{{"), "a place is left");
            assert!(html.contains("&lt;b&gt;甲 *乙* | `丙`&lt;/b&gt;"), "{lang:?}");
            for Program { language, .. } in PROGRAMS {
                assert!(html.contains(&format!("class=\"language-{language}\"")), "{language}");
            }
            // The guide's tables of members, results and refusals, and nothing else of it.
            for member in ["conditionMap", "checkIdCardApply", "RS7007"] {
                assert!(html.contains(member), "{member}");
            }
            assert!(!html.contains("applyDate"), "the strict profile's program is the guide's");
        }
    }

    #[test]
    fn each_program_sends_what_the_wire_asks_for() {
        for Program { language, text, .. } in PROGRAMS {
            for fact in [
                "/integration/rwv2c2",
                "sris-consumerAdminId",
                "00000000",
                "Authorization",
                "Bearer",
                "orgId",
                "apId",
                "userId",
                "iss",
                "綠色便民專案",
                "aud",
                "V2C201",
                "opType",
                "RW",
                "iat",
                "exp",
                "jti",
                "conditionMap",
                "personId",
                "applyCode",
                "applyYyymmdd",
                "issueSiteId",
                "RS256",
                "private-key.pem",
                "ISS_KEY",
            ] {
                let found =
                    text.contains(fact) || (fact == "Authorization" && text.contains("authorization"));
                assert!(found, "{language} lacks {fact}");
            }
        }
    }
}
