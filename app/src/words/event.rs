//! Events of the feed, each as one word. Steps of the loop have theirs in their rows (`domain::case::step`).

table! {
    case_reported(): "上报", "Reported";
    case_taken_over(): "接入", "Taken in";
    case_claimed(): "认领", "Claimed";
    case_noted(): "备注", "Note";
    file_attached(): "附件", "File";
    case_replanned(): "改期", "Replanned";
    case_moved(): "划转", "Moved";
    policy_adopted(): "规则", "Rules";
    whistle_raised(): "吹哨", "Call";
    whistle_answered(): "报到", "Respond";
    whistle_closed(): "销哨", "Call end";
    whistle_moved(): "吹哨划转", "Call moved";
    catalogue_defined(): "目录", "Codes";
    deadline_nearing(): "将超时", "Nearing";
    deadline_passed(): "超时", "Overdue";
    day_turned(): "换日", "New day";
    cameras_adopted(): "摄像机", "Cameras";
}
