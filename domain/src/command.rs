//! Commands: what someone asks for, and may be refused.
//!
//! What happened is an `event`. A step of the loop is one command whose name and fields its row of the table gives; its
//! JSON is that of a command like any other, `{"file_case":{"case":7}}`.

use serde::de::value::EnumAccessDeserializer;
use serde::de::{Deserializer, EnumAccess, IntoDeserializer, VariantAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

use crate::case::step::Words;
use crate::case::{Report, Step};
use crate::catalogue::Entry;
use crate::clock::Limit;
use crate::code::{CaseId, DepartmentCode, WhistleId};
use crate::file::AttachedFile;
use crate::moment::UtcMillis;
use crate::rejection::Language;
use crate::whistle::WhistleCall;

pub use crate::case::history::{History, KnownStep};

/// What someone asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(remote = "Self", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// 上报: a new case enters at 受理.
    ReportCase {
        report: Report,
        /// When it was seen; the present when absent. Within the policy's bounds of past and future.
        #[serde(default)]
        at: Option<UtcMillis>,
    },
    /// 接入: a case that already has a history in another system is taken over at the stage it has reached.
    TakeOverCase { report: Report, history: History },
    /// A step of the closed loop; its row says its name, whose it is and what it asks for.
    #[serde(skip)]
    Step(TakeStep),
    /// 认领: whoever sends it takes the case in hand.
    ClaimCase { case: CaseId },
    /// 备注
    NoteCase { case: CaseId, text: String },
    /// 附件: made by the server of what was sent to it, and of nothing anybody says.
    #[serde(skip)]
    AttachFile { case: CaseId, file: AttachedFile },
    /// 吹哨
    RaiseWhistle { call: WhistleCall },
    /// 报到
    RespondToWhistle { whistle: WhistleId, department: DepartmentCode },
    /// 销哨
    CloseWhistle {
        whistle: WhistleId,
        #[serde(default)]
        note: String,
    },
    /// Adds codes to the catalogue, as an import from another city's tables needs.
    DefineCatalogue { entries: Vec<Entry> },
    /// Sent by the deadline timer alone: records every deadline that has passed and the turn of the day.
    PassDeadlines,
}

impl Command {
    /// The name in metrics, audit and rejections.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::ReportCase { .. } => "report_case",
            Self::TakeOverCase { .. } => "take_over_case",
            Self::Step(take) => take.step.command,
            Self::ClaimCase { .. } => "claim_case",
            Self::NoteCase { .. } => "note_case",
            Self::AttachFile { .. } => "attach_file",
            Self::RaiseWhistle { .. } => "raise_whistle",
            Self::RespondToWhistle { .. } => "respond_to_whistle",
            Self::CloseWhistle { .. } => "close_whistle",
            Self::DefineCatalogue { .. } => "define_catalogue",
            Self::PassDeadlines => "pass_deadlines",
        }
    }

    /// What it is called on a screen.
    #[must_use]
    pub fn act(&self) -> Words {
        match self {
            Self::ReportCase { .. } => ["上报", "report a case"],
            Self::TakeOverCase { .. } => ["接入案件", "take over a case"],
            Self::Step(take) => take.step.act,
            Self::ClaimCase { .. } => ["认领", "take a case in hand"],
            Self::NoteCase { .. } => ["备注", "write a note"],
            Self::AttachFile { .. } => ["上传附件", "attach a file"],
            Self::RaiseWhistle { .. } => ["吹哨", "raise a whistle call"],
            Self::RespondToWhistle { .. } => ["报到", "respond to a whistle call"],
            Self::CloseWhistle { .. } => ["销哨", "end a whistle call"],
            Self::DefineCatalogue { .. } => ["增补目录", "define codes"],
            Self::PassDeadlines => ["计时", "record deadlines"],
        }
    }
}

/// One step of one case, as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakeStep {
    pub step: Step,
    pub case: CaseId,
    pub note: String,
    /// Who is to dispose of the case; stated where the step asks for it.
    pub department: Option<DepartmentCode>,
    /// Without one the condition's, the class's or the policy's limit holds.
    pub limit: Option<Limit>,
}

impl Step {
    /// The command that takes it, without a remark.
    #[must_use]
    pub fn take(self, case: CaseId) -> Command {
        Command::Step(TakeStep { step: self, case, note: String::new(), department: None, limit: None })
    }

    /// The command that takes it, with a remark where the step takes one.
    #[must_use]
    pub fn take_with(self, case: CaseId, note: &str) -> Command {
        let note = if self.note.is_asked() { note.to_owned() } else { String::new() };
        Command::Step(TakeStep { step: self, case, note, department: None, limit: None })
    }

    /// The command that takes it, for a department where the step asks for one.
    #[must_use]
    pub fn take_for(self, case: CaseId, department: DepartmentCode) -> Command {
        let department = self.asks_department().then_some(department);
        Command::Step(TakeStep { step: self, case, note: String::new(), department, limit: None })
    }
}

/// The fields of a step's command; which of them it may and must have is in its row.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StepFields {
    case: CaseId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    department: Option<DepartmentCode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit: Option<Limit>,
}

impl TakeStep {
    fn fields(&self) -> StepFields {
        StepFields {
            case: self.case,
            note: self.step.note.is_asked().then(|| self.note.clone()),
            department: self.department.clone(),
            limit: self.limit,
        }
    }

    fn of<E: serde::de::Error>(step: Step, fields: StepFields) -> Result<Self, E> {
        let StepFields { case, note, department, limit } = fields;
        let surplus = [
            ("note", note.is_some() && !step.note.is_asked()),
            ("department", department.is_some() && !step.asks_department()),
            ("limit", limit.is_some() && !step.0.limit),
        ];
        if let Some((field, _)) = surplus.into_iter().find(|(_, surplus)| *surplus) {
            return Err(E::custom(format_args!("unknown field `{field}`: {} has none", step.command)));
        }
        if step.asks_department() && department.is_none() {
            return Err(E::missing_field("department"));
        }
        Ok(Self { step, case, note: note.unwrap_or_default(), department, limit })
    }
}

impl Serialize for Command {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Self::Step(take) = self {
            return serializer.serialize_newtype_variant("Command", 0, take.step.command, &take.fields());
        }
        // The derived form knows every other one.
        Command::serialize(self, serializer)
    }
}

/// Names of the commands that are no steps.
const PLAIN: [&str; 9] = [
    "report_case",
    "take_over_case",
    "claim_case",
    "note_case",
    "raise_whistle",
    "respond_to_whistle",
    "close_whistle",
    "define_catalogue",
    "pass_deadlines",
];

/// Names of all commands.
static NAMES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| PLAIN.into_iter().chain(Step::all().map(|step| step.0.command)).collect());

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_enum("Command", &NAMES, ByName)
    }
}

struct ByName;

impl<'de> Visitor<'de> for ByName {
    type Value = Command;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a command by its name")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Command, A::Error> {
        let (name, fields) = data.variant::<String>()?;
        if let Some(step) = Step::of_command(&name) {
            return TakeStep::of(step, fields.newtype_variant()?).map(Command::Step);
        }
        if !PLAIN.contains(&name.as_str()) {
            return Err(serde::de::Error::unknown_variant(&name, &NAMES));
        }
        Command::deserialize(EnumAccessDeserializer::new(Known { name, fields }))
    }
}

/// A name that was read already, put back before its fields.
struct Known<V> {
    name: String,
    fields: V,
}

impl<'de, V: VariantAccess<'de>> EnumAccess<'de> for Known<V> {
    type Error = V::Error;
    type Variant = V;

    fn variant_seed<S: serde::de::DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, V), V::Error> {
        let name = IntoDeserializer::<V::Error>::into_deserializer(self.name);
        seed.deserialize(name).map(|name| (name, self.fields))
    }
}

/// What a screen calls a command.
#[must_use]
pub fn act_words(act: Words, language: Language) -> &'static str {
    match language {
        Language::Zh => act[0],
        Language::En => act[1],
    }
}

#[cfg(test)]
mod tests;
