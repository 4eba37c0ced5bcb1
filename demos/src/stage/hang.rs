//! The ends of a run before its time: the runtime hangs, and the guard does not; somebody stops it.

use std::time::Duration;

use super::Stage;

impl Stage {
    /// Keeps this thread, and so every actor, from doing anything for so long. What was due meanwhile is
    /// done late.
    pub(super) fn hang(&self, lasts: Duration) {
        let now = self.shell.now();
        let reports = self.rig.borrow_mut().hang(now, lasts);
        self.shell.agenda().advance(now.after(lasts));
        self.hear_or_stop(reports);
    }

    /// Puts the lines safe before the run's time is up, and tells that they are.
    pub(crate) fn end(&self) {
        let reports = self.rig.borrow_mut().end(self.shell.now());
        self.hear_or_stop(reports);
    }
}
