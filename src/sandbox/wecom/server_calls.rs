//! WeCom's own addresses.

use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    refusal::Refusal,
};

/// The sandbox is where it is called, and pushes from there.
pub(super) const CALLS: &[CallSpec] = &[
    CallSpec::get("/cgi-bin/getcallbackip", addresses),
    CallSpec::get("/cgi-bin/get_api_domain_ip", addresses),
];

fn addresses(_: &Cx<'_>) -> Result<Answer, Refusal> {
    Ok(Answer::ok("ip_list", &["127.0.0.1"]))
}

#[cfg(test)]
mod tests {
    use crate::{base::kind::AccountKind, sandbox::calls::bench::Bench};

    #[test]
    fn addresses_come_with_an_errcode() {
        let bench = Bench::of_kind(AccountKind::Wecom);
        for path in ["/cgi-bin/getcallbackip", "/cgi-bin/get_api_domain_ip"] {
            let answer = bench.get_with_token(path, "");
            assert_eq!((answer.errcode, answer.json()["ip_list"].is_array()), (Some(0), true));
            assert_eq!(bench.get(path, "").errcode, Some(41001));
        }
    }
}
