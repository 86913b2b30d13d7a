//! The yearly comparison with the company register.

pub(crate) mod api;
pub(crate) mod page;
