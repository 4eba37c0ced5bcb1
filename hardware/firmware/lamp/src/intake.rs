/// The longest line that is taken from the wire, in bytes.
pub const LONGEST: usize = 1024;

/// Makes lines of bytes. Never holds more than [`LONGEST`] of them.
#[derive(Debug)]
pub struct Intake {
    line: [u8; LONGEST],
    length: usize,
    is_complete: bool,
}

impl Intake {
    /// Nothing came in yet.
    pub const fn new() -> Self {
        Self { line: [0; LONGEST], length: 0, is_complete: false }
    }

    /// Takes a byte; gives the line that it ends, `None` within for one that was too long.
    pub fn push(&mut self, byte: u8) -> Option<Option<&[u8]>> {
        if self.is_complete {
            (self.length, self.is_complete) = (0, false);
        }
        match byte {
            b'\n' if self.length == 0 => None,
            b'\n' => {
                self.is_complete = true;
                Some(self.line.get(..self.length))
            }
            b'\r' => None,
            byte => {
                // One beyond the end says that the line was too long.
                if let Some(place) = self.line.get_mut(self.length) {
                    *place = byte;
                }
                self.length = (self.length + 1).min(LONGEST + 1);
                None
            }
        }
    }
}

impl Default for Intake {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn lines(bytes: &[u8]) -> Vec<Option<Vec<u8>>> {
        let mut intake = Intake::new();
        bytes.iter().filter_map(|byte| intake.push(*byte).map(|line| line.map(<[u8]>::to_vec))).collect()
    }

    #[test]
    fn lines_end_with_a_line_feed_whatever_the_terminal_adds() {
        assert_eq!(lines(b"one\r\n\n\r\ntwo\nthr"), [Some(b"one".to_vec()), Some(b"two".to_vec())]);
    }

    #[test]
    fn a_line_that_is_too_long_is_told_and_the_next_one_is_heard() {
        let mut bytes = std::vec![b'x'; LONGEST];
        bytes.push(b'\n');
        bytes.extend(std::vec![b'y'; 3 * LONGEST]);
        bytes.extend(b"\nnext\n");

        assert_eq!(lines(&bytes), [Some(std::vec![b'x'; LONGEST]), None, Some(b"next".to_vec())]);
    }
}
