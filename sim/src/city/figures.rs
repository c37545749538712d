//! The published figures the simulated city follows: Kunming's bulletin for March 2021 (`reference/domain.md` §1.3,
//! §1.8), eight units, 220,876 cases in 31 days. What the bulletin does not give is marked as an example.

use super::course::SidePath;

/// Filed cases a day: 220,876 ÷ 31.
pub const CASES_PER_DAY: f64 = 7_125.0;

/// Whistles a day: 392 ÷ 31.
pub const WHISTLES_PER_DAY: f64 = 12.6;

/// Sources with their filed cases of the month. Satellite and the other channels are not in the total.
pub const SOURCES: [(&str, f64); 4] = [
    ("city_inspector", 42_712.0),
    ("district_inspector", 176_294.0),
    ("hotline", 1_328.0),
    ("social", 542.0),
];

/// Units with weights. The bulletin's filed cases per unit are not published in full; an example.
pub const UNITS: [(&str, f64); 8] = [
    ("530102", 781.0),
    ("530103", 652.0),
    ("530111", 803.0),
    ("530112", 669.0),
    ("530114", 538.0),
    ("5301A1", 252.0),
    ("5301A2", 427.0),
    ("5301A3", 264.0),
];

/// Whistle levels with the month's counts.
pub const WHISTLE_LEVELS: [(domain::whistle::WhistleLevel, f64); 3] = [
    (domain::whistle::WhistleLevel::District, 3.0),
    (domain::whistle::WhistleLevel::Street, 58.0),
    (domain::whistle::WhistleLevel::Community, 331.0),
];

/// What whistles are about, and whom they call; an example.
pub const MATTERS: [(&str, &[&str]); 8] = [
    ("夜市油烟扰民", &["urban", "environment", "fire"]),
    ("路面塌陷抢修", &["housing", "traffic", "water_supply"]),
    ("雨污管网混接", &["water", "housing"]),
    ("无主渣土堆放", &["urban", "housing"]),
    ("占用消防通道", &["fire", "traffic"]),
    ("工地噪声反复投诉", &["environment", "housing"]),
    ("行道树倒伏占道", &["garden", "traffic", "mobile"]),
    ("市场周边车辆乱停", &["traffic", "market", "urban"]),
];

/// Share of dispatches beyond the limit: district level on time 94.54 % in 2024 (§1.13).
pub const LATE_SHARE: f64 = 0.05;

/// Cases that do not go straight round the loop, in per cent. No bulletin gives them; an example.
pub const SIDE_PATHS: [(SidePath, f64); 6] = [
    (SidePath::NotAccepted, 1.2),
    (SidePath::NotFiled, 0.8),
    (SidePath::Returned, 2.5),
    (SidePath::Reworked, 3.0),
    (SidePath::Voided, 0.3),
    (SidePath::Special, 0.4),
];

/// Classes with their share of all cases in per cent. Kinds sum to the bulletin's 203,194 events, 16,355 parts and
/// 1,327 complaints; 暴露垃圾, 占道经营, 户外广告, 雨水箅子 and the complaints' two first are published, the rest of
/// each kind is an example.
pub const CLASSES: [(&str, f64); 30] = [
    ("E01-10", EVENTS * 0.1287),
    ("E04-06", EVENTS * 0.1149),
    ("E01-36", EVENTS * 0.1130),
    ("E01-12", EVENTS * 0.0950),
    ("E02-01", EVENTS * 0.0900),
    ("E04-05", EVENTS * 0.0820),
    ("E04-10", EVENTS * 0.0780),
    ("E04-01", EVENTS * 0.0620),
    ("E04-09", EVENTS * 0.0610),
    ("E06-04", EVENTS * 0.0540),
    ("E03-04", EVENTS * 0.0360),
    ("E03-02", EVENTS * 0.0310),
    ("E01-20", EVENTS * 0.0250),
    ("E05-06", EVENTS * 0.0130),
    ("E05-05", EVENTS * 0.0090),
    ("E05-01", EVENTS * 0.0060),
    ("E01-01", EVENTS * 0.0014),
    ("P03-06", PARTS * 0.1721),
    ("P01-04", PARTS * 0.1118),
    ("P01-37", PARTS * 0.1400),
    ("P03-05", PARTS * 0.1250),
    ("P04-02", PARTS * 0.1200),
    ("P01-02", PARTS * 0.0950),
    ("P01-01", PARTS * 0.0850),
    ("P02-10", PARTS * 0.0750),
    ("P02-04", PARTS * 0.0400),
    ("P05-04", PARTS * 0.0361),
    ("C01-01", COMPLAINTS * 0.5644),
    ("C01-02", COMPLAINTS * 0.2871),
    ("C01-09", COMPLAINTS * 0.1485),
];

const EVENTS: f64 = 203_194.0;
const PARTS: f64 = 16_355.0;
const COMPLAINTS: f64 = 1_327.0;

/// When cases come in, by local hour; an example of two working peaks.
pub const HOURS: [f64; 24] = [
    0.2, 0.2, 0.2, 0.2, 0.2, 0.3, 0.8, 2.0, 5.0, 9.0, 10.0, 8.0, 4.0, 4.0, 7.0, 9.0, 9.0, 7.0, 5.0, 5.0, 4.0,
    2.5, 1.0, 0.5,
];

/// Median time in each stage in minutes, from acceptance to closing; an example.
pub const STAGE_MINUTES: [f64; 7] = [4.0, 6.0, 30.0, 110.0, 18.0, 35.0, 11.0];

/// Which department disposes of a class, by the first letters of the code; an example.
pub const DEPARTMENTS: [(&str, &str); 12] = [
    ("E01-10", "sanitation"),
    ("E01-12", "sanitation"),
    ("E01-20", "water"),
    ("E01", "urban"),
    ("E03", "housing"),
    ("E04-09", "traffic"),
    ("E05-01", "water_supply"),
    ("E05", "mobile"),
    ("P01-37", "power"),
    ("P01", "water"),
    ("P04", "garden"),
    ("P03-05", "sanitation"),
];

/// Filing conditions of some classes (立案条件), after the published table of another city.
pub const CONDITIONS: [(&str, &str); 12] = [
    ("E01-01", "正在建设"),
    ("E01-10", "散落 >1 m²"),
    ("E01-12", "油污"),
    ("E01-36", "建筑材料"),
    ("E02-01", "成片"),
    ("E03-04", "未覆盖"),
    ("E04-05", "占人行道"),
    ("E05-05", "面积 <1 m²"),
    ("P01-02", "缺失"),
    ("P01-04", "堵塞 ≥1/3"),
    ("P01-37", "成片不亮"),
    ("P03-06", "支架松动"),
];
