//! One type per command or query of the verification service, and the ports they need
