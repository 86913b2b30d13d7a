//! Bounded text written by people: trimmed, not empty, one line or several, no control characters. It may name
//! anybody, so none of it is printed by `Debug`.

use std::fmt;

use crate::Violation;

/// Characters that can reorder or hide text on an officer's screen, show as nothing, or stand for one that was lost, and the
/// two line breaks that are no control characters.
fn deceptive(c: char) -> bool {
    matches!(c, '\u{00AD}' | '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{2800}' | '\u{3164}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFD}' | '\u{1D173}'..='\u{1D17A}' | '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}'
        | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}')
}

/// The private-use characters of a text, as users of 造字 type them, by their code points: they look different, or like
/// nothing, on another computer.
pub fn private_use(text: &str) -> Vec<String> {
    let private = |c: &char| matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{FFFFD}' | '\u{100000}'..='\u{10FFFD}');
    text.chars().filter(private).map(|c| format!("U+{:04X}", u32::from(c))).collect()
}

fn parse(text: &str, max: usize, lines: bool) -> Result<String, Violation> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Violation::Required);
    }
    if text.chars().count() > max {
        return Err(Violation::TooLong { max });
    }
    let breaks = |c: char| lines && matches!(c, '\n' | '\r' | '\t');
    if text.chars().any(|c| (c.is_control() && !breaks(c)) || deceptive(c)) {
        return Err(Violation::ControlCharacter);
    }
    Ok(if lines { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() })
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $max:literal, lines: $lines:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// The greatest number of characters.
            pub const MAX: usize = $max;

            /// Trims and checks the text.
            ///
            /// # Errors
            /// [`Violation::Required`], [`Violation::TooLong`] or [`Violation::ControlCharacter`].
            pub fn parse(text: &str) -> Result<Self, Violation> {
                parse(text, $max, $lines).map(Self)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

text!(/// A company's registered name (公司名稱).
    CompanyName, 100, lines: false);
text!(/// The contact person's name (聯絡人).
    ContactName, 50, lines: false);
text!(/// The supervising authority that a purpose names (主管機關, 注意事項 四).
    Authority, 100, lines: false);
text!(/// The rule of that authority that asks for the verification (規定, 注意事項 四).
    Rule, 200, lines: false);
text!(/// What the verification is used for, in the applicant's words.
    Description, 1000, lines: true);
text!(/// Why an address changes, a verification stops, a case is decided or withdrawn.
    Reason, 1000, lines: true);
text!(/// A question, an answer, an explanation, a plan.
    Narrative, 4000, lines: true);
text!(/// What a template of reasons is chosen by.
    TemplateTitle, 60, lines: false);
text!(/// The name of a file, as whoever sent it had it; it is shown, and never a path.
    FileName, 100, lines: false);
text!(/// What an officer calls one of the own passkeys.
    PasskeyName, 60, lines: false);
text!(/// The name an organisation gives to one of its public keys.
    KeyLabel, 60, lines: false);
