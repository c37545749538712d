//! Words of the seat of an answering department.

table! {
    title(): "责任单位席", "Department seat";
    calls(): "吹哨", "Calls";
    to_do(): "待办", "To do";
    to_finish(): "待处置", "To finish";
    to_feed_back(): "待反馈", "To report back";
    overdue(): "超时", "Overdue";
    returned(): "返工", "Returned";
    with_centre(): "中心办理中", "With the centre";
    nothing(): "没有案件", "No cases here";
    more(count): "还有 {count} 件", "{count} more";
    no_department(): "本账号没有所属单位，请管理员设置", "This account belongs to no department: ask an administrator to set one";
    not_own(): "没有这件案件，或它已不归本单位", "There is no such case, or it is no longer this department's";
    nothing_to_do(): "本环节由中心办理，本单位无须操作", "The centre has it now: nothing to do here";
    respond(): "报到", "Report for duty";
    respond_to(title): "报到：{title}", "Report for duty: {title}";
    answered_late(time): "{time} 报到，已超时", "responded {time}, late";
    key_call(): "到吹哨", "to the call";
}
