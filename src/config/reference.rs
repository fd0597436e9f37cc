//! Secrets stand in proxy.toml as references: `file:`, `env:`, `credential:`.
//!
//! No message here repeats a secret, and none repeats what was written where a reference
//! belongs, because that may be one.

use std::{fs::File, io::Read as _, path::Path};

use crate::base::secret::Secret;

use super::{
    field::Field,
    message::{Message, say},
    origin::Refusal,
    privacy::shown,
};

impl Field<'_> {
    /// The secret that the value refers to.
    pub(super) fn secret(&self) -> Option<Secret> {
        let text = self.text()?;
        if !self.reading().opens_secrets {
            return Some(Secret::new(UNOPENED.to_owned()));
        }
        let found = match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => self.text_of_file(path),
            Some(("env", name)) if !name.is_empty() => self.text_of_variable(name),
            Some(("credential", name)) if !name.is_empty() => self.text_of_credential(name),
            _ => Err((literal(), Some(how_to()))),
        };
        match found.and_then(|text| checked(text).map_err(|message| (message, None))) {
            Ok(secret) => Some(secret),
            Err((message, suggestion)) => self.refused(message, suggestion),
        }
    }

    /// The mode is checked before the content is read: a secret that others could read is
    /// to be changed, not used.
    fn text_of_file(&self, path: &str) -> Result<String, Refusal> {
        let name = shown(path);
        let full = self.reading().absolute(path);
        if let Some(mode) = mode_open_to_others(&full, OTHERS_AND_GROUP) {
            let message =
                say!("{name} 可被他人读取（{mode:o}）", "others can read {name} (mode {mode:o})");
            return Err((message, Some(say!("请执行 chmod 600", "run chmod 600 on it"))));
        }
        read_text(&full).map_err(|cause| {
            let message = say!("读不到 {name}：{cause}", "{name} cannot be read: {cause}");
            let advice = say!(
                "相对路径从配置文件所在目录算起",
                "a relative path counts from the folder of the config file"
            );
            (message, Some(advice))
        })
    }

    /// A misspelt variable must not look like an empty secret.
    fn text_of_variable(&self, name: &str) -> Result<String, Refusal> {
        let given = shown(name);
        let good = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if !name.bytes().all(good) {
            return Err((say!("环境变量名不对", "this is no name of a variable"), Some(how_to())));
        }
        self.reading().env(name).ok_or_else(|| {
            let message = say!("没有环境变量 {given}", "the environment has no {given}");
            (
                message,
                Some(say!("启动前设置它，或改用 file:", "set it before the start, or use file:")),
            )
        })
    }

    /// systemd puts credentials into a folder of their own, readable by the service only.
    fn text_of_credential(&self, name: &str) -> Result<String, Refusal> {
        let given = shown(name);
        let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'@');
        if !name.bytes().all(good) || name.starts_with('.') {
            return Err((say!("凭据名不对", "this is no name of a credential"), Some(how_to())));
        }
        let folder = self.reading().env("CREDENTIALS_DIRECTORY").ok_or_else(|| {
            let message = say!(
                "没有 CREDENTIALS_DIRECTORY：不是由 systemd 启动的",
                "there is no CREDENTIALS_DIRECTORY: systemd did not start this"
            );
            let advice = say!(
                "在 unit 里写 LoadCredential=，或改用 file:",
                "write LoadCredential= in the unit, or use file:"
            );
            (message, Some(advice))
        })?;
        read_text(&Path::new(&folder).join(name)).map_err(|cause| {
            let message = say!(
                "读不到凭据 {given}：{cause}",
                "the credential {given} cannot be read: {cause}"
            );
            (
                message,
                Some(say!("在 unit 里写 LoadCredential=", "write LoadCredential= in the unit")),
            )
        })
    }
}

/// The mode of a file that others than its owner can read, if so; `mask` says who others are.
/// The owner's rights are the system's concern.
#[cfg(unix)]
pub(super) fn mode_open_to_others(path: &Path, mask: u32) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & mask != 0).then_some(mode)
}

/// Elsewhere files have no such mode.
#[cfg(not(unix))]
pub(super) fn mode_open_to_others(_path: &Path, _mask: u32) -> Option<u32> {
    None
}

/// Stands for a secret in a config that was read without them.
const UNOPENED: &str = "not opened";

/// Nobody but the owner may read a secret.
const OTHERS_AND_GROUP: u32 = 0o077;

/// An AppSecret has 32 characters; other platforms have longer ones. Whoever points at a whole
/// document has the wrong file.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 8..=512;

/// Reads a small text without its last line break. The error says why not, never what.
fn read_text(path: &Path) -> Result<String, String> {
    if std::fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
        return Err("not a regular file".to_owned());
    }
    let file = File::open(path).map_err(|error| error.kind().to_string())?;
    let mut text = String::new();
    // Two more than allowed: a line break of two bytes, so that a longer file is still noticed.
    let most = *SECRET_BYTES.end() as u64 + 3;
    file.take(most).read_to_string(&mut text).map_err(|error| error.kind().to_string())?;
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    Ok(text)
}

/// Blanks and line breaks come from editors and copied tables; the platform would only say
/// that the secret is invalid.
fn checked(text: String) -> Result<Secret, Message> {
    let length = text.len();
    let is_printable = text.bytes().all(|byte| byte.is_ascii_graphic());
    let secret = Secret::new(text);
    if length == 0 {
        return Err(say!("密钥为空", "the secret is empty"));
    }
    if !SECRET_BYTES.contains(&length) {
        let (least, most) = (SECRET_BYTES.start(), SECRET_BYTES.end());
        return Err(say!(
            "密钥长度须为 {least} 到 {most} 个字符",
            "a secret has {least} to {most} characters"
        ));
    }
    if !is_printable {
        return Err(say!(
            "密钥里有空格、换行或不可见字符",
            "the secret holds a blank, a line break or an invisible character"
        ));
    }
    Ok(secret)
}

/// Says nothing about what was written.
fn literal() -> Message {
    say!(
        "密钥不能写在配置文件里，只能引用",
        "a secret must not stand in this file, only a reference to it"
    )
}

/// The three ways, the preferred one first.
fn how_to() -> Message {
    say!(
        "存入只有自己可读的文件（chmod 600），写 \"file:secrets/NAME\"；或 \"env:NAME\"、\"credential:NAME\"",
        "put it into a file that only you can read (chmod 600) and write \"file:secrets/NAME\", or use \"env:NAME\" or \"credential:NAME\""
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::Files;

    fn account(reference: &str) -> String {
        format!(
            "[[account]]\nname = 'a'\napp_id = 'wx0123456789abcdef'\n\
             upstream = 'https://api.weixin.qq.com'\napp_secret = '{reference}'\n"
        )
    }

    fn secret_of(files: &Files, reference: &str) -> String {
        let config = files.accept(&account(reference));
        config.accounts[0].app_secret.as_ref().unwrap().expose().to_owned()
    }

    #[test]
    fn a_secret_comes_from_a_file_a_variable_or_a_credential_without_its_line_break() {
        let files = Files::new();
        files.write("s", "file-secret-1\r\n", 0o600);
        files.write("cred.txt", "cred-secret-1", 0o440);
        assert_eq!(secret_of(&files, "file:s"), "file-secret-1");
        let absolute = format!("file:{}", files.path("s").display());
        assert_eq!(secret_of(&files, &absolute), "file-secret-1");
        assert_eq!(secret_of(&files, "env:GOOD"), "env-secret-1");
        assert_eq!(secret_of(&files, "credential:cred.txt"), "cred-secret-1");
        files.write("s", &"x".repeat(512), 0o400);
        assert_eq!(secret_of(&files, "file:s").len(), 512);
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        let files = Files::new();
        for mode in [0o644, 0o640, 0o604, 0o620, 0o601] {
            files.write("s", "file-secret-1", mode);
            let shown =
                files.expect_problem(&account("file:s"), (5, "others can read", "chmod 600"));
            assert!(shown.contains(&format!("{mode:o}")) && !shown.contains("file-secret-1"));
        }
    }

    #[test]
    fn an_unresolved_reference_says_what_is_missing() {
        let files = Files::new();
        files.write("empty", "\n", 0o600);
        files.write("short", "seven77", 0o600);
        files.write("long", &"x".repeat(513), 0o600);
        files.write("two", "one-secret\nanother-secret\n", 0o600);
        files.write("gbk", "密钥密钥密钥", 0o600);
        std::fs::create_dir(files.path("folder")).unwrap();
        for (reference, says) in [
            ("file:nope", "`nope` cannot be read"),
            ("file:empty", "the secret is empty"),
            ("file:short", "8 to 512 characters"),
            ("file:long", "8 to 512 characters"),
            ("file:two", "a line break"),
            ("file:gbk", "an invisible character"),
            ("env:NOPE", "the environment has no `NOPE`"),
            ("env:EMPTY", "the secret is empty"),
            ("env:A-B", "no name of a variable"),
            ("credential:nope", "`nope` cannot be read"),
            ("credential:../s", "no name of a credential"),
            ("credential:.hidden", "no name of a credential"),
            ("file:", "must not stand in this file"),
            ("vault:x", "must not stand in this file"),
        ] {
            let shown = files.expect_problem(&account(reference), (5, says, ""));
            assert!(!shown.contains("one-secret"), "{shown}");
        }
        let folder = files.read(&account("file:folder")).unwrap_err();
        assert_eq!(folder.len(), 1, "{folder}");
    }

    #[test]
    fn a_secret_in_the_file_is_refused_and_never_repeated() {
        let files = Files::new();
        for secret in ["hunter2x", "0123456789abcdef0123456789abcdef", "a/b+c=d", "p:a:ss"] {
            let shown = files.expect_problem(
                &account(secret),
                (5, "must not stand in this file, only a reference", "file:secrets/NAME"),
            );
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn a_secret_under_a_misspelt_key_or_in_a_broken_line_is_never_repeated() {
        let files = Files::new();
        let start =
            "[[account]]\nname = 'a'\napp_id = 'wx0123456789abcdef'\nupstream = 'sandbox'\n";
        for line in [
            "app_secert = 'hunter2x'",
            "appSecret = 'hunter2x'",
            "secret = ['hunter2x']",
            "app_secret = 'hunter2x",
            "app_secret = hunter2x",
            "app_secret = \"\"\"\nhunter2x\n",
            "app_secret = { value = 'hunter2x' }",
            "egress = { app_secret = 'hunter2x', famly = 1 }",
            "token = 'AAAAAAAAAA_hunter2x_AAAAAAAAAA'",
            "name2 = 'AAAAAAAAAA_hunter2x_AAAAAAAAAA' x",
        ] {
            let problems = files.read(&format!("{start}{line}\n")).unwrap_err();
            let shown =
                format!("{problems}{problems:?}{}", serde_json::to_string(&problems).unwrap());
            assert!(!shown.contains("hunter2x"), "{line}\n{shown}");
        }
    }
}
