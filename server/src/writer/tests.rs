//! Tests of the writer's grouping and answers.
