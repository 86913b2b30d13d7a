//! Cases: the queue, one case, the steps of its review.

pub(crate) mod api;
pub(crate) mod difference;
pub(crate) mod dto;
pub(crate) mod file;
pub(crate) mod page;
pub(crate) mod queue;
pub(crate) mod show;
