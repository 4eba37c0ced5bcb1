//! Counting what is delivered, and sharing it among those who pay for it.
