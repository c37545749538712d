//! Words of pairing: what a wall without a session says, and what the operator who pairs it reads.

table! {
    kiosks(): "大屏配对", "Pair walls";
    not_paired(): "此大屏尚未配对", "This wall is not paired yet";
    what_to_do(): "请管理员或派遣员登录后，从首页进入“大屏配对”，输入这六位数字",
        "Have an administrator or dispatcher sign in, open \"Pair walls\" on the start page and enter these six digits";
    code_label(digits): "配对码 {digits}", "Pairing code {digits}";
    time_left(time): "剩 {time}，到时自动换新码", "{time} left, then a new code comes by itself";
    asking(): "正在取配对码", "Getting a pairing code";
    away(): "连不上服务器，正在自动重试", "The server cannot be reached; trying again by itself";
    full(): "等待配对的大屏过多，稍后自动重试", "Too many walls wait for pairing; trying again by itself";
    person(): "工作人员登录", "Sign in as a person";
    explain(): "在大屏的浏览器里打开 /pair，把它显示的六位数字填在这里。",
        "Open /pair in the wall's browser and enter the six digits it shows.";
    code(): "配对码（六位数字）", "Pairing code (six digits)";
    name(): "名称（显示在日志中）", "Name (stands in the log)";
    wall(): "大屏编号（字母、数字、- 或 _）", "Wall (letters, digits, - or _)";
    approve(): "配对", "Pair";
    approving(): "配对中", "Pairing";
    approved(name, wall): "已批准：{name} 几秒内打开大屏 {wall}", "Approved: {name} opens wall {wall} within seconds";
    unknown_code(): "没有大屏显示此码，或已过期；请核对大屏上的数字", "No wall shows this code, or it has expired; check the digits on the wall";
    taken(name): "名称“{name}”已被使用；请换一个，或先撤销它", "The name \"{name}\" is taken; choose another or revoke it first";
    guessing(): "输错次数过多，请几分钟后再试", "Too many wrong codes; try again in a few minutes";
    bad_name(): "名称或大屏编号不符合要求：首尾不能有空格，也不能用 system", "The name or the wall is not allowed: no space at either end, and not \"system\"";
    not_allowed(): "当前账号无权配对大屏，需要管理员或派遣员", "This account may not pair walls; it takes an administrator or a dispatcher";
    unreachable(): "连不上服务器，未办理；请稍后再试", "The server cannot be reached, nothing was done; try again";
    paired(): "已配对的大屏", "Paired walls";
    none_paired(): "还没有配对的大屏", "No wall is paired yet";
    since(time): "{time} 起", "since {time}";
    revoke(): "撤销", "Revoke";
    revoke_name(name): "撤销 {name}", "Revoke {name}";
    revoke_sure(): "确认撤销", "Revoke now";
    revoke_sure_name(name): "确认撤销 {name}", "Revoke {name} now";
    revoked(name): "已撤销：{name} 几秒内回到配对页", "Revoked: {name} returns to pairing within seconds";
    gone(name): "{name} 已不在列表中", "{name} is no longer in the list";
}
