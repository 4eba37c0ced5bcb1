//! What devices say to a hub, and what it says to them.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use coinop_core::{
    device::{self, Login, Message, Pages, TemporaryKey},
    obyte::{DeviceAddress, Hash, PublicKey},
};
use serde_json::{Value, json};

use super::{
    Client, Hub, Reaction, justsaying,
    mailboxes::{Command, Mailboxes, Stored},
    respond,
};

/// How deep a device message may nest, and how many nodes it may have.
const MAX_DEPTH: usize = 5;
const MAX_NODES: usize = 100;
/// What a device message consists of.
const DELIVERED: [&str; 8] = [
    "/signature",
    "/pubkey",
    "/to",
    "/encrypted_package/encrypted_message",
    "/encrypted_package/iv",
    "/encrypted_package/authtag",
    "/encrypted_package/dh/sender_ephemeral_pubkey",
    "/encrypted_package/dh/recipient_ephemeral_pubkey",
];
/// The length of a signature's text.
const SIGNATURE: usize = 88;

/// Something that a client asks of the mailboxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    client: Client,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Enter { pubkey: PublicKey, pages: Pages, is_new: bool },
    Refresh { pubkey: PublicKey, pages: Pages },
    Delete { device: DeviceAddress, hash: Hash },
    Show { tag: String, key: Box<TemporaryKey> },
    Deliver { tag: String, message: Box<Message> },
    Look { tag: String, of: PublicKey },
}

/// What a connection has said of itself as a device.
#[derive(Clone, Debug, Default)]
pub(super) struct Guest {
    /// What is to be signed; without it no chat is served.
    challenge: Option<String>,
    device: Option<(PublicKey, Pages)>,
}

/// What follows from what a device says: something for the mailboxes, or a text that says why not.
type Heard = Result<What, String>;

impl Ask {
    /// What is to be put to the mailboxes, and to be durable before [`Hub::answered`] is asked; nothing
    /// when that can be asked at once.
    pub fn command(&mut self, mailboxes: &Mailboxes) -> Option<Command> {
        Some(match &mut self.what {
            What::Enter { pubkey, pages, is_new } => {
                *is_new = !mailboxes.knows(&DeviceAddress::of_key(pubkey));
                Command::Enter { pubkey: *pubkey, longest: pages.max_message_length }
            }
            What::Refresh { pubkey, pages } => {
                let device = DeviceAddress::of_key(pubkey);
                Command::Collect { device, longest: pages.max_message_length }
            }
            What::Delete { device, hash } => Command::Delete { device: *device, hash: *hash },
            What::Show { key, .. } => Command::Show { key: key.clone() },
            What::Deliver { message, .. } => Command::Deliver { message: message.clone() },
            What::Look { .. } => return None,
        })
    }
}

impl Hub {
    /// Offers a client to log in as a device, with the challenge that it has to sign; `random` is drawn
    /// for it alone.
    pub fn invite(&mut self, client: Client, random: &[u8; 32]) -> Option<Reaction> {
        let guest = &mut self.sessions.get_mut(&client)?.guest;
        let challenge = STANDARD.encode(&random[..30]);
        let frame = justsaying("hub/challenge", &json!(challenge));
        guest.challenge = Some(challenge);
        Some(Reaction::Send { to: client, frame })
    }

    /// What a client is sent once the mailboxes have done, or refused, what it asked.
    pub fn answered(&self, mailboxes: &Mailboxes, ask: &Ask, result: Result<(), &str>) -> Vec<Reaction> {
        let respond_with = |tag: &str, command: &str, answer: Result<Value, String>| {
            let answer = answer.unwrap_or_else(|error| json!({ "error": error }));
            vec![respond(tag, Some(command), &answer)]
        };
        let say = |text: Value| vec![justsaying(if result.is_ok() { "info" } else { "error" }, &text)];
        let told = |answer: &str| result.map(|()| json!(answer)).map_err(str::to_owned);
        let frames = match (&ask.what, result) {
            (What::Enter { .. } | What::Refresh { .. } | What::Delete { .. }, Err(error)) => {
                say(json!(error))
            }
            (What::Enter { is_new: true, .. }, Ok(())) => say(json!("address created")),
            (What::Enter { pubkey, pages, is_new: false } | What::Refresh { pubkey, pages }, Ok(())) => {
                page(mailboxes.letters(&DeviceAddress::of_key(pubkey)), *pages)
            }
            (What::Delete { hash, .. }, Ok(())) => say(json!(format!("deleted message {hash}"))),
            (What::Show { tag, .. }, _) => respond_with(tag, "hub/temp_pubkey", told("updated")),
            (What::Deliver { tag, .. }, _) => respond_with(tag, "hub/deliver", told("accepted")),
            (What::Look { tag, of }, _) => {
                let key = mailboxes.shown(of).map(|key| json!(key)).map_err(|error| error.to_string());
                respond_with(tag, "hub/get_temp_pubkey", key)
            }
        };
        frames.into_iter().map(|frame| Reaction::Send { to: ask.client, frame }).collect()
    }

    /// What a device is sent, on each of its connections, when a message came for it.
    pub fn arrived(&self, mailboxes: &Mailboxes, to: &DeviceAddress, hash: &Hash) -> Vec<Reaction> {
        let Some(letter) = mailboxes.letters(to).iter().find(|letter| letter.hash == *hash) else {
            return Vec::new();
        };
        let is_to = |pubkey: &PublicKey| DeviceAddress::of_key(pubkey) == *to;
        let theirs = self.sessions.iter().filter(|(_, session)| {
            let device = session.guest.device.as_ref();
            device.is_some_and(|(pubkey, pages)| is_to(pubkey) && fits(letter, *pages))
        });
        theirs.map(|(client, _)| Reaction::Send { to: *client, frame: handed_out(letter) }).collect()
    }
}

impl Guest {
    /// A request of a device; nothing when it is none, or no chat is served.
    pub(super) fn asks(
        &self,
        client: Client,
        command: &str,
        params: &Value,
        tag: &str,
    ) -> Option<Result<Ask, String>> {
        self.challenge.as_ref()?;
        let tag = tag.to_owned();
        let what = match command {
            "hub/temp_pubkey" => self.shows(params).map(|key| What::Show { tag, key: Box::new(key) }),
            "hub/deliver" => {
                delivery(params).map(|message| What::Deliver { tag, message: Box::new(message) })
            }
            "hub/get_temp_pubkey" => {
                match params.as_str().filter(|key| key.len() == PublicKey::TEXT_LENGTH) {
                    None => Err("wrong permanent_pubkey length".to_owned()),
                    // A text of the right length that is no key is a key that nobody registered with.
                    Some(key) => key
                        .parse()
                        .map(|of| What::Look { tag, of })
                        .map_err(|_key| super::mailboxes::Refusal::UnknownKey.to_string()),
                }
            }
            _ => return None,
        };
        Some(what.map(|what| Ask { client, what }))
    }

    /// What a device says without a request; nothing when it is nothing of chat.
    pub(super) fn says(
        &mut self,
        client: Client,
        subject: &str,
        body: &Value,
    ) -> Option<Result<Ask, String>> {
        let challenge = self.challenge.clone()?;
        let what = match subject {
            "hub/login" => self.logs_in(&challenge, body),
            "hub/refresh" => self.device().map(|(pubkey, pages)| What::Refresh { pubkey, pages }),
            "hub/delete" => self.deletes(body),
            _ => return None,
        };
        Some(what.map(|what| Ask { client, what }))
    }

    fn device(&self) -> Result<(PublicKey, Pages), String> {
        self.device.ok_or_else(|| "please log in first".to_owned())
    }

    fn logs_in(&mut self, challenge: &str, body: &Value) -> Heard {
        if body["challenge"] != challenge {
            return Err("wrong challenge".to_owned());
        }
        check_signed(body, "no login params", &["pubkey", "signature"])?;
        let login = Login::read(body, challenge).map_err(|refusal| match refusal {
            device::Refusal::Field("max_message_length") => {
                "max_message_length must be an integer".to_owned()
            }
            device::Refusal::Field("max_message_count") => {
                "max_message_count must be an integer > 0 and <= 100".to_owned()
            }
            other => signature_text(&other, "wrong signature"),
        })?;
        let (pubkey, pages) = (login.pubkey, login.pages);
        if self.device.is_some_and(|(before, _)| before != pubkey) {
            return Err("logged in as another device already: open another connection".to_owned());
        }
        self.device = Some((pubkey, pages));
        Ok(What::Enter { pubkey, pages, is_new: false })
    }

    fn deletes(&self, body: &Value) -> Heard {
        let hash = match body {
            Value::Null => return Err("no message hash".to_owned()),
            Value::String(text) => text.parse().ok(),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
        };
        let hash = hash.ok_or("invalid message hash")?;
        let (pubkey, _) = self.device()?;
        Ok(What::Delete { device: DeviceAddress::of_key(&pubkey), hash })
    }

    fn shows(&self, package: &Value) -> Result<TemporaryKey, String> {
        let (device, _) = self.device()?;
        check_signed(package, "no temp_pubkey params", &["temp_pubkey", "pubkey", "signature"])?;
        if package.as_object().is_some_and(|fields| fields.len() > 3) {
            return Err("unexpected fields in temp_pubkey package".to_owned());
        }
        if package["pubkey"] != device.to_base64() {
            return Err("signed by another pubkey".to_owned());
        }
        let read = TemporaryKey::read(package, &device);
        read.map_err(|refusal| signature_text(&refusal, "wrong signature"))
    }
}

/// A message for another device, checked as far as a hub can.
fn delivery(params: &Value) -> Result<Message, String> {
    if DELIVERED.iter().any(|field| params.pointer(field).is_none_or(|value| value == "")) {
        return Err("missing fields".to_owned());
    }
    let to = params["to"].as_str().and_then(|to| to.parse::<DeviceAddress>().ok());
    to.ok_or("invalid to address")?;
    let mut nodes = 0;
    if !is_small(params, MAX_DEPTH, &mut nodes) {
        return Err("device message is too deeply nested or has too many nodes".to_owned());
    }
    let read = Message::read(params.clone());
    read.map_err(|refusal| signature_text(&refusal, "wrong message signature"))
}

/// Fields that must be there, and the lengths of keys and signatures among them.
fn check_signed(body: &Value, absent: &str, fields: &[&str]) -> Result<(), String> {
    let texts = fields.iter().map(|field| (*field, body[*field].as_str().unwrap_or_default()));
    if texts.clone().any(|(_, text)| text.is_empty()) {
        return Err(absent.to_owned());
    }
    let length = |field: &str| if field == "signature" { SIGNATURE } else { PublicKey::TEXT_LENGTH };
    let wrong = texts.into_iter().find(|(field, text)| text.len() != length(field));
    wrong.map_or(Ok(()), |(field, _)| Err(format!("wrong {field} length")))
}

/// Why something signed is not believed, in the words of the hubs.
fn signature_text(refusal: &device::Refusal, wrong: &str) -> String {
    match refusal {
        device::Refusal::Unhashable(error) => format!("message hash failed: {error}"),
        device::Refusal::TooLong { .. } => refusal.to_string(),
        // A key or a signature that cannot even be read does not verify either.
        _ => wrong.to_owned(),
    }
}

fn is_small(value: &Value, depth: usize, nodes: &mut usize) -> bool {
    *nodes += 1;
    if *nodes > MAX_NODES {
        return false;
    }
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        Value::Array(elements) => depth > 0 && elements.iter().all(|it| is_small(it, depth - 1, nodes)),
        Value::Object(map) => depth > 0 && map.values().all(|it| is_small(it, depth - 1, nodes)),
    }
}

/// The oldest messages, as many as the device wants at a time.
fn page(letters: &[Stored], pages: Pages) -> Vec<String> {
    let most = pages.max_message_count.unwrap_or(Pages::MOST).min(Pages::MOST) as usize;
    let mut frames: Vec<String> =
        letters.iter().filter(|letter| fits(letter, pages)).take(most).map(handed_out).collect();
    let count = frames.len();
    frames.push(justsaying("info", &json!(format!("{count} messages sent"))));
    let status = if count == most { "has_more" } else { "empty" };
    frames.push(justsaying("hub/message_box_status", &json!(status)));
    frames
}

fn fits(letter: &Stored, pages: Pages) -> bool {
    pages.max_message_length.is_none_or(|longest| letter.text.len() <= longest as usize)
}

/// The message stands in the frame as it was stored, without being read again.
fn handed_out(letter: &Stored) -> String {
    let mut frame = String::with_capacity(letter.text.len() + 160);
    let hash = json!(letter.hash);
    // Writing to a text does not fail.
    let _ = write!(
        frame,
        r#"["justsaying",{{"subject":"hub/message","body":{{"message_hash":{hash},"message":{}}}}}]"#,
        letter.text
    );
    frame
}
