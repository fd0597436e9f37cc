//! One field of a structure as JSON, without writing the others.

use serde::{
    Serialize, Serializer,
    ser::{Error as _, Impossible, SerializeStruct},
};
use serde_json::{Error, Value};

/// The field of `whole` that is called `name`; none if there is no such field.
pub(super) fn field(whole: &impl Serialize, name: &str) -> Option<Value> {
    whole.serialize(Picker(name)).ok().and_then(|picked| picked.value)
}

/// The names of all fields of `whole`.
pub(super) fn names(whole: &impl Serialize) -> Vec<&'static str> {
    whole.serialize(Picker("")).map(|picked| picked.names).unwrap_or_default()
}

/// Takes structures alone.
struct Picker<'a>(&'a str);

struct Picked<'a> {
    wanted: &'a str,
    value: Option<Value>,
    names: Vec<&'static str>,
}

impl<'a> SerializeStruct for Picked<'a> {
    type Ok = Self;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.names.push(name);
        if name == self.wanted {
            self.value = Some(serde_json::to_value(value)?);
        }
        Ok(())
    }

    fn end(self) -> Result<Self, Error> {
        Ok(self)
    }
}

type No<'a> = Impossible<Picked<'a>, Error>;

fn no_structure<T>() -> Result<T, Error> {
    Err(Error::custom("not a structure"))
}

/// What is no structure has no fields.
macro_rules! nothing_of {
    ($($name:ident($($kind:ty),*);)+) => {
        $(fn $name(self, $(_: $kind),*) -> Result<Picked<'a>, Error> {
            no_structure()
        })+
    };
}

impl<'a> Serializer for Picker<'a> {
    type Ok = Picked<'a>;
    type Error = Error;
    type SerializeSeq = No<'a>;
    type SerializeTuple = No<'a>;
    type SerializeTupleStruct = No<'a>;
    type SerializeTupleVariant = No<'a>;
    type SerializeMap = No<'a>;
    type SerializeStruct = Picked<'a>;
    type SerializeStructVariant = No<'a>;

    nothing_of! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Picked<'a>, Error> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Picked<'a>, Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Picked<'a>, Error> {
        no_structure()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<No<'a>, Error> {
        no_structure()
    }

    fn serialize_tuple(self, _: usize) -> Result<No<'a>, Error> {
        no_structure()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<No<'a>, Error> {
        no_structure()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<No<'a>, Error> {
        no_structure()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<No<'a>, Error> {
        no_structure()
    }

    fn serialize_struct(self, _: &'static str, fields: usize) -> Result<Picked<'a>, Error> {
        Ok(Picked { wanted: self.0, value: None, names: Vec::with_capacity(fields) })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<No<'a>, Error> {
        no_structure()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_field_is_written_and_all_are_named() {
        #[derive(Serialize)]
        struct Two {
            a: u64,
            b: Vec<u8>,
        }
        let two = Two { a: u64::MAX, b: vec![1] };
        assert_eq!(names(&two), ["a", "b"]);
        assert_eq!(field(&two, "a"), Some(u64::MAX.into()));
        assert_eq!(field(&two, "b"), Some(vec![1].into()));
        assert_eq!(field(&two, "c"), None);
        assert_eq!(field(&"text", "c"), None);
    }
}
