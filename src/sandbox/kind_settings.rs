//! The switches that a fresh account has, by its kind.

use super::settings::{IpCheck, Settings};
use crate::base::kind::AccountKind;

impl Settings {
    /// The defaults of an account of that kind. All calls of official accounts, of WeCom and of
    /// third-party platforms are checked for their address.
    pub(super) fn of(kind: AccountKind) -> Self {
        let usual = Self::default();
        match kind {
            AccountKind::MiniProgram | AccountKind::Generic => usual,
            AccountKind::OfficialAccount | AccountKind::OpenPlatform => {
                Self { ip_check: IpCheck::All, ..usual }
            }
            AccountKind::Wecom => {
                let (unknown_token_errcode, wrong_secret_errcode) = (40014, 40001);
                let ip_check = IpCheck::All;
                Self { ip_check, unknown_token_errcode, wrong_secret_errcode, ..usual }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_mini_programs_are_not_checked_for_their_address_on_every_call() {
        for kind in AccountKind::ALL {
            let is_mini = matches!(kind, AccountKind::MiniProgram | AccountKind::Generic);
            let wanted = if is_mini { IpCheck::Secret } else { IpCheck::All };
            assert_eq!(Settings::of(*kind).ip_check, wanted, "{kind}");
        }
        assert_eq!(Settings::of(AccountKind::Wecom).unknown_token_errcode, 40014);
    }
}
