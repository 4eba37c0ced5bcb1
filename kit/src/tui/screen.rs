use std::{
    cell::RefCell,
    io::{self, IsTerminal as _, Stdout},
    panic,
    rc::Rc,
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crossterm::{
    cursor,
    event::{self, DisableMouseCapture, EnableMouseCapture, Event, MouseButton, MouseEventKind},
    execute,
    terminal::{self, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
};
use ratatui::{
    Terminal,
    backend::CrosstermBackend,
    layout::{Position, Rect},
};

use crate::{notice::Notice, run::Pace};

use super::{
    keys::{self, Action},
    model::Model,
    view::{line_at, view},
};

/// The most events taken in one frame: whoever leans on the keyboard does not stop the picture.
const EVENTS_MAX: usize = 64;

/// Whether a terminal is in our hands and has to be given back.
static IS_OPEN: AtomicBool = AtomicBool::new(false);

/// The terminal with the picture on it; given back as it was on drop, and before a panic is told.
pub struct Screen {
    model: Rc<RefCell<Model>>,
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

/// The columns and rows of the terminal on stdout; none when stdout is no terminal.
pub fn size() -> Option<(u16, u16)> {
    io::stdout().is_terminal().then(|| terminal::size().ok()).flatten()
}

impl Screen {
    /// Takes the terminal for the scenario `title`.
    ///
    /// # Errors
    ///
    /// What the terminal says: mostly that there is none. It is given back as it was.
    pub fn open(title: &str) -> io::Result<Self> {
        restore_before_a_panic_is_told();
        enable_raw_mode()?;
        IS_OPEN.store(true, Ordering::SeqCst);
        let terminal = execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture, cursor::Hide)
            .and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())))
            .inspect_err(|_| restore())?;
        Ok(Self { model: Rc::new(RefCell::new(Model::new(title))), terminal })
    }

    /// What has to hear every notice for the picture to be right: `bus.listen(screen.listener())`.
    pub fn listener(&self) -> impl FnMut(&Notice) + 'static {
        let model = Rc::clone(&self.model);
        move |notice| model.borrow_mut().update(notice)
    }

    /// Lets one frame pass, `now_ms` milliseconds into the scenario: takes what was typed without
    /// waiting for it, and draws when there is something new to see.
    ///
    /// # Errors
    ///
    /// What the terminal says: mostly that it is gone.
    pub fn frame(&mut self, now_ms: u64, pace: Pace) -> io::Result<Vec<Action>> {
        if !IS_OPEN.load(Ordering::SeqCst) {
            // Another thread has panicked and the terminal is back in its owner's hands.
            return Ok(vec![Action::Quit]);
        }
        let mut model = self.model.borrow_mut();
        model.tick(now_ms, pace);
        let mut actions = Vec::new();
        for _ in 0..EVENTS_MAX {
            if !event::poll(Duration::ZERO)? {
                break;
            }
            let size = self.terminal.size()?;
            actions.extend(handle(&mut model, &event::read()?, Rect::from((Position::ORIGIN, size))));
        }
        if model.take_changed() {
            self.terminal.draw(|frame| view(frame, &model))?;
        }
        Ok(actions)
    }
}

/// What an event asks of the run.
fn handle(model: &mut Model, event: &Event, screen: Rect) -> Option<Action> {
    match event {
        Event::Key(key) => keys::command(*key).and_then(|command| model.obey(command)),
        Event::Resize(..) => {
            model.touch();
            None
        }
        Event::Mouse(mouse) if mouse.kind == MouseEventKind::Down(MouseButton::Left) => {
            let place = Position::new(mouse.column, mouse.row);
            line_at(screen, model, place).and_then(|index| model.click(index))
        }
        Event::FocusGained | Event::FocusLost | Event::Mouse(_) | Event::Paste(_) => None,
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn restore_before_a_panic_is_told() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            restore();
            tell(info);
        }));
    });
}

/// Gives the terminal back, once.
fn restore() {
    if IS_OPEN.swap(false, Ordering::SeqCst) {
        // There is nobody left to tell when the terminal is gone.
        let _ = execute!(io::stdout(), DisableMouseCapture, LeaveAlternateScreen, cursor::Show);
        let _ = disable_raw_mode();
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseEvent};

    use crate::tui::{keys::Command, street::street, view::Panel};

    use super::*;

    const SCREEN: Rect = Rect::new(0, 0, 80, 24);

    #[test]
    fn a_new_size_asks_for_a_new_picture() {
        let mut model = Model::new("street");
        model.take_changed();

        assert_eq!(handle(&mut model, &Event::Resize(80, 24), SCREEN), None);

        assert!(model.take_changed());
    }

    #[test]
    fn a_click_on_the_breadboard_selects_a_line_and_pokes_an_input() {
        let mut model = Model::new("street");
        for notice in &street() {
            model.update(notice);
        }
        let click = |model: &mut Model, row| {
            let kind = MouseEventKind::Down(MouseButton::Left);
            let mouse = MouseEvent { kind, column: 20, row, modifiers: KeyModifiers::NONE };
            handle(model, &Event::Mouse(mouse), SCREEN)
        };

        let elsewhere = click(&mut model, 4);
        model.obey(Command::Zoom(Panel::Breadboard));
        let (output, input) = (click(&mut model, 3), click(&mut model, 4));

        assert_eq!((elsewhere, output), (None, None));
        assert!(matches!(input, Some(Action::Poke { line, .. }) if line == "LIGHT"));
        assert_eq!(click(&mut model, 20), None);
        let broken = model.obey(Command::NextFault);
        assert_eq!(broken, Some(Action::NextFault { line: "LIGHT".to_owned() }));
    }

    #[test]
    fn ctrl_c_asks_to_quit() {
        let key = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);

        assert_eq!(handle(&mut Model::new("street"), &Event::Key(key), SCREEN), Some(Action::Quit));
    }
}
