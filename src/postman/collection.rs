//! The whole collection.

use super::{
    format::{Auth, Collection, Event, Folder, Info, Item, SCHEMA},
    plan,
    request::{self, Shown},
    script,
};

/// The collection; the same in every run.
#[must_use]
pub fn collection() -> Collection {
    let folders = plan::folders().iter().enumerate();
    Collection {
        info: Info {
            id: COLLECTION_ID.to_owned(),
            name: "wxgate 微信接口 WeChat API".to_owned(),
            description: ABOUT.to_owned(),
            schema: SCHEMA,
        },
        item: folders.map(|(at, folder)| of_folder(folder, &at.to_string())).collect(),
        auth: Auth::key(),
        event: vec![Event::before(script::EVERY_TIME)],
    }
}

fn of_folder(folder: &'static plan::Folder, place: &str) -> Item {
    let steps = folder
        .items
        .iter()
        .enumerate()
        .map(|(at, step)| request::item(&Shown::of(folder, step), &format!("{place}.{at}")));
    let folders = folder.folders.iter().enumerate();
    let folders = folders.map(|(at, inner)| of_folder(inner, &format!("{place}/{at}")));
    let about = [folder.about_zh.as_str(), folder.about_en.as_str()];
    Item::Folder(Folder {
        name: format!("{} {}", folder.zh, folder.en),
        description: about.join("\n\n").trim().to_owned(),
        item: steps.chain(folders).collect(),
    })
}

/// Tells a file of ours from another.
pub const COLLECTION_ID: &str = "b5a0c7f2-3f0e-8d61-9c24-5d1f7a6e4b90";

const ABOUT: &str = "\
经 wxgate 网关调用微信接口的集合，由 `wxgate postman` 生成。在环境里填上密钥 `key`（wxgk_…），即可发出任何一个请求；不需要 AppSecret，也不需要先取 access_token。

- `sandbox`：不为 `false` 时，每个请求都带 `X-Wxgate-Upstream: sandbox`，只到本地沙箱；设为 `false` 才调用真实平台，此时标有“沙箱”的请求会跳过。
- `run_dangerous`：调用真实平台时，高危接口（名称带 ⚠）只有在它为 `true` 时才会发出。
- 从上到下运行全部请求，在沙箱里每个都会成功：前面的请求把编号交给后面的（环境变量 `order_id` 等）。“沙箱准备”需要管理员密钥。
- 单独发出一个请求前，先运行它所依赖的请求，或自己在环境里填上编号。
- 每个接口都可能返回：40001、42001 令牌失效（网关已自动换过一次）；45009 额度用完；47001 请求体不是 JSON；48001 没有权限；-1 系统繁忙。errmsg 以 `wxgate:` 开头的是网关自己的回答。

Calls of the WeChat platform through a wxgate gateway, written by `wxgate postman`. Enter your key `key` (wxgk_…) in the environment and send any request; no AppSecret is needed, and no access_token has to be fetched.

- `sandbox`: unless it is `false`, every request carries `X-Wxgate-Upstream: sandbox` and reaches the local sandbox only; `false` calls the real platform, and requests marked \"sandbox\" are skipped.
- `run_dangerous`: on the real platform dangerous calls (⚠ in the name) are sent only while it is `true`.
- Run from top to bottom, every request succeeds in the sandbox: earlier ones hand ids on to later ones (variables such as `order_id`). \"Sandbox setup\" needs an operator's key.
- To send one request alone, send those that it depends on first, or enter the ids in the environment.
- Every call may answer: 40001, 42001 dead token (the gateway has replaced it once already); 45009 quota used up; 47001 the body is no JSON; 48001 no permission; -1 busy. An errmsg that begins with `wxgate:` is the gateway's own answer.";
