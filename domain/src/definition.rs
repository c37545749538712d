//! Definitions (口径): what each number on a screen means, so that it can defend itself.
//!
//! The formula here is the one the code computes; wall, desk, bulletin and API show the same text. What should not be
//! here: figures of one city's policy, which each definition states as they are in force.

use serde::Serialize;

use crate::answer::PolicyFigures;
use crate::catalogue::Name;
use crate::rejection::Language;
use crate::tally::Measure;

mod side;
#[cfg(test)]
mod tests;

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
    /// 现行数值: the policy's figures that the formula uses, where it uses some.
    pub in_force: Option<Name>,
}

/// A definition without the policy's figures: id, then name, formula and source in both languages.
type Plain = (&'static str, [&'static str; 3], [&'static str; 3]);

/// All definitions, in the order of the wall.
#[must_use]
pub fn all(figures: &PolicyFigures) -> Vec<Definition> {
    PLAIN.iter().chain(&side::PATHS).map(|plain| with_figures(plain, figures)).collect()
}

/// One definition by its id.
#[must_use]
pub fn one(id: &str, figures: &PolicyFigures) -> Option<Definition> {
    PLAIN.iter().chain(&side::PATHS).find(|plain| plain.0 == id).map(|plain| with_figures(plain, figures))
}

/// What the time left on a clock means: `one(CLOCK, …)`.
#[must_use]
pub fn clock(figures: &PolicyFigures) -> Definition {
    stating(&TIME_LEFT, stage_limits(figures))
}

fn with_figures(plain: &Plain, figures: &PolicyFigures) -> Definition {
    stating(plain, in_force(plain.0, figures))
}

fn stating(&(id, zh, en): &Plain, in_force: Option<Name>) -> Definition {
    let name = |at: usize| Name { zh: zh[at].into(), en: en[at].into() };
    Definition { id, name: name(0), formula: name(1), source: name(2), in_force }
}

/// The limits of dispatch and disposal.
fn stage_limits(figures: &PolicyFigures) -> Option<Name> {
    let words = |language| (figures.dispatch_limit.words(language), figures.disposal_limit.words(language));
    let (zh, en) = (words(Language::Zh), words(Language::En));
    Some(Name {
        zh: format!("派遣时限 {}；处置时限按小类，未定者 {}", zh.0, zh.1),
        en: format!("dispatch limit {}; disposal limit by class, {} where it has none", en.0, en.1),
    })
}

/// The policy's figures that a definition uses.
fn in_force(id: &str, figures: &PolicyFigures) -> Option<Name> {
    let both = |zh: String, en: String| Some(Name { zh, en });
    let limit = |language| figures.dispatch_limit.words(language);
    let (zh, en) = (Language::Zh, Language::En);
    match id {
        OVERDUE | UNCLAIMED | LATE => {
            both(format!("派遣时限 {}", limit(zh)), format!("dispatch limit {}", limit(en)))
        }
        NEARING => both(
            format!("预报时段 {} 分钟；派遣时限 {}", figures.forecast_minutes, limit(zh)),
            format!("forecast window {} min; dispatch limit {}", figures.forecast_minutes, limit(en)),
        ),
        STAGE_LATE | CLOCK => stage_limits(figures),
        WHISTLE_LATE => both(
            format!("报到时限 {} 分钟", figures.whistle_response_minutes),
            format!("response limit {} min", figures.whistle_response_minutes),
        ),
        ONLINE | OFFLINE => both(
            format!("陈旧时限 {} 秒", figures.position_stale_seconds),
            format!("stale after {} s", figures.position_stale_seconds),
        ),
        LAMP => both(
            format!("已用 {} % 起", figures.lamp_yellow_percent),
            format!("from {} % of the limit", figures.lamp_yellow_percent),
        ),
        _ => None,
    }
}

const OVERDUE: &str = Measure::OverdueDispatch.key();
const NEARING: &str = Measure::NearingDispatch.key();
const LATE: &str = Measure::DispatchedLate.key();
const WHISTLE_LATE: &str = Measure::WhistleLate.key();
/// Overdue dispatches that nobody has taken.
pub const UNCLAIMED: &str = "overdue_unclaimed";
/// Cases of one stage beyond its limit.
pub const STAGE_LATE: &str = "stage_overdue";
/// Cases waiting in one stage.
pub const STAGE: &str = "at_stage";
/// How long the cases of a stage have waited.
pub const WAITED: &str = "waited_median";
/// What today is held against.
pub const USUAL: &str = "usual_by_now";
/// What the cases of a stage are held against.
pub const USUAL_WAITING: &str = "usual_waiting";
pub const CLOSURE_RATE: &str = "closure_rate";
/// Time left until a deadline, or passed since.
pub const CLOCK: &str = "time_left";
/// The yellow lamp.
pub const LAMP: &str = "lamp_short";
pub const ALARMS: &str = "alarms";
/// Alarms of the last hour.
pub const ALARMS_HOUR: &str = "alarms_hour";
pub const ONLINE: &str = "inspectors_online";
pub const OFFLINE: &str = "inspectors_stale";
/// How old the screen's data are.
pub const DATA_AGE: &str = "data_age";

const BULLETIN: [&str; 2] = ["昆明市通报 2021 年 3 月", "Kunming bulletin, March 2021"];
const LOOP: [&str; 2] = ["闭环七环节", "the closed loop of seven stages"];
const PANLONG: [&str; 2] = [
    "盘龙 2025：案件派遣时限四小时（计时单位为本地设置）",
    "Panlong 2025: four hours (kind of hour is a local setting)",
];
const OWN: [&str; 2] = ["本系统规则", "rule of this system"];

/// Apart from the table, so that a programme that asks for no other carries no other.
const TIME_LEFT: Plain = (
    CLOCK,
    [
        "剩余时间",
        "时限减去已用时间，按时限自身的计时单位计：紧急类昼夜连续，工作时只计上班时间，互不折算；到期后为超时时长",
        "本地规则与日历",
    ],
    [
        "Time left",
        "the limit less the time used, in the limit's own unit: urgent clocks run on, work clocks count office hours \
         only, one is never converted into the other; after the due time, the time beyond it",
        "local rules and calendar",
    ],
);

const PLAIN: [Plain; 24] = [
    (
        Measure::Filed.key(),
        [
            "立案",
            "本期内完成立案的案件数，按立案时刻计入当地日、月；接入案件的立案时刻未知的，不计",
            BULLETIN[0],
        ],
        [
            "Filed",
            "cases whose filing (立案) happened in the period, counted in the local day and month of that moment; a case taken \
             over counts where that moment is known",
            BULLETIN[1],
        ],
    ),
    (
        Measure::Closed.key(),
        [
            "结案",
            "本期内结案的案件数，含强制、特殊、差错结案，不含作废；不论何时立案，按结案时刻计入",
            BULLETIN[0],
        ],
        [
            "Closed",
            "cases closed in the period, those closed by force, specially or as faulty among them and void ones not, whenever they \
             were filed, counted at the moment of closing",
            BULLETIN[1],
        ],
    ),
    (
        USUAL,
        [
            "参照",
            "近四个同星期几到此刻的中位数，区间为其最小至最大；不足三个时为昨日同刻。当前小时按分钟折算",
            OWN[0],
        ],
        [
            "Reference",
            "the middle of the last four same weekdays by now, the band from their least to their most; with fewer than \
             three of them, yesterday by now. The present hour counts by the minute",
            OWN[1],
        ],
    ),
    (
        CLOSURE_RATE,
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
    (
        Measure::Dispatched.key(),
        [
            "派遣",
            "本期内派遣至责任部门的次数，按派遣时刻计入；接入案件的派遣时刻未知的，不计",
            "昆政办〔2018〕63号 闭环流程",
        ],
        [
            "Dispatched",
            "dispatches to a department in the period, counted at the moment of dispatch; those of a case taken over count where \
             that moment is known",
            LOOP[1],
        ],
    ),
    (
        Measure::Open.key(),
        ["在办", "已上报而未结案的案件数，等于七个环节之和", LOOP[0]],
        ["Open", "cases reported and not closed; the sum of the seven stages", LOOP[1]],
    ),
    (
        STAGE,
        ["环节在办", "现停留在该环节的案件数；七个环节之和等于在办", LOOP[0]],
        ["Waiting in a stage", "cases waiting in this stage now; the seven stages add up to open", LOOP[1]],
    ),
    (
        USUAL_WAITING,
        [
            "环节常态",
            "近四个同星期几此刻停留在该环节的案件数的中位数，区间为其最小至最大；不足三个时为昨日此刻。由现数按其后各小时的进出\
             倒推，当前小时按分钟折算；那日没有案件流转或那时没有在办案件的，不取。超出区间上限，且超出部分大于两倍的上限平方根\
             （计数本身的起伏）的，称积压",
            OWN[0],
        ],
        [
            "Usually waiting",
            "the middle of how many waited in this stage at this time of the last four same weekdays, the band from their least to \
             their most; with fewer than three of them, yesterday. It follows from what waits now and what has come and left \
             since, by hours, the present one by the minute; a day on which no case moved, or a time at which none was open, is \
             not taken. Piling up: beyond the band by more than twice the root of its upper end, what a count moves by of itself",
            OWN[1],
        ],
    ),
    (
        STAGE_LATE,
        ["环节超时", "现停留在该环节且已超过其时限的案件数；只有派遣、处置两个环节计时", LOOP[0]],
        [
            "Overdue in a stage",
            "cases waiting in this stage beyond its limit; only dispatch and disposal have one",
            LOOP[1],
        ],
    ),
    (
        WAITED,
        ["中位已等", "现停留在该环节的案件自进入该环节起所等时间的中位数，昼夜连续计", OWN[0]],
        [
            "Median wait",
            "the middle of how long the cases of this stage have been in it, counted day and night",
            OWN[1],
        ],
    ),
    (
        OVERDUE,
        ["超时未派遣", "现停留在派遣环节且自立案起已超过派遣时限的案件数", PANLONG[0]],
        [
            "Overdue dispatch",
            "cases waiting for dispatch for longer than the dispatch limit since filing",
            PANLONG[1],
        ],
    ),
    (
        UNCLAIMED,
        ["超时未派遣 未认领", "超时未派遣的案件中尚无人认领的件数", PANLONG[0]],
        ["Overdue dispatch, unclaimed", "overdue dispatches that nobody has taken in hand", PANLONG[1]],
    ),
    (
        LATE,
        ["超时派遣", "本期派出、派出时已过派遣时限的案件数", PANLONG[0]],
        [
            "Dispatched late",
            "cases dispatched in the period after their dispatch limit had run out",
            PANLONG[1],
        ],
    ),
    (
        NEARING,
        ["将超时", "现停留在派遣环节、若不派遣将在预报时段内超过时限的案件数", "本系统预报规则"],
        [
            "Due soon",
            "cases waiting for dispatch whose limit runs out within the forecast window unless they are dispatched",
            "forecast rule of this system",
        ],
    ),
    TIME_LEFT,
    (
        LAMP,
        ["临期", "时限已用达到黄灯比例而尚未到期的案件；与“将超时”不同，后者看到期前剩余的分钟数", OWN[0]],
        [
            "Short",
            "cases that have used the yellow lamp's share of their limit and are not due yet; not the same as “due soon”, \
             which looks at the minutes left",
            OWN[1],
        ],
    ),
    (
        Measure::WhistleOpen.key(),
        ["进行中的哨", "已吹未销的哨数（案不结、哨不停）", "街道吹哨、部门报到机制"],
        ["Open whistle calls", "calls raised and not closed", "street whistle, department response"],
    ),
    (
        WHISTLE_LATE,
        [
            "吹哨超时未到岗",
            "进行中的哨里，超过报到时限尚未报到的被呼叫部门数（家次，一哨可有多家）",
            "北京经验 30 分钟报到；昆明本地时限未知，为设置",
        ],
        [
            "Late responses",
            "departments called by open calls that have not responded within the response limit; one call may have several",
            "Beijing's thirty minutes; Kunming's own limit is not known, so it is a setting",
        ],
    ),
    (
        Measure::WhistleRaised.key(),
        ["吹哨", "本期内发起的哨数", "昆明市通报 2021 年 3 月：392 次"],
        ["Whistle calls", "calls raised in the period", "Kunming bulletin, March 2021: 392"],
    ),
    (
        ONLINE,
        ["在岗监督员", "最近一次定位未超过陈旧时限的监督员数", OWN[0]],
        ["Inspectors on duty", "inspectors whose newest position is not older than the stale limit", OWN[1]],
    ),
    (
        OFFLINE,
        ["位置滞后", "最近一次定位已超过陈旧时限的监督员数", OWN[0]],
        ["Late positions", "inspectors whose newest position is older than the stale limit", OWN[1]],
    ),
    (
        ALARMS,
        [
            "报警率",
            "最近 10 分钟内到期未完成的时限数（派遣、处置、报到）；洪泛线为每 10 分钟 10 次",
            "EEMUA 191 报警率分级",
        ],
        [
            "Alarms",
            "limits that ran out within the last 10 minutes (dispatch, disposal, response); the flood line is 10 in 10 minutes",
            "EEMUA 191 alarm rate",
        ],
    ),
    (
        ALARMS_HOUR,
        [
            "近 1 小时报警",
            "最近 1 小时内到期未完成的时限数（派遣、处置、报到）；本屏动态不足 1 小时的，自其起计。每条为 5 分钟，满格为洪泛线",
            "EEMUA 191 报警率分级",
        ],
        [
            "Alarms of the last hour",
            "limits that ran out within the last hour (dispatch, disposal, response), or since this screen's events begin \
             where they reach back less; a bar is five minutes, a full one the flood line",
            "EEMUA 191 alarm rate",
        ],
    ),
    (
        DATA_AGE,
        [
            "数据时延",
            "此刻减去最近一次收到服务器消息的时刻；服务器每秒报一次，2.5 秒无消息即报中断。每 10 秒核对一次状态，不一致即重取并计一次校正",
            OWN[0],
        ],
        [
            "Age of the data",
            "now less the moment of the server's last message; it speaks each second, and 2.5 s of silence are announced as \
             a lost connection. The state is verified every 10 s; where it differs it is taken anew and counted as a correction",
            OWN[1],
        ],
    ),
];
