//! A drill's writer, whose events the city's screens would be told of.

use server::live::HubPublisher;
use server::world::{Exercise, Live};
use server::writer::Publisher;

fn listen(screens: HubPublisher<Live>) -> Box<dyn Publisher<Exercise>> {
    Box::new(screens)
}

fn main() {}
