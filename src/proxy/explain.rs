//! What each of the gateway's own codes means, without the particulars of a request.

use crate::base::code::ErrorCode;

/// Message in Chinese and English, cure in Chinese and English.
#[must_use]
pub fn explain(code: ErrorCode) -> [&'static str; 4] {
    let known = TEXTS.iter().find(|(known, _)| *known == code);
    known.map_or(INTERNAL, |(_, text)| *text)
}

const INTERNAL: [&str; 4] = [
    "网关内部错误",
    "internal error",
    "请带上 request_id 查看网关日志。",
    "Look for the request_id in the gateway's log.",
];

/// In the order of the documentation.
const TEXTS: &[(ErrorCode, [&str; 4])] = &[
    (
        ErrorCode::KeyMissing,
        [
            "请求中没有访问密钥",
            "no key in the request",
            "加请求头 Authorization: Bearer wxgk_…（或 X-Api-Key，或 access_token=wxgk_…）；密钥用 wxgate key create 生成。",
            "Send Authorization: Bearer wxgk_… (or X-Api-Key, or access_token=wxgk_…); keys are made by: wxgate key create",
        ],
    ),
    (
        ErrorCode::KeyUnknown,
        [
            "未知的访问密钥",
            "unknown key",
            "密钥不属于这台网关，或已被删除；请管理员运行 wxgate key list 核对。",
            "It is not a key of this gateway; ask an operator to look with: wxgate key list",
        ],
    ),
    (
        ErrorCode::KeyMalformed,
        [
            "访问密钥格式或校验位不对",
            "malformed key: its form or checksum is wrong",
            "多半是复制时少了或多了字符，请重新复制完整的 wxgk_…。",
            "Mostly a character was lost in copying: copy the whole wxgk_… again.",
        ],
    ),
    (
        ErrorCode::KeyExpired,
        [
            "访问密钥已过期",
            "expired key",
            "请管理员运行 wxgate key rotate 换一个。",
            "Ask an operator for a new one: wxgate key rotate",
        ],
    ),
    (
        ErrorCode::KeyRevoked,
        [
            "访问密钥已被吊销",
            "revoked key",
            "请管理员运行 wxgate key create 新建一个。",
            "Ask an operator for a new one: wxgate key create",
        ],
    ),
    (
        ErrorCode::SurrogateRefused,
        [
            "替身令牌不被接受",
            "surrogate refused",
            "它不能这样使用：可能密钥已被吊销，或账号、权限档、网络不符；原因见网关日志与请求记录。用访问密钥重新获取，仍不行请找管理员。",
            "It may not be used so: its key may be gone, or account, lane or network do not fit; the gateway's log and the exchange tell which. Fetch a new one with your key; if that does not help, ask an operator.",
        ],
    ),
    (
        ErrorCode::KeyNetwork,
        [
            "此密钥不允许从这个网络使用",
            "this key may not be used from this network",
            "换到允许的网络，或请管理员放宽密钥的网络范围。",
            "Call from an allowed network, or ask an operator to widen the key's networks.",
        ],
    ),
    (
        ErrorCode::LaneReadOnly,
        [
            "只读密钥不能调用此接口",
            "a read-only key may not make this call",
            "只读档只放行目录中标为 read 的接口；请换用 live 档的密钥。",
            "The read-only lane passes what the catalogue calls read; use a key of the lane live.",
        ],
    ),
    (
        ErrorCode::PathNotAllowed,
        [
            "此密钥不能调用这个路径",
            "this key may not call this path",
            "请管理员检查密钥的角色与路径前缀。",
            "Ask an operator to check the key's role and path prefixes.",
        ],
    ),
    (
        ErrorCode::DangerNotAllowed,
        [
            "高危接口需要专门的密钥",
            "a dangerous call needs a key made for it",
            "先加 X-Wxgate-Upstream: sandbox 试跑；确需调用时请管理员用 --allow-danger 建密钥。",
            "Try it with X-Wxgate-Upstream: sandbox first; for the real one ask for a key made with --allow-danger.",
        ],
    ),
    (
        ErrorCode::ClientCall,
        [
            "请求来自小程序内部：密钥已泄露给最终用户",
            "called from inside a mini program: a key was shipped to end users",
            "吊销该密钥（wxgate key revoke），改由自己的服务器调用。",
            "Revoke that key (wxgate key revoke), and call from your own server.",
        ],
    ),
    (
        ErrorCode::HttpsOnly,
        [
            "此端口只收 HTTPS",
            "this listener is for HTTPS only",
            "改用 https:// 地址。",
            "Use the https:// address.",
        ],
    ),
    (
        ErrorCode::OperatorOnly,
        [
            "仅限管理员",
            "for operators only",
            "请使用 operator 角色的密钥。",
            "Use a key of the role operator.",
        ],
    ),
    (
        ErrorCode::AccountUnknown,
        [
            "没有这个账号，或密钥无权使用它",
            "no such account, or not for this key",
            "检查 /@账号名 的拼写；或请管理员为此密钥开通该账号。",
            "Check the spelling of /@name, or ask an operator to give this key that account.",
        ],
    ),
    (
        ErrorCode::NotFound,
        [
            "没有这个地址",
            "nothing at this address",
            "/-/ 下只有文档列出的路径。",
            "Under /-/ there is only what the documentation lists.",
        ],
    ),
    (
        ErrorCode::AccountAmbiguous,
        [
            "没有指明账号，而密钥可用多个账号",
            "no account named, and the key has several",
            "在路径前加 /@账号名，或加请求头 X-Wxgate-Account；可选的账号在回答里。",
            "Put /@name before the path, or send the header X-Wxgate-Account; the answer lists the choices.",
        ],
    ),
    (
        ErrorCode::AmbiguousKey,
        [
            "请求中有两个不同的密钥",
            "two different keys in the request",
            "只保留一个：Authorization、X-Api-Key、access_token、secret 或客户端证书。",
            "Keep one: Authorization, X-Api-Key, access_token, secret or a client certificate.",
        ],
    ),
    (
        ErrorCode::AmbiguousToken,
        [
            "令牌参数重复或写法异常",
            "a token parameter stands twice or in an odd spelling",
            "查询串里只留一个 access_token=…。",
            "Keep one access_token=… in the query.",
        ],
    ),
    (
        ErrorCode::ForeignToken,
        [
            "access_token 不是由本网关发放的",
            "the access token was not handed out by this gateway",
            "把 access_token 换成访问密钥、留空或去掉；确需自带令牌时在账号上设 own_tokens = true。",
            "Put your key there, or nothing; to pass tokens of your own set own_tokens = true on the account.",
        ],
    ),
    (
        ErrorCode::PathRefused,
        [
            "路径含有不被接受的字符或写法",
            "the path has characters or a form that are refused",
            "路径只用字母、数字和 . _ ~ @ -，不用 //、. 或 ..；参数放在 ? 之后。",
            "Use letters, digits and . _ ~ @ - in the path, no //, . or ..; parameters belong behind the ?.",
        ],
    ),
    (
        ErrorCode::TargetRefused,
        [
            "请求目标的形式不被接受",
            "the form of the request target is refused",
            "请求行写 /路径，不要写成别的主机的完整 URL；本机不是正向代理。",
            "Send /path, not a full URL of another host: this is no forward proxy.",
        ],
    ),
    (
        ErrorCode::HeaderRefused,
        [
            "有一个请求头不被接受",
            "a header is refused",
            "去掉或改正回答中点名的请求头。",
            "Remove or correct the header that the answer names.",
        ],
    ),
    (
        ErrorCode::MethodRefused,
        [
            "不接受的方法",
            "method refused",
            "可用：GET POST HEAD OPTIONS PUT DELETE（generic 账号另有 PATCH）。",
            "Use GET, POST, HEAD, OPTIONS, PUT or DELETE (PATCH for accounts of kind generic).",
        ],
    ),
    (
        ErrorCode::ReplayIncomplete,
        [
            "记录不完整，不能重放",
            "the record is incomplete and cannot be replayed",
            "补全缺失的字段后再发。",
            "Fill in the missing fields and send it yourself.",
        ],
    ),
    (
        ErrorCode::BodyTooLarge,
        [
            "请求体超过上限",
            "the request body is too long",
            "缩小请求体，或提高 proxy.toml 的 [server] body_max。",
            "Send less, or raise body_max under [server] in proxy.toml.",
        ],
    ),
    (
        ErrorCode::ExpectationRefused,
        [
            "不支持的 Expect",
            "expectation refused",
            "只支持 Expect: 100-continue。",
            "Only Expect: 100-continue is known.",
        ],
    ),
    (
        ErrorCode::HostUnknown,
        [
            "不认识的主机名，或 Host 与 TLS 握手的名字不同",
            "unknown host, or Host and the TLS handshake name different ones",
            "把客户端所用的名字加入 proxy.toml 的 [server] hosts，然后运行 wxgate reload。",
            "Add the name that clients use to hosts under [server] in proxy.toml, then run: wxgate reload",
        ],
    ),
    (
        ErrorCode::RateLimited,
        [
            "超过网关的限频",
            "a limit of this gateway is reached",
            "按 Retry-After 等待后重试。",
            "Wait for Retry-After, then try again.",
        ],
    ),
    (
        ErrorCode::QuotaExhausted,
        [
            "平台额度已用完，网关先行拦下",
            "the platform's quota for this path is used up, so the call was stopped here",
            "等额度恢复；清零后运行 wxgate limit reset 立即放行。",
            "Wait for it to turn; after a reset on the platform run: wxgate limit reset",
        ],
    ),
    (
        ErrorCode::HeadersTooLarge,
        [
            "请求头过多或过长",
            "too many or too large headers",
            "最多 100 个、共 32 KiB。",
            "At most 100 fields, 32 KiB in all.",
        ],
    ),
    (ErrorCode::Internal, INTERNAL),
    (
        ErrorCode::TokenUnavailable,
        [
            "取不到该账号的令牌",
            "no token for this account",
            "运行 wxgate token show 查看原因；多半是 IP 未进白名单（40164）或 AppSecret 不对（40125）。",
            "See why with: wxgate token show; mostly the IP is not on the allow-list (40164) or the AppSecret is wrong (40125).",
        ],
    ),
    (
        ErrorCode::TokenRejected,
        [
            "平台连最新的令牌也不接受",
            "the platform refuses the newest token too",
            "多半是别处在用同一个 AppSecret 取令牌：wxgate token history 会给出时间段。",
            "Mostly another holder of the AppSecret fetches tokens: wxgate token history names the interval.",
        ],
    ),
    (
        ErrorCode::UpstreamConnect,
        [
            "连不上上游",
            "no connection to the upstream",
            "检查本机的 DNS、出口防火墙和 [[account]] egress；请求没有发出，可以重试。",
            "Check DNS, the outgoing firewall and the account's egress; nothing was sent, so trying again is safe.",
        ],
    ),
    (
        ErrorCode::UpstreamTls,
        [
            "上游的证书不被信任",
            "the upstream's certificate is not trusted",
            "检查本机时间和根证书（[[account]] ca），以及有没有中间设备拦截 TLS；请求没有发出。",
            "Check this host's clock and roots (ca of the account), and for a device that intercepts TLS; nothing was sent.",
        ],
    ),
    (
        ErrorCode::UpstreamReset,
        [
            "上游断开了连接",
            "the upstream broke the connection",
            "请求可能已经生效：先查询结果，再决定是否重发。",
            "The call may have taken effect: look before you repeat it.",
        ],
    ),
    (
        ErrorCode::UpstreamInvalid,
        [
            "上游的回答不是 HTTP",
            "the upstream's answer is not HTTP",
            "检查 [[account]] upstream 的地址和端口，以及出口代理。",
            "Check address and port of the account's upstream, and the outgoing proxy.",
        ],
    ),
    (
        ErrorCode::Overloaded,
        ["网关繁忙", "every slot is taken", "稍后重试。", "Try again in a moment."],
    ),
    (
        ErrorCode::RetryNeeded,
        [
            "令牌刚刚更换，请求体过长未能代为重发",
            "the token was replaced; the body is too long to be repeated here",
            "立即重发即可成功；可提高 [limits] replay_cap。",
            "Send it again now; or raise replay_cap under [limits].",
        ],
    ),
    (
        ErrorCode::UpstreamTimeout,
        [
            "上游没有及时回答",
            "the upstream did not answer in time",
            "请求可能已经生效：先查询结果，再决定是否重发。",
            "The call may have taken effect: look before you repeat it.",
        ],
    ),
    (
        ErrorCode::UpstreamLoop,
        [
            "上游就是网关自己",
            "the upstream is this gateway itself",
            "[[account]] upstream 要写平台的地址，不是网关的地址。",
            "The account's upstream must be the platform's address, not the gateway's.",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_text_of_its_own_and_only_a_bug_is_an_internal_error() {
        for code in ErrorCode::ALL {
            assert_eq!(TEXTS.iter().filter(|(known, _)| known == code).count(), 1, "{code}");
            let text = explain(*code);
            assert!(text.iter().all(|part| !part.is_empty()), "{code}");
            assert_eq!(text == INTERNAL, *code == ErrorCode::Internal, "{code}");
        }
    }
}
