//! JavaScript's objects, as the browser's JSON parser made them, read into our types.
//!
//! What should be here: how each kind of value is read. What should not: where values come from, what a type asks of them
//! (its `Deserialize`).
//!
//! A field is found by its place in the type, not by its name in the object: what tells names apart, says that one came twice
//! and waits for one that is missing would otherwise be in the programme once for each type, and that is most of what
//! reading weighs.

use std::cell::RefCell;
use std::fmt::{self, Display};

use js_sys::{Array, Object};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, Expected, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

/// Reads a value whole; what it lacks is said in words.
pub fn read<T: DeserializeOwned>(value: JsValue) -> Result<T, Unfit> {
    T::deserialize(Value(value))
}

/// Why a value is none of the type that was asked for.
#[derive(Debug)]
pub struct Unfit(String);

impl Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unfit {}

impl Unfit {
    #[inline(never)]
    fn instead(expected: &dyn Expected) -> Self {
        Self(format!("{expected} was expected"))
    }

    #[inline(never)]
    fn unknown(name: &str) -> Self {
        Self(format!("`{name}` is not known"))
    }
}

impl Error for Unfit {
    #[inline(never)]
    fn custom<T: Display>(words: T) -> Self {
        Self(words.to_string())
    }

    // The words that come with serde bring everything that could be written of a number with them.

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::instead(expected)
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::instead(expected)
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self(format!("{expected} was expected and ends after {length}"))
    }

    fn unknown_variant(variant: &str, _: &'static [&'static str]) -> Self {
        Self::unknown(variant)
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::unknown(field)
    }
}

#[wasm_bindgen]
extern "C" {
    /// Anything with properties.
    type Properties;

    #[wasm_bindgen(method, indexing_getter)]
    fn property(this: &Properties, name: &JsValue) -> JsValue;
}

/// The largest whole number up to which JavaScript tells all of them apart.
const WHOLE_MAX: f64 = 9_007_199_254_740_991.0;

struct Value(JsValue);

impl Value {
    fn is_nothing(&self) -> bool {
        self.0.is_null() || self.0.is_undefined()
    }

    #[inline(never)]
    fn whole(&self) -> Option<i64> {
        let number = self.0.as_f64()?;
        (number.trunc() == number && number.abs() <= WHOLE_MAX).then_some(number as i64)
    }

    #[inline(never)]
    fn items(self) -> Option<Items> {
        self.0.dyn_into().ok().map(Items::of)
    }

    #[inline(never)]
    fn entries(&self) -> Option<Items> {
        self.0.is_object().then(|| Items::of(Object::entries(self.0.unchecked_ref())))
    }

    /// The name of what it is, and what goes with it: a word alone, or an object with one property.
    #[inline(never)]
    fn tagged(self) -> Option<Variant> {
        if self.0.is_string() {
            return Some(Variant { name: self, content: Value(JsValue::UNDEFINED) });
        }
        let mut entries = self.entries()?;
        let (name, content) = entries.pair()?;
        entries.next().is_none().then_some(Variant { name, content })
    }
}

/// The names of a type's fields as JavaScript's words: made once for each type, for there are thousands of values.
fn named(names: &'static [&'static str]) -> Array {
    thread_local! {
        static NAMED: RefCell<Vec<(&'static [&'static str], Array)>> = const { RefCell::new(Vec::new()) };
    }
    NAMED.with_borrow_mut(|named| {
        if let Some((_, words)) = named.iter().find(|(of, _)| std::ptr::eq(*of, names)) {
            return words.clone();
        }
        let words: Array = names.iter().map(|name| JsValue::from_str(name)).collect();
        named.push((names, words.clone()));
        words
    })
}

macro_rules! same {
    ($($method:ident = $as:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
            self.$as(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Value {
    type Error = Unfit;

    /// Whoever does not say what it wants is told what there is.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        if self.is_nothing() {
            visitor.visit_unit()
        } else if let Some(is) = self.0.as_bool() {
            visitor.visit_bool(is)
        } else if let Some(whole) = self.whole() {
            visitor.visit_i64(whole)
        } else if let Some(number) = self.0.as_f64() {
            visitor.visit_f64(number)
        } else if let Some(text) = self.0.as_string() {
            visitor.visit_string(text)
        } else if Array::is_array(&self.0) {
            self.deserialize_seq(visitor)
        } else {
            self.deserialize_map(visitor)
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0.as_bool() {
            Some(is) => visitor.visit_bool(is),
            None => Err(Unfit::instead(&visitor)),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.whole() {
            Some(whole) => visitor.visit_i64(whole),
            None => Err(Unfit::instead(&visitor)),
        }
    }

    same! {
        deserialize_i8 = deserialize_i64 deserialize_i16 = deserialize_i64 deserialize_i32 = deserialize_i64
        deserialize_u8 = deserialize_i64 deserialize_u16 = deserialize_i64 deserialize_u32 = deserialize_i64
        deserialize_u64 = deserialize_i64 deserialize_f32 = deserialize_f64
        deserialize_str = deserialize_string deserialize_identifier = deserialize_string
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0.as_f64() {
            Some(number) => visitor.visit_f64(number),
            None => Err(Unfit::instead(&visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0.as_string() {
            Some(text) => visitor.visit_string(text),
            None => Err(Unfit::instead(&visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        if self.is_nothing() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.items() {
            Some(items) => visitor.visit_seq(items),
            None => Err(Unfit::instead(&visitor)),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Unfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.entries() {
            Some(entries) => visitor.visit_map(Entries { entries, value: None }),
            None => Err(Unfit::instead(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        match self.0.is_object() {
            true => {
                visitor.visit_seq(Fields { of: self.0.unchecked_into(), names: Items::of(named(fields)) })
            }
            false => Err(Unfit::instead(&visitor)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        match self.tagged() {
            Some(variant) => visitor.visit_enum(variant),
            None => Err(Unfit::instead(&visitor)),
        }
    }

    forward_to_deserialize_any! { char bytes byte_buf unit unit_struct ignored_any }
}

/// What stands in a list, one after the other.
struct Items {
    array: Array,
    length: u32,
    next: u32,
}

impl Items {
    fn of(array: Array) -> Self {
        Self { length: array.length(), array, next: 0 }
    }

    #[inline(never)]
    fn next(&mut self) -> Option<Value> {
        let at = self.next;
        self.next += 1;
        (at < self.length).then(|| Value(self.array.get(at)))
    }

    /// The next of a list of names and values.
    #[inline(never)]
    fn pair(&mut self) -> Option<(Value, Value)> {
        let pair: Array = self.next()?.0.unchecked_into();
        Some((Value(pair.get(0)), Value(pair.get(1))))
    }
}

impl<'de> SeqAccess<'de> for Items {
    type Error = Unfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unfit> {
        self.next().map(|value| seed.deserialize(value)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some((self.length - self.next.min(self.length)) as usize)
    }
}

/// The fields of a type in their order, wherever they stand in the object.
struct Fields {
    of: Properties,
    names: Items,
}

impl Fields {
    #[inline(never)]
    fn next(&mut self) -> Option<Value> {
        self.names.next().map(|name| Value(self.of.property(&name.0)))
    }
}

impl<'de> SeqAccess<'de> for Fields {
    type Error = Unfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unfit> {
        let Some(value) = self.next() else { return Ok(None) };
        // What is missing is nothing where the type allows that, and otherwise what the type puts in its place.
        let is_missing = value.0.is_undefined();
        match seed.deserialize(value) {
            Err(_) if is_missing => Ok(None),
            read => read.map(Some),
        }
    }
}

/// The properties of an object whose names are data.
struct Entries {
    entries: Items,
    value: Option<Value>,
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Unfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unfit> {
        let Some((name, value)) = self.entries.pair() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unfit> {
        seed.deserialize(self.value.take().unwrap_or(Value(JsValue::UNDEFINED)))
    }
}

/// One of several kinds.
struct Variant {
    name: Value,
    content: Value,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Unfit;
    type Variant = Value;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Value), Unfit> {
        Ok((seed.deserialize(self.name)?, self.content))
    }
}

impl<'de> VariantAccess<'de> for Value {
    type Error = Unfit;

    fn unit_variant(self) -> Result<(), Unfit> {
        if self.is_nothing() { Ok(()) } else { Err(Unfit("a word alone was expected".to_owned())) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Unfit> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Unfit> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        self.deserialize_struct("", fields, visitor)
    }
}
