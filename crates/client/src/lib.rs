//! Client library and program for companies that use the verification API
