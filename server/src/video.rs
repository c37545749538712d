//! Cameras: the list of them, one upstream per camera and profile, and who watches what.
//!
//! Four rooms, each may use those before it: what is held of a stream and given on (`relay`), where pictures come from
//! (`origin`), in which other forms they are given (`form`), how pages get them (`page`). `switchboard` joins the first two.

pub mod config;
mod figures;
mod meters;
pub mod relay;
pub mod origin;
pub mod switchboard;
pub mod adoption;
mod form;
pub mod page;
mod service;
mod http;

pub use config::Config;
pub use http::{Description, router};
pub use origin::registry::Registry;
pub use service::Video;
