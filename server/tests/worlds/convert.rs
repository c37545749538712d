//! A command of a drill, made one of the city's.

use server::world::{Exercise, Live};
use server::writer::Envelope;

fn convert(order: Envelope<Exercise>) -> Envelope<Live> {
    order.into()
}

fn main() {}
