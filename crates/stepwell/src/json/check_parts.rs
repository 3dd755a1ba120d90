//! The checking serializer inside arrays and objects.

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use super::check::{Checked, Place, key_error};

/// Parts that count their elements.
macro_rules! counted {
    ($($name:ident: $trait:ident.$method:ident,)*) => {$(
        pub(super) struct $name<'a, S> {
            inner: S,
            place: &'a Place,
            index: usize,
        }

        impl<'a, S> $name<'a, S> {
            pub(super) fn new(inner: S, place: &'a Place) -> Self {
                Self { inner, place, index: 0 }
            }
        }

        impl<S: $trait> $trait for $name<'_, S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
                let written = self.inner.$method(&Checked::new(value, self.place));
                written.inspect_err(|_| self.place.index(self.index))?;
                self.index += 1;
                Ok(())
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        }
    )*};
}

counted! {
    Seq: SerializeSeq.serialize_element,
    Tuple: SerializeTuple.serialize_element,
    TupleStruct: SerializeTupleStruct.serialize_field,
    TupleVariant: SerializeTupleVariant.serialize_field,
}

/// Parts whose fields have names.
macro_rules! named {
    ($($name:ident: $trait:ident,)*) => {$(
        pub(super) struct $name<'a, S> {
            inner: S,
            place: &'a Place,
        }

        impl<'a, S> $name<'a, S> {
            pub(super) fn new(inner: S, place: &'a Place) -> Self {
                Self { inner, place }
            }
        }

        impl<S: $trait> $trait for $name<'_, S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), S::Error> {
                let written = self.inner.serialize_field(key, &Checked::new(value, self.place));
                written.inspect_err(|_| self.place.name(key))
            }

            fn skip_field(&mut self, key: &'static str) -> Result<(), S::Error> {
                self.inner.skip_field(key)
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        }
    )*};
}

named! {
    Struct: SerializeStruct,
    StructVariant: SerializeStructVariant,
}

/// Maps, whose keys are values too.
pub(super) struct Map<'a, S> {
    inner: S,
    place: &'a Place,
    index: usize,
}

impl<'a, S> Map<'a, S> {
    pub(super) fn new(inner: S, place: &'a Place) -> Self {
        Self { inner, place, index: 0 }
    }
}

impl<S: SerializeMap> SerializeMap for Map<'_, S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), S::Error> {
        self.inner.serialize_key(key).map_err(|error| key_error(&error))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        // The key is gone by now; its number is the next best.
        let written = self.inner.serialize_value(&Checked::new(value, self.place));
        written.inspect_err(|_| self.place.index(self.index))?;
        self.index += 1;
        Ok(())
    }

    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(
        &mut self,
        key: &K,
        value: &V,
    ) -> Result<(), S::Error> {
        self.inner.serialize_key(key).map_err(|error| key_error(&error))?;
        let written = self.inner.serialize_value(&Checked::new(value, self.place));
        written.inspect_err(|_| match serde_json::to_value(key) {
            Ok(serde_json::Value::String(name)) => self.place.name(&name),
            Ok(other) => self.place.name(&other.to_string()),
            Err(_) => self.place.index(self.index),
        })?;
        self.index += 1;
        Ok(())
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.inner.end()
    }
}
