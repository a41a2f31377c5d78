//! SMTP submission to a relay.
