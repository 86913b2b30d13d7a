//! What the service answers about a card.

use idcheck_domain::verification::VerificationResult;

/// The answer to a question (`checkIdCardApply`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// 1: the data match the register.
    Match,
    /// 2, 3, 4: something differs, or nobody has this ID number.
    Mismatch {
        /// Wrong answers left about this ID number today, over all companies: 2, 1 or 0.
        attempts_left: u8,
    },
    /// 5: three wrong answers were given about this ID number today; nothing was compared (注意事項 六).
    Locked,
    /// 6: the data match, and the ID number is out of use.
    OutOfUse,
    /// 7: the data match, and the holder reported the card lost.
    ReportedLost,
    /// 8: this user of the company is suspended for abnormal use; nothing was compared.
    UserSuspended,
}

impl Answer {
    /// A stable name, the same as the strict profile's `result`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Mismatch { .. } => "mismatch",
            Self::Locked => "locked",
            Self::OutOfUse => "outOfUse",
            Self::ReportedLost => "reportedLost",
            Self::UserSuspended => "userSuspended",
        }
    }

    /// The digit on the wire, 1 to 8.
    pub const fn digit(self) -> u8 {
        match self {
            Self::Match => 1,
            Self::Mismatch { attempts_left: 2.. } => 2,
            Self::Mismatch { attempts_left: 1 } => 3,
            Self::Mismatch { attempts_left: 0 } => 4,
            Self::Locked => 5,
            Self::OutOfUse => 6,
            Self::ReportedLost => 7,
            Self::UserSuspended => 8,
        }
    }

    /// The answer of a digit on the wire; `None` for text that is none.
    pub(crate) fn from_digit(text: &str) -> Option<Self> {
        let [digit @ b'1'..=b'8'] = text.as_bytes() else { return None };
        VerificationResult::from_code(digit - b'0').map(Self::from)
    }
}

impl From<VerificationResult> for Answer {
    fn from(result: VerificationResult) -> Self {
        match result {
            VerificationResult::Match => Self::Match,
            VerificationResult::FirstMismatch => Self::Mismatch { attempts_left: 2 },
            VerificationResult::SecondMismatch => Self::Mismatch { attempts_left: 1 },
            VerificationResult::ThirdMismatch => Self::Mismatch { attempts_left: 0 },
            VerificationResult::Locked => Self::Locked,
            VerificationResult::OutOfUse => Self::OutOfUse,
            VerificationResult::ReportedLost => Self::ReportedLost,
            VerificationResult::UserSuspended => Self::UserSuspended,
        }
    }
}

/// An answer with what the company's own records need; none of it is personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The answer.
    pub answer: Answer,
    /// The `jti` of the token that asked, which the service's record holds.
    pub jti: String,
    /// The service's name for the request, when it gave one.
    pub request_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::Answer;

    #[test]
    fn every_digit_and_back() {
        for digit in 1..=8_u8 {
            assert_eq!(Answer::from_digit(&digit.to_string()).unwrap().digit(), digit);
        }
        assert_eq!(Answer::from_digit("2"), Some(Answer::Mismatch { attempts_left: 2 }));
        assert_eq!(Answer::from_digit("4"), Some(Answer::Mismatch { attempts_left: 0 }));
        for text in ["", "0", "9", "01", "1 ", "１"] {
            assert_eq!(Answer::from_digit(text), None, "{text:?}");
        }
    }
}
