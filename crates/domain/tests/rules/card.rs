//! The name in the certificate beside the name in the form.

use idcheck_domain::{card::CardRole, value::CompanyName};
use rstest::rstest;

use crate::support::card;

#[rstest]
#[case("測試甲股份有限公司", "測試甲股份有限公司", true)]
#[case("台灣測試股份有限公司", "臺灣測試股份有限公司", true)]
#[case("測試　甲 股份有限公司", "測試甲股份有限公司", true)]
#[case("ＡＢＣ（股）公司", "abc(股)公司", true)]
#[case("測試甲股份有限公司", "測試乙股份有限公司", false)]
#[case("測試甲股份有限公司", "測試甲有限公司", false)]
#[case("測試甲-1", "測試甲1", false)]
#[case("", "測試甲股份有限公司", false)]
fn spelling_does_not_count_and_words_do(#[case] certificate: &str, #[case] typed: &str, #[case] same: bool) {
    assert_eq!(card(certificate).bears(&CompanyName::parse(typed).unwrap()), same);
}

#[rstest]
fn roles_have_words() {
    for role in [CardRole::Primary, CardRole::Secondary] {
        assert_eq!(CardRole::parse(role.as_str()), Some(role));
    }
    assert_eq!(CardRole::parse("tertiary"), None);
}

#[rstest]
fn a_card_is_not_printed() {
    assert!(!format!("{:?}", card("測試甲股份有限公司")).contains("測試甲"));
}
