//! Mail texts and transports
