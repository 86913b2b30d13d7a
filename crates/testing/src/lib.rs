//! Builders, fixed clock, temporary databases and the port contract suites
