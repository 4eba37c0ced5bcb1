//! Real lines.
