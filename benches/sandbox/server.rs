//! The program under measurement, with the few calls that prepare it.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    Outcome,
    process::{Core, Program, command},
};

/// A sandbox that is ready.
pub(crate) struct Server {
    pub(crate) program: Program,
    /// From the start of the process to its saying so.
    pub(crate) ready: Duration,
    /// Host and port.
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start(folder: &Path) -> Outcome<Self> {
        let mut start = command(Core::Peer, env!("CARGO_BIN_EXE_wxgate"));
        start.args(["sandbox", "--http", "--listen", "127.0.0.1:0", "--json"]);
        let log = folder.join("sandbox.log");
        let begun = Instant::now();
        let mut program = Program::start(start, &log)?;
        loop {
            let text = fs::read_to_string(&log)?;
            if let Some(line) = text.lines().next().filter(|_| text.ends_with('\n')) {
                let ready = begun.elapsed();
                let told: Value = serde_json::from_str(line)?;
                let url = told["url"].as_str().ok_or("the sandbox told no url")?;
                let address = url.trim_start_matches("http://").to_owned();
                return Ok(Self { program, ready, address });
            }
            if program.has_ended() || begun.elapsed() > PATIENCE {
                return Err(format!("the sandbox did not start: {text}").into());
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    pub(crate) fn token(&self) -> Outcome<String> {
        let body = json!({
            "grant_type": "client_credential",
            "appid": "wx0123456789abcdef",
            "secret": "sandbox-app-secret",
        });
        let answer = self.post("/cgi-bin/stable_token", &body)?;
        let token = answer["access_token"].as_str();
        Ok(token.ok_or_else(|| format!("no token: {answer}"))?.to_owned())
    }

    pub(crate) fn add_product(&self, token: &str) -> Outcome<()> {
        let path = format!("/shop/spu/add?access_token={token}");
        let answer = self.post(&path, &product())?;
        match answer["errcode"].as_i64() {
            Some(0) => Ok(()),
            _ => Err(format!("the product was refused: {answer}").into()),
        }
    }

    fn post(&self, path: &str, body: &Value) -> Outcome<Value> {
        let mut connection = TcpStream::connect(&self.address)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        let body = body.to_string();
        write!(
            connection,
            "POST {path} HTTP/1.1\r\nhost: sandbox\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").ok_or("half an answer")?;
        Ok(serde_json::from_str(body)?)
    }
}

fn product() -> Value {
    let image = "https://mmecimage.cn/p/wx8a1f0c2b7d3e4f56/HKd82nQe7sVbYpT0r5LmZxC4aJg";
    json!({
        "out_product_id": "A",
        "title": "明前龙井绿茶 250克 罐装",
        "path": "pages/goods/detail?gid=TEA-2201",
        "head_img": [image, image],
        "desc_info": { "desc": "当年春茶，密封罐装。", "imgs": [image] },
        "third_cat_id": 7523,
        "brand_id": 2_100_000_000_u64,
        "skus": [{
            "out_product_id": "A",
            "out_sku_id": "TEA-2201-250G",
            "thumb_img": image,
            "sale_price": 12800,
            "market_price": 15800,
            "stock_num": 200,
        }],
    })
}

const PATIENCE: Duration = Duration::from_secs(10);
