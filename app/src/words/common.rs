//! Words every page needs: stages, units, definition card, signing in.

use super::table;

table! {
    product(): "格厅", "Gridhall";
    monday(): "一", "Mon";
    tuesday(): "二", "Tue";
    wednesday(): "三", "Wed";
    thursday(): "四", "Thu";
    friday(): "五", "Fri";
    saturday(): "六", "Sat";
    sunday(): "日", "Sun";
    stage_accept(): "受理", "Accept";
    stage_file(): "立案", "File";
    stage_dispatch(): "派遣", "Dispatch";
    stage_dispose(): "处置", "Dispose";
    stage_feedback(): "反馈", "Report";
    stage_check(): "核查", "Check";
    stage_close(): "结案", "Close";
    level_district(): "区级哨", "District";
    level_street(): "街道哨", "Street";
    level_community(): "社区哨", "Community";
    urgent_hour(): "紧急工作时", "urgent h";
    urgent_day(): "紧急工作日", "urgent days";
    work_hour(): "工作时", "work h";
    work_day(): "工作日", "work days";
    over(): "超", "over";
    left(): "剩", "left";
    resumes_today(time): "停表，{time} 起算", "stopped until {time}";
    resumes_tomorrow(time): "停表，明日 {time} 起算", "stopped until tomorrow {time}";
    resumes_on(date, time): "停表，{date} {time} 起算", "stopped until {date} {time}";
    definition(): "口径", "Definition";
    formula(): "公式", "Formula";
    numerator(): "分子", "Numerator";
    denominator(): "分母", "Denominator";
    as_of(): "截至", "As of";
    rule_source(): "依据", "Source";
    value(): "数值", "Value";
    open_cases(): "查看案件", "Show the cases";
    close(): "关闭", "Close";
    theme(): "深浅主题", "Theme";
    other_language(): "English", "中文";
    sign_in(): "登录", "Sign in";
    sign_out(): "退出", "Sign out";
    account(): "账号", "Account";
    password(): "密码", "Password";
    signing_in(): "登录中", "Signing in";
    sign_in_wrong(): "账号或密码不正确", "Account or password is not right";
    unreachable(): "连不上服务器，请稍后再试", "The server cannot be reached; try again";
    refused(words): "服务器拒绝：{words}", "The server refused: {words}";
    to_wall(): "指挥大屏", "Wall";
    to_desk(): "派遣席", "Desk";
    signed_in_as(name): "当前账号 {name}", "Signed in as {name}";
    not_found(): "没有这一页", "There is no such page";
    home(): "首页", "Home";
    connecting(): "正在连接", "Connecting";
}
