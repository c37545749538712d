//! Words of the replay's page: choosing a part of the past, and driving it.

table! {
    title(): "复盘", "Replay";
    explain(): "选定过去的一段时间，大屏与坐席按当时的样子重放；只能看，不能办理。", "Choose a part of the past: wall and desk show it again as it was. It can be watched, nothing can be handled.";
    day(): "日期", "Day";
    from(): "起", "From";
    to(): "止（空为当日末）", "To (empty: end of the day)";
    open(): "打开", "Open";
    opening(): "正在重建当时的状态", "Rebuilding what was then";
    opened(): "已打开的复盘", "Open replays";
    none_open(): "没有已打开的复盘", "No replay is open";
    end(): "结束", "End";
    end_this(): "结束复盘", "End the replay";
    again(): "重新打开这一段", "Open this interval again";
    no_day(): "请填日期，如 2026-11-21", "Enter a day, such as 2026-11-21";
    no_time(): "请填起始时间，如 08:00", "Enter the time it begins, such as 08:00";
    wrong_order(): "起始时间须早于终止时间", "It must begin before it ends";
    before_log(): "这段时间早于系统的第一条记录，没有可重放的内容", "That is before the hall's first record: there is nothing to show";
    after_now(): "这段时间还没有过去，复盘只到此刻为止", "That has not passed yet: a replay ends now at the latest";
    too_long(): "这段时间太长，请分段打开", "That is too long: open it in parts";
    too_many(): "已打开的复盘太多，请先结束一个", "Too many replays are open: end one first";
    bad_address(): "地址里的时间看不懂，请重新选择", "The times in the address are not understood: choose again";
    not_allowed(): "本账号不能打开复盘", "This account may not open replays";
    gone(): "这个复盘已经结束", "This replay has ended";
    as_of(): "截至", "As of";
    pace(times): "{times} 倍速", "{times} times the pace";
    paces(): "倍速", "Pace";
    paused(): "已暂停", "Paused";
    ended(): "已到末尾", "At its end";
    pause(): "暂停", "Pause";
    run(): "继续", "Run";
    scrub(): "时刻", "Instant";
    back(minutes): "退 {minutes} 分", "{minutes} min back";
    on(minutes): "进 {minutes} 分", "{minutes} min on";
    freeze(): "定格此刻", "Freeze as of now";
    share(): "此刻的地址", "Address of this instant";
    copy(): "复制", "Copy";
    copied(): "已复制", "Copied";
    share_why(): "开会时打开这个地址，看到的就是这一刻；服务器重启后仍可用。", "Opened in a meeting, this address shows this very instant; it outlasts a restart of the server.";
    windows(): "在另一窗口打开", "Open in another window";
    wall(): "当时的大屏", "The wall as it was";
    desk(): "当时的坐席", "The desk as it was";
    events(count): "这段时间的事件 {count} 条", "{count} events in this interval";
    policy_changed(times): "其间启用了新办法：{times}；此后的时限按新办法", "Another policy came into force at {times}: limits after it go by the new one";
    failed(words): "未能办到：{words}", "Not done: {words}";
    then(): "当时", "As it was";
}
