use crate::{report::Failure, talk::Effort};

/// How much of the flash a firmware fills, in bytes: what its file loads into the machine.
pub(crate) fn flash(firmware: &[u8]) -> Result<u64, Failure> {
    const LOAD: u32 = 1;
    if !firmware.starts_with(b"\x7FELF\x01\x01") {
        return Err("the firmware is no ELF file of 32 bits".into());
    }
    let (table, entry, count) = (word(firmware, 28)?, half(firmware, 42)?, half(firmware, 44)?);
    let mut sum = 0;
    for index in 0..count {
        let at = usize::try_from(table + index * entry)?;
        if word(firmware, at)? == LOAD {
            sum += u64::from(word(firmware, at + 16)?);
        }
    }
    Ok(sum)
}

fn word(file: &[u8], at: usize) -> Result<u32, Failure> {
    let bytes = file.get(at..at + 4).ok_or("the firmware's file is cut short")?;
    Ok(u32::from_le_bytes(bytes.try_into()?))
}

fn half(file: &[u8], at: usize) -> Result<u32, Failure> {
    Ok(word(file, at)? & 0xFFFF)
}

impl Effort {
    /// All memory that was ever needed, in bytes.
    pub(crate) const fn memory(&self) -> u64 {
        self.fixed + self.stack + self.heap
    }
}
