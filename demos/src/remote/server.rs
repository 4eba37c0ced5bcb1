//! The running program's end.

use std::{
    cell::{Cell, RefCell},
    fs, io,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process,
    rc::{Rc, Weak},
    time::Duration,
};

use coinop::tui::level_of;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};

use super::{ASK_MAX, Answer, Ask, CONNECTIONS_MAX, place};
use crate::{
    breadboard::{Breadboard, LineNow},
    stage::{By, Intervention, Stage},
};

/// How long somebody who has connected may think.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the run may take to do what it is asked.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How often a watch looks for changes, of real time.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The open socket; gone when this is dropped.
pub(crate) struct Door {
    paths: Vec<PathBuf>,
    listening: JoinHandle<()>,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.listening.abort();
        for path in &self.paths {
            // Whatever is left behind is stale, and the next run replaces it.
            let _ = fs::remove_file(path);
        }
    }
}

/// Opens the socket of a run, in its data folder or in the user's runtime folder.
///
/// # Errors
///
/// [`io::Error`] that says what to do.
pub(crate) fn open(
    stage: &Rc<Stage>,
    breadboard: &Rc<RefCell<Breadboard>>,
    data_dir: Option<&Path>,
) -> io::Result<Door> {
    let entry = place::make_folder()?.join(format!("{}.sock", process::id()));
    let mut paths = vec![entry.clone()];
    let listener = match data_dir {
        None => bind(&entry)?,
        Some(folder) => {
            let socket = fs::canonicalize(folder)?.join(place::SOCKET);
            let listener = bind(&socket)?;
            if fs::symlink_metadata(&entry).is_ok() {
                fs::remove_file(&entry)?;
            }
            symlink(&socket, &entry)?;
            paths.push(socket);
            listener
        }
    };
    let hall = Hall { stage: Rc::downgrade(stage), breadboard: Rc::clone(breadboard), inside: Rc::default() };
    Ok(Door { paths, listening: tokio::task::spawn_local(hall.listen(listener)) })
}

/// Binds a socket for its owner alone; one that nobody answers at is replaced, a live one is not.
fn bind(socket: &Path) -> io::Result<UnixListener> {
    if place::is_live(socket) {
        let what = format!("another coinop answers at {}: end it first", socket.display());
        return Err(io::Error::new(io::ErrorKind::AddrInUse, what));
    }
    if fs::symlink_metadata(socket).is_ok() {
        fs::remove_file(socket)?;
    }
    let listener = UnixListener::bind(socket)?;
    fs::set_permissions(socket, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

#[derive(Clone)]
struct Hall {
    /// The run may end while somebody is connected.
    stage: Weak<Stage>,
    breadboard: Rc<RefCell<Breadboard>>,
    /// How many are connected.
    inside: Rc<Cell<usize>>,
}

/// One who is connected; counted until dropped.
struct Guest(Rc<Cell<usize>>);

impl Drop for Guest {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

impl Hall {
    async fn listen(self, listener: UnixListener) {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Out of file descriptors, mostly: somebody may leave.
                tokio::time::sleep(LOOK_EVERY).await;
                continue;
            };
            self.inside.set(self.inside.get() + 1);
            let (hall, guest) = (self.clone(), Guest(Rc::clone(&self.inside)));
            let is_full = self.inside.get() > CONNECTIONS_MAX;
            tokio::task::spawn_local(async move {
                // Who leaves before the answer does not want it.
                let _ = hall.receive(stream, is_full).await;
                drop(guest);
            });
        }
    }

    async fn receive(&self, mut stream: UnixStream, is_full: bool) -> io::Result<()> {
        if let Err(reason) = must_be_ours(&stream) {
            return say(&mut stream, &Answer::Refused(reason)).await;
        }
        if is_full {
            let reason = format!("{CONNECTIONS_MAX} others are connected already: end one of them");
            return say(&mut stream, &Answer::Refused(reason)).await;
        }
        let mut line = String::new();
        let mut reader = BufReader::new((&mut stream).take(ASK_MAX));
        let read = timeout(PATIENCE, reader.read_line(&mut line)).await;
        if !matches!(read, Ok(Ok(length)) if length > 0) {
            return Ok(());
        }
        let answer = match serde_json::from_str(&line) {
            Ok(Ask::Lines) => Answer::Lines(self.lines()),
            Ok(Ask::Watch) => return self.watch(stream).await,
            Ok(Ask::Poke { line, word }) => self.poke(line, &word).await,
            Ok(Ask::Do(what)) => self.intervene(what).await,
            Err(error) => Answer::Refused(format!("that is no request of at most {ASK_MAX} bytes: {error}")),
        };
        say(&mut stream, &answer).await
    }

    async fn poke(&self, line: String, word: &str) -> Answer {
        match level_of(&line, word) {
            Ok(level) => self.intervene(Intervention::Poke { line, level }).await,
            Err(reason) => Answer::Refused(reason),
        }
    }

    async fn intervene(&self, what: Intervention) -> Answer {
        let (sender, receiver) = oneshot::channel();
        let Some(stage) = self.stage.upgrade() else { return Answer::Refused("the run is over".to_owned()) };
        stage.intervene_then(By::Hand, what, move |done| {
            // Who asked may have left meanwhile.
            let _ = sender.send(done);
        });
        drop(stage);
        match timeout(ANSWER_WITHIN, receiver).await {
            Ok(Ok(Ok(words))) => Answer::Done(words),
            Ok(Ok(Err(reason))) => Answer::Refused(reason),
            Ok(Err(_)) => Answer::Refused("the run is over".to_owned()),
            Err(_) => Answer::Refused("the run is over and only its picture is left".to_owned()),
        }
    }

    async fn watch(&self, mut stream: UnixStream) -> io::Result<()> {
        let mut told: Option<Vec<LineNow>> = None;
        loop {
            let lines = self.lines();
            if told.as_ref().is_none_or(|told| !is_same(told, &lines)) {
                say(&mut stream, &Answer::Lines(lines.clone())).await?;
                told = Some(lines);
            }
            // Nothing more is expected to be heard but the end.
            let mut nothing = [0];
            if let Ok(read) = timeout(LOOK_EVERY, stream.read(&mut nothing)).await {
                read?;
                return Ok(());
            }
        }
    }

    fn lines(&self) -> Vec<LineNow> {
        let now = self.stage.upgrade();
        let now = now.map_or(Duration::ZERO, |stage| stage.shell.now().since(stage.shell.start()));
        self.breadboard.borrow().at(u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
    }
}

/// Whether nothing has changed but what is left of the leases.
fn is_same(told: &[LineNow], lines: &[LineNow]) -> bool {
    let is_same = |told: &LineNow, line: &LineNow| {
        let lease_left_ms = line.lease_left_ms;
        LineNow { lease_left_ms, ..told.clone() } == *line
            && told.lease_left_ms.is_some() == line.lease_left_ms.is_some()
    };
    told.len() == lines.len() && told.iter().zip(lines).all(|(told, line)| is_same(told, line))
}

/// The socket's mode keeps others out; where somebody has changed it, this does.
fn must_be_ours(stream: &UnixStream) -> Result<(), String> {
    let own = place::own_uid();
    match stream.peer_cred() {
        Ok(peer) if peer.uid() == own => Ok(()),
        Ok(peer) => Err(format!(
            "this run belongs to the user with number {own}, and you are {}: only its owner may see and poke it",
            peer.uid()
        )),
        Err(error) => Err(format!("the system does not say who you are: {error}")),
    }
}

async fn say(stream: &mut UnixStream, answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    match timeout(PATIENCE, stream.write_all(&line)).await {
        Ok(written) => written,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}
