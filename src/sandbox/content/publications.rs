//! Articles that were published.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Draft, drafts::url, shown};
use crate::sandbox::{drawer::Drawer, refusal::Refusal, state::State, world::World};

/// By publish id, oldest first; the oldest make room.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::sandbox) struct Publications(Drawer<Publication, MOST_PUBLICATIONS>);

/// One draft on its way to readers, or with them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Publication {
    /// The draft's media id.
    pub(in crate::sandbox) media_id: String,
    /// Names it once it is out; empty until then.
    pub(in crate::sandbox) article_id: String,
    /// What is out: the draft as it was; none before, and when all of it was deleted.
    pub(in crate::sandbox) draft: Option<Draft>,
    /// Whether it failed because its draft had gone.
    pub(in crate::sandbox) has_failed: bool,
}

impl Publication {
    /// A draft that was just handed in.
    pub(in crate::sandbox) fn new(media_id: &str) -> Self {
        let media_id = media_id.to_owned();
        Self { media_id, article_id: String::new(), draft: None, has_failed: false }
    }

    /// 0 out, 1 on its way, 3 failed, 5 deleted by the account.
    fn status(&self) -> i64 {
        match (&self.draft, self.article_id.is_empty()) {
            _ if self.has_failed => 3,
            (Some(_), _) => 0,
            (None, true) => 1,
            (None, false) => 5,
        }
    }

    /// As `freepublish/get` and the event tell it.
    pub(in crate::sandbox) fn to_json(&self, publish_id: &str) -> Value {
        let mut told = json!({ "publish_id": publish_id, "publish_status": self.status() });
        if let Some(draft) = &self.draft {
            let items = (0..draft.articles.len())
                .map(|at| json!({ "idx": at + 1, "article_url": url(&draft.page, at) }));
            let items: Vec<Value> = items.collect();
            told["article_id"] = self.article_id.as_str().into();
            told["article_detail"] = json!({ "count": items.len(), "item": items });
        }
        told["fail_idx"] = json!([]);
        told
    }
}

impl Publications {
    /// Keeps a publication.
    pub(in crate::sandbox) fn add(&mut self, publish_id: &str, publication: Publication) {
        self.0.put_for_oldest(publish_id, publication);
    }

    /// The publication of that id: 40097 where there is none.
    pub(in crate::sandbox) fn find(&self, publish_id: &str) -> Result<&Publication, Refusal> {
        self.0.find(publish_id).ok_or_else(|| Refusal::with(40097, "publish_id"))
    }

    /// The articles that are out under that id: 40097 where there are none.
    pub(in crate::sandbox) fn article(&self, article_id: &str) -> Result<&Draft, Refusal> {
        let out = self.out().find(|(_, known, _)| *known == article_id);
        out.map(|(_, _, draft)| draft).ok_or_else(|| Refusal::with(40097, "article_id"))
    }

    /// Deletes the article at `index`, counted from 1, or all with 0.
    pub(in crate::sandbox) fn delete(
        &mut self,
        article_id: &str,
        index: usize,
    ) -> Result<(), Refusal> {
        let draft = self.article(article_id)?;
        if index > draft.articles.len() {
            return Err(Refusal::new(40060));
        }
        let is_last = draft.articles.len() == 1;
        let publish_id = self.out().find(|(_, known, _)| *known == article_id);
        let publish_id = publish_id.map(|(id, ..)| id.to_owned()).unwrap_or_default();
        let Some(publication) = self.0.find_mut(&publish_id) else { return Ok(()) };
        match (&mut publication.draft, index.checked_sub(1)) {
            (Some(draft), Some(at)) if !is_last => {
                draft.articles.remove(at);
            }
            (draft, _) => *draft = None,
        }
        Ok(())
    }

    /// How many are out.
    pub(in crate::sandbox) fn len(&self) -> usize {
        self.out().count()
    }

    /// A page of what is out, newest first, as `freepublish/batchget` tells it.
    pub(in crate::sandbox) fn page(
        &self,
        offset: usize,
        count: usize,
        has_content: bool,
    ) -> Vec<Value> {
        let page = self.out().rev().skip(offset).take(count).map(|(_, article_id, draft)| {
            json!({
                "article_id": article_id,
                "content": { "news_item": shown(&draft.articles, &draft.page, has_content) },
                "update_time": draft.updated_ms / 1000,
            })
        });
        page.collect()
    }

    fn out(&self) -> impl DoubleEndedIterator<Item = (&str, &str, &Draft)> {
        self.0.iter().filter_map(|(id, publication)| {
            Some((id, publication.article_id.as_str(), publication.draft.as_ref()?))
        })
    }
}

/// Brings a draft out, which takes it from the drafts, and tells of it.
pub(in crate::sandbox) fn finish(world: &mut World<'_>, publish_id: &str) {
    let article_id = world.text(43);
    let now_ms = world.now_ms;
    let State { publications, drafts, .. } = world.state;
    let Some(publication) = publications.0.find_mut(publish_id) else { return };
    match drafts.take(&publication.media_id) {
        Ok(draft) => {
            publication.article_id = article_id;
            publication.draft = Some(Draft { updated_ms: now_ms, ..draft });
        }
        Err(_) => publication.has_failed = true,
    }
    let mut fields = Map::new();
    fields.insert("PublishEventInfo".to_owned(), publication.to_json(publish_id));
    world.tell("PUBLISHJOBFINISH", fields);
}

const MOST_PUBLICATIONS: usize = 200;
