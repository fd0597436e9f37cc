//! `[tls]`: where the certificate comes from.

use std::path::PathBuf;

use super::{field::Field, message::say, model::Tls, reference::mode_open_to_others, table::Table};

/// Reads the table.
pub(super) fn read(table: &Table<'_>) -> Tls {
    let [dir, cert, key] = [table.field("dir"), table.field("cert"), table.field("key")];
    let self_signed = |dir: &Field<'_>| Tls::SelfSigned {
        dir: dir.file_path().unwrap_or_else(|| dir.reading().absolute("certs")),
    };
    match read_mode(&table.field("mode")) {
        Some(Mode::SelfSigned) => {
            for field in [&cert, &key].into_iter().filter(|field| field.is_written()) {
                let message = say!("自签模式下不会使用", "self-signed mode would not use this");
                let advice = say!("请写 mode = \"files\"", "write mode = \"files\"");
                field.refuse(message, Some(advice));
            }
            self_signed(&dir)
        }
        Some(Mode::Files) => {
            // A folder that is left over from self-signed mode does no harm; it is only read.
            dir.file_path();
            cert.require(say!("cert = \"certs/fullchain.pem\"", "cert = \"certs/fullchain.pem\""));
            key.require(say!("key = \"certs/privkey.pem\"", "key = \"certs/privkey.pem\""));
            let (cert, key) = (existing_file(&cert), private_file(&key));
            match (cert, key) {
                (Some(cert), Some(key)) => Tls::Files { cert, key },
                _ => self_signed(&dir),
            }
        }
        None => {
            for field in [&cert, &key] {
                field.file_path();
            }
            self_signed(&dir)
        }
    }
}

/// A path of a file that is there. Its content is checked by whoever loads it.
pub(super) fn existing_file(field: &Field<'_>) -> Option<PathBuf> {
    let path = field.file_path()?;
    match std::fs::metadata(&path) {
        Ok(meta) if meta.is_file() => Some(path),
        Ok(_) => field.refused(say!("不是文件", "this is no file"), None),
        Err(error) => {
            let cause = error.kind();
            let advice = say!(
                "相对路径从配置文件所在目录算起",
                "a relative path counts from the folder of the config file"
            );
            field.refused(
                say!("读不到文件：{cause}", "the file cannot be read: {cause}"),
                Some(advice),
            )
        }
    }
}

/// The same for a private key. A group of its own may read it (`ssl-cert`), the world may not.
fn private_file(field: &Field<'_>) -> Option<PathBuf> {
    let path = existing_file(field)?;
    match mode_open_to_others(&path, 0o007) {
        None => Some(path),
        Some(mode) => field.refused(
            say!("私钥可被所有人读取（{mode:o}）", "everybody can read this key (mode {mode:o})"),
            Some(say!("请执行 chmod 600", "run chmod 600 on it")),
        ),
    }
}

/// None for a wrong mode: then nobody can say which of the other keys belong.
fn read_mode(field: &Field<'_>) -> Option<Mode> {
    if !field.is_written() {
        return Some(Mode::SelfSigned);
    }
    if field.value().and_then(|value| value.as_str()) == Some("acme") {
        field.refuse_later("acme");
        return None;
    }
    field.choice(&[("self-signed", Mode::SelfSigned), ("files", Mode::Files)])
}

#[derive(Clone, Copy)]
enum Mode {
    SelfSigned,
    Files,
}

#[cfg(test)]
mod tests {
    use super::super::{
        model::Tls,
        testing::{Files, accept, expect_problem, expect_problems},
    };

    #[test]
    fn files_are_named_relative_to_the_config_and_must_exist() {
        let files = Files::new();
        files.write("c.pem", "cert", 0o644);
        files.write("k.pem", "key", 0o640);
        let config = files.accept("[tls]\nmode = 'files'\ncert = 'c.pem'\nkey = 'k.pem'\n");
        let wanted = Tls::Files { cert: files.path("c.pem"), key: files.path("k.pem") };
        assert_eq!(config.tls, wanted);
        let text = "[tls]\nmode = 'files'\ncert = 'nope.pem'\nkey = 'k.pem'\n";
        files.expect_problem(text, (3, "cannot be read", "folder of the config"));
        files.write("open.pem", "key", 0o644);
        let text = "[tls]\nmode = 'files'\ncert = 'c.pem'\nkey = 'open.pem'\n";
        files.expect_problem(text, (4, "everybody can read", "chmod 600"));
    }

    #[test]
    fn modes_and_their_keys_belong_together() {
        assert!(matches!(accept("").tls, Tls::SelfSigned { dir } if dir.ends_with("certs")));
        expect_problem("[tls]\ncert = 'c.pem'\n", (2, "self-signed mode", "mode = \"files\""));
        let text = "[tls]\nmode = 'files'\n";
        expect_problems(text, &[(1, "cert is missing"), (1, "key is missing")]);
        expect_problem("[tls]\nmode = 'file'\n", (2, "not one of", "did you mean \"files\""));
    }

    #[test]
    fn what_this_version_lacks_is_said_so() {
        expect_problem("[tls]\nmode = 'acme'\n", (2, "acme is not in this version", ""));
    }
}
