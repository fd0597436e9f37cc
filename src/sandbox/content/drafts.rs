//! Drafts of articles.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::sandbox::{drawer::Drawer, refusal::Refusal};

/// By media id, oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::sandbox) struct Drafts(Drawer<Draft, MOST_DRAFTS>);

/// One to eight articles that are published together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Draft {
    /// As they were written.
    pub(in crate::sandbox) articles: Vec<Value>,
    /// The last part of the address under which they can be seen.
    pub(in crate::sandbox) page: String,
    /// When they were changed last.
    pub(in crate::sandbox) updated_ms: i64,
}

impl Draft {
    /// A draft of the articles in `given`: 44003 for none, 45008 for more than eight, and the
    /// errcode of the first bad one. `is_thumb` says whether a media id is one of a picture.
    pub(in crate::sandbox) fn new(
        given: Option<&Value>,
        page: String,
        now_ms: i64,
        is_thumb: impl Fn(&str) -> bool,
    ) -> Result<Self, Refusal> {
        let articles = given.and_then(Value::as_array).filter(|articles| !articles.is_empty());
        let articles = articles.ok_or_else(|| Refusal::new(44003))?;
        if articles.len() > MOST_ARTICLES {
            return Err(Refusal::new(45008));
        }
        articles.iter().try_for_each(|article| check(article, &is_thumb))?;
        Ok(Self { articles: articles.clone(), page, updated_ms: now_ms })
    }

    /// Another article at `index`: 40060 where there is none.
    pub(in crate::sandbox) fn replace(
        &mut self,
        index: usize,
        article: &Value,
        now_ms: i64,
        is_thumb: impl Fn(&str) -> bool,
    ) -> Result<(), Refusal> {
        let slot = self.articles.get_mut(index).ok_or_else(|| Refusal::new(40060))?;
        check(article, &is_thumb)?;
        *slot = article.clone();
        self.updated_ms = now_ms;
        Ok(())
    }
}

/// Articles with the addresses that the platform adds; without their text where it is not
/// wanted.
pub(in crate::sandbox) fn shown(articles: &[Value], page: &str, has_content: bool) -> Vec<Value> {
    let all = articles.iter().enumerate().map(|(at, article)| {
        let mut fields = article.as_object().cloned().unwrap_or_default();
        fields.insert("url".to_owned(), url(page, at).into());
        let thumb_url = format!("http://mmbiz.qpic.cn/mmbiz_jpg/{page}{at}/0");
        fields.insert("thumb_url".to_owned(), thumb_url.into());
        if !has_content {
            fields.remove("content");
        }
        Value::Object(fields)
    });
    all.collect()
}

/// Where an article can be read.
pub(super) fn url(page: &str, at: usize) -> String {
    format!("http://mp.weixin.qq.com/s/{page}{at}")
}

/// Lengths are from public SDKs and error pages; not confirmed. Pictures without text need no cover.
fn check(article: &Value, is_thumb: &impl Fn(&str) -> bool) -> Result<(), Refusal> {
    if !article.is_object() {
        return Err(Refusal::new(44003));
    }
    let text = |name: &str| article.get(name).and_then(Value::as_str).unwrap_or_default();
    let length = |name: &str| text(name).chars().count();
    if !(1..=MOST_TITLE_CHARACTERS).contains(&length("title")) {
        return Err(Refusal::new(45003));
    }
    if length("digest") > MOST_DIGEST_CHARACTERS {
        return Err(Refusal::new(45004));
    }
    if text("content").len() > MOST_CONTENT_BYTES {
        return Err(Refusal::new(45002));
    }
    let needs_thumb = text("article_type") != "newspic";
    if needs_thumb && !is_thumb(text("thumb_media_id")) {
        return Err(Refusal::new(40007));
    }
    Ok(())
}

impl Drafts {
    /// Keeps a draft.
    pub(in crate::sandbox) fn add(&mut self, id: &str, draft: Draft) -> Result<(), Refusal> {
        self.0.put(id, draft)
    }

    /// The draft of that id: 40007 where there is none.
    pub(in crate::sandbox) fn find(&self, id: &str) -> Result<&Draft, Refusal> {
        self.0.find(id).ok_or_else(|| Refusal::new(40007))
    }

    /// The same, to change it.
    pub(in crate::sandbox) fn find_mut(&mut self, id: &str) -> Result<&mut Draft, Refusal> {
        self.0.find_mut(id).ok_or_else(|| Refusal::new(40007))
    }

    /// Takes the draft of that id out.
    pub(in crate::sandbox) fn take(&mut self, id: &str) -> Result<Draft, Refusal> {
        self.0.take(id).ok_or_else(|| Refusal::new(40007))
    }

    /// How many there are.
    pub(in crate::sandbox) fn len(&self) -> usize {
        self.0.len()
    }

    /// A page, newest first, as `draft/batchget` tells it.
    pub(in crate::sandbox) fn page(
        &self,
        offset: usize,
        count: usize,
        has_content: bool,
    ) -> Vec<Value> {
        let page = self.0.iter().rev().skip(offset).take(count).map(|(id, draft)| {
            json!({
                "media_id": id,
                "content": { "news_item": shown(&draft.articles, &draft.page, has_content) },
                "update_time": draft.updated_ms / 1000,
            })
        });
        page.collect()
    }
}

const MOST_DRAFTS: usize = 100;
const MOST_ARTICLES: usize = 8;
const MOST_TITLE_CHARACTERS: usize = 64;
const MOST_DIGEST_CHARACTERS: usize = 128;
const MOST_CONTENT_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(articles: &Value) -> i64 {
        let made = Draft::new(Some(articles), "p".to_owned(), 0, |id| id == "M");
        made.map_or_else(|refusal| refusal.errcode, |_| 0)
    }

    #[test]
    fn articles_are_checked_one_by_one() {
        let good = json!({"title": "标题", "content": "<p>文</p>", "thumb_media_id": "M"});
        let with = |name: &str, value: Value| {
            let mut article = good.clone();
            article[name] = value;
            json!([article])
        };
        for (articles, errcode) in [
            (json!([good]), 0),
            (json!([]), 44003),
            (json!([1]), 44003),
            (json!(vec![good.clone(); 9]), 45008),
            (with("title", "".into()), 45003),
            (with("digest", "长".repeat(129).into()), 45004),
            (with("thumb_media_id", "N".into()), 40007),
            (json!([{"title": "图", "article_type": "newspic"}]), 0),
        ] {
            assert_eq!(draft(&articles), errcode, "{articles}");
        }
    }
}
