//! What the program says, in zh-Hant-TW and English, from the Fluent files under `locales/`: each sentence is written once.

use std::{borrow::Cow, collections::HashMap};

use fluent_templates::{LanguageIdentifier, fluent_bundle::FluentValue};

fluent_templates::static_loader! {
    static LOCALES = {
        locales: "./locales",
        fallback_language: "zh-Hant-TW",
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

/// A language of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Lang {
    /// Chinese as written in Taiwan; the default.
    #[default]
    ZhHantTw,
    /// English.
    En,
}

/// The language of a tag (BCP 47).
pub(crate) fn lang(text: &str) -> Result<Lang, &'static str> {
    match text {
        "zh-Hant-TW" => Ok(Lang::ZhHantTw),
        "en" => Ok(Lang::En),
        _ => Err("zh-Hant-TW or en"),
    }
}

impl Lang {
    const fn tag(self) -> &'static str {
        match self {
            Self::ZhHantTw => "zh-Hant-TW",
            Self::En => "en",
        }
    }

    /// The sentence with this key; `None` when there is none in this language.
    pub(crate) fn find(self, key: &str, parameters: &[(&'static str, String)]) -> Option<String> {
        let language: LanguageIdentifier = self.tag().parse().ok()?;
        let parameters: HashMap<Cow<'static, str>, FluentValue<'_>> = parameters
            .iter()
            .map(|(name, value)| (Cow::Borrowed(*name), FluentValue::from(value.as_str())))
            .collect();
        LOCALES.lookup_single_language(&language, key, Some(&parameters)).ok()
    }

    /// The sentence with this key, or the key itself.
    pub(crate) fn say(self, key: &str, parameters: &[(&'static str, String)]) -> String {
        self.find(key, parameters).unwrap_or_else(|| key.to_owned())
    }

    /// The sentence with this key and no parameters.
    pub(crate) fn t(self, key: &str) -> String {
        self.say(key, &[])
    }

    /// Cause and remedy of a reason, as two lines.
    pub(crate) fn reason(self, code: &str) -> String {
        let line = |label: &'static str| {
            let text = self.t(&format!("{label}-{code}"));
            self.say(label, &[("text", text)])
        };
        format!("    {}\n    {}", line("cause"), line("remedy"))
    }
}

#[cfg(test)]
mod tests {
    use idcheck_client::{NotSent, Refusal, Step, inspect::Cause};

    use super::Lang;

    /// Codes of reasons that are not in a list of the library.
    const OTHERS: [&str; 10] = [
        "unexpected-status",
        "too-many-requests",
        "unavailable",
        "no-reply",
        "outcome-unknown",
        "already-recorded",
        "signing-failed",
        "clock-off",
        "fingerprint-differs",
        "unreadable",
    ];

    #[test]
    fn every_reason_has_a_cause_and_a_remedy_in_both_languages() {
        let codes = Refusal::all()
            .map(Refusal::code)
            .chain(NotSent::ALL.map(NotSent::code))
            .chain(Cause::ALL.map(Cause::code))
            .chain(OTHERS);
        let keys = codes
            .flat_map(|code| [format!("cause-{code}"), format!("remedy-{code}")])
            .chain(Step::ALL.map(|step| format!("step-{}", step.as_str())));
        for key in keys {
            let [chinese, english] = [Lang::ZhHantTw, Lang::En].map(|lang| {
                lang.find(&key, &[]).unwrap_or_else(|| panic!("{key} is missing in {}", lang.tag()))
            });
            assert!(english.is_ascii() && !chinese.is_ascii(), "{key}");
        }
    }

    #[test]
    fn both_languages_have_the_same_keys() {
        let keys = |file: &str| -> Vec<String> {
            file.lines()
                .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
                .filter_map(|line| Some(line.split_once(" =")?.0.to_owned()))
                .collect()
        };
        let chinese = keys(include_str!("../../../locales/zh-Hant-TW/client.ftl"));
        let english = keys(include_str!("../../../locales/en/client.ftl"));
        assert_eq!(chinese, english);
        assert!(chinese.len() > 60);
    }
}
