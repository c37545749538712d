//! The session description a camera answers DESCRIBE with.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::aac::AudioTrack;
use super::nal::{Codec, Parameters};

pub const VIDEO_PAYLOAD_TYPE: u8 = 96;
pub const AUDIO_PAYLOAD_TYPE: u8 = 97;
/// Control names of the tracks, appended to the base URL.
pub const VIDEO_TRACK: &str = "track0";
pub const AUDIO_TRACK: &str = "track1";

/// SDP of one camera profile. `parameters` are written out only when `with_sets`.
pub fn describe(name: &str, parameters: &Parameters, with_sets: bool, audio: Option<&AudioTrack>) -> String {
    let codec = match parameters.codec {
        Codec::H264 => "H264",
        Codec::H265 => "H265",
    };
    let mut sdp = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns={name}\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\na=range:npt=now-\r\n\
         m=video 0 RTP/AVP {VIDEO_PAYLOAD_TYPE}\r\na=rtpmap:{VIDEO_PAYLOAD_TYPE} {codec}/90000\r\n"
    );
    let format = video_format(parameters, with_sets);
    if !format.is_empty() {
        sdp += &format!("a=fmtp:{VIDEO_PAYLOAD_TYPE} {format}\r\n");
    }
    sdp += &format!("a=control:{VIDEO_TRACK}\r\n");
    if let Some(audio) = audio {
        let config: String = audio.config.iter().map(|byte| format!("{byte:02X}")).collect();
        sdp += &format!(
            "m=audio 0 RTP/AVP {AUDIO_PAYLOAD_TYPE}\r\n\
             a=rtpmap:{AUDIO_PAYLOAD_TYPE} MPEG4-GENERIC/{}/{}\r\n\
             a=fmtp:{AUDIO_PAYLOAD_TYPE} streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;\
             indexlength=3;indexdeltalength=3;config={config}\r\na=control:{AUDIO_TRACK}\r\n",
            audio.rate, audio.channels
        );
    }
    sdp
}

fn video_format(parameters: &Parameters, with_sets: bool) -> String {
    let list = |nals: &[Bytes]| nals.iter().map(|nal| STANDARD.encode(nal)).collect::<Vec<_>>().join(",");
    match (parameters.codec, with_sets) {
        (Codec::H264, false) => "packetization-mode=1".to_owned(),
        (Codec::H265, false) => String::new(),
        (Codec::H264, true) => {
            let sets: Vec<Bytes> = parameters.nals().cloned().collect();
            let profile: String = parameters
                .sps
                .first()
                .and_then(|sps| sps.get(1..4))
                .map(|level| level.iter().map(|byte| format!("{byte:02X}")).collect())
                .unwrap_or_default();
            format!("packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={}", list(&sets))
        }
        (Codec::H265, true) => format!(
            "sprop-vps={};sprop-sps={};sprop-pps={}",
            list(&parameters.vps),
            list(&parameters.sps),
            list(&parameters.pps)
        ),
    }
}
