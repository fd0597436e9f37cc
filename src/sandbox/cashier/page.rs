//! The page itself, as HTML without a script.

use std::fmt::Write as _;

use crate::sandbox::{
    moment,
    shop::order::{Order, OrderStatus},
};

/// An order with what just happened to it.
pub(super) struct Page<'a> {
    pub(super) order: &'a Order,
    pub(super) ticket: &'a str,
    pub(super) is_chinese: bool,
    pub(super) notice: Notice,
}

/// What to say above the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// Nothing.
    None,
    /// The button did its work.
    Done,
    /// The order was not waiting any more.
    TooLate,
}

/// Chinese unless the browser asks for another language first.
pub(super) fn prefers_chinese(languages: &str) -> bool {
    let first = languages.split([',', ';']).next().unwrap_or_default().trim();
    first.is_empty() || first.starts_with("zh") || first == "*"
}

/// For a link that is over.
pub(super) fn gone(is_chinese: bool) -> String {
    let (title, text) = if is_chinese {
        ("链接已失效", "收银台链接只在十分钟内有效。重新生成：")
    } else {
        ("This link has expired", "A link to the cashier is valid for ten minutes. Make a new one:")
    };
    let body =
        format!("<h1>{title}</h1><p>{text}</p><pre>wxgate sandbox ctl cashier OUT_ORDER_ID</pre>");
    document(title, is_chinese, &body)
}

impl Page<'_> {
    /// The whole document.
    pub(super) fn render(&self) -> String {
        let title = self.say("沙箱收银台", "Sandbox cashier");
        let mut body = String::new();
        let banner = self.say("模拟支付，不会扣款", "Simulated: no money moves");
        let _ = write!(body, "<p class=banner>{banner}</p>");
        if self.notice == Notice::TooLate {
            let text = self.say(
                "订单已不是待支付状态，操作未执行。",
                "The order no longer waits for a payment, so nothing was done.",
            );
            let _ = write!(body, "<p class=warn role=alert>{text}</p>");
        }
        let _ = write!(
            body,
            "<h1>{title}</h1><p class=price><small>¥</small>{}</p><p class=\"state s{}\">{}</p>",
            yuan(self.order.price_fen),
            self.order.status as u16,
            self.state(),
        );
        self.write_goods(&mut body);
        self.write_details(&mut body);
        if self.order.status.is_to_pay() {
            self.write_buttons(&mut body);
        } else {
            let text = self.say("可以关闭本页。", "You can close this page.");
            let _ = write!(body, "<p class=end>{text}</p>");
        }
        document(title, self.is_chinese, &body)
    }

    fn say(&self, chinese: &'static str, english: &'static str) -> &'static str {
        if self.is_chinese { chinese } else { english }
    }

    fn state(&self) -> &'static str {
        match self.order.status {
            OrderStatus::ToPay | OrderStatus::CashierDone => {
                self.say("待支付", "Waiting for payment")
            }
            OrderStatus::Paid => self.say("已支付", "Paid"),
            OrderStatus::Sent => self.say("已支付，已发货", "Paid and sent"),
            OrderStatus::Done => self.say("已完成", "Done"),
            OrderStatus::Expired => self.say("超时未支付，已取消", "Not paid in time, cancelled"),
            OrderStatus::Refunded => self.say("已退款", "Refunded"),
            OrderStatus::Cancelled => self.say("已取消", "Cancelled"),
        }
    }

    fn write_goods(&self, body: &mut String) {
        body.push_str("<ul>");
        for (title, count, fen) in self.order.goods() {
            let title = escaped(&title);
            let _ = write!(
                body,
                "<li><span>{title} <b>×{count}</b></span><span>¥{}</span></li>",
                yuan(fen)
            );
        }
        if self.order.freight_fen > 0 {
            let freight = self.say("运费", "Freight");
            let _ = write!(
                body,
                "<li><span>{freight}</span><span>¥{}</span></li>",
                yuan(self.order.freight_fen)
            );
        }
        body.push_str("</ul>");
    }

    fn write_details(&self, body: &mut String) {
        let rows = [
            (self.say("商户订单号", "Merchant order"), self.order.out_order_id.clone()),
            (self.say("平台订单号", "Platform order"), self.order.order_id.to_string()),
            (self.say("下单时间", "Created"), moment::text(self.order.created_ms)),
            (self.say("买家", "Buyer"), self.order.openid.clone()),
        ];
        body.push_str("<dl>");
        for (name, value) in rows {
            let _ = write!(body, "<dt>{name}</dt><dd>{}</dd>", escaped(&value));
        }
        body.push_str("</dl>");
    }

    fn write_buttons(&self, body: &mut String) {
        let ticket = escaped(self.ticket);
        let _ = write!(body, "<form method=post action=\"?ticket={ticket}\">");
        for (action, class, text) in [
            ("pay", "main", self.say("支付", "Pay")),
            ("cancel", "", self.say("取消订单", "Cancel the order")),
            ("timeout", "", self.say("让它超时", "Let it time out")),
        ] {
            let _ = write!(
                body,
                "<button name=action value=\"{action}\" class=\"{class}\">{text}</button>"
            );
        }
        body.push_str("</form>");
    }
}

fn document(title: &str, is_chinese: bool, body: &str) -> String {
    let language = if is_chinese { "zh-CN" } else { "en" };
    format!(
        "<!doctype html><html lang={language}><meta charset=utf-8>\
         <meta name=viewport content=\"width=device-width,initial-scale=1\">\
         <meta name=color-scheme content=\"light dark\">\
         <title>{title}</title><style>{STYLE}</style><main>{body}</main></html>"
    )
}

fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

/// Text in HTML, also inside a quoted attribute.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

const STYLE: &str = "\
:root{--bg:#f3f4f3;--card:#fff;--ink:#1c211e;--soft:#626c65;--line:#e4e8e5;--edge:#7c857f;\
--green:#07803f;--fill:#07803f;--press:#066b36;--warn:#a8481a}\
@media(prefers-color-scheme:dark){:root{--bg:#121513;--card:#1b1f1d;--ink:#e9eeeb;--soft:#97a39c;\
--line:#2c332f;--edge:#6c766f;--green:#0bb65e;--fill:#088545;--press:#0a7a41;--warn:#f0a078}}\
*{box-sizing:border-box}\
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,\"PingFang SC\",\
\"Microsoft YaHei\",\"Noto Sans CJK SC\",sans-serif}\
main{min-height:100vh;padding:24px;background:var(--card)}\
@media(min-width:480px){main{max-width:440px;min-height:0;margin:8vh auto;padding:32px;\
border-radius:14px;border:1px solid var(--line)}}\
.banner{margin:0 0 20px;padding:6px 12px;border-radius:8px;background:var(--bg);color:var(--soft);\
font-size:13px;text-align:center}\
h1{margin:0;font-size:15px;font-weight:500;color:var(--soft);text-align:center}\
.price{margin:4px 0 0;font-size:44px;font-weight:600;text-align:center;letter-spacing:-.02em;\
font-variant-numeric:tabular-nums}.price small{font-size:24px;margin-right:4px}\
.state{margin:0 0 20px;text-align:center;color:var(--soft)}.s20,.s30,.s100{color:var(--green)}\
.warn{padding:10px 12px;border-radius:8px;border:1px solid var(--warn);color:var(--warn);\
font-size:14px}\
ul{list-style:none;margin:0;padding:12px 0;border-top:1px solid var(--line)}\
li{display:flex;justify-content:space-between;gap:16px;padding:4px 0}\
li span:first-child{overflow-wrap:anywhere}li span:last-child{white-space:nowrap;\
font-variant-numeric:tabular-nums}li b{font-weight:400;color:var(--soft)}\
dl{display:grid;grid-template-columns:auto 1fr;gap:4px 16px;margin:0 0 24px;padding:12px 0;\
border-top:1px solid var(--line);font-size:13px}dt{color:var(--soft)}dd{margin:0;text-align:right;\
overflow-wrap:anywhere}\
form{display:grid;grid-template-columns:1fr 1fr;gap:12px}\
button{min-height:44px;font:inherit;color:inherit;background:transparent;\
border:1px solid var(--edge);border-radius:10px;cursor:pointer}\
button:hover{border-color:var(--ink)}button:focus-visible{outline:3px solid var(--green);\
outline-offset:2px}\
.main{grid-column:1/-1;min-height:50px;color:#fff;background:var(--fill);border-color:transparent;\
font-weight:600}.main:hover{background:var(--press)}\
.end{text-align:center;color:var(--soft)}\
pre{padding:12px;border-radius:8px;background:var(--bg);overflow-x:auto;font-size:13px}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_browsers_first() {
        assert!(prefers_chinese("") && prefers_chinese("zh-CN,zh;q=0.9,en;q=0.8"));
        assert!(!prefers_chinese("en-US,en;q=0.9,zh;q=0.1"));
    }

    #[test]
    fn fen_are_written_as_yuan() {
        assert_eq!(
            (yuan(25400), yuan(5), yuan(0)),
            ("254.00".into(), "0.05".into(), "0.00".into())
        );
    }
}
