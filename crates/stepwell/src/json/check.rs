//! A serializer that passes on to another one and refuses what JSON cannot hold.
//!
//! `serde_json` writes `null` for NaN and the infinities. A result must replay as what it was, so
//! these are errors here (§2.6). The place of any error is put together while it travels up: values
//! that are JSON cost nothing more.

use std::cell::RefCell;
use std::fmt::Display;

use serde::ser::{Serialize, Serializer};

use super::check_parts::{Map, Seq, Struct, StructVariant, Tuple, TupleStruct, TupleVariant};

/// Where in a value something is wrong, put together from the inside out.
#[derive(Debug, Default)]
pub(super) struct Place {
    parts: RefCell<Vec<String>>,
}

impl Place {
    pub(super) fn name(&self, name: &str) {
        let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        self.add(if plain { format!(".{name}") } else { format!("[{name:?}]") });
    }

    pub(super) fn index(&self, index: usize) {
        self.add(format!("[{index}]"));
    }

    fn add(&self, part: String) {
        self.parts.borrow_mut().push(part);
    }

    /// Returns the place, such as `$.items[2].price`.
    pub(super) fn path(&self) -> String {
        let mut path = String::from("$");
        for part in self.parts.borrow().iter().rev() {
            path.push_str(part);
        }
        path
    }
}

/// A value that is checked while it is written.
pub(super) struct Checked<'a, T: ?Sized> {
    value: &'a T,
    place: &'a Place,
}

impl<'a, T: ?Sized> Checked<'a, T> {
    pub(super) fn new(value: &'a T, place: &'a Place) -> Self {
        Self { value, place }
    }
}

impl<T: Serialize + ?Sized> Serialize for Checked<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Checker { inner: serializer, place: self.place })
    }
}

pub(super) struct Checker<'a, S> {
    inner: S,
    place: &'a Place,
}

fn not_a_number<E: serde::ser::Error>(value: impl Display) -> E {
    E::custom(format_args!("{value} is not a number of JSON"))
}

macro_rules! pass_on {
    ($($method:ident: $type:ty,)*) => {
        $(fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            self.inner.$method(value)
        })*
    };
}

impl<'a, S: Serializer> Serializer for Checker<'a, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Seq<'a, S::SerializeSeq>;
    type SerializeTuple = Tuple<'a, S::SerializeTuple>;
    type SerializeTupleStruct = TupleStruct<'a, S::SerializeTupleStruct>;
    type SerializeTupleVariant = TupleVariant<'a, S::SerializeTupleVariant>;
    type SerializeMap = Map<'a, S::SerializeMap>;
    type SerializeStruct = Struct<'a, S::SerializeStruct>;
    type SerializeStructVariant = StructVariant<'a, S::SerializeStructVariant>;

    pass_on! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_char: char,
        serialize_str: &str,
        serialize_bytes: &[u8],
        serialize_unit_struct: &'static str,
    }

    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        if value.is_finite() { self.inner.serialize_f32(value) } else { Err(not_a_number(value)) }
    }

    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        if value.is_finite() { self.inner.serialize_f64(value) } else { Err(not_a_number(value)) }
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.serialize_some(&Checked::new(value, self.place))
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        // The name is how `RawValue` makes itself known to the serializer inside; its text is JSON.
        self.inner.serialize_newtype_struct(name, &Checked::new(value, self.place))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let place = self.place;
        let value = Checked::new(value, place);
        let written = self.inner.serialize_newtype_variant(name, index, variant, &value);
        written.inspect_err(|_| place.name(variant))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        Ok(Seq::new(self.inner.serialize_seq(len)?, self.place))
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        Ok(Tuple::new(self.inner.serialize_tuple(len)?, self.place))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        Ok(TupleStruct::new(self.inner.serialize_tuple_struct(name, len)?, self.place))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        let inner = self.inner.serialize_tuple_variant(name, index, variant, len)?;
        Ok(TupleVariant::new(inner, self.place))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        Ok(Map::new(self.inner.serialize_map(len)?, self.place))
    }

    fn serialize_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        Ok(Struct::new(self.inner.serialize_struct(name, len)?, self.place))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let inner = self.inner.serialize_struct_variant(name, index, variant, len)?;
        Ok(StructVariant::new(inner, self.place))
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// Refuses a map's key that is not text, naming the map.
pub(super) fn key_error<E: serde::ser::Error>(error: &E) -> E {
    E::custom(format_args!("{error} (keys of a JSON object are texts)"))
}
