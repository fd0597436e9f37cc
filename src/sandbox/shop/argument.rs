//! The errcode of a wrong argument, by call and field.

use crate::wechat::Endpoint;

/// The code that is known for the field; else the call's code for arguments; else `usual`.
pub(in crate::sandbox) fn errcode(endpoint: &Endpoint, field: &str, usual: i64) -> i64 {
    let special = SPECIAL.iter().find(|(path, beginnings, _)| {
        endpoint.path == *path && beginnings.iter().any(|wanted| is_inside(field, wanted))
    });
    match special {
        Some((_, _, errcode)) => *errcode,
        None => of_call(endpoint).unwrap_or(usual),
    }
}

/// The code that the documents name for wrong arguments of the call.
pub(in crate::sandbox) fn of_call(endpoint: &Endpoint) -> Option<i64> {
    if endpoint.path.starts_with("/shop/spu/") {
        return Some(9_401_020);
    }
    [9_401_020, 2_747_002].into_iter().find(|code| endpoint.errcodes.contains(code))
}

/// The answer to a body that is no JSON: of after-sales it is the code for arguments, of brands
/// one without a text; none for all other calls, which have the general code.
pub(in crate::sandbox) fn broken_json(path: &str) -> Option<i64> {
    match path {
        "/shop/audit/audit_brand" => Some(990_007),
        _ => path.starts_with("/shop/ecaftersale/").then_some(2_747_002),
    }
}

/// The fields of a call that have a code of their own.
pub(in crate::sandbox) fn special(
    path: &str,
) -> impl Iterator<Item = (&'static [&'static str], i64)> {
    SPECIAL.iter().filter(move |(of, _, _)| *of == path).map(|(_, fields, code)| (*fields, *code))
}

/// Whether `field` is `wanted` or something in it.
fn is_inside(field: &str, wanted: &str) -> bool {
    field.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// From the documents, staff answers and developer reports that the facts name (read 2026-08).
const SPECIAL: &[(&str, &[&str], i64)] = &[
    ("/shop/order/add", &["order_detail.pay_info"], 1_010_004),
    (
        "/shop/order/add",
        &[
            "order_detail.price_info",
            "order_detail.product_infos.product_cnt",
            "order_detail.product_infos.sale_price",
            "order_detail.product_infos.sku_real_price",
            "order_detail.product_infos.real_price",
        ],
        1_010_005,
    ),
    ("/shop/order/add", &["address_info", "default_receiving_address"], 1_010_009),
    ("/shop/order/add", &["create_time"], 990_018),
    ("/shop/order/pay", &["pay_time"], 990_018),
    ("/shop/delivery/send", &["ship_done_time"], 990_018),
    ("/shop/aftersale/add", &["create_time"], 990_018),
    ("/shop/delivery/send", &["delivery_list.waybill_id"], 1_010_029),
];
