//! One text per type: the Rust type, its serde form and its description.

/// Fields of a struct or entity: `CLASS name: Type, flags;` with the flags `required` and `indexed`, and
/// `as "wire name"` where the name is a Rust keyword.
macro_rules! fields {
    ($( $(#[doc = $doc:literal])* $class:ident $field:ident : $ty:ty $(as $wire:literal)? $(, $flag:ident)* ; )*) => {
        &[$( $crate::describe::Field {
            name: fields!(@name $field $($wire)?),
            ty: <$ty as $crate::describe::ModelType>::TYPE,
            class: $crate::describe::Class::$class,
            required: fields!(@flag required $($flag)*),
            indexed: fields!(@flag indexed $($flag)*),
            doc: concat!($($doc),*).trim_ascii_start(),
        } ),*]
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $wire:literal) => { $wire };
    (@flag required) => { false };
    (@flag required required $($rest:ident)*) => { true };
    (@flag required $other:ident $($rest:ident)*) => { fields!(@flag required $($rest)*) };
    (@flag indexed) => { false };
    (@flag indexed indexed $($rest:ident)*) => { true };
    (@flag indexed $other:ident $($rest:ident)*) => { fields!(@flag indexed $($rest)*) };
}

/// A struct that is part of entities.
macro_rules! part {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident {
            $( $(#[doc = $fdoc:literal])* $class:ident $field:ident : $ty:ty $(as $wire:literal)? $(, $flag:ident)* ; )*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $(
                $(#[doc = $fdoc])*
                #[serde(skip_serializing_if = "Option::is_none" $(, rename = $wire)?)]
                pub $field: Option<$ty>,
            )*
        }

        impl $crate::describe::ModelType for $name {
            const TYPE: &'static $crate::describe::Type =
                &$crate::describe::Type::Struct(&$crate::describe::StructType {
                    name: stringify!($name),
                    doc: concat!($($doc),*).trim_ascii_start(),
                    fields: fields!($( $(#[doc = $fdoc])* $class $field: $ty $(as $wire)? $(, $flag)*; )*),
                });
        }
    };
}

/// An entity: `"name", "collection", "event name"` and its fields, then the events that its changes mean.
macro_rules! entity {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident($entity:literal, $collection:literal, $event:literal) as $static:ident {
            $( $(#[doc = $fdoc:literal])* $class:ident $field:ident : $ty:ty $(as $wire:literal)? $(, $flag:ident)* ; )*
        }
        $( on $verb:literal = $when:expr; )*
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $(
                $(#[doc = $fdoc])*
                #[serde(skip_serializing_if = "Option::is_none" $(, rename = $wire)?)]
                pub $field: Option<$ty>,
            )*
        }

        #[doc = concat!("The description of `", $entity, "`.")]
        pub static $static: $crate::describe::EntityType = $crate::describe::EntityType {
            name: $entity,
            collection: $collection,
            event: $event,
            doc: concat!($($doc),*).trim_ascii_start(),
            fields: fields!($( $(#[doc = $fdoc])* $class $field: $ty $(as $wire)? $(, $flag)*; )*),
            verbs: &[$( $crate::describe::Verb { verb: $verb, when: $when } ),*],
        };
    };
}

/// An enum with wire values; `Other` (`OTHER`) is added to each.
macro_rules! enumeration {
    ($( $(#[doc = $doc:literal])* pub enum $name:ident { $( $variant:ident = $wire:literal ),* $(,)? } )*) => { $(
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "the wire values are the documentation")]
        pub enum $name { $( $variant, )* Other }

        impl $crate::enums::EnumOf for $name {
            const ENUM: &'static $crate::describe::EnumType = &$crate::describe::EnumType {
                name: stringify!($name),
                doc: concat!($($doc),*).trim_ascii_start(),
                values: &[$( $wire, )* "OTHER"],
            };
            fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $wire, )* Self::Other => "OTHER" }
            }
            fn from_wire(text: &str) -> Option<Self> {
                match text { $( $wire => Some(Self::$variant), )* "OTHER" => Some(Self::Other), _ => None }
            }
        }
    )* };
}
