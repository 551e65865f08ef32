//! The three kinds of text that are more than text: templates, templates that may hold a secret, and expressions.
//!
//! Duty: to be different types, so that the type alone says what may stand where. Our YAML deserializer notes every
//! one of them as it decodes (see `model::parse`), with its place and kind: that list is what lint walks, so a new
//! field cannot be forgotten. Rendering and evaluating live in `template` and `expr`.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

/// What a text is, and so which names it can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextKind {
    /// A Handlebars template without secrets.
    Template,
    /// A Handlebars template in which secrets may appear: `env`, `stdin`, HTTP headers and bodies.
    SecretTemplate,
    /// A CEL condition over the run: `when`.
    Condition,
    /// A CEL expression that judges a check's result: `expect`.
    Expectation,
    /// A CEL expression over what an action returned: `outputs.*.cel`, `recoveryPoint`.
    Extraction,
    /// A CEL expression that is evaluated when the plan is made, so it sees `inputs` and `run.mode` only.
    PlanTime,
}

impl TextKind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Template, Self::SecretTemplate, Self::Condition, Self::Expectation, Self::Extraction, Self::PlanTime];

    /// The newtype name by which the YAML deserializer knows the kind.
    #[must_use]
    pub const fn marker(self) -> &'static str {
        match self {
            Self::Template => "$lifeboat::Template",
            Self::SecretTemplate => "$lifeboat::SecretTemplate",
            Self::Condition => "$lifeboat::Condition",
            Self::Expectation => "$lifeboat::Expectation",
            Self::Extraction => "$lifeboat::Extraction",
            Self::PlanTime => "$lifeboat::PlanTime",
        }
    }

    /// Whether it is Handlebars; otherwise it is CEL.
    #[must_use]
    pub const fn is_template(self) -> bool {
        matches!(self, Self::Template | Self::SecretTemplate)
    }
}

macro_rules! text {
    ($($(#[$doc:meta])* $name:ident: $description:literal, $example:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The text as written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl<'de> serde::de::Visitor<'de> for Visitor {
                    type Value = String;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("a string")
                    }
                    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<String, D::Error> {
                        String::deserialize(inner)
                    }
                    fn visit_str<E>(self, text: &str) -> Result<String, E> {
                        Ok(text.to_owned())
                    }
                }
                deserializer.deserialize_newtype_struct(TextKind::$name.marker(), Visitor).map(Self)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": ["string", "number", "boolean"],
                    "description": $description,
                    "examples": [$example],
                })
            }
        }
    )*};
}

text! {
    /// A Handlebars template without secrets.
    Template: "A string; `{{…}}` is a Handlebars template. Secrets may not appear here.", "{{inputs.backup}}";
    /// A Handlebars template in which secrets may appear.
    SecretTemplate: "A string; `{{…}}` is a Handlebars template. Secrets may appear here.", "{{inputs.dbPassword}}";
    /// A CEL condition over the run.
    Condition: "A CEL expression that is true or false, over `inputs`, `steps`, `run`, `clock` and `each`.", "inputs.region != 'eu-1'";
    /// A CEL expression that judges a check's result.
    Expectation: "A CEL expression that is true or false, over the check's result and what `when` sees.", "status == 200";
    /// A CEL expression over what an action returned.
    Extraction: "A CEL expression over the action's `result` and what `when` sees.", "result.json.id";
    /// A CEL expression that is evaluated when the plan is made.
    PlanTime: "A CEL expression that is evaluated when the plan is made, over `inputs` and `run.mode`.", "inputs.namespaces";
}
