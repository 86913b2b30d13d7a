//! Text that people type, and addresses that stand in mail headers.

use idcheck_domain::{
    Violation,
    value::{CompanyName, ContactName, Description, EmailAddress, Landline, Mobile, Narrative, Reason},
};
use proptest::prelude::*;
use rstest::rstest;

use crate::support::contact;

#[test]
fn text_is_trimmed_and_bounded() {
    assert_eq!(ContactName::parse("　王小明 \n").unwrap().as_str(), "王小明");
    let longest = "統".repeat(ContactName::MAX);
    assert_eq!(ContactName::parse(&longest).unwrap().as_str(), longest);
    assert_eq!(ContactName::parse(&format!("{longest}一")), Err(Violation::TooLong { max: 50 }));
    for blank in ["", " ", "\t\r\n", "\u{3000}"] {
        assert_eq!(Reason::parse(blank), Err(Violation::Required));
    }
}

#[rstest]
#[case::nul("a\0b")]
#[case::bell("a\u{7}b")]
#[case::escape("a\u{1b}[31mb")]
#[case::delete("a\u{7f}b")]
#[case::next_line("a\u{85}b")]
#[case::line_separator("a\u{2028}b")]
#[case::paragraph_separator("a\u{2029}b")]
#[case::right_to_left_override("a\u{202E}b")]
#[case::isolate("a\u{2067}b")]
#[case::arabic_letter_mark("a\u{061C}b")]
#[case::zero_width_space("a\u{200B}b")]
#[case::word_joiner("a\u{2060}b")]
#[case::byte_order_mark("a\u{FEFF}b")]
#[case::tag("a\u{E0041}b")]
#[case::soft_hyphen("a\u{AD}b")]
#[case::hangul_filler("\u{3164}")]
#[case::hangul_choseong_filler("\u{115F}")]
#[case::halfwidth_filler("\u{FFA0}")]
#[case::braille_blank("\u{2800}")]
#[case::mongolian_separator("a\u{180E}b")]
#[case::lost_character("王\u{FFFD}明")]
fn text_that_hides_or_reorders_is_refused(#[case] text: &str) {
    assert_eq!(CompanyName::parse(text), Err(Violation::ControlCharacter));
    assert_eq!(Narrative::parse(text), Err(Violation::ControlCharacter));
}

/// Rare characters in names are private-use or carry a variation selector.
#[rstest]
#[case("𠮷田")]
#[case("\u{F6E1}")]
#[case("葛\u{E0100}")]
#[case("O'Brien & Söhne <b>")]
fn names_as_they_are(#[case] text: &str) {
    assert_eq!(CompanyName::parse(text).unwrap().as_str(), text);
}

#[test]
fn private_use_is_told_by_code_point() {
    use idcheck_domain::value::private_use;
    assert_eq!(private_use("王\u{E000}明\u{F6E1}\u{F0000}"), ["U+E000", "U+F6E1", "U+F0000"]);
    assert!(private_use("𠮷田葛\u{E0100}").is_empty());
}

#[test]
fn only_long_texts_have_lines() {
    assert_eq!(Description::parse("一\r\n二\r三\n四\t五").unwrap().as_str(), "一\n二\n三\n四\t五");
    for text in ["一\n二", "一\r二", "一\t二"] {
        assert_eq!(CompanyName::parse(text), Err(Violation::ControlCharacter));
    }
}

#[rstest]
#[case("(02)12345678")]
#[case("(02)12345678#1")]
#[case("(02)12345678#123456")]
#[case("(037)123456")]
#[case("(0836)123456")]
#[case("(0836)25131")]
#[case("(0826)66039#12")]
fn landlines(#[case] text: &str) {
    assert_eq!(Landline::parse(text).unwrap().as_str(), text);
}

#[rstest]
#[case("")]
#[case("0212345678")]
#[case("02-12345678")]
#[case("(2)12345678")]
#[case("(0)12345678")]
#[case("(08360)123456")]
#[case("(0837)25131")]
#[case("(0836)2513")]
#[case("(02)12345")]
#[case("(02)123456789")]
#[case("(02)12345678#")]
#[case("(02)12345678#1234567")]
#[case("(02)12345678#12#3")]
#[case("(02) 12345678")]
#[case("(02)1234567８")]
#[case("（02）12345678")]
#[case("(02)12345678\n")]
fn not_landlines(#[case] text: &str) {
    assert_eq!(Landline::parse(text), Err(Violation::LandlineFormat));
}

#[rstest]
#[case("0912345678", true)]
#[case("091234567", false)]
#[case("09123456789", false)]
#[case("0812345678", false)]
#[case("0912-345678", false)]
#[case("+886912345678", false)]
#[case("091234567８", false)]
#[case("", false)]
fn mobiles(#[case] text: &str, #[case] right: bool) {
    assert_eq!(Mobile::parse(text).is_ok_and(|m| m.as_str() == text), right);
}

#[rstest]
#[case("contact@example.com.tw")]
#[case("first.last+tag@sub.example.com")]
#[case("o'brien!#$%&*/=^_`{|}~-@example.com")]
#[case("a@b.tw")]
#[case("a@xn--fiqs8s.tw")]
fn emails(#[case] text: &str) {
    assert_eq!(EmailAddress::parse(text).unwrap().as_str(), text);
}

/// Threat 22. None of these may reach a header.
#[rstest]
#[case::crlf_end("a@example.com\r\nBcc: b@example.com")]
#[case::lf_end("a@example.com\nBcc: b@example.com")]
#[case::cr_end("a@example.com\rBcc: b@example.com")]
#[case::lf_last("a@example.com\n")]
#[case::crlf_in_local("a\r\nBcc: b@example.com")]
#[case::crlf_folded("a\r\n b@example.com")]
#[case::crlf_in_quotes("\"a\r\n b\"@example.com")]
#[case::percent_in_domain("a@example.com%0d%0aBcc:b@example.com")]
#[case::nul("a\0@example.com")]
#[case::next_line("a\u{85}@example.com")]
#[case::line_separator("a\u{2028}@example.com")]
#[case::full_width_newline("a@example.com\u{560d}\u{560a}")]
#[case::encoded_word_q("=?utf-8?Q?a=0D=0ABcc:b=40example.com?=@example.com")]
#[case::encoded_word_b("=?utf-8?b?YUBleGFtcGxlLmNvbQ==?=@example.com")]
#[case::encoded_word_plain("=?x?q?a=40b.c=3e=00?=foo@example.com")]
#[case::encoded_word_in_domain("a@=?utf-8?Q?example?=.com")]
#[case::two("a@example.com,b@example.com")]
#[case::two_by_semicolon("a@example.com;b@example.com")]
#[case::named("A <a@example.com>")]
#[case::brackets("<a@example.com>")]
#[case::comment("a(b)@example.com")]
#[case::quoted("\"a b\"@example.com")]
#[case::source_route("@x.com:a@example.com")]
#[case::at_at("a@b@example.com")]
#[case::literal("a@[203.66.1.2]")]
#[case::number("a@203.66.1.2")]
#[case::no_dot("a@localhost")]
#[case::dot_before("a@.example.com")]
#[case::dot_after("a@example.com.")]
#[case::dots("a..b@example.com")]
#[case::dot_first(".a@example.com")]
#[case::hyphen("a@-example.com")]
#[case::underscore("a@exa_mple.com")]
#[case::unicode("王@example.com")]
#[case::full_width_at("a＠example.com")]
#[case::no_local("@example.com")]
#[case::no_domain("a@")]
#[case::blank(" a@example.com")]
#[case::tab("a@example.com\t")]
fn not_emails(#[case] text: &str) {
    assert_eq!(EmailAddress::parse(text), Err(Violation::EmailFormat));
}

#[test]
fn emails_are_bounded() {
    let domain = format!("{}.{}.{}.tw", "d".repeat(63), "d".repeat(63), "d".repeat(58));
    let longest = format!("{}@{domain}", "a".repeat(254 - 1 - domain.len()));
    assert!(EmailAddress::parse(&longest).is_ok());
    assert_eq!(EmailAddress::parse(&format!("a{longest}")), Err(Violation::TooLong { max: 254 }));
    let long_local = format!("{}@example.com", "a".repeat(65));
    assert_eq!(EmailAddress::parse(&long_local), Err(Violation::EmailFormat));
    let long_label = format!("a@{}.com", "d".repeat(64));
    assert_eq!(EmailAddress::parse(&long_label), Err(Violation::EmailFormat));
    assert_eq!(EmailAddress::parse(""), Err(Violation::Required));
}

#[test]
fn a_contact_can_be_called() {
    use idcheck_domain::contact::Contact;
    let name = || ContactName::parse("王小明").unwrap();
    let email = || EmailAddress::parse("a@example.com").unwrap();
    let mobile = Mobile::parse("0912345678").unwrap();
    assert_eq!(Contact::new(name(), None, None, email()), Err(Violation::PhoneRequired));
    let reachable = Contact::new(name(), None, Some(mobile.clone()), email()).unwrap();
    assert_eq!((reachable.landline(), reachable.mobile()), (None, Some(&mobile)));
}

/// Threat 18: what is printed for a developer tells nothing about a person.
#[test]
fn a_contact_is_not_printed() {
    let printed = format!("{:?}", contact("王小明"));
    for secret in ["王小明", "12345678", "1234", "contact@", "example"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

proptest! {
    /// Whatever passes has one `@`, no blank, no control character, and can be written between angle brackets.
    #[test]
    fn an_email_never_ends_a_header(text in "[ -~\r\n\t]{0,20}@[ -~\r\n]{0,20}") {
        if let Ok(email) = EmailAddress::parse(&text) {
            prop_assert_eq!(email.as_str(), &text);
            prop_assert!(text.bytes().all(|b| b.is_ascii_graphic() && !b"<>()[]\\,;:\"".contains(&b)));
            prop_assert_eq!(text.matches('@').count(), 1);
            prop_assert!(!text.contains("=?"));
        }
    }

    #[test]
    fn text_keeps_its_promise(text in "\\PC*|.{0,80}|[a\\s]{0,80}") {
        if let Ok(name) = CompanyName::parse(&text) {
            prop_assert_eq!(name.as_str(), text.trim());
            prop_assert!(!name.as_str().chars().any(char::is_control));
            prop_assert!((1..=CompanyName::MAX).contains(&name.as_str().chars().count()));
        }
        if let Ok(long) = Narrative::parse(&text) {
            prop_assert!(!long.as_str().contains('\r'));
            prop_assert_eq!(Narrative::parse(long.as_str()), Ok(long.clone()));
        }
    }
}
