//! Video from a camera's RTSP port to a page's WebSocket.

mod harness;
mod live;
mod slow;
mod faults;
mod renditions;
mod gstreamer;
