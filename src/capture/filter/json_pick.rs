//! Finds the values at a path in a JSON text without building the document.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A step into an object or array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
    /// `[*]`: every element or value.
    Each,
}

/// Whether `fits` says yes to the JSON text of any value at the path. A text that is cut or no
/// JSON has no values.
pub(super) fn any_at(body: &[u8], steps: &[Step], fits: &mut dyn FnMut(&str) -> bool) -> bool {
    let Ok(text) = std::str::from_utf8(body) else { return false };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let mut has_fit = false;
    let pick = Pick { steps, fits, has_fit: &mut has_fit };
    let is_whole = pick.deserialize(&mut deserializer).is_ok() && deserializer.end().is_ok();
    is_whole && has_fit
}

/// Walks the steps that are left.
struct Pick<'a> {
    steps: &'a [Step],
    fits: &'a mut dyn FnMut(&str) -> bool,
    has_fit: &'a mut bool,
}

impl Pick<'_> {
    /// The same search in a value one step down.
    fn down(&mut self) -> Pick<'_> {
        let steps = self.steps.get(1..).unwrap_or_default();
        Pick { steps, fits: self.fits, has_fit: self.has_fit }
    }
}

impl<'de> DeserializeSeed<'de> for Pick<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.steps.is_empty() {
            let value: &RawValue = serde::Deserialize::deserialize(deserializer)?;
            *self.has_fit |= (self.fits)(value.get());
            return Ok(());
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Pick<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(is_wanted) = map.next_key_seed(IsStep(self.steps.first()))? {
            if is_wanted {
                map.next_value_seed(self.down())?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        for nth in 0_usize.. {
            let is_wanted = match self.steps.first() {
                Some(Step::Index(at)) => *at == nth,
                Some(Step::Each) => true,
                Some(Step::Key(_)) | None => false,
            };
            let element = if is_wanted {
                seq.next_element_seed(self.down())?
            } else {
                seq.next_element::<IgnoredAny>()?.map(|_| ())
            };
            if element.is_none() {
                break;
            }
        }
        Ok(())
    }

    // A scalar where the path goes on: nothing there.
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Reads a key and tells whether the step leads through it.
struct IsStep<'a>(Option<&'a Step>);

impl<'de> DeserializeSeed<'de> for IsStep<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for IsStep<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(match self.0 {
            Some(Step::Key(wanted)) => key == wanted,
            Some(Step::Each) => true,
            Some(Step::Index(_)) | None => false,
        })
    }
}
