//! One WebSocket with its callbacks. Dropping it closes the connection and silences the callbacks.

use domain::wire::{CLOSE_SIGNED_OUT, ClientMessage, KIND_MESSAGE};
use leptos::prelude::window;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

pub struct Socket {
    socket: WebSocket,
    _opened: Closure<dyn FnMut()>,
    _heard: Closure<dyn FnMut(MessageEvent)>,
    _ended: Closure<dyn FnMut(CloseEvent)>,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Lost,
    /// The server says that the session has ended or the token is revoked.
    SignedOut,
}

impl Socket {
    /// Connects to `/live` of the world this page is of.
    pub fn open(
        opened: impl FnMut() + 'static,
        mut heard: impl FnMut(Vec<u8>) + 'static,
        mut ended: impl FnMut(End) + 'static,
    ) -> Result<Self, JsValue> {
        let location = window().location();
        let scheme = if location.protocol()? == "https:" { "wss" } else { "ws" };
        let socket =
            WebSocket::new(&format!("{scheme}://{}{}", location.host()?, crate::world::below("/live")))?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let opened = Closure::<dyn FnMut()>::new(opened);
        let heard = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Ok(buffer) = event.data().dyn_into::<js_sys::ArrayBuffer>() {
                heard(js_sys::Uint8Array::new(&buffer).to_vec());
            }
        });
        let ended = Closure::<dyn FnMut(CloseEvent)>::new(move |event: CloseEvent| {
            ended(if event.code() == CLOSE_SIGNED_OUT { End::SignedOut } else { End::Lost });
        });
        socket.set_onopen(Some(opened.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        // An error is always followed by a close.
        socket.set_onclose(Some(ended.as_ref().unchecked_ref()));
        Ok(Self { socket, _opened: opened, _heard: heard, _ended: ended })
    }

    /// A message that cannot be sent is lost with its connection, whose end is noticed elsewhere.
    pub fn send(&self, message: &ClientMessage) {
        if let Ok(bytes) = postcard::to_extend(message, vec![KIND_MESSAGE]) {
            let _ = self.socket.send_with_u8_array(&bytes);
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        let _ = self.socket.close();
    }
}
