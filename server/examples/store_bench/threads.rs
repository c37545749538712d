//! Processor time of some of this process's threads, by their name.

use anyhow::Context;

/// Processor seconds that living threads whose name begins so have used.
pub fn seconds(name: &str) -> anyhow::Result<f64> {
    let tasks = std::fs::read_dir("/proc/self/task").context("cannot list this process's threads")?;
    let mut nanoseconds = 0.0;
    for task in tasks {
        let task = task?.path();
        // A thread may have ended meanwhile.
        let read = |file: &str| std::fs::read_to_string(task.join(file)).unwrap_or_default();
        if read("comm").starts_with(name) {
            let used = read("schedstat").split(' ').next().and_then(|first| first.parse::<f64>().ok());
            nanoseconds += used.unwrap_or(0.0);
        }
    }
    Ok(nanoseconds / 1e9)
}
