//! Words of a real case that breaks through to a drill.

table! {
    real(): "真实告警 · 不是演练", "Real alarm · not a drill";
    first_level(number): "一级案件 {number}", "first-level case {number}";
    reported(time): "{time} 上报，尚无人应答", "reported {time}, nobody has answered";
    answered(name, time): "{name} 已于 {time} 应答", "answered by {name} at {time}";
    more(count): "另有 {count} 件待应答", "{count} more waits" | "{count} more wait";
    handle(): "去实况办理", "Handle it in the city";
}
