//! Mails that were given up.

pub(crate) mod api;
pub(crate) mod page;
