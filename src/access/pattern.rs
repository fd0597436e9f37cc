//! Path patterns of limits: `*` is one segment, `**` any number of them, also none.

use std::fmt;

/// A compiled pattern such as `/cgi-bin/message/**`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    text: Box<str>,
    segments: Box<[Segment]>,
}

impl PathPattern {
    /// Reads a pattern. A star stands for whole segments, so it stands alone between slashes.
    ///
    /// # Errors
    /// [`BadPattern`] when it does not begin with `/`, is too long, or a star is part of a segment.
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        let bad = |problem| BadPattern { given: text.to_owned(), problem };
        let rest = text.strip_prefix('/').ok_or_else(|| bad("it must begin with /"))?;
        if text.len() > LONGEST_BYTES {
            return Err(bad("it is longer than 512 bytes"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\?#%".contains(&byte)) {
            return Err(bad("it has a character that no path has"));
        }
        let mut segments = Vec::new();
        for part in rest.split('/') {
            let segment = match part {
                "*" => Segment::One,
                "**" => Segment::Many,
                part if part.contains('*') => {
                    return Err(bad("* and ** stand for whole segments, between two slashes"));
                }
                part => Segment::Literal(part.into()),
            };
            // `/**/**` means `/**`; one is quicker to match.
            if segment != Segment::Many || segments.last() != Some(&Segment::Many) {
                segments.push(segment);
            }
        }
        Ok(Self { text: text.into(), segments: segments.into() })
    }

    /// Whether the whole of `path` fits. At most path segments times pattern segments steps:
    /// a star that fits nowhere is never tried again for an earlier `**`, because the later
    /// `**` could have taken all that the earlier one leaves.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let Some(mut rest) = path.strip_prefix('/').map(Some) else { return false };
        let mut at = 0;
        // Where to go on when a literal does not fit: behind the last `**`, one segment later.
        let mut retry: Option<(usize, &str)> = None;
        loop {
            match (self.segments.get(at), rest) {
                (Some(Segment::Many), _) => {
                    at += 1;
                    let Some(left) = rest else { continue };
                    if at == self.segments.len() {
                        return true;
                    }
                    retry = Some((at, left));
                    continue;
                }
                (Some(segment), Some(left)) => {
                    let (head, tail) = split(left);
                    if segment.fits(head) {
                        (at, rest) = (at + 1, tail);
                        continue;
                    }
                }
                (None, None) => return true,
                (Some(_), None) | (None, Some(_)) => {}
            }
            let Some((behind, from)) = retry else { return false };
            // Behind a `**` in the middle there is always a segment that needs one of its own, so
            // the star cannot take the last.
            let (_, Some(later)) = split(from) else { return false };
            retry = Some((behind, later));
            (at, rest) = (behind, Some(later));
        }
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// A text that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a path pattern: {problem}; write /cgi-bin/message/** or /shop/*/get")]
pub struct BadPattern {
    given: String,
    problem: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// Exactly this text.
    Literal(Box<str>),
    /// Any one segment that is not empty.
    One,
    /// Any number of segments.
    Many,
}

impl Segment {
    fn fits(&self, segment: &str) -> bool {
        match self {
            Self::Literal(text) => **text == *segment,
            Self::One => !segment.is_empty(),
            Self::Many => true,
        }
    }
}

/// The first segment and what follows its slash.
fn split(path: &str) -> (&str, Option<&str>) {
    match path.split_once('/') {
        Some((head, tail)) => (head, Some(tail)),
        None => (path, None),
    }
}

/// Longer than any path of the catalogue; keeps a match cheap.
const LONGEST_BYTES: usize = 512;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stars_stand_for_segments() {
        for (pattern, yes, no) in [
            (
                "/shop/spu/add",
                vec!["/shop/spu/add"],
                vec!["/shop/spu", "/shop/spu/add/", "shop/spu/add"],
            ),
            (
                "/shop/*/get",
                vec!["/shop/spu/get"],
                vec!["/shop/get", "/shop//get", "/shop/a/b/get"],
            ),
            (
                "/cgi-bin/message/**",
                vec!["/cgi-bin/message", "/cgi-bin/message/", "/cgi-bin/message/a/b"],
                vec!["/cgi-bin/messages", "/cgi-bin"],
            ),
            ("/**", vec!["/", "/a", "/a/b/"], vec!["", "a"]),
            ("/**/get", vec!["/get", "/a/get", "/a/b/get", "/get/get"], vec!["/get/a", "/getx"]),
            (
                "/a/**/b/**/c",
                vec!["/a/b/c", "/a/b/b/c", "/a/x/b/y/c"],
                vec!["/a/c/b", "/a/b", "/a/c"],
            ),
            ("/**/*", vec!["/a", "/a/b"], vec!["/", "/a/"]),
            ("/*", vec!["/a"], vec!["/", "/a/b", "/a/"]),
            ("/", vec!["/"], vec!["/a", "//"]),
        ] {
            let compiled = PathPattern::parse(pattern).unwrap();
            for path in yes {
                assert!(compiled.matches(path), "{pattern} fits {path}");
            }
            for path in no {
                assert!(!compiled.matches(path), "{pattern} does not fit {path}");
            }
        }
    }

    #[test]
    fn nonsense_is_refused_and_says_how_to_write_it() {
        for bad in ["", "shop", "*", "/a*", "/***", "/a/b**", "/a b", "/é", "/a?x", "/a%2F", "/\"a"]
        {
            let error = PathPattern::parse(bad).unwrap_err().to_string();
            assert!(error.contains("/cgi-bin/message/**"), "{bad}: {error}");
        }
        assert!(PathPattern::parse(&format!("/{}", "a".repeat(512))).is_err());
    }

    #[test]
    fn many_stars_against_a_long_path_end_at_once() {
        let pattern = PathPattern::parse(&format!("{}/z", "/**/a".repeat(100))).unwrap();
        assert!(!pattern.matches(&"/a".repeat(4000)));
    }

    /// By definition: no cleverness, exponential.
    fn naive(pattern: &[&str], path: &[&str]) -> bool {
        match (pattern, path) {
            ([], []) => true,
            (["**", rest @ ..], path) => {
                naive(rest, path) || (!path.is_empty() && naive(pattern, &path[1..]))
            }
            (["*", rest @ ..], [head, tail @ ..]) => !head.is_empty() && naive(rest, tail),
            ([literal, rest @ ..], [head, tail @ ..]) => literal == head && naive(rest, tail),
            _ => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn agrees_with_the_definition(
            pattern in prop::collection::vec(prop::sample::select(vec!["a", "b", "*", "**"]), 1..7),
            path in prop::collection::vec(prop::sample::select(vec!["a", "b", ""]), 1..8),
        ) {
            let compiled = PathPattern::parse(&format!("/{}", pattern.join("/"))).unwrap();
            let text = format!("/{}", path.join("/"));
            prop_assert_eq!(compiled.matches(&text), naive(&pattern, &path));
        }
    }
}
