//! Switches of after-sales.

use serde::{Deserialize, Serialize};

/// Part of the account's switches. The documents name no lengths and leave some moves open; the
/// defaults are the likeliest.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sandbox) struct AftersaleSettings {
    /// Whether an after-sale counts for the access process when it is refunded, and not when it
    /// is added.
    pub(in crate::sandbox) aftersale_counts_when_refunded: bool,
    /// Whether `out_aftersale_id` of another after-sale is refused (2747002); otherwise the
    /// first one is answered again.
    pub(in crate::sandbox) refuse_aftersale_repeat: bool,
    /// Which numbers `refund_reason_type` may have.
    pub(in crate::sandbox) refund_reasons: RefundReasons,
    /// States in which a buyer may change an after-sale, as far as nothing was decided for good.
    pub(in crate::sandbox) aftersale_update_states: Vec<u64>,
    /// States in which a buyer may cancel one, in the same way.
    pub(in crate::sandbox) aftersale_cancel_states: Vec<u64>,
    /// Seconds that a refund takes.
    pub(in crate::sandbox) refund_delay_s: u32,
    /// Whether refunds fail, so that the merchant must pay outside the platform.
    pub(in crate::sandbox) refund_fails: bool,
    /// Seconds in which the merchant must handle a refund request; 0 = never too late.
    pub(in crate::sandbox) handle_refund_deadline_s: u32,
    /// The same of a return request.
    pub(in crate::sandbox) handle_return_deadline_s: u32,
    /// Seconds in which the buyer must send goods back; 0 = never too late.
    pub(in crate::sandbox) return_deadline_s: u32,
    /// Seconds in which the merchant must confirm that they came back; 0 = never too late.
    pub(in crate::sandbox) confirm_receipt_deadline_s: u32,
    /// Seconds in which the buyer may call in the platform after a rejection; 0 = always.
    pub(in crate::sandbox) platform_judge_deadline_s: u32,
}

/// Two lists of reasons circulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::sandbox) enum RefundReasons {
    /// Every number of either.
    Both,
    /// 1 to 12.
    First,
    /// 1 to 15 without 4 and 13.
    Later,
}

impl RefundReasons {
    /// Whether the number is on the list.
    pub(in crate::sandbox) fn has(self, number: u64) -> bool {
        let is_first = (1..=12).contains(&number);
        let is_later = (1..=15).contains(&number) && !matches!(number, 4 | 13);
        match self {
            Self::Both => is_first || is_later,
            Self::First => is_first,
            Self::Later => is_later,
        }
    }
}

impl Default for AftersaleSettings {
    fn default() -> Self {
        Self {
            aftersale_counts_when_refunded: false,
            refuse_aftersale_repeat: false,
            refund_reasons: RefundReasons::Both,
            aftersale_update_states: vec![2, 4, 5, 23],
            aftersale_cancel_states: vec![2, 4, 5, 6, 23],
            refund_delay_s: 5,
            refund_fails: false,
            handle_refund_deadline_s: TWO_DAYS_S,
            handle_return_deadline_s: TWO_DAYS_S,
            return_deadline_s: 7 * DAY_S,
            confirm_receipt_deadline_s: 7 * DAY_S,
            platform_judge_deadline_s: 0,
        }
    }
}

const DAY_S: u32 = 86_400;
const TWO_DAYS_S: u32 = 2 * DAY_S;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_on_the_list_that_was_chosen() {
        let numbers =
            |list: RefundReasons| (0..20).filter(|number| list.has(*number)).collect::<Vec<_>>();
        assert_eq!(numbers(RefundReasons::First), (1..=12).collect::<Vec<_>>());
        assert_eq!(numbers(RefundReasons::Later), [1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15]);
        assert_eq!(numbers(RefundReasons::Both).len(), 14);
    }
}
