//! A tile's state in words, both languages. Plain functions, so that they are tested without a browser.
//!
//! What should be here: which words a state has. What should not: the words themselves (`words/video.rs`), which state
//! holds (`domain::video`).

#[cfg(test)]
mod tests;

use domain::moment::{Local, UtcMillis, UtcOffset};
use domain::rejection::Language;
use domain::stream::Cause;
use domain::video::{Left, LeftBy, Shown, Told, Why};

use crate::text;
use crate::words::say;

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
    let cause = told.why.and_then(|why| why_words(language, why));
    let tooltip = [cause, told.reason.clone()].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    Words { bar: bar(language, told, offset), over: over(language, told, offset), tooltip }
}

fn bar(language: Language, told: &Told, offset: UtcOffset) -> String {
    let bar = match &told.shown {
        Shown::Connecting { .. } => say!(language, video.connecting_bar),
        Shown::Live { delay_ms: Some(ms) } => {
            say!(language, video.live_delay, delay = text::fixed(f64::from(*ms) / 1000.0, 1))
        }
        Shown::Live { delay_ms: None } => say!(language, video.live),
        Shown::Delayed { delay_s } => say!(language, video.delayed, delay = duration(language, *delay_s)),
        Shown::KeyFrames { interval_s: Some(every) } => say!(language, video.key_frames_every, every = every),
        Shown::KeyFrames { interval_s: None } => say!(language, video.key_frames),
        Shown::Lost { .. } | Shown::Refused {} | Shown::Unsupported {} | Shown::Gone {} => {
            match told.frame_ms {
                // The picture that still stands there.
                Some(frame_ms) => {
                    let local = UtcMillis(frame_ms).local(offset);
                    say!(
                        language,
                        video.last_picture,
                        time = format!("{}:{:02}", hour_minute(local), local.second())
                    )
                }
                None => say!(language, video.no_picture),
            }
        }
    };
    let Some(Left { shown_per_s, sent_per_s, by }) = told.left else { return bar };
    let by = match by {
        LeftBy::Computer => say!(language, video.by_computer),
        LeftBy::Way => say!(language, video.by_way),
    };
    say!(language, video.left, bar = bar, shown = shown_per_s, sent = sent_per_s, by = by)
}

fn over(language: Language, told: &Told, offset: UtcOffset) -> Option<Over> {
    let cause = told.why.and_then(|why| why_words(language, why));
    let (title, first) = match &told.shown {
        Shown::Live { .. } | Shown::Delayed { .. } | Shown::KeyFrames { .. } => return None,
        Shown::Connecting { waited_s } => {
            let detail = say!(language, video.waited, wait = duration(language, *waited_s));
            return Some(Over { title: say!(language, video.connecting), detail });
        }
        Shown::Lost { since_ms } => {
            let time = since_ms.map(|ms| hour_minute(UtcMillis(ms).local(offset)));
            let title = match told.why {
                Some(Why::Link) => say!(language, video.no_server),
                Some(Why::Engine) => say!(language, video.no_engine),
                // The signal is there; pictures are not.
                Some(Why::Stream(Cause::Undecodable)) => say!(language, video.undecodable),
                Some(Why::Stream(_) | Why::TileLimit) | None => say!(language, video.lost),
            };
            (title, time.map(|time| say!(language, video.since, time = time)))
        }
        Shown::Refused {} => {
            let title = say!(language, video.refused);
            let status = told.reason.as_deref().and_then(status_code);
            (status.map_or(title.clone(), |status| format!("{title} {status}")), cause)
        }
        Shown::Unsupported {} => (say!(language, video.unsupported), cause),
        Shown::Gone {} => {
            let (title, detail) = (say!(language, video.gone), say!(language, video.gone_why));
            return Some(Over { title, detail });
        }
    };
    let retry = match (&told.shown, told.retry_s) {
        (Shown::Unsupported {}, _) => None,
        (_, Some(seconds)) if seconds > 0 => {
            Some(say!(language, video.retry_in, wait = duration(language, seconds)))
        }
        // The page itself may not ask for more; nothing is under way.
        _ if told.why == Some(Why::TileLimit) => None,
        _ => Some(say!(language, video.trying)),
    };
    let detail = [first, retry].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    Some(Over { title, detail })
}

fn why_words(language: Language, why: Why) -> Option<String> {
    let cause = match why {
        Why::Link | Why::Engine => return None,
        Why::TileLimit => return Some(say!(language, video.tile_limit)),
        Why::Stream(cause) => cause,
    };
    Some(match cause {
        Cause::NoAnswer => say!(language, video.no_answer),
        Cause::ConnectionRefused => say!(language, video.connection_refused),
        Cause::Credentials => say!(language, video.credentials),
        Cause::NotFound => say!(language, video.not_found),
        Cause::SessionLimit => say!(language, video.session_limit),
        Cause::HostLimit => say!(language, video.host_limit),
        Cause::NoVideo => say!(language, video.no_video),
        Cause::Codec => say!(language, video.codec),
        Cause::Stalled => say!(language, video.stalled),
        Cause::Closed => say!(language, video.closed),
        Cause::NoKeyFrame => say!(language, video.no_key_frame),
        Cause::Protocol => say!(language, video.protocol),
        Cause::TranscodeBudget => say!(language, video.transcode_budget),
        Cause::NoDecoder => say!(language, video.no_decoder),
        Cause::Undecodable => say!(language, video.picture_undecodable),
        Cause::UnknownCamera => say!(language, video.unknown_camera),
        Cause::ShuttingDown => say!(language, video.shutting_down),
    })
}

/// The RTSP status in the server's detail, such as 401.
fn status_code(reason: &str) -> Option<&str> {
    let numbers = reason.split(|c: char| !c.is_ascii_digit());
    numbers.into_iter().find(|number| number.len() == 3 && number.starts_with(['4', '5']))
}

/// Seconds up to two minutes, minutes up to two hours, hours beyond: a wait is read, not computed.
fn duration(language: Language, seconds: u32) -> String {
    match seconds {
        0..120 => say!(language, video.seconds, number = seconds),
        120..7200 => say!(language, video.minutes, number = seconds / 60),
        _ => say!(language, video.hours, number = seconds / 3600),
    }
}

fn hour_minute(local: Local) -> String {
    format!("{:02}:{:02}", local.hour(), local.minute())
}
