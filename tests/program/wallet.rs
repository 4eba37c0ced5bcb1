//! `coinop node` and `coinop wallet`: a network of one's own, and money that is moved on it.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
    thread,
};

use serde_json::Value;

const COINOP: &str = env!("CARGO_BIN_EXE_coinop");
/// What the faucet gives.
const GIFT: u64 = 1_000_000;

/// A node that runs, and is killed at the end of the test.
struct Node {
    child: Child,
    /// Read by nobody after the first lines, but open.
    _out: BufReader<ChildStdout>,
    address: String,
}

impl Node {
    fn start(more: &[&str]) -> Self {
        Self::listening("127.0.0.1:0", more)
    }

    fn listening(at: &str, more: &[&str]) -> Self {
        let mut child = Command::new(COINOP)
            .args(["node", "--listen", at, "--faucet", "1MB", "--stable-after", "200ms"])
            .args(more)
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

    fn hub(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// Asks over HTTP.
    fn http(&self, request: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(
            stream,
            "{request} HTTP/1.1\r\nHost: node\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap()
    }

    fn fund(&self, wallet: &Wallet) {
        let given = self.http("POST /faucet", &wallet.address);
        assert_eq!(given["given_in_all"], GIFT, "{given}");
        // Until it is final.
        while wallet.balance(&self.hub()) != (GIFT, 0) {}
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may be over already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A burner in a folder of its own.
struct Wallet {
    folder: tempfile::TempDir,
    address: String,
}

impl Wallet {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let out = run(&folder.path().join("wallet"), &["new", "--burner", "--json"]);
        assert!(out.status.success(), "{out:?}");
        let made: Value = serde_json::from_slice(&out.stdout).unwrap();
        Self { address: made["address"].as_str().unwrap().to_owned(), folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("wallet")
    }

    fn run(&self, hub: &str, words: &[&str]) -> Output {
        run(&self.file(), &[words, &["--json", "--yes", "--hub", hub]].concat())
    }

    fn json(&self, hub: &str, words: &[&str]) -> Value {
        let out = self.run(hub, words);
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        serde_json::from_slice(&out.stdout).unwrap()
    }

    /// What is final, and what is not yet.
    fn balance(&self, hub: &str) -> (u64, u64) {
        let balance = self.json(hub, &["balance"]);
        (balance["stable"].as_u64().unwrap(), balance["pending"].as_u64().unwrap())
    }
}

fn run(wallet: &Path, words: &[&str]) -> Output {
    Command::new(COINOP)
        .arg("wallet")
        .args(words)
        .arg("--wallet")
        .arg(wallet)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn error_of(out: &Output) -> String {
    assert!(!out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
    String::from_utf8_lossy(&out.stderr).into_owned()
}

/// Carries bytes between clients and a hub; hangs up instead of passing on the hub's word on a posted unit.
fn swallows_the_answer(hub: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, hub) = (client.unwrap(), TcpStream::connect(&hub).unwrap());
            let (mut from_client, mut to_hub) = (client.try_clone().unwrap(), hub.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut from_client, &mut to_hub));
            thread::spawn(move || pass_all_but_the_verdict(hub, client));
        }
    });
    url
}

fn pass_all_but_the_verdict(mut hub: TcpStream, mut client: TcpStream) {
    let mut buffer = vec![0; 1 << 20];
    while let Ok(read @ 1..) = hub.read(&mut buffer) {
        if String::from_utf8_lossy(&buffer[..read]).contains("post_joint") {
            break;
        }
        if client.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = hub.shutdown(Shutdown::Both);
}

#[test]
fn money_goes_from_one_to_another_with_the_definition_and_without() {
    let (node, alice, bob) = (Node::start(&[]), Wallet::new(), Wallet::new());
    node.fund(&alice);
    let hub = node.hub();

    for amount in ["1000", "2kB"] {
        let sent = alice.json(&hub, &["send", &bob.address, amount]);
        assert_eq!(sent["final"], true);
    }

    assert_eq!(bob.balance(&hub), (3_000, 0));
    let history = alice.json(&hub, &["history"]);
    let rows = history.as_array().unwrap();
    assert_eq!(rows.len(), 3);
    let spent = |row: &Value| row["spent"].as_u64().unwrap() - row["received"].as_u64().unwrap();
    let fees = spent(&rows[1]) + spent(&rows[2]) - 3_000;
    assert_eq!(alice.balance(&hub), (GIFT - 3_000 - fees, 0));
    assert!(fees > 0 && fees < 5_000, "{fees}");
}

#[test]
fn a_payment_whose_answer_was_lost_is_made_once() {
    let (node, alice, bob) = (Node::start(&[]), Wallet::new(), Wallet::new());
    node.fund(&alice);
    let deaf = swallows_the_answer(node.address.clone());

    let lost = error_of(&alice.run(&deaf, &["send", &bob.address, "1000"]));
    assert!(lost.contains("is not known"), "{lost}");
    let before = error_of(&alice.run(&deaf, &["send", &bob.address, "5000"]));
    assert!(before.contains("nothing else is sent"), "{before}");

    alice.json(&node.hub(), &["send", &bob.address, "2000"]);
    assert_eq!(bob.balance(&node.hub()), (3_000, 0));
    assert_eq!(fs::read_dir(alice.folder.path()).unwrap().count(), 1, "nothing waits any more");
}

#[test]
fn a_killed_node_goes_on_with_everything_it_had_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let data = ["--data-dir", folder.path().to_str().unwrap()];
    let (mut node, alice, bob) = (Node::start(&data), Wallet::new(), Wallet::new());
    node.fund(&alice);
    let at = node.address.clone();

    for round in 1..=5 {
        alice.json(&node.hub(), &["send", &bob.address, "1000", "--no-wait"]);
        node.child.kill().unwrap();
        node.child.wait().unwrap();
        node = Node::listening(&at, &data);
        while bob.balance(&node.hub()) != (round * 1_000, 0) {}
    }
}

#[test]
fn another_network_is_refused_before_anything_is_signed() {
    let (node, alice) = (Node::start(&[]), Wallet::new());

    let out = run(
        &alice.file(),
        &["send", &alice.address, "1000", "--yes", "--hub", &node.hub(), "--network", "testnet"],
    );

    let error = error_of(&out);
    assert!(error.contains("another network") && error.contains("4.0dev"), "{error}");
    assert_eq!(fs::read_dir(alice.folder.path()).unwrap().count(), 1);
}

#[test]
fn where_no_hub_is_the_mend_is_named() {
    let alice = Wallet::new();
    // A port that was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();

    let error = error_of(&alice.run(&format!("ws://{free}"), &["balance"]));

    assert!(error.contains("coinop node") && error.contains("--hub"), "{error}");
    for (hub, word) in [("http://x", "no address of a hub"), ("nonsense", "no address of a hub")] {
        assert!(error_of(&alice.run(hub, &["balance"])).contains(word));
    }
}

#[test]
fn nothing_is_paid_that_nobody_confirmed() {
    let (node, alice) = (Node::start(&[]), Wallet::new());
    node.fund(&alice);

    let out = run(&alice.file(), &["send", &alice.address, "1000", "--hub", &node.hub()]);

    assert!(error_of(&out).contains("--yes"));
    assert_eq!(alice.balance(&node.hub()), (GIFT, 0));
}

#[test]
fn more_than_there_is_cannot_be_paid() {
    let (node, alice) = (Node::start(&[]), Wallet::new());
    node.fund(&alice);

    let error = error_of(&alice.run(&node.hub(), &["send", &alice.address, "5MB"]));

    assert!(error.contains("can be spent"), "{error}");
}

#[test]
fn a_data_feed_is_posted_and_can_be_read() {
    let (node, alice) = (Node::start(&[]), Wallet::new());
    node.fund(&alice);

    let sent = alice.json(&node.hub(), &["data-feed", "temperature=21.5", "door=1"]);

    assert_eq!(sent["final"], true);
    let refused = error_of(&alice.run(&node.hub(), &["data-feed", "temperature"]));
    assert!(refused.contains("NAME=VALUE"), "{refused}");
}

#[test]
fn a_signed_message_is_checked_and_a_changed_one_is_refused() {
    let alice = Wallet::new();
    let signed = run(&alice.file(), &["sign", "I was here"]).stdout;
    let file = alice.folder.path().join("signed.json");

    fs::write(&file, &signed).unwrap();
    let verified = Command::new(COINOP).args(["wallet", "verify"]).arg(&file).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&verified.stdout), format!("signed by {}\n", alice.address));

    fs::write(&file, String::from_utf8(signed).unwrap().replace("here", "away")).unwrap();
    let verified = Command::new(COINOP).args(["wallet", "verify"]).arg(&file).output().unwrap();
    assert!(error_of(&verified).contains("not signed"));
}

#[test]
fn a_wallet_is_never_overwritten_and_words_make_the_same_one_again() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let made: Value = serde_json::from_slice(&run(&first, &["new", "--burner", "--json"]).stdout).unwrap();

    assert!(error_of(&run(&first, &["new", "--burner"])).contains("never overwritten"));

    let mut import = Command::new(COINOP)
        .args(["wallet", "import", "--burner", "--json", "--wallet"])
        .arg(&second)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    import.stdin.take().unwrap().write_all(made["words"].as_str().unwrap().as_bytes()).unwrap();
    let again: Value = serde_json::from_slice(&import.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(again["address"], made["address"]);
    assert_eq!(again["words"], Value::Null, "what was read is not shown");
}

#[test]
fn the_page_the_status_and_the_faucet_answer_and_say_what_is_wrong() {
    let node = Node::start(&[]);

    assert_eq!(node.http("GET /status", "")["network"], "devnet");
    assert!(node.http("POST /faucet", "XYZ")["error"].as_str().unwrap().contains("no valid address"));
    let mut stream = TcpStream::connect(&node.address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    assert!(page.contains("test money that is worth nothing"));
}
