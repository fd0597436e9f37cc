//! The peers' configuration files: the same job in each one's own words.
//!
//! TLS on both sides, the origin's certificate verified, connections kept on both sides, a limit
//! by key that never bites, one worker.

use std::{net::SocketAddr, path::Path};

use super::{machine, workshop::Workshop};

/// The origin: answers at once, with a mebibyte where one is asked for, and after one that is sent:
/// nginx's own `return` would not wait for a body.
pub(crate) fn origin(workshop: &Workshop, listen: SocketAddr) -> String {
    let folder = workshop.path().display();
    format!(
        r#"{HEAD}
http {{
    {TEMPORARY}
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    client_max_body_size 0;
    server {{
        listen {listen} ssl backlog=8192;
        {tls}
        location = /cgi-bin/stable_token {{
            default_type application/json;
            return 200 '{{"access_token":"90_OriginsOwnTokenForTheBenchOnly_$request_id$request_id$request_id","expires_in":7200}}';
        }}
        location = {LARGE_UP} {{
            client_body_buffer_size 2m;
            proxy_pass http://unix:{folder}/origin.sock;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
        }}
        location = {DOWN} {{ default_type image/jpeg; alias {folder}/mebibyte.bin; }}
        location / {{
            default_type "application/json; encoding=utf-8";
            return 200 '{ANSWER}';
        }}
    }}
    server {{
        listen unix:{folder}/origin.sock;
        location / {{
            default_type "application/json; encoding=utf-8";
            return 200 '{ANSWER}';
        }}
    }}
}}
"#,
        tls = nginx_tls(workshop),
    )
}

/// What nginx writes down of each exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Log {
    /// The request's body, which nginx can do by itself.
    Request,
    /// Both bodies, with a script.
    Both,
}

/// nginx with `limit_req` and a JSON line for each exchange, written in blocks of 64 KiB.
pub(crate) fn nginx(
    workshop: &Workshop,
    log: Log,
    listen: SocketAddr,
    origin: SocketAddr,
) -> String {
    let folder = workshop.path().display();
    let modules = machine::lua_module().filter(|_| log == Log::Both).unwrap_or_default();
    let load: String = modules
        .iter()
        .filter(|module| !module.is_empty())
        .map(|module| format!("load_module {module};\n"))
        .collect();
    let (field, script) = match log {
        Log::Request => ("", String::new()),
        Log::Both => (r#","answer":"$answer""#, LUA.to_owned()),
    };
    format!(
        r#"{load}{HEAD}
http {{
    {TEMPORARY}
    log_format exchange escape=json '{{"time":"$time_iso8601","client":"$remote_addr","method":"$request_method",'
        '"uri":"$request_uri","status":$status,"bytes":$body_bytes_sent,"ms":$request_time,"upstream":"$upstream_addr",'
        '"upstream_ms":"$upstream_response_time","type":"$http_content_type","agent":"$http_user_agent",'
        '"body":"$request_body"{field}}}';
    access_log {folder}/nginx-{log:?}.log exchange buffer=64k flush=1s;
    limit_req_zone $http_x_api_key zone=keys:10m rate=1000000r/s;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    client_max_body_size 512m;
    upstream origin {{
        server {origin};
        keepalive 512;
        keepalive_requests 1000000000;
    }}
    server {{
        listen {listen} ssl http2 backlog=8192;
        {tls}
        limit_req zone=keys burst=100000 nodelay;
        location / {{
            {script}
            proxy_pass https://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host localhost;
            proxy_ssl_protocols TLSv1.2 TLSv1.3;
            proxy_ssl_verify on;
            proxy_ssl_trusted_certificate {folder}/ca.pem;
            proxy_ssl_name localhost;
            proxy_ssl_server_name on;
        }}
    }}
}}
"#,
        tls = nginx_tls(workshop),
    )
}

/// HAProxy with a stick table as the limit. It writes nothing down.
pub(crate) fn haproxy(workshop: &Workshop, listen: SocketAddr, origin: SocketAddr) -> String {
    let folder = workshop.path().display();
    format!(
        r"global
    maxconn 9000
    nbthread 1
    ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
    mode http
    timeout connect 5s
    timeout client 600s
    timeout server 60s
    timeout http-keep-alive 600s
frontend front
    bind {listen} ssl crt {folder}/both.pem alpn h2,http/1.1 backlog 8192
    stick-table type string len 80 size 100k expire 60s store http_req_rate(1s)
    http-request track-sc0 req.hdr(x-api-key)
    http-request deny deny_status 429 if {{ sc_http_req_rate(0) gt 1000000 }}
    default_backend back
backend back
    http-reuse always
    http-request set-header Host localhost
    server origin {origin} ssl verify required ca-file {folder}/ca.pem sni str(localhost) verifyhost localhost pool-max-conn 512
"
    )
}

/// wxgate as it is shipped but for one worker, and for a limit that never bites.
pub(crate) fn wxgate(
    workshop: &Workshop,
    captures: bool,
    listen: SocketAddr,
    origin: SocketAddr,
) -> String {
    use sha2::Digest as _;
    let hash: String =
        sha2::Sha256::digest(&workshop.key).iter().map(|byte| format!("{byte:02x}")).collect();
    let data = workshop.file(&format!("wxgate-data-{captures}"));
    let secret = workshop.file("secret");
    format!(
        r#"{server}[limits]
per_key = "1000000/s"
[[key]]
name = "bench"
sha256 = "{hash}"
lane = "live"
[capture]
enabled = {captures}
{account}"#,
        server = wxgate_server(workshop, &data, listen),
        account = wxgate_account(workshop, "shop", "wx0123456789abcdef", &secret, origin),
    )
}

/// Where wxgate listens and keeps its data; one worker, metrics on any port.
pub(crate) fn wxgate_server(workshop: &Workshop, data: &Path, listen: SocketAddr) -> String {
    format!(
        r#"[server]
listen = ["https://{listen}"]
hosts = ["localhost", "127.0.0.1"]
data_dir = "{data}"
workers = 1
[tls]
mode = "files"
cert = "{folder}/cert.pem"
key = "{folder}/key.pem"
[metrics]
listen = "127.0.0.1:0"
"#,
        folder = workshop.path().display(),
        data = data.display(),
    )
}

/// An account whose limit never bites.
pub(crate) fn wxgate_account(
    workshop: &Workshop,
    name: &str,
    app_id: &str,
    secret: &Path,
    origin: SocketAddr,
) -> String {
    format!(
        r#"[[account]]
name = "{name}"
kind = "mini-program"
app_id = "{app_id}"
app_secret = "file:{secret}"
upstream = ["https://{origin}"]
ca = "{folder}/ca.pem"
[[account.limit]]
path = "/shop/**"
rate = "1000000/s"
"#,
        secret = secret.display(),
        folder = workshop.path().display(),
    )
}

fn nginx_tls(workshop: &Workshop) -> String {
    let folder = workshop.path().display();
    format!(
        "ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem; \
         ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:tls:10m;"
    )
}

/// One process, as an event loop: a master with one worker does the same work.
const HEAD: &str = "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr crit;\n\
    events { worker_connections 18000; }";

/// Below the prefix, so that nothing of ours gets elsewhere.
const TEMPORARY: &str = "client_body_temp_path tmp-body; proxy_temp_path tmp-proxy; \
    fastcgi_temp_path tmp-f; uwsgi_temp_path tmp-u; scgi_temp_path tmp-s;";

/// The usual recipe: gather what passes, up to what wxgate keeps by default.
const LUA: &str = r#"set $answer "";
            body_filter_by_lua_block {
                local kept = ngx.ctx.kept or ""
                if #kept < 262144 then
                    kept = kept .. string.sub(ngx.arg[1] or "", 1, 262144 - #kept)
                    ngx.ctx.kept = kept
                end
                if ngx.arg[2] then ngx.var.answer = kept end
            }"#;

/// Where the origin has a mebibyte to give.
pub(crate) const DOWN: &str = "/cgi-bin/media/get";

/// Where products are sent to.
pub(crate) const UP: &str = "/shop/spu/add";

/// Where mebibytes are sent to.
pub(crate) const LARGE_UP: &str = "/cgi-bin/media/upload";

/// 325 bytes, as `/shop/spu/add` answers.
const ANSWER: &str = r#"{"errcode":0,"errmsg":"ok","data":{"product_id":23423523452345235,"out_product_id":"$request_id","create_time":"2026-03-05 12:05:25","skus":[{"sku_id":123,"out_sku_id":"51514515"},{"sku_id":124,"out_sku_id":"51514516"},{"sku_id":125,"out_sku_id":"51514517"}],"trace":"$request_id$msec","audit":"pending"}}"#;
