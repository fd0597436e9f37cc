//! Permanent materials.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::sandbox::{
    drawer::Drawer,
    media_store::{self, MediaKind},
    refusal::Refusal,
};

/// By media id, oldest first; kept until they are deleted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::sandbox) struct Materials {
    items: Drawer<Material, MOST_MATERIALS>,
    held_bytes: usize,
}

/// One file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Material {
    /// Its kind.
    pub(in crate::sandbox) kind: MediaKind,
    /// Its file name.
    pub(in crate::sandbox) name: String,
    /// Where it can be seen; images only.
    pub(in crate::sandbox) url: String,
    /// Title of a video.
    pub(in crate::sandbox) title: String,
    /// Description of a video.
    pub(in crate::sandbox) introduction: String,
    /// When it was uploaded.
    pub(in crate::sandbox) updated_ms: i64,
    /// Its very bytes.
    #[serde(with = "media_store::base64_text")]
    pub(in crate::sandbox) bytes: Bytes,
}

impl Materials {
    /// Keeps a material: 45074 when there are too many.
    pub(in crate::sandbox) fn add(&mut self, id: &str, material: Material) -> Result<(), Refusal> {
        let size = material.bytes.len();
        if self.items.len() >= MOST_MATERIALS || self.held_bytes.saturating_add(size) > MOST_BYTES {
            return Err(Refusal::new(45074));
        }
        self.items.put(id, material)?;
        self.held_bytes = self.held_bytes.saturating_add(size);
        Ok(())
    }

    /// The material of that id: 40007 where there is none.
    pub(in crate::sandbox) fn find(&self, id: &str) -> Result<&Material, Refusal> {
        self.items.find(id).ok_or_else(|| Refusal::new(40007))
    }

    /// Deletes the material of that id.
    pub(in crate::sandbox) fn delete(&mut self, id: &str) -> Result<(), Refusal> {
        let material = self.items.take(id).ok_or_else(|| Refusal::new(40007))?;
        self.held_bytes = self.held_bytes.saturating_sub(material.bytes.len());
        Ok(())
    }

    /// How many there are of a kind.
    pub(in crate::sandbox) fn count(&self, kind: MediaKind) -> usize {
        self.of(kind).count()
    }

    /// A page of a kind, newest first, as `batchget_material` tells it.
    pub(in crate::sandbox) fn page(
        &self,
        kind: MediaKind,
        offset: usize,
        count: usize,
    ) -> Vec<Value> {
        let page = self.of(kind).rev().skip(offset).take(count).map(|(id, material)| {
            let mut told = json!({
                "media_id": id,
                "name": material.name,
                "update_time": material.updated_ms / 1000,
            });
            if !material.url.is_empty() {
                told["url"] = material.url.as_str().into();
            }
            told
        });
        page.collect()
    }

    fn of(&self, kind: MediaKind) -> impl DoubleEndedIterator<Item = (&str, &Material)> {
        self.items.iter().filter(move |(_, material)| material.kind == kind)
    }
}

const MOST_MATERIALS: usize = 1000;
const MOST_BYTES: usize = 128 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn material(size: usize) -> Material {
        Material {
            kind: MediaKind::Image,
            name: "a.jpg".to_owned(),
            url: String::new(),
            title: String::new(),
            introduction: String::new(),
            updated_ms: 5000,
            bytes: vec![7; size].into(),
        }
    }

    #[test]
    fn materials_are_kept_counted_and_copied_byte_for_byte() {
        let mut materials = Materials::default();
        assert!(materials.add("a", material(3)).is_ok());
        assert!(materials.add("b", material(MOST_BYTES - 3)).is_ok());
        assert_eq!(materials.add("c", material(1)).unwrap_err().errcode, 45074);
        assert!(materials.delete("b").is_ok());
        assert_eq!(materials.delete("b").unwrap_err().errcode, 40007);
        let copy = serde_json::to_string(&materials).unwrap();
        let copy: Materials = serde_json::from_str(&copy).unwrap();
        assert_eq!(copy.find("a").unwrap().bytes, vec![7; 3]);
        assert_eq!((copy.count(MediaKind::Image), copy.count(MediaKind::Voice)), (1, 0));
        assert_eq!(copy.page(MediaKind::Image, 0, 20)[0]["update_time"], 5);
    }
}
