//! Our own scripts and style sheets as they are sent: without the comments, which explain the source and not the page.
//!
//! What should be here: leaving out lines that are nothing but comment. What should not: any change to code. A comment
//! behind code stays, so nothing need be parsed: only whole lines go, and only where they cannot be anything else.

/// Whether `path` is a file of ours with comments in it. What others wrote keeps its licence headers.
pub fn has_some(path: &str) -> bool {
    !path.starts_with("vendor/") && [".js", ".mjs", ".css"].iter().any(|ending| path.ends_with(ending))
}

/// `text` without lines of comment (`// …`, and `/* … */` over one or more whole lines), empty lines and indentation.
/// A template literal over several lines keeps its lines as they are.
pub fn without(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let (mut in_comment, mut in_template) = (false, false);
    for line in text.lines() {
        let code = line.trim();
        if in_comment {
            if let Some((_, rest)) = code.split_once("*/") {
                in_comment = false;
                kept.push_str(rest.trim_start());
                kept.push_str(if rest.is_empty() { "" } else { "\n" });
            }
        } else if in_template {
            in_template ^= opens_or_ends_template(line);
            kept.push_str(line);
            kept.push('\n');
        } else if code.starts_with("/*") && !code[2..].contains("*/") {
            in_comment = true;
        } else if !(code.is_empty() || code.starts_with("//") || is_whole_comment(code)) {
            in_template = opens_or_ends_template(code);
            kept.push_str(code);
            kept.push('\n');
        }
    }
    kept
}

fn is_whole_comment(code: &str) -> bool {
    code.starts_with("/*") && code.find("*/") == Some(code.len() - 2)
}

/// An odd number of backticks leaves a literal open, or ends the open one.
fn opens_or_ends_template(line: &str) -> bool {
    line.matches('`').count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_lines_of_comment_go() {
        let script = "// why\n/** what\n * it is */ x();\nimport 'a'; // stays\n\n  /* one */\n  const a = '/*';\n  /* x */ b();\n";
        assert_eq!(without(script), "x();\nimport 'a'; // stays\nconst a = '/*';\n/* x */ b();\n");
    }

    #[test]
    fn a_template_literal_keeps_its_lines() {
        let script = "const a = `x\n  // shader\n\n`;\n  // gone\nconst b = `y`;\n";
        assert_eq!(without(script), "const a = `x\n  // shader\n\n`;\nconst b = `y`;\n");
    }

    #[test]
    fn others_files_are_left_alone() {
        assert!(has_some("js/map.js") && has_some("pkg/main.css"));
        assert!(!has_some("vendor/maplibre/6/maplibre-gl.mjs") && !has_some("pkg/wall_bg.wasm"));
    }
}
