//! Templates of reasons.

pub(crate) mod api;
pub(crate) mod page;
