//! Postman's format of a collection, version 2.1: what Postman, newman and Apifox read.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// A whole collection.
#[derive(Debug, Serialize)]
pub struct Collection {
    pub(super) info: Info,
    pub(super) item: Vec<Item>,
    pub(super) auth: Auth,
    pub(super) event: Vec<Event>,
}

/// What the collection is.
#[derive(Debug, Serialize)]
pub(super) struct Info {
    #[serde(rename = "_postman_id")]
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) schema: &'static str,
}

/// A folder or a request.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Item {
    Folder(Folder),
    Request(Box<Saved>),
}

/// A folder.
#[derive(Debug, Serialize)]
pub(super) struct Folder {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) item: Vec<Item>,
}

/// A request with its scripts and examples.
#[derive(Debug, Serialize)]
pub(super) struct Saved {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) event: Vec<Event>,
    pub(super) request: Request,
    pub(super) response: Vec<Response>,
}

/// What is sent.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Request {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) auth: Option<Auth>,
    pub(super) method: String,
    pub(super) header: Vec<Pair>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Payload>,
    pub(super) url: Url,
    pub(super) description: String,
}

/// Where it is sent.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Url {
    pub(super) raw: String,
    pub(super) host: Vec<String>,
    pub(super) path: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) query: Vec<Pair>,
}

/// A header, a part of the query, a setting.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Pair {
    pub(super) key: String,
    pub(super) value: String,
}

/// A body.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
pub(super) enum Payload {
    Raw { raw: String, options: RawOptions },
    FormData { formdata: Vec<FormField> },
}

/// How an editor shows a raw body.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RawOptions {
    pub(super) raw: RawLanguage,
}

/// The language of a raw body.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RawLanguage {
    pub(super) language: &'static str,
}

/// A field of a form.
#[derive(Clone, Debug, Serialize)]
pub(super) struct FormField {
    pub(super) key: String,
    pub(super) value: String,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
}

/// Who calls.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Auth {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) bearer: Vec<AuthPart>,
}

/// A part of who calls.
#[derive(Clone, Debug, Serialize)]
pub(super) struct AuthPart {
    pub(super) key: &'static str,
    pub(super) value: &'static str,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
}

/// A script.
#[derive(Debug, Serialize)]
pub(super) struct Event {
    pub(super) listen: &'static str,
    pub(super) script: Script,
}

/// Its lines.
#[derive(Debug, Serialize)]
pub(super) struct Script {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) exec: Vec<String>,
}

/// An example: a request with its answer.
#[derive(Debug, Serialize)]
pub(super) struct Response {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(rename = "originalRequest")]
    pub(super) original: Request,
    pub(super) status: &'static str,
    pub(super) code: u16,
    #[serde(rename = "_postman_previewlanguage")]
    pub(super) language: &'static str,
    pub(super) header: Vec<Pair>,
    pub(super) cookie: Vec<Pair>,
    pub(super) body: String,
}

impl Collection {
    /// How many requests it holds.
    #[must_use]
    pub fn requests(&self) -> usize {
        fn count(items: &[Item]) -> usize {
            let of = |item: &Item| match item {
                Item::Folder(folder) => count(&folder.item),
                Item::Request(_) => 1,
            };
            items.iter().map(of).sum()
        }
        count(&self.item)
    }
}

impl Auth {
    /// Nobody.
    pub(super) fn none() -> Self {
        Self { kind: "noauth", bearer: Vec::new() }
    }

    /// Whoever has the key of the environment.
    pub(super) fn key() -> Self {
        let token = AuthPart { key: "token", value: "{{key}}", kind: "string" };
        Self { kind: "bearer", bearer: vec![token] }
    }
}

impl Pair {
    /// A name and what it has.
    pub(super) fn new(key: &str, value: &str) -> Self {
        Self { key: key.to_owned(), value: value.to_owned() }
    }
}

impl Payload {
    /// JSON.
    pub(super) fn json(text: String) -> Self {
        let options = RawOptions { raw: RawLanguage { language: "json" } };
        Self::Raw { raw: text, options }
    }
}

impl Event {
    /// Runs before a request is sent.
    pub(super) fn before(script: &str) -> Self {
        Self::new("prerequest", script)
    }

    /// Runs when the answer is there.
    pub(super) fn after(script: &str) -> Self {
        Self::new("test", script)
    }

    fn new(listen: &'static str, script: &str) -> Self {
        let exec = script.lines().map(ToOwned::to_owned).collect();
        Self { listen, script: Script { kind: "text/javascript", exec } }
    }
}

/// The same id for the same thing in every run, in the form of a UUID.
pub(super) fn id_of(thing: &str) -> String {
    let digest = Sha256::digest(thing.as_bytes());
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest.iter()).for_each(|(byte, of)| *byte = *of);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

/// The version of the format.
pub(super) const SCHEMA: &str =
    "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";
