//! The commands that are steps of the loop, described from their rows: they are not in the derived description of the
//! others.

use domain::case::step::{Note, Row};
use domain::case::{STEPS, Step};
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{OpenApi, Ref, RefOr};

/// Puts every step beside the other commands.
pub fn complete(api: &mut OpenApi) {
    let components = api.components.get_or_insert_default();
    let Some(RefOr::T(Schema::OneOf(commands))) = components.schemas.get_mut("Command") else { return };
    commands.items.extend(STEPS.iter().map(|row| RefOr::T(Schema::Object(command(row)))));
}

fn command(row: &'static Row) -> utoipa::openapi::Object {
    let step = Step(row);
    let mut fields = ObjectBuilder::new().property("case", Ref::from_schema_name("CaseId")).required("case");
    if step.note.is_asked() {
        fields = fields.property("note", text());
    }
    if step.note == Note::Must {
        fields = fields.required("note");
    }
    if step.asks_department() {
        fields = fields.property("department", text()).required("department");
    }
    if row.limit {
        fields = fields.property("limit", Ref::from_schema_name("Limit"));
    }
    let fields = fields.additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false))).build();
    ObjectBuilder::new()
        .description(Some(row.happened[0]))
        .property(row.command, fields)
        .required(row.command)
        .build()
}

fn text() -> utoipa::openapi::Object {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).build()
}
