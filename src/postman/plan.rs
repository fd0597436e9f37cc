//! What stands in the collection and in which order, as `data/plan.json` has it.
//!
//! Run from top to bottom against a sandbox, every request succeeds: each finds what it is about
//! because an earlier one made it.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use super::body::Body;

/// A folder with requests or with more folders.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Folder {
    /// Its Chinese name.
    pub(super) zh: String,
    /// Its English name.
    pub(super) en: String,
    /// What it is for, in Chinese; may be empty.
    #[serde(default)]
    pub(super) about_zh: String,
    /// The same in English.
    #[serde(default)]
    pub(super) about_en: String,
    /// Whether all of it is left out where the requests go to the real platform.
    #[serde(default)]
    pub(super) sandbox: bool,
    /// Its requests, in the order in which they run.
    #[serde(default)]
    pub(super) items: Vec<Step>,
    /// Its folders.
    #[serde(default)]
    pub(super) folders: Vec<Self>,
}

/// One request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    /// The path of a call of the platform; else `control` is there.
    #[serde(default)]
    pub(super) call: Option<String>,
    /// A control call of the sandbox: `POST clock`.
    #[serde(default)]
    pub(super) control: Option<String>,
    /// Its Chinese name, where the catalogue's does not say it.
    #[serde(default)]
    pub(super) zh: Option<String>,
    /// The same in English.
    #[serde(default)]
    pub(super) en: Option<String>,
    /// A method that the catalogue does not know.
    #[serde(default)]
    pub(super) method: Option<String>,
    /// Whether it prepares the sandbox and is not one of the calls that are shown.
    #[serde(default)]
    pub(super) sandbox: bool,
    /// Whether ids are made anew behind it, and the sandbox's clock is read from its answer.
    #[serde(default)]
    pub(super) begins_run: bool,
    /// Whether the sandbox does not know the call: it answers 40066.
    #[serde(default)]
    pub(super) unsimulated: bool,
    /// Whether it answers a picture.
    #[serde(default)]
    pub(super) picture: bool,
    /// Whether the key stands in the request itself and not in the Authorization header.
    #[serde(default)]
    pub(super) keyless: bool,
    /// Its query.
    #[serde(default)]
    pub(super) query: BTreeMap<String, String>,
    /// Its body; without it, a documented call gets the documents' example.
    #[serde(default)]
    pub(super) body: Option<Body>,
    /// Changes of the example, by places whose names are joined by dots; null takes a field out.
    #[serde(default)]
    pub(super) set: BTreeMap<String, Body>,
    /// Variables that later requests use, with the field of the answer that holds each.
    #[serde(default)]
    pub(super) save: BTreeMap<String, String>,
    /// Errcodes that are as good as 0: what a second run gets where a thing is done once.
    #[serde(default)]
    pub(super) also: Vec<i64>,
    /// An answer to show, where the documents' example is not known.
    #[serde(default)]
    pub(super) answer: Option<Body>,
    /// The errcodes to explain, likewise.
    #[serde(default)]
    pub(super) errcodes: Vec<i64>,
}

/// All folders.
pub(super) fn folders() -> &'static [Folder] {
    static ALL: LazyLock<Vec<Folder>> = LazyLock::new(|| {
        serde_json::from_str(include_str!("data/plan.json")).expect("a test reads the file")
    });
    &ALL
}

/// Every step with the folder that it stands in.
pub(super) fn steps() -> Vec<(&'static Folder, &'static Step)> {
    fn collect(folder: &'static Folder, into: &mut Vec<(&'static Folder, &'static Step)>) {
        into.extend(folder.items.iter().map(|step| (folder, step)));
        folder.folders.iter().for_each(|folder| collect(folder, into));
    }
    let mut all = Vec::new();
    folders().iter().for_each(|folder| collect(folder, &mut all));
    all
}
