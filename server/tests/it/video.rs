//! Video from a camera's RTSP port to a page's WebSocket.

mod harness;
mod live;
mod slow;
mod dialling;
mod adoption;
mod faults;
mod flood;
mod renditions;
mod transcodes;
mod gstreamer;
