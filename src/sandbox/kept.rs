//! The bytes of bodies that an account keeps.

use serde::{Deserialize, Serialize};

use super::refusal::Refusal;

/// Counts what calls bring that is kept as it came. It never shrinks but by a reset: what was
/// written over counts on, which costs little and cannot be got wrong.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Kept(usize);

impl Kept {
    /// Whether there is room for so many bytes more.
    pub(super) fn check(&self, bytes: usize) -> Result<(), Refusal> {
        let is_full = self.0.saturating_add(bytes) > MOST_BYTES;
        if is_full { Err(Refusal::full()) } else { Ok(()) }
    }

    /// Counts them.
    pub(super) fn add(&mut self, bytes: usize) {
        self.0 = self.0.saturating_add(bytes);
    }
}

/// Fifty thousand orders of two KiB. JSON takes about three times its length in memory, and
/// eleven times where somebody sends nothing but empty lists.
const MOST_BYTES: usize = 128 << 20;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::shop::testing::{Shop, order};

    #[test]
    fn orders_are_bounded_by_their_bytes_too() {
        let shop = Shop::new();
        let add = |id: &str| {
            let mut body = order(&shop.bench, id, 1);
            body["path"] = json!("x".repeat(1 << 20));
            shop.bench.post("/shop/order/add", &body)
        };
        assert_eq!(add("SO1").errcode, Some(0));
        shop.bench.platform.account("shop").unwrap().state().kept.add(MOST_BYTES - (2 << 20));
        let full = add("SO2").json();
        assert_eq!((&full["errcode"], &full["errmsg"]), (&json!(-1), &json!(full["errmsg"])));
        assert!(full["errmsg"].as_str().unwrap().starts_with("the sandbox is full"), "{full}");
        assert_eq!(shop.status("SO1"), 10, "all else goes on");
        shop.bench.control("POST", "reset", "");
        let kept = shop.bench.control("GET", "snapshot", "").1["state"]["kept"].clone();
        assert_eq!(kept, json!(0));
    }

    #[test]
    fn what_is_refused_is_not_kept() {
        let shop = Shop::new();
        let kept = || shop.bench.control("GET", "snapshot", "").1["state"]["kept"].as_u64();
        let before = kept();
        shop.bench.post("/shop/order/add", &json!({"out_order_id": "SO1"}));
        assert_eq!(kept(), before);
        shop.order("SO1", 1);
        assert!(kept() > before);
    }
}
