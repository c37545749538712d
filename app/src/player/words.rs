//! A tile's state in words, both languages. Plain functions, so that they are tested without a browser.

#[cfg(test)]
mod tests;

use domain::moment::{Local, UtcMillis, UtcOffset};
use domain::rejection::Language;
use domain::stream::Cause;

use super::state::{Shown, Told, Why};
use crate::text;

/// What a tile says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// Beside the shape in the bar.
    pub bar: String,
    /// Over the picture, where there is no current one.
    pub over: Option<Over>,
    /// For whoever points at the bar.
    pub tooltip: String,
}

/// Words over the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Over {
    pub title: String,
    pub detail: String,
}

/// All words of a tile. Times are told at `offset`.
#[must_use]
pub fn state_words(language: Language, told: &Told, offset: UtcOffset) -> Words {
    let say = |zh: &str, en: &str| pick(language, zh, en).to_owned();
    let bar = match &told.shown {
        Shown::Connecting { .. } => say("连接中", "connecting"),
        Shown::Live { delay_ms: Some(ms) } => {
            let delay = f64::from(*ms) / 1000.0;
            pick_owned(
                language,
                || format!("实时 {} 秒", text::fixed(delay, 1)),
                || format!("live {} s", text::fixed(delay, 1)),
            )
        }
        Shown::Live { delay_ms: None } => say("实时", "live"),
        Shown::Delayed { delay_s } => {
            let delay = duration(language, *delay_s);
            pick_owned(language, || format!("延迟 {delay}"), || format!("delayed {delay}"))
        }
        Shown::KeyFrames { interval_s: Some(every) } => pick_owned(
            language,
            || format!("关键帧 每 {every} 秒"),
            || format!("key frames, every {every} s"),
        ),
        Shown::KeyFrames { interval_s: None } => say("关键帧", "key frames"),
        Shown::Lost { .. } | Shown::Refused {} | Shown::Unsupported {} | Shown::Gone {} => {
            last_picture(language, told, offset).unwrap_or_else(|| say("无画面", "no picture"))
        }
    };
    let cause = told.why.and_then(|why| why_words(language, why));
    let tooltip = [cause, told.reason.clone()].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    Words { bar, over: over(language, told, offset), tooltip }
}

fn over(language: Language, told: &Told, offset: UtcOffset) -> Option<Over> {
    let say = |zh: &str, en: &str| pick(language, zh, en).to_owned();
    let cause = told.why.and_then(|why| why_words(language, why));
    let (title, first) = match &told.shown {
        Shown::Live { .. } | Shown::Delayed { .. } | Shown::KeyFrames { .. } => return None,
        Shown::Connecting { waited_s } => {
            let waited = duration(language, *waited_s);
            let detail = pick_owned(language, || format!("已等 {waited}"), || format!("waited {waited}"));
            return Some(Over { title: say("正在连接", "Connecting"), detail });
        }
        Shown::Lost { since_ms } => {
            let since = since_ms.map(|ms| {
                let time = hour_minute(UtcMillis(ms).local(offset));
                pick_owned(language, || format!("{time} 起"), || format!("since {time}"))
            });
            let title = match told.why {
                Some(Why::Link) => say("与服务器断开", "Server not reached"),
                // The signal is there; pictures are not.
                Some(Why::Stream(Cause::Undecodable)) => say("无法解码", "Cannot be decoded"),
                _ => say("信号中断", "Signal lost"),
            };
            (title, since)
        }
        Shown::Refused {} => {
            let status = told.reason.as_deref().and_then(status_code);
            let title = say("拒绝访问", "Access refused");
            (status.map_or(title.clone(), |status| format!("{title} {status}")), cause)
        }
        Shown::Unsupported {} => (say("编码不支持", "Codec not supported"), cause),
        Shown::Gone {} => {
            return Some(Over {
                title: say("无此摄像机", "No such camera"),
                detail: say("已不在名录或可见范围内", "no longer in the registry, or out of your sight"),
            });
        }
    };
    let retry = match (&told.shown, told.retry_s) {
        (Shown::Unsupported {}, _) => None,
        (_, Some(seconds)) if seconds > 0 => {
            let wait = duration(language, seconds);
            Some(pick_owned(language, || format!("{wait}后重试"), || format!("retry in {wait}")))
        }
        // The page itself may not ask for more; nothing is under way.
        _ if told.why == Some(Why::TileLimit) => None,
        _ => Some(say("正在重试", "trying again")),
    };
    let detail = [first, retry].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    Some(Over { title, detail })
}

/// 末帧: when the picture that still stands there was taken.
fn last_picture(language: Language, told: &Told, offset: UtcOffset) -> Option<String> {
    let local = UtcMillis(told.frame_ms?).local(offset);
    let time = format!("{}:{:02}", hour_minute(local), local.second());
    Some(pick_owned(language, || format!("末帧 {time}"), || format!("last frame {time}")))
}

fn why_words(language: Language, why: Why) -> Option<String> {
    let cause = match why {
        Why::Link | Why::Other => return None,
        Why::TileLimit => {
            let words = pick(language, "本页画面数已满", "this page shows as many cameras as it may");
            return Some(words.to_owned());
        }
        Why::Stream(cause) => cause,
    };
    let (zh, en) = match cause {
        Cause::NoAnswer => ("摄像机无应答", "no answer"),
        Cause::ConnectionRefused => ("摄像机拒绝连接", "connection refused"),
        Cause::Credentials => ("用户名或密码不符", "wrong user name or password"),
        Cause::NotFound => ("摄像机上无此路径", "no such path on the camera"),
        Cause::SessionLimit => ("摄像机连接数已满", "the camera has no session left"),
        Cause::HostLimit => ("等待同一设备的连接", "waiting for the same device"),
        Cause::NoVideo => ("没有视频流", "no video in the stream"),
        Cause::Codec => ("摄像机编码无法使用", "the camera's codec is not usable"),
        Cause::Stalled => ("画面停止更新", "the picture stopped"),
        Cause::Closed => ("摄像机断开连接", "closed by the camera"),
        Cause::NoKeyFrame => ("没有关键帧", "no key frame"),
        Cause::Protocol => ("摄像机应答有误", "wrong answer from the camera"),
        Cause::TranscodeBudget => ("转码路数已满", "no transcoder free"),
        Cause::NoDecoder => ("服务器不能解码", "the server cannot decode it"),
        Cause::Undecodable => ("画面无法解码", "the picture cannot be decoded"),
        Cause::UnknownCamera => ("名录中没有", "not in the registry"),
        Cause::ShuttingDown => ("服务正在停止", "the server is stopping"),
    };
    Some(pick(language, zh, en).to_owned())
}

/// The RTSP status in the server's detail, such as 401.
fn status_code(reason: &str) -> Option<&str> {
    let numbers = reason.split(|c: char| !c.is_ascii_digit());
    numbers.into_iter().find(|number| number.len() == 3 && number.starts_with(['4', '5']))
}

/// Seconds up to two minutes, minutes up to two hours, hours beyond: a wait is read, not computed.
fn duration(language: Language, seconds: u32) -> String {
    let (number, zh, en) = match seconds {
        0..120 => (seconds, "秒", "s"),
        120..7200 => (seconds / 60, "分", "min"),
        _ => (seconds / 3600, "小时", "h"),
    };
    format!("{number} {}", pick(language, zh, en))
}

fn hour_minute(local: Local) -> String {
    format!("{:02}:{:02}", local.hour(), local.minute())
}

fn pick<'a>(language: Language, zh: &'a str, en: &'a str) -> &'a str {
    match language {
        Language::Zh => zh,
        Language::En => en,
    }
}

fn pick_owned(language: Language, zh: impl FnOnce() -> String, en: impl FnOnce() -> String) -> String {
    match language {
        Language::Zh => zh(),
        Language::En => en(),
    }
}
