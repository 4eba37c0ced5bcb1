//! The port: WebSocket for clients, a page for people, a faucet for demos.

use std::sync::Arc;

use axum::{
    Router,
    extract::{
        FromRequestParts, Request, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use coinop_core::obyte::address::Address;
use coinop_node::hub::{Client, MAX_FRAME};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::desk::Letter;

/// Where letters to the desk go.
type Mail = mpsc::Sender<Letter>;
/// The longest body of a request to the faucet.
const MAX_BODY: usize = 4 * 1024;
const PAGE: &str = include_str!("page.html");

pub(super) fn router(mail: Mail) -> Router {
    Router::new()
        .route("/status", get(status))
        .route("/faucet", post(faucet))
        // Hubs are reached at any path.
        .fallback(client_or_page)
        .with_state(Arc::new(mail))
}

async fn client_or_page(State(mail): State<Arc<Mail>>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade
            .max_message_size(MAX_FRAME)
            .max_frame_size(MAX_FRAME)
            .on_upgrade(move |socket| client(socket, mail)),
        Err(_) if parts.uri.path() == "/" => {
            ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], PAGE).into_response()
        }
        Err(_) => (StatusCode::NOT_FOUND, "there is nothing here: a page at /, and WebSocket for clients\n")
            .into_response(),
    }
}

/// Carries frames between a socket and the desk until either has enough.
async fn client(socket: WebSocket, mail: Arc<Mail>) {
    let Some((client, mut frames)) = connect(&mail).await else { return };
    let (mut out, mut incoming) = socket.split();
    loop {
        tokio::select! {
            frame = frames.recv() => match frame {
                Some(frame) => if out.send(Message::text(frame)).await.is_err() { break },
                // The desk has let it go.
                None => break,
            },
            message = incoming.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let letter = Letter::Heard { client, text: text.to_string() };
                    if mail.send(letter).await.is_err() { break }
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Binary(_) | Message::Close(_)) | Err(_)) | None => break,
            },
        }
    }
    let _ = out.close().await;
    let _ = mail.send(Letter::Gone { client }).await;
}

async fn connect(mail: &Mail) -> Option<(Client, mpsc::Receiver<String>)> {
    let (answer, connected) = oneshot::channel();
    mail.send(Letter::Connected { answer }).await.ok()?;
    connected.await.ok()?
}

async fn status(State(mail): State<Arc<Mail>>) -> Response {
    let (answer, status) = oneshot::channel();
    let _ = mail.send(Letter::Status { answer }).await;
    status.await.map_or_else(
        |_| StatusCode::SERVICE_UNAVAILABLE.into_response(),
        |status| body(StatusCode::OK, &status),
    )
}

/// `POST /faucet` with `{"address": …}`, or with the address alone.
async fn faucet(State(mail): State<Arc<Mail>>, request: Request) -> Response {
    let refuse = |error: &str| body(StatusCode::BAD_REQUEST, &json!({ "error": error }));
    let Ok(bytes) = axum::body::to_bytes(request.into_body(), MAX_BODY).await else {
        return refuse("the request is too long");
    };
    let text = String::from_utf8_lossy(&bytes);
    let said = serde_json::from_str::<Value>(&text)
        .ok()
        .and_then(|value| value["address"].as_str().map(str::to_owned));
    let Ok(address) = said.unwrap_or_else(|| text.trim().to_owned()).parse::<Address>() else {
        return refuse("no valid address: POST an address, or {\"address\": \"…\"}");
    };
    let (answer, given) = oneshot::channel();
    let _ = mail.send(Letter::Faucet { address, answer }).await;
    match given.await {
        Ok(Ok(total)) => body(StatusCode::OK, &json!({ "address": address, "given_in_all": total })),
        Ok(Err(error)) => refuse(&error),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn body(status: StatusCode, value: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], format!("{value}\n")).into_response()
}
