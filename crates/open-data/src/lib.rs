//! The government's open data: the company register over HTTP (an adapter of `CompanyRegister`), and the files of companies and
//! of the working calendar that operators import.

pub mod calendar;
pub mod companies;
mod file;
mod gcis;

pub use file::{FileProblem, header, not_utf8, open_csv};
pub use gcis::Gcis;
