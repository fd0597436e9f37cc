//! The folder in which a run works: certificates, what is sent, free ports.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
};

use super::Outcome;

/// A folder of its own. Every peer shows the same certificate, and so does the origin.
pub(crate) struct Workshop {
    folder: tempfile::TempDir,
    /// What each peer takes as the caller's key; wxgate knows its hash.
    pub(crate) key: String,
}

impl Workshop {
    /// Makes the folder and everything in it that all peers share.
    pub(crate) fn open() -> Outcome<Self> {
        let workshop = Self {
            folder: tempfile::Builder::new().prefix("wxgate-peers-").tempdir()?,
            key: key(),
        };
        workshop.write_certificates()?;
        workshop.write("body.json", &bodies()[0])?;
        workshop.write("mebibyte.bin", noise(MEBIBYTE))?;
        Ok(workshop)
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Outcome<PathBuf> {
        let path = self.file(name);
        fs::write(&path, content)?;
        Ok(path)
    }

    fn write_certificates(&self) -> Outcome<()> {
        let ca_key = rcgen::KeyPair::generate()?;
        let mut ca = rcgen::CertificateParams::default();
        // Subject and issuer of the leaf must differ, or OpenSSL takes it for self-signed.
        ca.distinguished_name.push(rcgen::DnType::CommonName, "peers CA");
        ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let ca_pem = ca.self_signed(&ca_key)?.pem();
        let issuer = rcgen::Issuer::new(ca, ca_key);
        let key = rcgen::KeyPair::generate()?;
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut leaf = rcgen::CertificateParams::new(names)?;
        leaf.distinguished_name.push(rcgen::DnType::CommonName, "peers leaf");
        let leaf = leaf.signed_by(&key, &issuer)?.pem();
        self.write("ca.pem", &ca_pem)?;
        self.write("cert.pem", &leaf)?;
        let key_file = self.write("key.pem", key.serialize_pem())?;
        self.write("both.pem", leaf + &key.serialize_pem())?;
        private(&key_file)
    }
}

/// wxgate refuses a key that others can read.
pub(crate) fn private(file: &Path) -> Outcome<()> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::set_permissions(file, fs::Permissions::from_mode(0o600))?)
}

/// A port that nobody listens on just now.
pub(crate) fn free_port() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Products as a shop uploads them, 0.7 kB each and no two alike: one body over and over would
/// be compressed to nothing.
pub(crate) fn bodies() -> Vec<String> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut product = |_| {
        let mut body = format!(
            "{{\"out_product_id\":\"P-{:016x}\",\"title\":\"春季新款 {} 女装 {}\",\"path\":\
             \"pages/productDetail/productDetail?productId={}\",\"head_img\":[\"https://mmecimage.cn/p/\
             wx37f38d59360b3f2f/HJD{:016x}{:016x}\"],\"third_cat_id\":{},\"brand_id\":2100000000,\
             \"info_version\":\"{}\",\"skus\":[",
            random.next(),
            random.next() % 1000,
            random.next() % 100_000,
            random.next(),
            random.next(),
            random.next(),
            random.next() % 10_000,
            random.next() % 100,
        );
        while body.len() < BODY_BYTES - 120 {
            if !body.ends_with('[') {
                body.push(',');
            }
            body += &format!(
                "{{\"out_sku_id\":\"{:012x}\",\"sale_price\":{},\"stock_num\":{},\"sku_code\":\"{:08x}\"}}",
                random.next() & 0xffff_ffff_ffff,
                random.next() % 100_000,
                random.next() % 1000,
                random.next() & 0xffff_ffff,
            );
        }
        body + "]}"
    };
    (0..BODIES).map(&mut product).collect()
}

/// Bytes that nothing can compress.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut random = Random(0x1234_5678_9abc_def0);
    (0..length.div_ceil(8)).flat_map(|_| random.next().to_le_bytes()).take(length).collect()
}

/// An access key by the rules of the product: id, secret, CRC-32 in base62.
fn key() -> String {
    let body = format!("wxgk_{}_{}", "PeersBench", "p".repeat(43));
    let mut crc = crc32fast::hash(body.as_bytes());
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[crc as usize % BASE62.len()];
        crc /= BASE62.len() as u32;
    }
    body + &String::from_utf8_lossy(&digits)
}

/// xorshift64: the same sequence in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BODIES: usize = 256;
const BODY_BYTES: usize = 710;
pub(crate) const MEBIBYTE: usize = 1 << 20;
