//! A drill's command, sent to the city's writer.

use server::world::{Exercise, Live};
use server::writer::{Envelope, Writer};

fn send(city: &Writer<Live>, order: Envelope<Exercise>) {
    let _ = city.send_many_blocking(vec![order]);
}

fn main() {}
