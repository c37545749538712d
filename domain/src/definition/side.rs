//! Definitions of what is counted of the loop's side paths.

use super::{OWN, Plain};
use crate::tally::Measure;

/// Where the states of fielded systems were read.
const FIELDED: [&str; 2] = ["在用系统的办理状态", "states of fielded systems"];

pub(super) const PATHS: [Plain; 10] = [
    (
        Measure::Returned.key(),
        ["回退", "本期内责任单位退回派遣环节的次数，按退回时刻计入；同一案件每退一次计一次", FIELDED[0]],
        [
            "Returned",
            "how often departments gave a case back for another dispatch in the period; a case counts each time",
            FIELDED[1],
        ],
    ),
    (
        Measure::Reworked.key(),
        [
            "返工",
            "本期内核查不通过、退回原责任单位再处置的次数，按核查时刻计入；同一案件每次计一次",
            FIELDED[0],
        ],
        [
            "Reworked",
            "how often a check failed and the same department had to act again in the period; a case counts each time",
            FIELDED[1],
        ],
    ),
    (
        Measure::NotAccepted.key(),
        ["不予受理", "本期内未予受理而终结的上报数，不计入结案", FIELDED[0]],
        [
            "Not accepted",
            "reports that were not taken in and ended so in the period; not among those closed",
            FIELDED[1],
        ],
    ),
    (
        Measure::NotFiled.key(),
        ["不予立案", "本期内受理后未予立案而终结的上报数，不计入结案", FIELDED[0]],
        [
            "Not filed",
            "reports that were taken in, did not become a case and ended so in the period; not among those closed",
            FIELDED[1],
        ],
    ),
    (
        Measure::Voided.key(),
        ["作废", "本期内作废的案件数，不计入结案；已立案的仍计入立案", OWN[0]],
        [
            "Void",
            "cases made void in the period; not among those closed, and among those filed where they had been",
            OWN[1],
        ],
    ),
    (
        Measure::ClosedByForce.key(),
        ["强制结案", "本期内未走完闭环、由监督方强制结案的案件数，计入结案", FIELDED[0]],
        [
            "Closed by force",
            "cases that supervision ended before they had gone round in the period; among those closed",
            FIELDED[1],
        ],
    ),
    (
        Measure::ClosedSpecially.key(),
        ["特殊结案", "本期内因客观原因无法按标准处置而结案的案件数，计入结案", FIELDED[0]],
        [
            "Closed specially",
            "cases closed in the period that could not be disposed of as the standard has it; among those closed",
            FIELDED[1],
        ],
    ),
    (
        Measure::ClosedAsFaulty.key(),
        ["差错结案", "本期内核查后认定立案或派遣有误而结案的案件数，计入结案", FIELDED[0]],
        [
            "Closed as faulty",
            "cases closed in the period whose check showed that they had been filed or sent by mistake; among those closed",
            FIELDED[1],
        ],
    ),
    (
        Measure::Extended.key(),
        ["延期", "本期内批准延期的次数，按批准时刻计入；申请与驳回不计", FIELDED[0]],
        [
            "Extended",
            "extensions granted in the period, at the moment of granting; what was asked for or refused does not count",
            FIELDED[1],
        ],
    ),
    (
        Measure::Suspended.key(),
        ["挂账", "本期内批准挂账的次数，按批准时刻计入；申请与驳回不计", FIELDED[0]],
        [
            "Suspended",
            "suspensions granted in the period, at the moment of granting; what was asked for or refused does not count",
            FIELDED[1],
        ],
    ),
];
