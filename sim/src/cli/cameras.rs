//! `sim cameras`: simulated RTSP cameras on one port, with their registry and a control port.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use sim::camera::control;
use sim::camera::registry::{Site, read_sites, to_toml};
use sim::camera::{AuthScheme, CameraSpec, Codec, Credentials, Fault, Simulator};
use tokio::net::TcpListener;

/// Streets that looped cameras share; more would only cost time and memory at start.
const SCENES: u32 = 6;

#[derive(Args)]
pub struct Options {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// RTSP port; 0 takes a free one
    #[arg(long, default_value_t = 8554)]
    port: u16,
    /// Number of drawn cameras: C0001, C0002, …; default is 8, or one for each place
    #[arg(long)]
    count: Option<u32>,
    /// How many of them are coded live while watched, with a true clock; the others show shared loops
    #[arg(long, default_value_t = 4_096)]
    live: u32,
    /// Every n-th drawn camera sends H.265; 0 for none
    #[arg(long, default_value_t = 0)]
    h265_every: u32,
    /// Seconds between key frames
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=30))]
    gop: u32,
    /// Kilobits a second of main streams, filled with grain; default is constant quality
    #[arg(long)]
    kbps: Option<u32>,
    /// Folder of MP4 files; each becomes a further camera: V0001, V0002, …
    #[arg(long)]
    video: Option<PathBuf>,
    /// Fault from the start, as NAME=CODE[,CODE…] (`session-limit:2=C0003`); repeatable
    #[arg(long = "fault", value_name = "NAME=CODE,…")]
    faults: Vec<String>,
    /// Ask for these credentials, as USER:PASSWORD
    #[arg(long, env = "SIM_CAMERA_CREDENTIALS", hide_env_values = true)]
    credentials: Option<String>,
    /// Port to switch faults over HTTP; none by default
    #[arg(long)]
    control_port: Option<u16>,
    /// Where the cameras stand: CSV with code,name,lat,lon,bearing,view_deg,owner; default is a grid
    #[arg(long)]
    places: Option<PathBuf>,
    /// Write the camera registry to this file instead of standard output
    #[arg(long)]
    registry: Option<PathBuf>,
    /// Owner of the cameras in the registry
    #[arg(long, default_value = "城管执法局")]
    owner: String,
}

pub async fn run(options: &Options) -> anyhow::Result<()> {
    let specs = options.specs()?;
    let count = specs.len();
    let simulator = Arc::new(Simulator::start(SocketAddr::new(options.host, options.port), specs).await?);
    let registry = to_toml(&simulator)?;
    match &options.registry {
        Some(path) => replace(path, &registry)
            .with_context(|| format!("cannot write the registry to `{}`", path.display()))?,
        None => write_out(&registry)?,
    }
    simulator.prepare().await?;
    if let Some(port) = options.control_port {
        let addr = SocketAddr::new(options.host, port);
        let listener = TcpListener::bind(addr).await.with_context(|| format!("cannot listen on {addr}"))?;
        tracing::info!(addr = %listener.local_addr()?, "camera control ready");
        let router = control::router(Arc::clone(&simulator));
        tokio::spawn(async move { axum::serve(listener, router).await });
    }
    tracing::info!(port = simulator.port(), count, "simulated cameras ready");
    tokio::signal::ctrl_c().await.context("cannot wait for ctrl-c")?;
    simulator.shutdown();
    Ok(())
}

impl Options {
    fn specs(&self) -> anyhow::Result<Vec<CameraSpec>> {
        let sites = self.places.as_deref().map(read_sites).transpose()?.unwrap_or_default();
        let count = self.count.unwrap_or(if sites.is_empty() { 8 } else { sites.len() as u32 });
        let mut specs: Vec<CameraSpec> =
            (1..=count).map(|number| self.drawn(number, sites.get(number as usize - 1))).collect();
        if let Some(folder) = &self.video {
            for (number, path) in videos(folder)?.into_iter().enumerate() {
                let mut spec = CameraSpec::file(&format!("V{:04}", number + 1), path);
                self.name(&mut spec);
                specs.push(spec);
            }
        }
        let credentials = self.credentials.as_deref().map(parse_credentials).transpose()?;
        for spec in &mut specs {
            spec.credentials.clone_from(&credentials);
        }
        for word in &self.faults {
            self.add_fault(&mut specs, word)?;
        }
        Ok(specs)
    }

    fn name(&self, spec: &mut CameraSpec) {
        spec.name = format!("模拟摄像头 {}", spec.code);
        spec.owner.clone_from(&self.owner);
    }

    fn drawn(&self, number: u32, site: Option<&Site>) -> CameraSpec {
        let code = site.map_or_else(|| format!("C{number:04}"), |site| site.code.clone());
        let mut spec = if number <= self.live {
            CameraSpec::live(&code, number)
        } else {
            CameraSpec::looped(&code, number % SCENES)
        };
        if self.h265_every > 0 && number.is_multiple_of(self.h265_every) {
            spec.codec = Codec::H265;
        }
        spec.gop_seconds = self.gop;
        spec.main.kbps = self.kbps;
        match site {
            Some(site) => {
                spec.name.clone_from(&site.name);
                spec.owner.clone_from(&site.owner);
                spec.place = Some(site.place());
            }
            None => self.name(&mut spec),
        }
        spec
    }

    fn add_fault(&self, specs: &mut [CameraSpec], word: &str) -> anyhow::Result<()> {
        let (name, codes) = word.split_once('=').with_context(|| format!("`{word}` is not NAME=CODE"))?;
        let fault: Fault = name.parse()?;
        for code in codes.split(',') {
            let spec = specs.iter_mut().find(|spec| spec.code == code);
            spec.with_context(|| format!("`{word}`: there is no camera `{code}`"))?.faults.push(fault);
        }
        Ok(())
    }
}

fn parse_credentials(text: &str) -> anyhow::Result<Credentials> {
    let (username, password) = text.split_once(':').context("credentials are not USER:PASSWORD")?;
    Ok(Credentials { username: username.to_owned(), password: password.to_owned(), scheme: AuthScheme::Both })
}

/// The MP4 files of a folder, by name.
fn videos(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let read = || format!("cannot read the folder `{}`", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(read)? {
        let path = entry.with_context(read)?.path();
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("mp4")) {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        bail!("the folder `{}` has no MP4 files", folder.display());
    }
    paths.sort();
    Ok(paths)
}

/// Writes a file whole or not at all: others wait for it to appear.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let new = path.with_extension("new");
    std::fs::write(&new, text)?;
    std::fs::rename(new, path)
}

/// The registry is the command's result, so it goes to standard output.
fn write_out(text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    std::io::stdout().write_all(text.as_bytes()).context("cannot write the registry")
}
