//! What one connection sends next: what a wave brings in several topics becomes one message.

use bytes::Bytes;
use domain::wire::{Hex64, deltas_head};

use super::frames::{Format, MESSAGE_BYTES_MAX};
use super::socket::Framed;

/// What goes out next: deltas gather to one message until another message comes, or they are too many for one.
pub(super) struct Outgoing {
    format: Format,
    epoch: u64,
    messages: Vec<Framed>,
    deltas: Vec<Bytes>,
    gathered: usize,
    /// Of all that waits here.
    pub bytes: usize,
}

impl Outgoing {
    pub fn new(format: Format, epoch: u64) -> Self {
        Self { format, epoch, messages: Vec::new(), deltas: Vec::new(), gathered: 0, bytes: 0 }
    }

    pub fn delta(&mut self, delta: Bytes) {
        if self.gathered + delta.len() > MESSAGE_BYTES_MAX {
            self.close();
        }
        self.gathered += delta.len();
        self.bytes += delta.len();
        self.deltas.push(delta);
    }

    pub fn packed(&mut self, frames: Vec<Framed>) {
        self.bytes += frames.iter().map(Framed::len).sum::<usize>();
        self.messages.extend(frames);
    }

    pub fn message(&mut self, message: Framed) {
        self.close();
        self.bytes += message.len();
        self.messages.push(message);
    }

    fn close(&mut self) {
        if !self.deltas.is_empty() {
            let deltas = std::mem::take(&mut self.deltas);
            self.messages.push(composed(self.format, Hex64(self.epoch), deltas));
        }
        self.gathered = 0;
    }

    pub fn take(&mut self) -> Vec<Framed> {
        self.close();
        self.bytes = 0;
        std::mem::take(&mut self.messages)
    }
}

/// One [`domain::wire::ServerMessage::Deltas`] from the encodings of its deltas.
fn composed(format: Format, epoch: Hex64, deltas: Vec<Bytes>) -> Framed {
    match format {
        Format::Binary => {
            let head = Bytes::from(deltas_head(epoch, deltas.len()));
            Framed::binary_of(std::iter::once(head).chain(deltas).collect())
        }
        Format::Json => {
            let mut parts = vec![Bytes::from(format!(r#"{{"deltas":{{"epoch":"{epoch}","deltas":["#))];
            for (at, delta) in deltas.into_iter().enumerate() {
                parts.extend((at > 0).then_some(Bytes::from_static(b",")));
                parts.push(delta);
            }
            parts.push(Bytes::from_static(b"]}}"));
            Framed::text_of(parts)
        }
    }
}
