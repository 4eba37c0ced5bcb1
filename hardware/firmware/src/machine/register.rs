//! Registers of a machine, the one way to touch them.

use core::ptr;

/// A register of 32 bits at a fixed address.
pub(crate) struct Register(usize);

impl Register {
    /// The register at `address`.
    ///
    /// # Safety
    ///
    /// There is a register of 32 bits at `address`, and no value read from or written to it breaks what
    /// Rust knows of memory: no memory management, no transfers.
    pub(crate) const unsafe fn at(address: usize) -> Self {
        Self(address)
    }

    /// Its value.
    pub(crate) fn read(&self) -> u32 {
        // SAFETY: whoever made it promised that this is a register.
        unsafe { ptr::read_volatile(self.0 as *const u32) }
    }

    /// Writes it.
    pub(crate) fn write(&self, value: u32) {
        // SAFETY: whoever made it promised that this is a register.
        unsafe { ptr::write_volatile(self.0 as *mut u32, value) }
    }

    /// Sets some bits and leaves the others.
    pub(crate) fn set(&self, bits: u32) {
        self.write(self.read() | bits);
    }

    /// Clears some bits and leaves the others.
    #[cfg_attr(
        machine = "lm3s6965evb",
        expect(dead_code, reason = "its pins have a register of their own each")
    )]
    pub(crate) fn clear(&self, bits: u32) {
        self.write(self.read() & !bits);
    }
}
