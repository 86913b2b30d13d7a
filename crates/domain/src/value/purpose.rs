//! Purpose (使用目的／原因): by which authority's which rule the verification is needed.

use crate::value::{Authority, Description, Rule};

/// 注意事項 四: the supervising authority and its rule must be named. Whether they are named well enough is the
/// officer's call; that they are named at all is this type's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purpose {
    /// The supervising authority (主管機關).
    pub authority: Authority,
    /// Its rule (規定).
    pub rule: Rule,
    /// What it is used for.
    pub description: Description,
}
