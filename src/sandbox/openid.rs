//! An openid as a caller writes it.

use super::{ids::derived_text, refusal::Refusal};

/// The openid of the user called `user` of an app: `o` and 27 characters, always the same ones.
pub(super) fn derived(app_id: &str, user: &str) -> String {
    format!("o{}", derived_text(format!("{app_id} {user}").as_bytes(), 27))
}

/// The openid in `given`: 40003 where there is none. One that ends in `_errcode_45015` is
/// answered with that errcode, so that a client's handling of business errors can be tried
/// without preparing anything.
pub(super) fn checked(given: Option<&str>) -> Result<&str, Refusal> {
    let openid = well_formed(given)?;
    match wished_errcode(openid) {
        Some(errcode) => Err(Refusal::new(errcode)),
        None => Ok(openid),
    }
}

/// The same for calls that look at more before they look at who it is for.
pub(super) fn well_formed(given: Option<&str>) -> Result<&str, Refusal> {
    given
        .filter(|openid| !openid.is_empty() && openid.len() <= MOST_BYTES)
        .ok_or_else(|| Refusal::new(40003))
}

/// The errcode that an openid asks for.
pub(super) fn wished_errcode(openid: &str) -> Option<i64> {
    let (_, errcode) = openid.rsplit_once("_errcode_")?;
    errcode.parse().ok().filter(|errcode| *errcode != 0)
}

/// As the documents of payment calls have it: "1 to 128".
const MOST_BYTES: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_openid_may_ask_for_its_errcode() {
        let errcode = |given| checked(given).map_err(|refusal| refusal.errcode);
        assert_eq!(errcode(Some("o1")), Ok("o1"));
        assert_eq!(errcode(Some("o1_errcode_x")), Ok("o1_errcode_x"));
        assert_eq!(errcode(Some("o1_errcode_45047")), Err(45047));
        assert_eq!((errcode(None), errcode(Some(""))), (Err(40003), Err(40003)));
        assert_eq!(errcode(Some(&"o".repeat(129))), Err(40003));
        assert_eq!(derived("wx1", "alice").len(), 28);
    }
}
