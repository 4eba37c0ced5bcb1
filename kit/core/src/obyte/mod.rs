//! Obyte as this kit speaks it: hashes, keys, addresses, units, signed packages.
