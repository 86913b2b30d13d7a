//! The code tables of the verification: why a card was issued, and where.

use crate::Violation;

/// 領補換類別: what a card was issued for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApplyCode {
    /// 0 未領.
    NotCollected,
    /// 1 初發 (初領).
    First,
    /// 2 補發 (補領).
    Replacement,
    /// 3 換發 (換領).
    Exchange,
}

impl ApplyCode {
    /// All codes in their order.
    pub const ALL: [Self; 4] = [Self::NotCollected, Self::First, Self::Replacement, Self::Exchange];

    /// Reads the digit.
    ///
    /// # Errors
    /// [`Violation::ApplyCodeUnknown`].
    pub fn parse(text: &str) -> Result<Self, Violation> {
        Self::ALL.into_iter().find(|c| c.as_str() == text).ok_or(Violation::ApplyCodeUnknown)
    }

    /// The digit.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotCollected => "0",
            Self::First => "1",
            Self::Replacement => "2",
            Self::Exchange => "3",
        }
    }
}

/// 發證地點: code and name of the county or city that issued a card. Old names stay: old cards carry them.
const SITES: [(&str, &str); 27] = [
    ("09007", "連江"),
    ("09020", "金門"),
    ("10001", "北縣"),
    ("10002", "宜縣"),
    ("10003", "桃縣"),
    ("10004", "竹縣"),
    ("10005", "苗縣"),
    ("10006", "中縣"),
    ("10007", "彰縣"),
    ("10008", "投縣"),
    ("10009", "雲縣"),
    ("10010", "嘉縣"),
    ("10011", "南縣"),
    ("10012", "高縣"),
    ("10013", "屏縣"),
    ("10014", "東縣"),
    ("10015", "花縣"),
    ("10016", "澎縣"),
    ("10017", "基市"),
    ("10018", "竹市"),
    ("10020", "嘉市"),
    ("63000", "北市"),
    ("64000", "高市"),
    ("65000", "新北市"),
    ("66000", "中市"),
    ("67000", "南市"),
    ("68000", "桃市"),
];

/// One of the 27 places where cards are or were issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IssueSite(&'static (&'static str, &'static str));

impl IssueSite {
    /// Reads the five digits.
    ///
    /// # Errors
    /// [`Violation::IssueSiteUnknown`].
    pub fn parse(text: &str) -> Result<Self, Violation> {
        SITES.iter().find(|(code, _)| *code == text).map(Self).ok_or(Violation::IssueSiteUnknown)
    }

    /// All sites in the order of their codes.
    pub fn all() -> impl Iterator<Item = Self> {
        SITES.iter().map(Self)
    }

    /// The five digits.
    pub const fn code(self) -> &'static str {
        self.0.0
    }

    /// The name as the cards abbreviate it.
    pub const fn name(self) -> &'static str {
        self.0.1
    }
}
