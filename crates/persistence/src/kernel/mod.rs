//! What every feature is written with: connections, rows with a version, cells, sealed values, rows by the thousand.

pub(crate) mod address;
pub(crate) mod batch;
pub(crate) mod cell;
pub(crate) mod connection;
pub(crate) mod json;
pub(crate) mod store;
pub(crate) mod vault;
pub(crate) mod versioned;
pub(crate) mod writer;
