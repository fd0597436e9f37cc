//! Bodies: products as a shop uploads them, and what the platform answers.

use bytes::Bytes;

/// A request body and its answer, no two alike: one body over and over would be compressed to
/// nothing.
pub(crate) struct Product {
    request: Template,
    answer: Template,
}

/// A text with room for a product id.
struct Template {
    text: String,
    /// Where in the text.
    id_at: usize,
}

impl Product {
    /// A request of 0.7 kB and an answer of 0.5 to 1 kB. One in a hundred is for sale.
    pub(crate) fn new(random: &mut Random, nth: usize) -> Self {
        let title = if nth.is_multiple_of(100) { PROMOTION } else { "春季新款" };
        let head_img = format!("HJD{:016x}{:016x}", random.next(), random.next());
        let mut request = format!(
            "{{\"out_product_id\":\"P-{NO_ID}\",\"title\":\"{title} {} 女装 {}\",\"path\":\
             \"pages/productDetail/productDetail?productId={}\",\"head_img\":[\"https://mmecimage.cn/p/\
             wx37f38d59360b3f2f/{head_img}\"],\"third_cat_id\":{},\"brand_id\":2100000000,\
             \"info_version\":\"{}\",\"skus\":[",
            random.next() % 1000,
            random.next() % 100_000,
            random.next(),
            random.next() % 10_000,
            random.next() % 100,
        );
        skus(&mut request, random, REQUEST_BYTES);
        request.push_str("]}");
        let mut answer = format!(
            "{{\"errcode\":0,\"errmsg\":\"ok\",\"data\":{{\"product_id\":{},\"out_product_id\":\
             \"P-{NO_ID}\",\"create_time\":\"2026-11-{:02} {:02}:{:02}:{:02}\",\"edit_status\":{},\"skus\":[",
            random.next() % 10_000_000_000,
            1 + random.next() % 28,
            random.next() % 24,
            random.next() % 60,
            random.next() % 60,
            1 + random.next() % 4,
        );
        let length = ANSWER_LEAST_BYTES + random.next() as usize % ANSWER_SPREAD_BYTES;
        skus(&mut answer, random, length);
        answer.push_str("]}}");
        Self { request: Template::new(request), answer: Template::new(answer) }
    }

    /// Both bodies, about the product with this id.
    pub(crate) fn bodies(&self, id: u64) -> [Bytes; 2] {
        let digits = id_text(id);
        [&self.request, &self.answer].map(|template| template.fill(&digits))
    }
}

impl Template {
    fn new(text: String) -> Self {
        let id_at = text.find(NO_ID).unwrap_or(0);
        Self { text, id_at }
    }

    fn fill(&self, digits: &str) -> Bytes {
        let mut bytes = Vec::with_capacity(self.text.len());
        bytes.extend_from_slice(&self.text.as_bytes()[..self.id_at]);
        bytes.extend_from_slice(digits.as_bytes());
        bytes.extend_from_slice(&self.text.as_bytes()[self.id_at + NO_ID.len()..]);
        bytes.into()
    }
}

fn skus(body: &mut String, random: &mut Random, length: usize) {
    while body.len() + SKU_BYTES < length {
        if !body.ends_with('[') {
            body.push(',');
        }
        *body += &format!(
            "{{\"out_sku_id\":\"{:012x}\",\"sale_price\":{},\"stock_num\":{},\"sku_code\":\"{:08x}\"}}",
            random.next() & 0xffff_ffff_ffff,
            random.next() % 100_000,
            random.next() % 1000,
            random.next() & 0xffff_ffff,
        );
    }
}

/// As it stands in the bodies behind `P-`.
pub(crate) fn id_text(id: u64) -> String {
    format!("{id:016x}")
}

/// xorshift64: the same sequence in every run.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// A word that stands in the bodies of one exchange in a hundred.
pub(crate) const PROMOTION: &str = "SALE-1111";

const NO_ID: &str = "................";
const SKU_BYTES: usize = 90;
const REQUEST_BYTES: usize = 720;
const ANSWER_LEAST_BYTES: usize = 540;
const ANSWER_SPREAD_BYTES: usize = 500;
