//! A platform that echoes what it should not, in every way that HTTP has.

use std::io::Write as _;

use flate2::{Compression, write};
use serde_json::json;

use super::{SECRET, SESSION_KEY, TICKET, forms::spellings};
use crate::support::origin::{Origin, Received, Say, json_answer};

/// Paths whose answers are made here, beside those of the platform itself.
pub(super) const WAYS: [&str; 15] = [
    "/cgi-bin/echo",
    "/cgi-bin/chunks",
    "/cgi-bin/picture",
    "/cgi-bin/octets",
    "/cgi-bin/name",
    "/cgi-bin/gzip",
    "/cgi-bin/deflate",
    "/cgi-bin/bare",
    "/cgi-bin/zstd",
    "/cgi-bin/members",
    "/cgi-bin/behind",
    "/cgi-bin/twice",
    "/cgi-bin/brotli",
    "/cgi-bin/mislabelled",
    "/cgi-bin/early",
];

pub(super) async fn careless() -> Origin {
    Origin::start(|request, _| say(request)).await
}

fn say(request: &Received) -> Say {
    let target = request.target();
    let url = json!({"errcode": 0, "url": target}).to_string();
    let url = url.as_bytes();
    let path = target.split('?').next().unwrap_or_default();
    let json = |value: serde_json::Value| Say::Raw(json_answer(&value.to_string()));
    match path {
        _ if target.contains("type=refused") => {
            json(json!({"errcode": 40097, "errmsg": format!("invalid args {target}")}))
        }
        "/cgi-bin/chunks" => chunks(target),
        "/cgi-bin/picture" => {
            Say::Raw(answer("Content-Type: image/png\r\n", &[b"\x89PNG\r\n\x1a\n", url].concat()))
        }
        "/cgi-bin/octets" => Say::Raw(answer("Content-Type: application/octet-stream\r\n", url)),
        "/cgi-bin/name" => Say::Raw(answer(&format!("X-{}: 1\r\n", token_of(target)), b"{}")),
        "/cgi-bin/gzip" => coded("gzip", &gzip(url)),
        "/cgi-bin/deflate" => coded("Deflate", &zlib(url)),
        "/cgi-bin/bare" => coded("deflate", &bare(url)),
        "/cgi-bin/zstd" => coded("zstd", &zstd::bulk::compress(url, 1).unwrap()),
        "/cgi-bin/members" => coded("gzip", &[gzip(b"{\"errcode\":0,"), gzip(&url[1..])].concat()),
        "/cgi-bin/behind" => coded("deflate", &[&zlib(b"{}"), url].concat()),
        "/cgi-bin/twice" => coded("identity\r\nContent-Encoding: gzip", &gzip(url)),
        "/cgi-bin/brotli" => coded("br", url),
        "/cgi-bin/mislabelled" => coded("gzip", url),
        "/cgi-bin/early" => {
            let early = format!("HTTP/1.1 103 Early Hints\r\nLink: <{target}>\r\n\r\n");
            Say::Raw([early.into_bytes(), answer("", b"{}")].concat())
        }
        "/cgi-bin/reason" => {
            Say::Raw(format!("HTTP/1.1 200 {target}\r\nContent-Length: 2\r\n\r\n{{}}").into_bytes())
        }
        "/cgi-bin/reject" => {
            json(json!({"errcode": 40001, "errmsg": format!("invalid credential {target}")}))
        }
        "/cgi-bin/ticket/getticket" => {
            json(json!({"errcode": 0, "errmsg": "ok", "ticket": TICKET, "expires_in": 7200}))
        }
        "/sns/jscode2session" => json(json!({"openid": "oTest", "session_key": SESSION_KEY})),
        "/cgi-bin/again" => json(json!({"errcode": 0, "echo": TICKET})),
        _ => echo(target),
    }
}

fn token_of(target: &str) -> &str {
    let behind = target.split("access_token=").nth(1).unwrap_or_default();
    behind.split('&').next().unwrap_or_default()
}

/// Token and AppSecret in every form, in the body and in headers.
fn echo(target: &str) -> Say {
    let token = token_of(target);
    let mut body = json!({
        "errcode": 0,
        "request": {"request_url": format!("https://api.weixin.qq.com{target}")},
    });
    for (what, secret) in [("token", token), ("secret", SECRET)] {
        for (form, text) in spellings(secret) {
            body[format!("{what} {form}")] = text.into();
        }
    }
    // JSON escapes that the writer of the JSON would have escaped once more.
    let body = body.to_string().replace("\\\\", "\\");
    let head = format!(
        "Content-Type: application/json\r\nX-Echo: {token}\r\nLocation: /x?access_token={token}\r\nSet-Cookie: t={token}\r\n"
    );
    Say::Raw(answer(&head, body.as_bytes()))
}

/// Seven bytes a chunk, each with an extension; the token in a trailer too.
fn chunks(target: &str) -> Say {
    let Say::Raw(plain) = echo(target) else { unreachable!() };
    let begin = memchr::memmem::find(&plain, b"\r\n\r\n").unwrap() + 4;
    let token = token_of(target);
    let mut out =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            .to_vec();
    for chunk in plain[begin..].chunks(7) {
        out.extend(format!("{:x};t={token}\r\n", chunk.len()).into_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    out.extend(format!("0\r\nX-Trailer: {token}\r\n\r\n").into_bytes());
    Say::Raw(out)
}

fn answer(fields: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// Encoded although it was not asked for.
fn coded(coding: &str, body: &[u8]) -> Say {
    let head = format!("Content-Type: application/json\r\nContent-Encoding: {coding}\r\n");
    Say::Raw(answer(&head, body))
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = write::GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zlib(text: &[u8]) -> Vec<u8> {
    let mut encoder = write::ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn bare(text: &[u8]) -> Vec<u8> {
    let mut encoder = write::DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}
