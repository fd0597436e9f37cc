//! The subject of a certificate, as one text that can be compared.

use std::{fmt, str::FromStr, sync::Arc};

use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use super::subject_text::{self, Attribute, Value, ValueError};

/// A distinguished name in one fixed spelling of RFC 4514, `CN=ci,O=Shop`: the most specific
/// part first, types as OpenSSL writes them, characters beyond ASCII as they are. Two subjects
/// are the same exactly when their parts and letters are; case and spaces count, because a CA
/// may give `CN=ci` and `CN=CI` to two different people.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(Arc<str>);

impl Subject {
    /// The text, as people write it down.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The subject of a parsed certificate.
    ///
    /// # Errors
    /// [`BadSubject`] for one that no key can be bound to: empty, or too long.
    pub fn of(name: &X509Name<'_>) -> Result<Self, BadSubject> {
        let parts = name.iter().map(|part| part.iter().map(attribute).collect()).collect();
        Self::from_parts(parts, true)
    }

    /// `reversed`: as certificates have them, the least specific part first.
    fn from_parts(parts: Vec<Vec<Attribute>>, reversed: bool) -> Result<Self, BadSubject> {
        let mut texts: Vec<String> = parts
            .into_iter()
            .map(|part| {
                // A part with several attributes is a set: their order has no meaning.
                let mut written: Vec<String> = part.iter().map(ToString::to_string).collect();
                written.sort_unstable();
                written.join("+")
            })
            .collect();
        if reversed {
            texts.reverse();
        }
        let text = texts.join(",");
        match text.len() {
            0 => Err(BadSubject::Empty),
            1..=LONGEST_BYTES => Ok(Self(text.into())),
            _ => Err(BadSubject::TooLong),
        }
    }
}

/// Character strings become text, so that it does not matter which of them a CA took; every
/// other value stays as its bytes.
fn attribute(attribute: &AttributeTypeAndValue<'_>) -> Attribute {
    let value = attribute.attr_value();
    let oid = attribute.attr_type().to_id_string();
    let tag = u8::try_from(value.header.tag().0).unwrap_or(0);
    Attribute::new(&oid, Value::of_der(tag, value.data))
}

impl FromStr for Subject {
    type Err = BadSubject;

    fn from_str(text: &str) -> Result<Self, BadSubject> {
        if text.trim().is_empty() {
            return Err(BadSubject::Empty);
        }
        if text.len() > LONGEST_BYTES * 3 {
            return Err(BadSubject::TooLong);
        }
        Self::from_parts(subject_text::parse(text)?, false)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl serde::Serialize for Subject {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Subject {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The text is not a subject, or none that a key can be bound to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSubject {
    /// Nothing in it. A certificate without a subject names nobody.
    #[error("the subject is empty; a key is bound to one such as CN=ci,O=Shop")]
    Empty,
    /// More than any real one has.
    #[error("the subject has more than {LONGEST_BYTES} bytes")]
    TooLong,
    /// The part before `=`.
    #[error("`{given}` is not an attribute of a subject")]
    Type {
        /// What stands there, cut short.
        given: String,
    },
    /// The part behind `=`.
    #[error("the value of {of} {reason}")]
    Value {
        /// Its type.
        of: String,
        /// What is wrong with it.
        reason: ValueError,
    },
}

/// How to get one right.
pub const HOW: &str = "write what `openssl x509 -noout -subject -nameopt RFC2253 -in cert.pem` \
                       prints behind `subject=`";

/// Names of people and machines have a tenth of it.
const LONGEST_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(text: &str) -> String {
        text.parse::<Subject>().unwrap_or_else(|error| panic!("{text}: {error}")).to_string()
    }

    #[test]
    fn one_subject_has_one_spelling() {
        for (given, wanted) in [
            ("CN=ci,O=Shop", "CN=ci,O=Shop"),
            ("cn=ci,o=Shop", "CN=ci,O=Shop"),
            ("2.5.4.3=ci,2.5.4.10=Shop", "CN=ci,O=Shop"),
            ("CN=#0C026369", "CN=ci"),
            ("CN=#13026369", "CN=ci"),
            ("CN=#1E0400630069", "CN=ci"),
            (r"ST=\E4\B8\8A\E6\B5\B7", "ST=上海"),
            (r#"O=Shop\, Inc. \"x\" \<y\>\;\+#"#, r#"O=Shop\, Inc. \"x\" \<y\>\;\+#"#),
            (r"O=a\2Cb", r"O=a\,b"),
            (r"CN=\#ci\ ,OU=\ lead", r"CN=\#ci\ ,OU=\ lead"),
            ("UID=b+CN=a", "CN=a+UID=b"),
            ("givenName=A,S=B,E=c@d.cn", "GN=A,ST=B,emailAddress=c@d.cn"),
            ("1.2.3.4=#0c03666f6f", "1.2.3.4=#0C03666F6F"),
            ("CN=", "CN="),
            ("CN=a=b", "CN=a=b"),
            (r"CN=a\0Ab\E2\80\AE", r"CN=a\0Ab\E2\80\AE"),
        ] {
            assert_eq!(normal(given), wanted, "{given}");
            assert_eq!(normal(wanted), wanted, "and stays so");
        }
    }

    #[test]
    fn case_spaces_and_order_tell_subjects_apart() {
        for (one, other) in
            [("CN=ci", "CN=CI"), ("CN=a b", "CN=a  b"), ("CN=ci,O=Shop", "O=Shop,CN=ci")]
        {
            assert_ne!(normal(one), normal(other));
        }
    }

    #[test]
    fn what_is_no_subject_is_refused_with_what_to_do() {
        for (given, says) in [
            ("", "empty"),
            ("  ", "empty"),
            ("ci", "`ci` is not an attribute"),
            ("/CN=ci/O=Shop", "`/CN` is not an attribute"),
            ("subject=CN=ci", "`subject` is not an attribute"),
            ("CN = ci", "`CN ` is not an attribute"),
            ("CN=ci, O=Shop", "` O` is not an attribute"),
            ("CN=ci,", "`` is not an attribute"),
            ("CN=ci,,O=a", "`` is not an attribute"),
            ("CN= ci", "space"),
            ("CN=ci ", "space"),
            (r#"CN="ci""#, "must stand behind a backslash"),
            ("CN=a;b", "must stand behind a backslash"),
            (r"CN=a\", "ends with a lone backslash"),
            (r"CN=\4", "two hex digits"),
            (r"CN=\4g", "two hex digits"),
            (r"CN=\xy", "backslash"),
            (r"CN=\FF", "UTF-8"),
            ("CN=#0C", "hex"),
            ("CN=#0C0", "hex"),
            ("CN=#zz", "hex"),
            ("CN=#0C056369", "hex"),
            ("1.2.3.4=foo", "#"),
            ("1.2.=#0500", "is not an attribute"),
            ("FOO=bar", "`FOO` is not an attribute"),
        ] {
            let error = given.parse::<Subject>().expect_err(given).to_string();
            assert!(error.contains(says), "{given}: {error}");
        }
        let long = format!("CN={}", "a".repeat(1100));
        assert_eq!(long.parse::<Subject>(), Err(BadSubject::TooLong));
    }

    #[test]
    fn a_certificate_gives_the_text_that_openssl_prints() {
        let made = std::process::Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
            .args(["-nodes", "-keyout", "/dev/null", "-utf8", "-subj", EVERYTHING])
            .output();
        let Ok(made) = made else { return };
        let pem = String::from_utf8(made.stdout).unwrap();
        let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
        let subject = Subject::of(pem.parse_x509().unwrap().subject()).unwrap();
        let mut shown = std::process::Command::new("openssl")
            .args(["x509", "-inform", "DER", "-noout", "-subject", "-nameopt", "RFC2253"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = shown.stdin.take().unwrap();
        std::io::Write::write_all(&mut input, &pem.contents).unwrap();
        drop(input);
        let shown = String::from_utf8(shown.wait_with_output().unwrap().stdout).unwrap();
        let shown = shown.trim_end_matches('\n').strip_prefix("subject=").unwrap();
        assert_eq!(shown.parse::<Subject>(), Ok(subject.clone()), "{shown}");
        assert!(subject.as_str().contains("ST=上海") && subject.as_str().ends_with(",C=CN"));
    }

    /// Every type that is known by name, and values that need escaping.
    const EVERYTHING: &str = r##"/C=CN/ST=上海/O=Shop, Inc. "x" <y>;\+#/OU= lead/CN=#ci \+1/emailAddress=a@b.cn/serialNumber=12/UID=u/DC=example/title=T/GN=g/SN=s/initials=i/L=lo/street=st/postalCode=9/businessCategory=bc/dnQualifier=dq/pseudonym=p/organizationIdentifier=oi/name=n/description=d/generationQualifier=gq/jurisdictionC=CN/jurisdictionL=l/jurisdictionST=s/role=r/telephoneNumber=5/unstructuredName=un/houseIdentifier=hi/x500UniqueIdentifier=x/dmdName=odd"##;
}
