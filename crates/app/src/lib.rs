//! The verification service as one program
