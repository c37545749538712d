//! Which way a case takes round the loop (闭环): straight on, or by one of its side paths.
//!
//! What should be here: which steps follow each other. What should not: how long each stage takes (`past`), what a command says
//! (`life`), how many take which path (`figures`).

use domain::case::{Stage, Step};
use rand::Rng;
use rand::rngs::StdRng;

use super::{cases, figures};

/// What happens to a case that does not go straight on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SidePath {
    /// 不予受理
    NotAccepted,
    /// 不予立案
    NotFiled,
    /// 回退: sent to the wrong department, and once more to the right one.
    Returned,
    /// 返工: the check fails once.
    Reworked,
    /// 作废
    Voided,
    /// 特殊结案
    Special,
}

/// One stage of the way, and the step by which the case leaves it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leg {
    pub stage: Stage,
    pub step: Step,
    /// The case has been in this stage before.
    pub again: bool,
}

/// Draws what becomes of a case; none for one that goes straight on.
pub fn draw(random: &mut StdRng) -> Option<SidePath> {
    let straight = 100.0 - figures::SIDE_PATHS.iter().map(|(_, share)| share).sum::<f64>();
    if random.random_range(0.0..100.0) < straight {
        return None;
    }
    let shares = figures::SIDE_PATHS.map(|(_, share)| share);
    Some(figures::SIDE_PATHS[cases::pick(random, &shares)].0)
}

/// The way from a stage to the closing.
#[must_use]
pub fn course(from: Stage, path: Option<SidePath>) -> Vec<Leg> {
    let mut legs: Vec<Leg> = Vec::new();
    // Each side path is taken once.
    let (mut stage, mut left) = (from, path.and_then(turn));
    loop {
        let aside = left.filter(|(at, _)| *at == stage).and_then(|(_, command)| Step::of_command(command));
        let Some(step) = aside.or_else(|| Step::out_of(stage)) else { return legs };
        if aside.is_some() {
            left = None;
        }
        let again = legs.iter().any(|leg| leg.stage == stage);
        legs.push(Leg { stage, step, again });
        if step.closes() {
            return legs;
        }
        stage = step.stage_after(stage);
    }
}

/// Where a side path leaves the loop, and by which command.
fn turn(path: SidePath) -> Option<(Stage, &'static str)> {
    Some(match path {
        SidePath::NotAccepted => (Stage::Accept, "refuse_case"),
        SidePath::NotFiled => (Stage::File, "decline_filing"),
        SidePath::Returned => (Stage::Dispose, "return_case"),
        SidePath::Reworked => (Stage::Check, "fail_check"),
        SidePath::Voided => (Stage::Dispatch, "void_case"),
        SidePath::Special => (Stage::Feedback, "close_specially"),
    })
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn names(path: Option<SidePath>) -> Vec<&'static str> {
        course(Stage::Accept, path).iter().map(|leg| leg.step.name).collect()
    }

    #[test]
    fn every_way_ends_in_a_closing_and_takes_its_side_path_once() {
        let straight = ["accept", "file", "dispatch", "dispose", "feedback", "check", "close"];
        assert_eq!(names(None), straight);
        assert_eq!(names(Some(SidePath::NotAccepted)), ["refuse"]);
        assert_eq!(
            names(Some(SidePath::Returned)),
            ["accept", "file", "dispatch", "return", "dispatch", "dispose", "feedback", "check", "close"]
        );
        assert_eq!(names(Some(SidePath::Reworked)).iter().filter(|name| **name == "check").count(), 1);
        for (path, _) in figures::SIDE_PATHS {
            let legs = course(Stage::Accept, Some(path));
            assert!(legs.last().is_some_and(|leg| leg.step.closes()), "{path:?}");
            let turned = turn(path).map(|(_, command)| command);
            assert_eq!(legs.iter().filter(|leg| Some(leg.step.command) == turned).count(), 1, "{path:?}");
        }
    }

    /// Method: 20,000 draws; each share lies within half a point of the table's.
    #[test]
    fn as_many_take_each_path_as_the_figures_say() {
        let mut random = StdRng::seed_from_u64(5);
        let drawn: Vec<Option<SidePath>> = (0..20_000).map(|_| draw(&mut random)).collect();
        for (path, share) in figures::SIDE_PATHS {
            let found = drawn.iter().filter(|drawn| **drawn == Some(path)).count() as f64 / 200.0;
            assert!((found - share).abs() < 0.5, "{path:?}: {found} of {share}");
        }
    }
}
