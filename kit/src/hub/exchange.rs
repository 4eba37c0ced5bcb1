//! What both ends of a connection owe each other: answers in time, signs of life, one network.

use std::{collections::BTreeMap, time::Duration};

use coinop_core::{Timestamp, obyte::Network};
use serde_json::Value;

use super::frame::{Frame, FrameError};

/// The most requests that wait for an answer at once.
pub const MAX_WAITING: usize = 256;
/// How long an answer may take. A hub does not answer what it does not know.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// After so much silence a sign of life is asked for.
const SILENCE: Duration = Duration::from_secs(10);
/// After so much silence the other end is gone.
const GONE: Duration = Duration::from_secs(30);
/// How long the other end may take to say who it is.
const GREETING: Duration = Duration::from_secs(10);
/// The oldest library a hub may run that knows units of version 4.
const OLDEST: [u32; 3] = [0, 4, 0];

/// One connection's state: who waits for what, and whether the other end lives.
#[derive(Clone, Debug)]
pub struct Exchange {
    network: Network,
    is_greeted: bool,
    began: Timestamp,
    heard: Timestamp,
    asked_for_life: bool,
    sent: u64,
    waiting: BTreeMap<String, Waiting>,
}

#[derive(Clone, Debug)]
struct Waiting {
    number: u64,
    until: Timestamp,
}

/// What follows from what was heard.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// The other end is a hub of the right network: requests may be sent.
    Greeted,
    /// A request was answered, or refused in the hub's words.
    Answer {
        /// The request's number.
        number: u64,
        /// The answer.
        answer: Result<Value, String>,
    },
    /// A request was not answered in time.
    Unanswered {
        /// Its number.
        number: u64,
    },
    /// It says something by itself.
    Said {
        /// What about.
        subject: String,
        /// What.
        body: Option<Value>,
    },
    /// This is to be sent.
    Send(Frame),
}

/// Why a connection has to end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A frame made no sense.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The other end said nothing for too long.
    #[error("the hub says nothing any more")]
    Silent,
    /// It is another network, and will stay so.
    #[error("{0}")]
    Wrong(String),
}

impl Exchange {
    /// A connection that began at `now`, to a hub of `network`.
    pub const fn new(network: Network, now: Timestamp) -> Self {
        Self {
            network,
            is_greeted: false,
            began: now,
            heard: now,
            asked_for_life: false,
            sent: 0,
            waiting: BTreeMap::new(),
        }
    }

    /// A request, its number, and the frame to send; nothing when too many wait.
    pub fn ask(&mut self, now: Timestamp, command: &str, params: Option<Value>) -> Option<(u64, Frame)> {
        if self.waiting.len() >= MAX_WAITING {
            return None;
        }
        self.sent += 1;
        let (number, tag) = (self.sent, format!("c{}", self.sent));
        self.waiting.insert(tag.clone(), Waiting { number, until: now.after(PATIENCE) });
        Some((number, Frame::Request { command: command.to_owned(), params, tag }))
    }

    /// Takes a frame.
    ///
    /// # Errors
    ///
    /// [`Broken`]: the connection is to be ended.
    pub fn hear(&mut self, now: Timestamp, text: &str) -> Result<Vec<Heard>, Broken> {
        (self.heard, self.asked_for_life) = (now, false);
        match Frame::read(text)? {
            Frame::Response { tag, response } => Ok(self.answered(&tag, response)),
            Frame::Request { command, tag, params: _ } => Ok(reply(&command, tag)),
            Frame::Justsaying { subject, body } if subject == "version" => {
                self.greet(&body.unwrap_or_default()).map(Vec::from_iter)
            }
            Frame::Justsaying { subject, body } => Ok(vec![Heard::Said { subject, body }]),
        }
    }

    /// Does what is due.
    ///
    /// # Errors
    ///
    /// [`Broken`]: the connection is to be ended.
    pub fn tick(&mut self, now: Timestamp) -> Result<Vec<Heard>, Broken> {
        let silent = now.since(self.heard);
        if silent > GONE || (!self.is_greeted && now.since(self.began) > GREETING) {
            return Err(Broken::Silent);
        }
        let late = self.waiting.extract_if(.., |_, waiting| waiting.until <= now);
        let mut due: Vec<_> = late.map(|(_, waiting)| Heard::Unanswered { number: waiting.number }).collect();
        if silent > SILENCE && !self.asked_for_life {
            self.asked_for_life = true;
            self.sent += 1;
            let tag = format!("h{}", self.sent);
            due.push(Heard::Send(Frame::Request { command: "heartbeat".to_owned(), params: None, tag }));
        }
        Ok(due)
    }

    /// What will not be answered any more.
    pub fn end(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.waiting).into_values().map(|waiting| waiting.number).collect()
    }

    fn answered(&mut self, tag: &str, response: Option<Value>) -> Vec<Heard> {
        // An answer to what nobody asked, or asked too long ago, is none.
        let Some(Waiting { number, .. }) = self.waiting.remove(tag) else { return Vec::new() };
        let response = response.unwrap_or_default();
        let error = response.get("error").map(|error| match error {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        vec![Heard::Answer { number, answer: error.map_or(Ok(response), Err) }]
    }

    fn greet(&mut self, body: &Value) -> Result<Option<Heard>, Broken> {
        let text = |name: &str| body[name].as_str().unwrap_or("nothing");
        let (version, alt) = (text("protocol_version"), text("alt"));
        let here = self.network;
        if alt != here.alt() || !here.versions().contains(&version) {
            return Err(Broken::Wrong(format!(
                "this hub is of another network: it speaks version {version} with alt {alt}, and {} with alt {} is \
                 wanted; name its network, or another hub",
                here.version(),
                here.alt()
            )));
        }
        let library = text("library_version");
        if numbers(library).is_none_or(|library| library < OLDEST) {
            return Err(Broken::Wrong(format!("this hub runs library {library}, at least 0.4.0 is wanted")));
        }
        let is_first = !self.is_greeted;
        self.is_greeted = true;
        Ok(is_first.then_some(Heard::Greeted))
    }
}

/// What a light client answers.
fn reply(command: &str, tag: String) -> Vec<Heard> {
    let response = match command {
        "heartbeat" => None,
        "subscribe" => Some(serde_json::json!({ "error": "I'm light, cannot subscribe you to updates" })),
        _ => return Vec::new(),
    };
    vec![Heard::Send(Frame::Response { tag, response })]
}

fn numbers(version: &str) -> Option<[u32; 3]> {
    let mut parts = version.split('.').map(|part| part.parse().ok());
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn version(version: &str, alt: &str, library: &str) -> String {
        let body = json!({ "protocol_version": version, "alt": alt, "library_version": library });
        Frame::Justsaying { subject: "version".into(), body: Some(body) }.text()
    }

    fn greeted() -> Exchange {
        let mut exchange = Exchange::new(Network::Devnet, at(0));
        assert_eq!(exchange.hear(at(0), &version("4.0dev", "3", "0.4.6")), Ok(vec![Heard::Greeted]));
        exchange
    }

    #[test]
    fn an_answer_belongs_to_its_request() {
        let mut exchange = greeted();
        let (first, _) = exchange.ask(at(1), "get_joint", Some(json!("u"))).unwrap();
        let (second, _) = exchange.ask(at(1), "get_last_mci", None).unwrap();

        let heard = exchange.hear(at(2), r#"["response",{"tag":"c2","response":7}]"#);
        assert_eq!(heard, Ok(vec![Heard::Answer { number: second, answer: Ok(json!(7)) }]));
        let heard = exchange.hear(at(2), r#"["response",{"tag":"c1","response":{"error":"no"}}]"#);
        assert_eq!(heard, Ok(vec![Heard::Answer { number: first, answer: Err("no".into()) }]));
        let again = exchange.hear(at(2), r#"["response",{"tag":"c1","response":1}]"#);
        assert_eq!(again, Ok(vec![]), "an answer counts once");
    }

    #[test]
    fn what_is_never_answered_is_given_up() {
        let mut exchange = greeted();
        let (number, _) = exchange.ask(at(1), "nonexistent/command", None).unwrap();
        exchange.hear(at(19), r#"["justsaying",{"subject":"info"}]"#).unwrap();

        assert_eq!(exchange.tick(at(20)), Ok(vec![]));
        assert_eq!(exchange.tick(at(21)), Ok(vec![Heard::Unanswered { number }]));
        assert_eq!(exchange.end(), Vec::<u64>::new());
    }

    #[test]
    fn no_more_wait_than_may() {
        let mut exchange = greeted();
        for _ in 0..MAX_WAITING {
            assert!(exchange.ask(at(1), "get_last_mci", None).is_some());
        }
        assert_eq!(exchange.ask(at(1), "get_last_mci", None), None);
    }

    #[test]
    fn silence_is_asked_about_once_and_then_is_the_end() {
        let mut exchange = greeted();

        let asked = exchange.tick(at(11)).unwrap();
        assert!(
            matches!(&asked[..], [Heard::Send(Frame::Request { command, .. })] if command == "heartbeat")
        );
        assert_eq!(exchange.tick(at(12)), Ok(vec![]));
        assert_eq!(exchange.tick(at(31)), Err(Broken::Silent));
    }

    #[test]
    fn a_hub_that_does_not_say_who_it_is_is_left() {
        let mut exchange = Exchange::new(Network::Devnet, at(0));
        exchange.hear(at(9), r#"["justsaying",{"subject":"info"}]"#).unwrap();

        assert_eq!(exchange.tick(at(11)), Err(Broken::Silent));
    }

    #[test]
    fn another_network_and_an_old_hub_are_refused_for_good() {
        for (hub, word) in [
            (version("4.0", "1", "0.4.6"), "another network"),
            (version("4.0dev", "2", "0.4.6"), "another network"),
            (version("4.0dev", "3", "0.3.17"), "library 0.3.17"),
            (version("4.0dev", "3", "new"), "library new"),
        ] {
            let broken = Exchange::new(Network::Devnet, at(0)).hear(at(0), &hub).unwrap_err();

            assert!(matches!(&broken, Broken::Wrong(why) if why.contains(word)), "{broken}");
        }
    }

    #[test]
    fn the_hub_gets_the_answers_of_a_light_client() {
        let mut exchange = greeted();
        let mut answer = |text: &str| exchange.hear(at(1), text).unwrap();

        let beat = answer(r#"["request",{"command":"heartbeat","tag":"x"}]"#);
        assert_eq!(beat, [Heard::Send(Frame::Response { tag: "x".into(), response: None })]);
        let subscribed = answer(r#"["request",{"command":"subscribe","params":{},"tag":"y"}]"#);
        assert!(matches!(&subscribed[..], [Heard::Send(Frame::Response { response: Some(_), .. })]));
        assert_eq!(answer(r#"["request",{"command":"catchup","tag":"z"}]"#), []);
    }
}
