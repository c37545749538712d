//! Events of the feed, each as one word.

table! {
    case_reported(): "上报", "Report";
    case_taken_over(): "接入", "Taken in";
    case_accepted(): "受理", "Accept";
    case_filed(): "立案", "Filed";
    case_dispatched(): "派遣", "Sent";
    disposal_finished(): "处置", "Disposed";
    feedback_given(): "反馈", "Feedback";
    check_passed(): "核查", "Checked";
    case_closed(): "结案", "Closed";
    case_claimed(): "认领", "Claimed";
    case_noted(): "备注", "Note";
    whistle_raised(): "吹哨", "Call";
    whistle_answered(): "报到", "Respond";
    whistle_closed(): "销哨", "Call end";
    catalogue_defined(): "目录", "Codes";
    deadline_nearing(): "将超时", "Nearing";
    deadline_passed(): "超时", "Overdue";
    day_turned(): "换日", "New day";
}
