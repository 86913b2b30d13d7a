//! Messages in zh-Hant-TW and English, from the Fluent files under `locales/`: each sentence stands once.

use std::{borrow::Cow, collections::HashMap};

use fluent_templates::{LanguageIdentifier, Loader, fluent_bundle::FluentValue};
use idcheck_domain::{reason::RecordedReason, value::Purpose};
use poem::{Request, http::header::ACCEPT_LANGUAGE};

fluent_templates::static_loader! {
    static LOCALES = {
        locales: "./locales",
        fallback_language: "zh-Hant-TW",
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

/// A language of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Lang {
    /// Chinese as written in Taiwan; the default.
    #[default]
    ZhHantTw,
    En,
}

impl Lang {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 2] = [Self::ZhHantTw, Self::En];

    /// Its tag (BCP 47).
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::ZhHantTw => "zh-Hant-TW",
            Self::En => "en",
        }
    }

    /// The language of a tag or of a range of `Accept-Language`.
    fn matching(range: &str) -> Option<Self> {
        let primary = range.split('-').next().unwrap_or_default();
        match primary.to_ascii_lowercase().as_str() {
            "zh" | "*" => Some(Self::ZhHantTw),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// The best of `Accept-Language` (RFC 9110 §12.5.4), by weight, then by place.
    pub(crate) fn accepted(header: &str) -> Self {
        let mut best = (Self::default(), 0.0);
        for part in header.split(',').take(20) {
            let mut pieces = part.trim().split(';');
            let Some(lang) = pieces.next().and_then(Self::matching) else { continue };
            let weight =
                pieces.find_map(|piece| piece.trim().strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
            if weight > best.1 {
                best = (lang, weight);
            }
        }
        best.0
    }

    /// The language of a request: what its header accepts.
    pub(crate) fn of_header(request: &Request) -> Self {
        request.header(ACCEPT_LANGUAGE).map(Self::accepted).unwrap_or_default()
    }

    /// The language of a page: what was asked for by the switch, chosen before, or accepted.
    pub(crate) fn of_page(switch: Option<&str>, cookie: Option<&str>, request: &Request) -> Self {
        switch.or(cookie).and_then(Self::matching).unwrap_or_else(|| Self::of_header(request))
    }

    /// The sentence with this key.
    pub(crate) fn t(self, key: &str) -> String {
        self.lookup(key, &HashMap::new())
    }

    /// The sentence with this key and its parameters.
    pub(crate) fn t_with(self, key: &str, parameters: &[(&'static str, FluentValue<'_>)]) -> String {
        let parameters =
            parameters.iter().map(|(name, value)| (Cow::Borrowed(*name), value.clone())).collect();
        self.lookup(key, &parameters)
    }

    /// The sentence with this key and named parameters.
    pub(crate) fn lookup(
        self,
        key: &str,
        parameters: &HashMap<Cow<'static, str>, FluentValue<'_>>,
    ) -> String {
        let language: LanguageIdentifier = self.tag().parse().unwrap_or_default();
        let text = LOCALES.try_lookup_with_args(&language, key, parameters);
        let found = text.is_some();
        // Whatever a test renders has all its words. A reader is better off with a name than without the page.
        debug_assert!(found, "no text `{key}` in {}", self.tag());
        text.unwrap_or_else(|| {
            tracing::error!(key, lang = self.tag(), "a text is missing");
            key.to_owned()
        })
    }

    /// Why a case was closed or access taken away.
    pub(crate) fn reason(self, reason: &RecordedReason) -> String {
        let text = reason.text().unwrap_or_default();
        match reason.code() {
            None => text.to_owned(),
            Some(code) => self.t_with(&format!("reason-{code}"), &[("status", text.into())]),
        }
    }

    /// A purpose as one sentence, as 圖4 shows it.
    pub(crate) fn purpose(self, purpose: &Purpose) -> String {
        let parts = [
            ("authority", purpose.authority.as_str().into()),
            ("rule", purpose.rule.as_str().into()),
            ("description", purpose.description.as_str().into()),
        ];
        self.t_with("purpose-sentence", &parts)
    }

    /// The sentence of a broken rule.
    pub(crate) fn violation(self, violation: idcheck_domain::Violation) -> String {
        let max = violation.limit().unwrap_or_default();
        self.t_with(&format!("violation-{}", violation.code()), &[("max", max.into())])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use idcheck_domain::{
        Violation,
        application::{Action, Kind, StateName},
        precondition::Precondition,
        reason::RecordedReason,
    };
    use idcheck_usecases::{acts::ActName, ports::CardRefusal};

    use super::Lang;

    fn keys(source: &'static str) -> BTreeSet<&'static str> {
        let messages = source.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
        messages.filter_map(|line| Some(line.split_once(" =")?.0)).collect()
    }

    /// Every text of this crate, as it stands in the repository.
    fn sources(folder: &std::path::Path, texts: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, texts);
            } else {
                texts.push_str(&std::fs::read_to_string(&path).unwrap());
            }
        }
    }

    /// A text that no page, rule or refusal names is one that nobody reads: it goes.
    #[test]
    fn no_text_is_left_over() {
        let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut texts = String::new();
        for folder in ["src", "templates", "locales/zh-Hant-TW"] {
            sources(&here.join(folder), &mut texts);
        }
        // What ends in a variable: `t("kind-" ~ kind)` in a template, `format!("reason-{code}")` here, in either order.
        let parts = texts.split(['"', '\'']);
        let made: BTreeSet<_> = parts
            .filter_map(|part| part.split_once('{').map_or(Some(part), |(before, _)| Some(before)))
            .filter(|part| part.len() > 2 && part.ends_with('-') && !part.contains(char::is_whitespace))
            .collect();
        // Names of fields, refusals of cards and numbered articles are made of values.
        let families = ["card-", "conduct-", "privacy-", "accessibility-"];
        let fields = crate::portal::labels();
        let named = |key: &str| {
            ['"', '\''].iter().any(|quote| texts.contains(&format!("{quote}{key}{quote}")))
                || texts.contains(&format!("{{ {key} }}"))
        };
        let files = ["pages", "api", "officer", "docs", "notices"];
        let files = files.map(|file| here.join(format!("locales/zh-Hant-TW/{file}.ftl")));
        let all = files.map(|file| std::fs::read_to_string(file).unwrap()).join("\n");
        let lines = all.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
        let keys = lines.filter_map(|line| Some(line.split_once(" =")?.0));
        let known = |key: &str| {
            named(key)
                || fields.iter().any(|field| field == key)
                || made.iter().chain(&families).any(|made| key.starts_with(made))
        };
        // The second text of something, and the words of a choice.
        let of_a_known = |key: &str| {
            let stem = ["-hint", "-why", "-do"].iter().find_map(|end| key.strip_suffix(end));
            stem.is_some_and(known) || fields.iter().any(|field| key.starts_with(&format!("{field}-")))
        };
        let stray: Vec<_> = keys.filter(|key| !known(key) && !of_a_known(key)).collect();
        assert_eq!(stray, Vec::<&str>::new());
    }

    #[test]
    fn both_languages_have_the_same_keys() {
        for (chinese, english) in [
            (include_str!("../../locales/zh-Hant-TW/pages.ftl"), include_str!("../../locales/en/pages.ftl")),
            (include_str!("../../locales/zh-Hant-TW/api.ftl"), include_str!("../../locales/en/api.ftl")),
            (
                include_str!("../../locales/zh-Hant-TW/notices.ftl"),
                include_str!("../../locales/en/notices.ftl"),
            ),
            (include_str!("../../locales/zh-Hant-TW/docs.ftl"), include_str!("../../locales/en/docs.ftl")),
            (
                include_str!("../../locales/zh-Hant-TW/officer.ftl"),
                include_str!("../../locales/en/officer.ftl"),
            ),
        ] {
            assert_eq!(keys(chinese), keys(english));
        }
    }

    /// Every name that the domain and the use cases give is a text in both languages (ADR 0007).
    #[test]
    fn every_name_has_its_text() {
        let keys: BTreeSet<&str> = [
            include_str!("../../locales/en/pages.ftl"),
            include_str!("../../locales/en/api.ftl"),
            include_str!("../../locales/en/notices.ftl"),
            include_str!("../../locales/en/officer.ftl"),
        ]
        .into_iter()
        .flat_map(keys)
        .collect();
        let names = Violation::ALL.iter().map(|v| format!("violation-{}", v.code()));
        let names = names.chain(Precondition::ALL.iter().map(|p| format!("precondition-{}", p.code())));
        let names = names.chain(CardRefusal::ALL.iter().map(|c| c.code().to_owned()));
        let names = names.chain(Kind::ALL.iter().map(|k| format!("kind-{}", k.as_str())));
        let names = names.chain(StateName::ALL.iter().map(|s| format!("state-{}", s.as_str())));
        let names = names.chain(Action::ALL.iter().map(|a| format!("action-{}", a.as_str())));
        let names = names.chain(ActName::ALL.iter().map(|a| format!("act-{}", a.as_str())));
        let names = names.chain(ActName::ALL.iter().map(|a| format!("act-{}-lead", a.as_str())));
        let names = names.chain(RecordedReason::CODES.iter().map(|code| format!("reason-{code}")));
        let missing: Vec<_> = names.filter(|name| !keys.contains(name.as_str())).collect();
        assert_eq!(missing, Vec::<String>::new());
    }

    /// A Chinese term of the glossary is the one that pages and mails use.
    #[test]
    fn the_glossary_s_terms_are_in_use() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let read = |path: &str| std::fs::read_to_string(format!("{root}/{path}")).unwrap();
        let pages = ["pages", "api", "notices", "docs", "officer"];
        let mut texts: String =
            pages.iter().map(|name| read(&format!("crates/http/locales/zh-Hant-TW/{name}.ftl"))).collect();
        texts += &read("crates/email/locales/zh-Hant-TW/mail.ftl");
        let glossary = read("docs/glossary.md");
        let rows = glossary.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| term"));
        let terms: Vec<&str> = rows.map(|row| row.split('|').nth(2).unwrap().trim()).collect();
        let strange: Vec<_> = terms.iter().filter(|term| !texts.contains(**term)).collect();
        assert!(terms.len() > 30 && strange.is_empty(), "{strange:?}");
    }

    #[test]
    fn the_language_is_the_one_of_greatest_weight() {
        for (header, expected) in [
            ("", Lang::ZhHantTw),
            ("en", Lang::En),
            ("en;q=0.3, zh-TW;q=0.8", Lang::ZhHantTw),
            ("fr, en-GB;q=0.5", Lang::En),
            ("zh;q=0.5, en", Lang::En),
        ] {
            assert_eq!(Lang::accepted(header), expected, "{header}");
        }
    }
}
