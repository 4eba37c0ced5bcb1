//! The node as a hub: what it says to any number of light clients.
//!
//! Pure: a shell moves the text frames, posts what is to be posted through the ledger's actor, and says
//! what time it is. Source of the protocol: the hubs' own code, byteball/ocore.

mod answer;
mod chat;
mod history;
pub mod mailboxes;
mod post;
mod session;
mod show;

use std::collections::{BTreeMap, BTreeSet};

use coinop_core::{
    Timestamp,
    obyte::{address::Address, json},
};
use serde_json::{Value, json};

use self::session::Session;
pub use self::{
    chat::Ask,
    post::{FrameError, Request, response},
};
use crate::ledger::{Ledger, Notice, Push, touched};

/// The longest frame, in bytes.
pub const MAX_FRAME: usize = 6_000_000;
/// The most clients at once.
pub const MAX_CLIENTS: usize = 512;
/// The longest tag.
const MAX_TAG: usize = 44;

/// A connected client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Client(pub u64);

/// What the shell has to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Reaction {
    /// Send a frame.
    Send {
        /// To whom.
        to: Client,
        /// The text.
        frame: String,
    },
    /// Post a unit, and send what [`Hub::posted`] says of it.
    Post {
        /// For whom.
        from: Client,
        /// Names the request.
        tag: String,
        /// The unit.
        unit: Value,
    },
    /// Put this to the mailboxes, and send what [`Hub::answered`] says of it.
    Ask(Box<Ask>),
    /// Hang up.
    End {
        /// On whom.
        client: Client,
        /// Why.
        why: String,
    },
}

/// Every place is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_CLIENTS} clients are connected, and no more may be")]
pub struct Full;

/// The connections of a hub.
#[derive(Clone, Debug)]
pub struct Hub {
    version: &'static str,
    sessions: BTreeMap<Client, Session>,
    last: u64,
    /// The main chain index up to which light clients can know that units are final.
    proven: u64,
}

/// What a client says.
enum Said {
    Request { command: String, params: Value, tag: String },
    Response { tag: String },
    Justsaying { subject: String, body: Value },
}

impl Hub {
    /// A hub to which nobody is connected, of this version of the program.
    pub const fn new(version: &'static str) -> Self {
        Self { version, sessions: BTreeMap::new(), last: 0, proven: 0 }
    }

    /// Takes in a client, and what it is to be sent.
    ///
    /// # Errors
    ///
    /// [`Full`] when there is no room.
    pub fn connected(&mut self, ledger: &Ledger, now: Timestamp) -> Result<(Client, Vec<String>), Full> {
        if self.sessions.len() >= MAX_CLIENTS {
            return Err(Full);
        }
        self.last += 1;
        let client = Client(self.last);
        self.sessions.insert(client, Session::new(now));
        let params = ledger.dag().params();
        let version = json!({
            "protocol_version": params.version,
            "alt": params.alt,
            "library": "ocore",
            "library_version": "0.4.6",
            "program": "coinop",
            "program_version": self.version,
        });
        Ok((client, vec![justsaying("version", &version)]))
    }

    /// Lets a client go.
    pub fn gone(&mut self, client: Client) {
        self.sessions.remove(&client);
    }

    /// How many clients are connected.
    pub fn clients(&self) -> usize {
        self.sessions.len()
    }

    /// Takes a frame.
    pub fn heard(&mut self, ledger: &Ledger, client: Client, text: &str, now: Timestamp) -> Vec<Reaction> {
        let Some(session) = self.sessions.get_mut(&client) else { return Vec::new() };
        let end = |why: String| vec![Reaction::End { client, why }];
        if let Err(why) = session.heard(now, text.len()) {
            return end(why.to_owned());
        }
        match read(text) {
            Err(why) => end(why),
            Ok(Said::Response { tag }) => {
                session.lives(&tag);
                Vec::new()
            }
            Ok(Said::Request { command, params, tag }) if command == "post_joint" => {
                vec![post(client, tag, &params)]
            }
            Ok(Said::Request { command, params, tag }) => {
                if let Some(asked) = session.guest.asks(client, &command, &params, &tag) {
                    return vec![asked.map_or_else(
                        |why| {
                            let frame = respond(&tag, Some(&command), &json!({ "error": why }));
                            Reaction::Send { to: client, frame }
                        },
                        |ask| Reaction::Ask(Box::new(ask)),
                    )];
                }
                let answer = match command.as_str() {
                    "heartbeat" => Some(Value::Null),
                    "light/get_history" => {
                        session.watch_all(&params);
                        history::history(ledger, &params)
                            .map_or_else(|why| Some(json!({ "error": why })), Some)
                    }
                    _ => answer::answer(ledger, &command, &params, now),
                };
                let frames = answer.map(|answer| respond(&tag, Some(&command), &answer));
                frames.into_iter().map(|frame| Reaction::Send { to: client, frame }).collect()
            }
            Ok(Said::Justsaying { subject, body }) => {
                if let Some(asked) = session.guest.says(client, &subject, &body) {
                    return device_said(ledger, client, &subject, asked);
                }
                let frames = session.said(ledger, &subject, &body);
                frames.into_iter().map(|frame| Reaction::Send { to: client, frame }).collect()
            }
        }
    }

    /// What a client is sent about the unit it posted.
    pub fn posted(&self, client: Client, tag: &str, result: Result<(), &str>) -> Reaction {
        let answer = result.map_or_else(|error| json!({ "error": error }), |()| json!("accepted"));
        Reaction::Send { to: client, frame: respond(tag, Some("post_joint"), &answer) }
    }

    /// What the clients are sent when something happened; not to `but` who made it happen.
    pub fn pushed(&mut self, ledger: &Ledger, push: &Push, but: Option<Client>) -> Vec<Reaction> {
        let mut frames = match &push.what {
            Notice::Joint(unit) => self.proven_by(ledger, unit),
            Notice::Stable(_) | Notice::Response(_) => Vec::new(),
        };
        for (client, session) in &self.sessions {
            let touched = |watched: &dyn Fn(&Address) -> bool| push.to.iter().any(watched);
            let is_watched = touched(&|address| session.watches(address));
            let frame = match &push.what {
                Notice::Joint(unit) if is_watched && Some(*client) != but => {
                    Some(justsaying("joint", &json!({ "unit": unit })))
                }
                Notice::Response(body) => {
                    let agent = body["aa_address"].as_str().and_then(|text| text.parse::<Address>().ok());
                    if agent.is_some_and(|agent| session.watches_agent(&agent, &push.to)) {
                        Some(justsaying("light/aa_response", body))
                    } else {
                        is_watched.then(|| justsaying_only("light/have_updates"))
                    }
                }
                Notice::Joint(_) | Notice::Stable(_) => None,
            };
            frames.extend(frame.map(|frame| Reaction::Send { to: *client, frame }));
            if let Notice::Joint(unit) = &push.what {
                let agents = push.to.iter().filter(|agent| session.watches_agent(agent, &push.to));
                frames.extend(agents.filter(|agent| ledger_agent(agent, unit)).map(|agent| {
                    let body = json!({ "aa_address": agent, "unit": unit });
                    Reaction::Send { to: *client, frame: justsaying("light/aa_request", &body) }
                }));
            }
        }
        frames
    }

    /// Whom a unit of an order provider lets know that their units are final.
    fn proven_by(&mut self, ledger: &Ledger, unit: &Value) -> Vec<Reaction> {
        let providers = ledger.dag().system_vars().order_providers(self.proven);
        let author = unit["authors"][0]["address"].as_str();
        if !providers.iter().any(|provider| author == Some(provider.as_str())) {
            return Vec::new();
        }
        let last_ball = unit["last_ball_unit"].as_str().and_then(|text| text.parse().ok());
        let reached = last_ball.and_then(|unit| ledger.joint(&unit)?.properties.mci).unwrap_or_default();
        let indexes = self.proven + 1..=reached;
        self.proven = self.proven.max(reached);
        let units = indexes.flat_map(|mci| ledger.dag().units_at(mci));
        let touched: BTreeSet<Address> = units.flat_map(|joint| touched(&joint.unit)).collect();
        let glad = self.sessions.iter().filter(|(_, session)| touched.iter().any(|it| session.watches(it)));
        let frame = |client| Reaction::Send { to: client, frame: justsaying_only("light/have_updates") };
        glad.map(|(client, _)| frame(*client)).collect()
    }

    /// Looks after the connections: who is silent is asked for a sign of life, then let go.
    pub fn tick(&mut self, now: Timestamp) -> Vec<Reaction> {
        let each = self.sessions.iter_mut();
        each.filter_map(|(client, session)| {
            Some(match session.tick(now)? {
                Ok(frame) => Reaction::Send { to: *client, frame },
                Err(why) => Reaction::End { client: *client, why: why.to_owned() },
            })
        })
        .collect()
    }
}

/// What follows from what a device says without a request.
fn device_said(ledger: &Ledger, client: Client, subject: &str, asked: Result<Ask, String>) -> Vec<Reaction> {
    let send = |frame: String| Reaction::Send { to: client, frame };
    match asked {
        Err(why) => vec![send(justsaying("error", &json!(why)))],
        Ok(ask) if subject == "hub/login" => {
            let push = json!({ "projectNumber": 0, "hasKeyId": false });
            vec![
                send(justsaying("system_vars", &answer::system_vars(ledger))),
                send(justsaying("hub/push_project_number", &push)),
                Reaction::Ask(Box::new(ask)),
            ]
        }
        Ok(ask) => vec![Reaction::Ask(Box::new(ask))],
    }
}

/// A unit to be posted, or why it is none.
fn post(from: Client, tag: String, params: &Value) -> Reaction {
    let error = match params.get("unit") {
        Some(unit) if params.get("ball").is_none() => {
            return Reaction::Post { from, tag, unit: unit.clone() };
        }
        Some(_) => "no ball via post_joint",
        None => "no unit",
    };
    let frame = respond(&tag, Some("post_joint"), &json!({ "error": error }));
    Reaction::Send { to: from, frame }
}

/// Whether a unit pays an agent rather than coming from it.
fn ledger_agent(agent: &Address, unit: &Value) -> bool {
    let mut authors = unit["authors"].as_array().into_iter().flatten();
    !authors.any(|author| author["address"] == agent.as_str())
}

fn read(text: &str) -> Result<Said, String> {
    if text.len() > MAX_FRAME {
        return Err(format!("a frame of {} bytes is longer than {MAX_FRAME}", text.len()));
    }
    let value = json::parse(text).map_err(|error| error.to_string())?;
    let mut pair = match value {
        Value::Array(pair) if pair.len() == 2 => pair,
        _ => return Err("not a frame".to_owned()),
    };
    let (body, kind) = (pair.pop().unwrap_or_default(), pair.pop().unwrap_or_default());
    let tag = || {
        let tag = body["tag"].as_str().filter(|tag| !tag.is_empty() && tag.len() <= MAX_TAG);
        tag.map(str::to_owned).ok_or_else(|| "no tag".to_owned())
    };
    match kind.as_str() {
        Some("request") => {
            let command = body["command"].as_str().ok_or("no command")?.to_owned();
            Ok(Said::Request { command, tag: tag()?, params: body["params"].clone() })
        }
        Some("response") => Ok(Said::Response { tag: tag()? }),
        Some("justsaying") => {
            let subject = body["subject"].as_str().ok_or("no subject")?.to_owned();
            Ok(Said::Justsaying { subject, body: body["body"].clone() })
        }
        _ => Err("an unknown kind of frame".to_owned()),
    }
}

fn respond(tag: &str, command: Option<&str>, response: &Value) -> String {
    let mut body = json!({ "tag": tag });
    if let Some(command) = command {
        body["command"] = json!(command);
    }
    if !response.is_null() || command != Some("heartbeat") {
        body["response"] = response.clone();
    }
    json!(["response", body]).to_string()
}

fn justsaying(subject: &str, body: &Value) -> String {
    json!(["justsaying", { "subject": subject, "body": body }]).to_string()
}

fn justsaying_only(subject: &str) -> String {
    json!(["justsaying", { "subject": subject }]).to_string()
}
