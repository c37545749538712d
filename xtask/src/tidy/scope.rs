//! A scope is taken apart by naming all it has, so that a dimension more stops the build wherever somebody must think of it.

use super::tree::Tree;
use super::{by_line, check, is_rust};

#[test]
fn nobody_takes_a_scope_apart_without_saying_what_becomes_of_each_part() {
    let plants = [
        "            Scope::Within { areas, .. } => !areas.is_empty(),",
        "            (Self::Within { .. }, None) => false,",
    ];
    for plant in plants {
        check(&Tree::planted(&[("domain/src/scope.rs", plant)]), |tree| {
            by_line(
                tree,
                |path| is_rust(path) && !path.starts_with("xtask/"),
                |line| {
                    let at =
                        ["Scope::Within {", "Self::Within {"].iter().find_map(|of| line.split_once(of))?;
                    let parts = at.1.split('}').next().unwrap_or_default();
                    let left_out = parts.contains(concat!(".", ".")) && !line.trim_start().starts_with("//");
                    left_out.then(|| "leaves out parts of a scope by `..`; name each".to_owned())
                },
            )
        });
    }
}
