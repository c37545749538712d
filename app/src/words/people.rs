//! Words about inspectors and their positions.

table! {
    inspector(code): "监督员 {code}", "Inspector {code}";
    nearest(): "最近监督员", "Nearest inspectors";
    none_near(): "附近没有监督员位置", "No inspector's position nearby";
    walking(): "步行", "walking";
    standing(): "停留", "standing";
    stale(): "末次位置", "last seen";
    seconds_ago(count): "{count} 秒前", "{count} s ago";
    minutes_ago(count): "{count} 分前", "{count} min ago";
    hours_ago(count): "{count} 时前", "{count} h ago";
    fixed(): "定位时间", "Fixed";
    state(): "状态", "State";
    distance(): "距焦点", "From the incident";
    coordinates(): "坐标", "Position";
    group(count): "{count} 名监督员", "{count} inspector" | "{count} inspectors";
    members(): "人员", "Who";
    more(count): "等 {count} 人", "and {count} more";
    on_duty(): "在岗监督员", "Inspectors on duty";
    position_stale(): "位置陈旧", "Positions out of date";
    gone(): "位置已不可知", "position no longer known";
    people(): "在格人员", "On the streets";
    source(): "手机定位上报", "reported by phone";
}
