//! All products of an account.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize, Serializer};

use super::product::Product;
use crate::sandbox::refusal::Refusal;

/// Products by the merchant's id. An id that was deleted stays taken.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "BTreeMap<String, Option<Shelved>>")]
pub(in crate::sandbox) struct Shelf {
    products: BTreeMap<String, Shelved>,
    by_product_id: BTreeMap<u64, String>,
    deleted: BTreeSet<String>,
    held_bytes: usize,
}

#[derive(Debug, Serialize, Deserialize)]
struct Shelved {
    product: Product,
    size_bytes: usize,
}

impl Shelf {
    /// Puts a new product on the shelf; `size_bytes` is what its form took.
    pub(in crate::sandbox) fn add(
        &mut self,
        out_product_id: &str,
        product: Product,
        size_bytes: usize,
    ) -> Result<(), Refusal> {
        self.make_room(out_product_id, size_bytes)?;
        self.by_product_id.insert(product.product_id, out_product_id.to_owned());
        self.products.insert(out_product_id.to_owned(), Shelved { product, size_bytes });
        self.held_bytes += size_bytes;
        Ok(())
    }

    /// Whether a product of that id may be added: 9401001 while there is one, 1000012 when
    /// there was one.
    pub(in crate::sandbox) fn check_free(&self, out_product_id: &str) -> Result<(), Refusal> {
        if self.products.contains_key(out_product_id) {
            Err(Refusal::new(9_401_001))
        } else if self.deleted.contains(out_product_id) {
            Err(Refusal::new(1_000_012))
        } else {
            Ok(())
        }
    }

    /// The platform's ids of a product and a SKU; 0 for what was not uploaded.
    pub(in crate::sandbox) fn ids(&self, out_product_id: &str, out_sku_id: &str) -> (u64, u64) {
        let Some(shelved) = self.products.get(out_product_id) else { return (0, 0) };
        let skus = shelved.product.sku_ids.iter();
        let sku_id = skus.clone().find(|(out, _)| out == out_sku_id).map_or(0, |(_, id)| *id);
        (shelved.product.product_id, sku_id)
    }

    /// Whether a product has that platform id.
    pub(in crate::sandbox) fn has(&self, product_id: u64) -> bool {
        self.by_product_id.contains_key(&product_id)
    }

    /// The merchant's id of the product that either or both ids name: 9401020 where none is
    /// given or they contradict, 9401002 where there is no such product.
    pub(in crate::sandbox) fn resolve(
        &self,
        product_id: Option<u64>,
        out_product_id: Option<&str>,
    ) -> Result<String, Refusal> {
        let missing = || Refusal::new(9_401_002);
        let by_id = match product_id {
            Some(id) => Some(self.by_product_id.get(&id).ok_or_else(missing)?.as_str()),
            None => None,
        };
        match (by_id, out_product_id) {
            (None, None) => Err(Refusal::with(9_401_020, "product_id or out_product_id")),
            (Some(found), Some(given)) if found != given => {
                Err(Refusal::with(9_401_020, "product_id and out_product_id differ"))
            }
            (Some(found), _) => Ok(found.to_owned()),
            (None, Some(given)) if self.products.contains_key(given) => Ok(given.to_owned()),
            (None, Some(_)) => Err(missing()),
        }
    }

    /// A product as of `now_ms`.
    pub(in crate::sandbox) fn product(
        &mut self,
        out_product_id: &str,
        now_ms: i64,
    ) -> Result<&mut Product, Refusal> {
        let shelved = self.products.get_mut(out_product_id);
        let shelved = shelved.ok_or_else(|| Refusal::new(9_401_002))?;
        shelved.product.settle(now_ms);
        Ok(&mut shelved.product)
    }

    /// Accounts for a form of another size.
    pub(in crate::sandbox) fn resize(
        &mut self,
        out_product_id: &str,
        bytes: usize,
    ) -> Result<(), Refusal> {
        self.make_room(out_product_id, bytes)?;
        if let Some(shelved) = self.products.get_mut(out_product_id) {
            self.held_bytes = self.held_bytes - shelved.size_bytes + bytes;
            shelved.size_bytes = bytes;
        }
        Ok(())
    }

    /// Takes a product away for good.
    pub(in crate::sandbox) fn delete(&mut self, out_product_id: &str) {
        if let Some(shelved) = self.products.remove(out_product_id) {
            self.by_product_id.remove(&shelved.product.product_id);
            self.held_bytes -= shelved.size_bytes;
            self.deleted.insert(out_product_id.to_owned());
        }
    }

    /// All products as of `now_ms`, in the order of their creation.
    pub(in crate::sandbox) fn all(&mut self, now_ms: i64) -> Vec<&Product> {
        for shelved in self.products.values_mut() {
            shelved.product.settle(now_ms);
        }
        let mut all: Vec<&Product> = self.products.values().map(|s| &s.product).collect();
        all.sort_by_key(|product| (product.created_ms(), product.product_id));
        all
    }

    /// All products as of `now_ms` by the merchant's id.
    pub(in crate::sandbox) fn named(
        &mut self,
        now_ms: i64,
    ) -> impl Iterator<Item = (&str, &Product)> {
        self.products.iter_mut().map(move |(id, shelved)| {
            shelved.product.settle(now_ms);
            (id.as_str(), &shelved.product)
        })
    }

    /// How many products there are.
    pub(in crate::sandbox) fn len(&self) -> usize {
        self.products.len()
    }

    /// The simulator's own bounds, answered as the platform answers when it cannot cope.
    fn make_room(&self, out_product_id: &str, more_bytes: usize) -> Result<(), Refusal> {
        let count = self.products.len() + self.deleted.len();
        let is_new = !self.products.contains_key(out_product_id);
        if (is_new && count >= MOST_PRODUCTS) || self.held_bytes + more_bytes > MOST_BYTES {
            return Err(Refusal::with(-1, "the sandbox is full, reset it"));
        }
        Ok(())
    }
}

/// Products by the merchant's id, `null` for a deleted one. The rest follows from them.
impl Serialize for Shelf {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let products = self.products.iter().map(|(id, shelved)| (id, Some(shelved)));
        to.collect_map(products.chain(self.deleted.iter().map(|id| (id, None))))
    }
}

impl From<BTreeMap<String, Option<Shelved>>> for Shelf {
    fn from(all: BTreeMap<String, Option<Shelved>>) -> Self {
        let mut shelf = Self::default();
        for (id, shelved) in all {
            let Some(mut shelved) = shelved else {
                shelf.deleted.insert(id);
                continue;
            };
            shelved.size_bytes = shelved.size_bytes.min(MOST_BYTES);
            shelf.by_product_id.insert(shelved.product.product_id, id.clone());
            shelf.held_bytes = shelf.held_bytes.saturating_add(shelved.size_bytes);
            shelf.products.insert(id, shelved);
        }
        shelf
    }
}

const MOST_PRODUCTS: usize = 50_000;
const MOST_BYTES: usize = 128 << 20;

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::sandbox::settings::Settings;

    fn product(product_id: u64) -> Product {
        Product::new(product_id, Map::new(), Vec::new(), "A".into(), &Settings::default(), 0)
    }

    fn code<T>(result: Result<T, Refusal>) -> i64 {
        result.map_or_else(|refusal| refusal.errcode, |_| 0)
    }

    #[test]
    fn either_id_finds_a_product_and_both_must_agree() {
        let mut shelf = Shelf::default();
        shelf.add("a", product(u64::MAX), 10).unwrap();
        shelf.add("b", product(2), 10).unwrap();
        assert_eq!(shelf.resolve(Some(u64::MAX), None).unwrap(), "a");
        assert_eq!(shelf.resolve(Some(2), Some("b")).unwrap(), "b");
        assert_eq!(code(shelf.resolve(Some(2), Some("a"))), 9_401_020);
        assert_eq!(code(shelf.resolve(None, None)), 9_401_020);
        assert_eq!(code(shelf.resolve(Some(3), None)), 9_401_002);
        assert_eq!(code(shelf.resolve(None, Some("c"))), 9_401_002);
    }

    #[test]
    fn a_deleted_id_stays_taken_but_its_bytes_are_free() {
        let mut shelf = Shelf::default();
        shelf.add("a", product(1), MOST_BYTES).unwrap();
        assert_eq!(code(shelf.add("b", product(2), 1)), -1);
        assert_eq!(code(shelf.check_free("a")), 9_401_001);
        shelf.delete("a");
        assert_eq!(code(shelf.check_free("a")), 1_000_012);
        assert_eq!(code(shelf.add("b", product(2), MOST_BYTES)), 0);
        assert_eq!(code(shelf.resolve(Some(1), None)), 9_401_002);
    }
}
