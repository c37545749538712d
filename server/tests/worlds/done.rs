//! What a drill did, told to the city's screens.

use server::live::HubPublisher;
use server::world::{Exercise, Live};
use server::writer::{Committed, Publisher};

fn tell(screens: &mut HubPublisher<Live>, state: &domain::state::State, done: &[Committed<Exercise>]) {
    screens.publish(state, done);
}

fn main() {}
