//! `coinop node`: devices that write to each other over it, and a node that is killed meanwhile.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use coinop::core::{
    device::{Draft, Draw, Keys, Message, Pages, TemporaryKey},
    obyte::SecretKey,
};
use serde_json::{Value, json};

const COINOP: &str = env!("CARGO_BIN_EXE_coinop");

/// A node that keeps a journal; killed when dropped.
struct Node {
    child: Child,
    /// Read by nobody after the first lines, but open.
    _out: BufReader<ChildStdout>,
    address: String,
}

impl Node {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(COINOP)
            .args(["node", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let says_where =
            |line: &str| Some(line.trim().strip_prefix("clients")?.trim().strip_prefix("ws://")?.to_owned());
        let address = loop {
            let mut line = String::new();
            assert!(out.read_line(&mut line).unwrap() > 0, "it says where it listens");
            if let Some(address) = says_where(&line) {
                break address;
            }
        };
        Self { child, _out: out, address }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may be over already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A WebSocket of a few lines, as independent of the program as can be.
struct Socket(BufReader<TcpStream>);

impl Socket {
    fn connect(address: &str) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        write!(
            stream,
            "GET / HTTP/1.1\r\nHost: node\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        .unwrap();
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            assert!(reader.read_line(&mut line).unwrap() > 0, "the node takes the upgrade");
        }
        Self(reader)
    }

    fn send(&mut self, frame: &Value) {
        let text = frame.to_string();
        let length = u16::try_from(text.len()).unwrap().to_be_bytes();
        // A whole text, its length in two bytes, masked with nothing.
        let mut bytes = vec![0x81, 0xFE, length[0], length[1], 0, 0, 0, 0];
        bytes.extend_from_slice(text.as_bytes());
        self.0.get_mut().write_all(&bytes).unwrap();
    }

    fn read(&mut self) -> Value {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).unwrap();
        assert_eq!(head[0], 0x81, "a whole text");
        let size = match head[1] {
            126 => {
                let mut size = [0; 2];
                self.0.read_exact(&mut size).unwrap();
                usize::from(u16::from_be_bytes(size))
            }
            size => usize::from(size),
        };
        let mut text = vec![0; size];
        self.0.read_exact(&mut text).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    /// The next frame whose kind and subject, or command, are these.
    fn next(&mut self, kind: &str, name: &str) -> Value {
        for _ in 0..20 {
            let frame = self.read();
            let body = &frame[1];
            if frame[0] == kind && [&body["subject"], &body["command"]].iter().any(|it| **it == name) {
                return if kind == "response" { body["response"].clone() } else { body["body"].clone() };
            }
        }
        panic!("no {name} among twenty frames");
    }

    fn say(&mut self, subject: &str, body: &Value) {
        self.send(&json!(["justsaying", {"subject": subject, "body": body}]));
    }

    fn ask(&mut self, command: &str, params: &Value) -> Value {
        self.send(&json!(["request", {"command": command, "params": params, "tag": command}]));
        self.next("response", command)
    }

    /// A connection on which a device is logged in.
    fn of(node: &Node, keys: &Keys) -> Self {
        let mut socket = Self::connect(&node.address);
        let challenge = socket.next("justsaying", "hub/challenge");
        let login = keys.login(challenge.as_str().unwrap(), Pages::default()).unwrap();
        socket.say("hub/login", &json!(login));
        socket
    }
}

fn keys(number: u8) -> Keys {
    Keys::new(SecretKey::from_bytes(&[number; 32]).unwrap())
}

#[test]
fn a_message_that_was_accepted_outlives_the_node() {
    let folder = tempfile::tempdir().unwrap();
    let (alice, mut bob) = (keys(1), keys(2));
    let key = bob.temporary(0, &[102; 32].into()).unwrap();
    let node = Node::start(folder.path());
    let mut bobs = Socket::of(&node, &bob);
    assert_eq!(bobs.next("justsaying", "info"), "address created");
    assert_eq!(bobs.ask("hub/temp_pubkey", &json!(key)), "updated");
    drop(bobs);

    let mut alices = Socket::of(&node, &alice);
    let shown = alices.ask("hub/get_temp_pubkey", &json!(bob.public()));
    let shown = TemporaryKey::read(&shown, &bob.public()).unwrap();
    let draw = Draw::from_random(&[7; 44].into()).unwrap();
    let letter = alice.seal(&Draft::text("see you"), &bob.public(), &shown, "node/bb", draw).unwrap();
    assert_eq!(alices.ask("hub/deliver", letter.value()), "accepted");
    drop(node);

    let node = Node::start(folder.path());
    let mut bobs = Socket::of(&node, &bob);
    let delivered = Message::delivered(&bobs.next("justsaying", "hub/message")).unwrap();
    assert_eq!(bob.open(&delivered).unwrap().body, "see you");
    assert_eq!(bobs.next("justsaying", "hub/message_box_status"), "empty");
    bobs.say("hub/delete", &json!(delivered.hash()));
    assert_eq!(bobs.next("justsaying", "info"), format!("deleted message {}", delivered.hash()));
    drop(node);

    let node = Node::start(folder.path());
    let mut bobs = Socket::of(&node, &bob);
    assert_eq!(bobs.next("justsaying", "info"), "0 messages sent");
}
