//! Words on maps and in their corners.

table! {
    open(): "在办", "Open";
    late(): "位置滞后", "Positions late";
    note(): "示意图 非测绘成果", "Schematic, not a survey map";
    label(): "辖区地图：监督员、案件、摄像机", "Map: inspectors, cases, cameras";
    failed(): "地图未能载入，正在重试", "The map did not load, trying again";
    part(): "部分图层未能载入", "Some map layers did not load";
    approval(): "审图号：", "Map approval ";
    priority_1(): "一级案件", "Priority 1";
    priority_2(): "二级案件", "Priority 2";
    priority_3(): "三级案件", "Priority 3";
    ordinary(): "常规", "Ordinary";
    each(per): "每格至多 {per} 件", "up to {per} per square";
    person(): "监督员 朝向", "Inspector, heading";
}
