//! Actors, journal, bus, transports and terminal UI of coinop.
