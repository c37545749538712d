//! Media messages of one tile: a configuration, then pictures numbered without a gap. What is the tile's own is written for
//! it, the pictures are shared by all pages.

use crate::live::socket::Framed;
use crate::video::form::mse;
use crate::video::form::rendition::Mode;
use crate::video::relay::frame::{
    Codec, Configuration, FLAG_CATCH_UP, FLAG_DISCONTINUITY, FLAG_KEY, Frame, Header, Kind,
    configuration_payload,
};

/// What the messages of one tile go on from.
pub struct Media {
    tile: u16,
    seq: u32,
    pace: mse::Pace,
}

impl Media {
    #[must_use]
    pub fn new(tile: u16) -> Self {
        Self { tile, seq: 0, pace: mse::Pace::default() }
    }

    /// Starts anew with a configuration; none where pictures need none.
    pub fn configuration(&mut self, mode: Mode, configuration: &Configuration) -> Option<Framed> {
        self.seq = 0;
        self.pace = mse::Pace::default();
        let (kind, payload) = match (configuration.codec, mode) {
            (Codec::Jpeg, _) | (_, Mode::Still) => return None,
            (Codec::H264 | Codec::H265, Mode::WebCodecs) => {
                (Kind::Configuration, configuration_payload(configuration))
            }
            (Codec::H264 | Codec::H265, Mode::Mse) => (Kind::Init, mse::init_payload(configuration)?),
        };
        let header = Header { kind, tile: self.tile, seq: 0, pts_us: 0, ingest_us: 0, flags: 0 };
        Some(Framed::binary_after(&header.begin(0), payload.into()))
    }

    /// The next picture; `gap` says that frames were left out before it.
    pub fn picture(&mut self, mode: Mode, frame: &Frame, catch_up: bool, gap: bool) -> Framed {
        let kind = match (frame.configuration.codec, mode) {
            (Codec::Jpeg, _) | (_, Mode::Still) => Kind::Still,
            (Codec::H264 | Codec::H265, Mode::WebCodecs) => Kind::Frame,
            (Codec::H264 | Codec::H265, Mode::Mse) => Kind::Fragment,
        };
        let mut flags = if frame.key { FLAG_KEY } else { 0 };
        if catch_up {
            flags |= FLAG_CATCH_UP;
        }
        if frame.discontinuity || gap {
            flags |= FLAG_DISCONTINUITY;
        }
        let header = Header {
            kind,
            tile: self.tile,
            seq: self.seq,
            pts_us: frame.pts_us,
            ingest_us: frame.arrived.wall_us,
            flags,
        };
        self.seq = self.seq.wrapping_add(1);
        let mut own = header.begin(mse::FRAGMENT_OVERHEAD);
        if kind == Kind::Fragment {
            mse::append_fragment_head(frame, self.pace.shift_us(frame), &mut own);
        }
        Framed::binary_after(&own, frame.payload.clone())
    }
}
