//! What belongs to one world cannot be given to another: programs that try it do not compile.
//!
//! A binary of its own, because it has the compiler check this crate once more. The case that does compile is part of it.

mod compiles {
    //! The same as in `worlds/`, within one world: so that those fail for their world and for nothing else.

    use server::live::HubPublisher;
    use server::world::Exercise;
    use server::writer::{Committed, Envelope, Publisher, Writer};

    pub fn a_drill_s_command_to_the_drill_s_writer(writer: &Writer<Exercise>, order: Envelope<Exercise>) {
        let _ = writer.send_many_blocking(vec![order]);
    }

    pub fn what_a_drill_did_to_the_drill_s_screens(
        screens: &mut HubPublisher<Exercise>,
        state: &domain::state::State,
        done: &[Committed<Exercise>],
    ) {
        screens.publish(state, done);
    }
}

#[test]
fn what_a_drill_commands_or_did_does_not_reach_the_city() {
    // Named, so that they are compiled as the others are.
    let _ = (
        compiles::a_drill_s_command_to_the_drill_s_writer as fn(_, _),
        compiles::what_a_drill_did_to_the_drill_s_screens as fn(_, _, _),
    );
    let programs = trybuild::TestCases::new();
    programs.compile_fail("tests/worlds/*.rs");
}
