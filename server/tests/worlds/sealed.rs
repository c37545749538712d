//! A world of somebody's own.

use server::world::World;

#[derive(Debug, Clone, Copy, Default)]
struct Everywhere;

impl World for Everywhere {}

fn main() {}
