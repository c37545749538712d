//! Definitions (口径): what each number on a screen means, so that it can defend itself.
//!
//! The formula here is the one the code computes; wall, desk, bulletin and API show the same text.

use serde::Serialize;

use crate::catalogue::Name;
use crate::tally::Measure;

/// What a number means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Definition {
    /// Stable name, also the tally measure where there is one.
    pub id: &'static str,
    pub name: Name,
    pub formula: Name,
    /// Where the rule comes from.
    pub source: Name,
}

/// All definitions, in the order of the wall.
#[must_use]
pub fn all() -> Vec<Definition> {
    let plain = |id: &'static str, zh: [&str; 3], en: [&str; 3]| Definition {
        id,
        name: Name { zh: zh[0].into(), en: en[0].into() },
        formula: Name { zh: zh[1].into(), en: en[1].into() },
        source: Name { zh: zh[2].into(), en: en[2].into() },
    };
    vec![
        plain(
            Measure::Filed.key(),
            ["立案", "本期内完成立案的案件数，按立案时刻计入当地日、月", "昆明市通报 2021 年 3 月：立案"],
            [
                "Filed",
                "cases whose filing (立案) happened in the period, counted in the local day and month of that moment",
                "Kunming bulletin, March 2021",
            ],
        ),
        plain(
            Measure::Closed.key(),
            ["结案", "本期内结案的案件数，不论何时立案，按结案时刻计入", "昆明市通报 2021 年 3 月：结案"],
            [
                "Closed",
                "cases closed in the period, whenever they were filed, counted at the moment of closing",
                "Kunming bulletin, March 2021",
            ],
        ),
        plain(
            "closure_rate",
            [
                "结案率",
                "本期结案数 ÷ 本期立案数 × 100%；结案可含往期立案，故可超过 100%",
                "昆明市通报 2021 年 3 月（218596 ÷ 220876 = 98.97%）",
            ],
            [
                "Closing rate",
                "closed in the period ÷ filed in the period × 100 %; closures may belong to earlier filings, so it can exceed 100 %",
                "Kunming bulletin, March 2021 (218,596 ÷ 220,876 = 98.97 %)",
            ],
        ),
        plain(
            Measure::Dispatched.key(),
            ["派遣", "本期内派遣至责任部门的案件数，按派遣时刻计入", "昆政办〔2018〕63号 闭环流程"],
            [
                "Dispatched",
                "cases sent to a department in the period, counted at the moment of dispatch",
                "the closed loop",
            ],
        ),
        plain(
            Measure::Open.key(),
            ["在办", "已上报而未结案的案件数，等于七个环节之和", "闭环七环节"],
            [
                "Open",
                "cases reported and not closed; the sum of the seven stages",
                "the closed loop of seven stages",
            ],
        ),
        plain(
            Measure::OverdueDispatch.key(),
            [
                "超时未派遣",
                "现停留在派遣环节且自立案起已超过派遣时限的案件数；时限与计时单位见策略",
                "盘龙 2025：案件派遣时限四小时（计时单位为本地设置）",
            ],
            [
                "Overdue dispatch",
                "cases waiting for dispatch for longer than the dispatch limit since filing; limit and unit are policy",
                "Panlong 2025: four hours (kind of hour is a local setting)",
            ],
        ),
        plain(
            Measure::NearingDispatch.key(),
            [
                "未来将超时",
                "现停留在派遣环节、若不派遣将在预报时段内超过时限的案件数",
                "本系统预报规则，时段见策略",
            ],
            [
                "Overdue soon",
                "cases waiting for dispatch whose limit runs out within the forecast window unless they are dispatched",
                "forecast rule of this system; the window is policy",
            ],
        ),
        plain(
            Measure::WhistleOpen.key(),
            ["进行中的哨", "已吹未销的哨数（案不结、哨不停）", "街道吹哨、部门报到机制"],
            ["Open whistle calls", "calls raised and not closed", "street whistle, department response"],
        ),
        plain(
            Measure::WhistleLate.key(),
            [
                "吹哨超时未到岗",
                "被呼叫而超过报到时限尚未报到的部门数（家次）",
                "北京经验 30 分钟报到；昆明本地时限未知，为设置",
            ],
            [
                "Late responses",
                "called departments that have not responded within the response limit",
                "Beijing's thirty minutes; Kunming's own limit is not known, so it is a setting",
            ],
        ),
        plain(
            Measure::WhistleRaised.key(),
            ["吹哨", "本期内发起的哨数", "昆明市通报 2021 年 3 月：392 次"],
            ["Whistle calls", "calls raised in the period", "Kunming bulletin, March 2021: 392"],
        ),
        plain(
            "inspectors_online",
            ["在岗监督员", "最近一次定位未超过陈旧时限的监督员数；陈旧时限见策略", "本系统规则"],
            [
                "Inspectors on duty",
                "inspectors whose newest position is not older than the stale limit of the policy",
                "rule of this system",
            ],
        ),
    ]
}
