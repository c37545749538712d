//! Files of cases at the door of a running server: what is taken, what is refused, who reads it, and where it lies.

use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use domain::role::Role;
use image::{DynamicImage, ImageFormat, RgbImage};
use serde_json::{Value, json};
use server::log::files;

use crate::city;
use crate::http::{Reply, Served, report, served, served_with, start};
use crate::roles::Sender;

mod kept;
mod worlds;

/// Colours that no encoder makes small.
fn noise(width: u32, height: u32) -> DynamicImage {
    let mut seed = 1_u32;
    DynamicImage::from(RgbImage::from_fn(width, height, |_, _| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        image::Rgb([(seed >> 8) as u8, (seed >> 16) as u8, (seed >> 24) as u8])
    }))
}

fn picture(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    noise(400, 300).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn pdf(says: &str) -> Vec<u8> {
    format!("%PDF-1.7\n{says}\n%%EOF\n").into_bytes()
}

impl Served {
    fn bearer(&self) -> Vec<(String, String)> {
        vec![("authorization".to_owned(), format!("Bearer {}", self.token))]
    }

    /// Sends bytes as they are; how many there are is said.
    async fn send(&self, who: &[(String, String)], path: &str, bytes: Vec<u8>) -> Reply {
        let mut request = ureq::http::Request::builder().method("POST").uri(self.url(path));
        for (name, value) in who {
            request = request.header(name, value);
        }
        let request = request.header("accept-language", "en").body(bytes).unwrap();
        let sent = move || {
            let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
            let mut answer = agent.run(request).unwrap();
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            Reply { status, headers, text: answer.body_mut().read_to_string().unwrap() }
        };
        tokio::task::spawn_blocking(sent).await.unwrap()
    }

    /// As the machine that may everything.
    async fn attach(&self, case: u64, kind: &str, name: &str, bytes: Vec<u8>) -> Reply {
        let path = format!("/api/v1/cases/{case}/files?kind={kind}&name={name}");
        self.send(&self.bearer(), &path, bytes).await
    }

    async fn reported(&self) -> u64 {
        let answer = self.post("/api/v1/commands", &json!({ "command": report("530102") })).await;
        answer.json()["case"].as_u64().unwrap_or_else(|| panic!("{}", answer.text))
    }

    async fn files(&self, case: u64) -> Vec<Value> {
        let answer = self.get(&format!("/api/v1/cases/{case}/files")).await;
        answer.json()["items"].as_array().unwrap_or_else(|| panic!("{}", answer.text)).clone()
    }

    /// The bytes of an answer.
    async fn bytes(&self, path: &str) -> (u16, ureq::http::HeaderMap, Vec<u8>) {
        let (url, token) = (self.url(path), format!("Bearer {}", self.token));
        let got = move || {
            let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
            let mut answer = agent.get(url).header("authorization", token).call().unwrap();
            (answer.status().as_u16(), answer.headers().clone(), answer.body_mut().read_to_vec().unwrap())
        };
        tokio::task::spawn_blocking(got).await.unwrap()
    }
}

/// Files that lie in a data folder under their hashes.
fn lying(dir: &Path) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    files::each(dir, |hash, path, _| {
        found.push((hash.iter().map(|byte| format!("{byte:02x}")).collect(), path.to_owned()));
    })
    .unwrap();
    found.sort();
    found
}

fn within(dir: &Path, folder: &str) -> usize {
    std::fs::read_dir(files::folder(dir).join(folder)).unwrap().count()
}

/// That nothing is left of what was refused: neither a file, nor what was on its way, nor a mark.
fn nothing_is_left(dir: &Path) {
    assert_eq!(lying(dir), []);
    assert_eq!((within(dir, "incoming"), within(dir, "pending")), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_is_made_anew_kept_once_and_shown_with_a_small_one() {
    let hall = served().await;
    let (case, other) = (hall.reported().await, hall.reported().await);
    // Whatever it is called: its bytes say what it is.
    let png = picture(ImageFormat::Png);
    let sent = hall.attach(case, "photo_before", "C:%5Cfakepath%5Cphoto.exe", png.clone()).await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    let line = sent.json();
    assert_eq!(
        (&line["name"], &line["media"], &line["kind"]),
        (&json!("photo.exe"), &json!("jpeg"), &json!("photo_before"))
    );
    assert_eq!(line["by"], "city-platform");
    let hash = line["hash"].as_str().unwrap().to_owned();
    let again = hall.attach(case, "photo_before", "again.png", png.clone()).await;
    assert_eq!(again.json(), line, "a phone that did not hear the answer sends it again");
    assert_eq!(hall.attach(other, "photo_after", "a.png", png).await.json()["hash"], hash.as_str());
    assert_eq!(lying(hall.dir.path()).len(), 1, "the same bytes lie there once");
    assert_eq!(hall.files(case).await, std::slice::from_ref(&line));
    assert_eq!(within(hall.dir.path(), "pending"), 0);

    let path = format!("/api/v1/cases/{case}/files/{hash}");
    let (status, headers, bytes) = hall.bytes(&path).await;
    assert_eq!((status, bytes.len() as u64), (200, line["bytes"].as_u64().unwrap()));
    let told = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(
        (told("content-type"), told("x-content-type-options")),
        ("image/jpeg".to_owned(), "nosniff".to_owned())
    );
    assert!(told("content-security-policy").contains("sandbox") && told("cache-control").contains("private"));
    assert_eq!(told("content-disposition"), "inline; filename=\"file.jpg\"; filename*=UTF-8''photo.jpg");
    let whole = image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg).unwrap();
    assert_eq!((whole.width(), whole.height()), (400, 300));
    // A small one that is not there is made anew.
    for _ in 0..2 {
        let (status, _, bytes) = hall.bytes(&format!("{path}/thumbnail")).await;
        let small = image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg).unwrap();
        assert_eq!((status, small.width(), small.height()), (200, 320, 240));
        std::fs::remove_file(files::folder(hall.dir.path()).join("small").join(&hash)).unwrap();
    }
    let timeline = hall.get(&format!("/api/v1/cases/{case}")).await.json();
    assert_eq!(timeline["timeline"][1]["event"]["file_attached"]["hash"], hash.as_str());
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_only_ever_saved() {
    let hall = served().await;
    let case = hall.reported().await;
    let says = pdf("<script>alert(1)</script>");
    let line = hall.attach(case, "document", "%E8%AF%B4%E6%98%8E.html", says.clone()).await.json();
    let path = format!("/api/v1/cases/{case}/files/{}", line["hash"].as_str().unwrap());
    let (status, headers, bytes) = hall.bytes(&path).await;
    assert_eq!((status, bytes), (200, says));
    let told = headers["content-disposition"].to_str().unwrap();
    assert!(told.starts_with("attachment;") && told.ends_with("%E8%AF%B4%E6%98%8E.pdf"), "{told}");
    assert_eq!(headers["content-type"], "application/pdf");
    assert_eq!(hall.bytes(&format!("{path}/thumbnail")).await.0, 404);
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_about_itself_is_refused_by_what_it_is_and_leaves_nothing() {
    let hall = served().await;
    let case = hall.reported().await;
    let jpeg = picture(ImageFormat::Jpeg);
    for (kind, name, bytes, status, code, says) in [
        (
            "photo_after",
            "a.jpg",
            b"<!doctype html><script>x</script>".to_vec(),
            415,
            "file_not_taken",
            "a web page",
        ),
        (
            "photo_after",
            "a.svg",
            b"<svg xmlns='x' onload='y'/>".to_vec(),
            415,
            "file_not_taken",
            "an SVG drawing",
        ),
        ("document", "a.docx", b"MZ\x90\0\x03".to_vec(), 415, "file_not_taken", "a program"),
        ("photo_after", "a.jpg", jpeg[..jpeg.len() / 2].to_vec(), 422, "file_damaged", "breaks off"),
        ("document", "a.docx", b"PK\x03\x04 no archive".to_vec(), 422, "file_damaged", "damaged"),
        ("document", "a.pdf", b"%PDF-1.7 and no end".to_vec(), 422, "file_damaged", "damaged"),
        ("photo_after", "a.jpg", pdf(""), 422, "out_of_range", "a photo is a picture"),
        ("photo_after", "a.jpg", Vec::new(), 422, "file_empty", "empty"),
    ] {
        let reply = hall.attach(case, kind, name, bytes).await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{name}: {}", reply.text);
        assert!(reply.text.contains(says), "{name}: {}", reply.text);
    }
    for (name, field) in [
        ("", "name"),
        ("..%2F..%2F", "name"),
        ("a%0Ab.jpg", "name"),
        ("gpj%E2%80%AE.exe", "name"),
        (&*"x".repeat(301), "name"),
    ] {
        let reply = hall.attach(case, "photo_after", name, jpeg.clone()).await;
        assert_eq!(
            (reply.status, reply.json()["field"].as_str()),
            (422, Some(field)),
            "{name}: {}",
            reply.text
        );
    }
    assert_eq!(hall.attach(case, "portrait", "a.jpg", jpeg.clone()).await.status, 400);
    assert_eq!(hall.attach(99, "photo_after", "a.jpg", jpeg).await.code(), "unknown_case");
    nothing_is_left(hall.dir.path());
    assert_eq!(hall.files(case).await, [] as [Value; 0]);
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_is_refused_whether_or_not_it_was_announced() {
    let hall = served_with(|config| config.files.file_mib = 1).await;
    let case = hall.reported().await;
    let mut large = picture(ImageFormat::Jpeg);
    large.resize((1 << 20) + 1, 0);
    let reply = hall.attach(case, "photo_after", "a.jpg", large.clone()).await;
    assert_eq!((reply.status, reply.code().as_str()), (413, "file_too_large"), "{}", reply.text);
    assert!(reply.text.contains("at most 1 MiB"), "{}", reply.text);
    let (address, token) = (hall.running.address, hall.token.clone());
    let unannounced = move || {
        let mut socket = std::net::TcpStream::connect(address).unwrap();
        let head = format!(
            "POST /api/v1/cases/{case}/files?kind=photo_after&name=a HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
             authorization: Bearer {token}\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n",
            large.len()
        );
        socket.write_all(head.as_bytes()).unwrap();
        socket.write_all(&large).unwrap();
        socket.write_all(b"\r\n0\r\n\r\n").unwrap();
        std::io::read_to_string(socket).unwrap()
    };
    let answer = tokio::task::spawn_blocking(unannounced).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("file_too_large"), "{answer}");
    nothing_is_left(hall.dir.path());
    hall.running.stop().await.unwrap();
}

/// A sender that goes away in the middle leaves nothing, and its place is the next one's.
#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_off_on_its_way_is_gone() {
    let hall = served().await;
    let case = hall.reported().await;
    let jpeg = picture(ImageFormat::Jpeg);
    let (address, token, dir) = (hall.running.address, hall.token.clone(), hall.dir.path().to_owned());
    let part = jpeg[..jpeg.len() / 2].to_vec();
    let cut = move || {
        for _ in 0..20 {
            let mut socket = std::net::TcpStream::connect(address).unwrap();
            let head = format!(
                "POST /api/v1/cases/{case}/files?kind=photo_after&name=a HTTP/1.1\r\nhost: {address}\r\n\
                 authorization: Bearer {token}\r\ncontent-length: 1000000\r\n\r\n"
            );
            socket.write_all(head.as_bytes()).unwrap();
            socket.write_all(&part).unwrap();
        }
    };
    tokio::task::spawn_blocking(cut).await.unwrap();
    // One sender has eight places: once this is taken, the twenty have given theirs back.
    let taken = loop {
        let reply = hall.attach(case, "photo_after", "a.jpg", jpeg.clone()).await;
        if reply.status != 503 {
            break reply;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(taken.status, 200, "{}", taken.text);
    while within(&dir, "incoming") > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!((hall.files(case).await.len(), lying(&dir).len()), (1, 1));
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_room_nothing_is_taken_and_the_hall_goes_on() {
    type Set = fn(&mut server::config::Config);
    let full: [(Set, &str); 3] = [
        (|config| config.files.quota_mib = 0, "files_quota"),
        // More than any disk has is left to the log.
        (|config| config.store.reserve_mib = 1_048_576, "not_stored"),
        (|config| config.files.scanner = vec!["/bin/false".to_owned()], "file_not_clean"),
    ];
    for (set, code) in full {
        let hall = served_with(set).await;
        let case = hall.reported().await;
        let reply = hall.attach(case, "photo_after", "a.jpg", picture(ImageFormat::Jpeg)).await;
        assert_eq!(reply.code(), code, "{}", reply.text);
        nothing_is_left(hall.dir.path());
        hall.reported().await;
        hall.running.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanner_that_hangs_takes_nothing_and_holds_up_nobody_else() {
    let hall = served_with(|config| {
        config.files.scanner = ["/bin/sh", "-c", "sleep 600"].map(str::to_owned).to_vec();
        config.files.scanner_seconds = 1;
    })
    .await;
    let case = hall.reported().await;
    let (sent, noted) =
        tokio::join!(hall.attach(case, "photo_after", "a.jpg", picture(ImageFormat::Jpeg)), hall.reported());
    assert_eq!((sent.status, sent.code().as_str()), (503, "file_not_scanned"), "{}", sent.text);
    assert!(noted > case);
    nothing_is_left(hall.dir.path());
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_neither_sends_nor_reads() {
    let hall = served().await;
    let case = hall.reported().await;
    let line = hall.attach(case, "document", "a.pdf", pdf("a")).await.json();
    let path = format!("/api/v1/cases/{case}/files");
    let hash = line["hash"].as_str().unwrap();
    let viewer = Sender::person(&hall, "viewer", &[Role::Viewer], None).await;
    assert_eq!(viewer.ask(&hall, "GET", &path).await.status, 200);
    let refused = hall.send(&viewer.0, &format!("{path}?kind=document&name=b.pdf"), pdf("b")).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    // A department hears of no case but its own: the number of another is none to it.
    let urban = Sender::person(&hall, "urban", &[Role::Department], Some("urban")).await;
    let refused = hall.send(&urban.0, &format!("{path}?kind=document&name=b.pdf"), pdf("b")).await;
    assert_eq!((refused.status, refused.code().as_str()), (404, "unknown_case"), "{}", refused.text);
    let elsewhere = Sender::seeing(&hall, "elsewhere", &[Role::Supervisor], &["530103"]).await;
    for path in [path.clone(), format!("{path}/{hash}"), format!("{path}/{hash}/thumbnail")] {
        assert_eq!(elsewhere.ask(&hall, "GET", &path).await.status, 404, "{path}");
    }
    let refused = hall.send(&elsewhere.0, &format!("{path}?kind=document&name=b.pdf"), pdf("b")).await;
    assert_eq!((refused.status, refused.code().as_str()), (404, "unknown_case"), "{}", refused.text);
    // A hash that is known opens nothing by another case's address.
    let other = hall.reported().await;
    assert_eq!(hall.bytes(&format!("/api/v1/cases/{other}/files/{hash}")).await.0, 404);
    assert_eq!(lying(hall.dir.path()).len(), 1, "what was refused at the end is taken away again");
    hall.running.stop().await.unwrap();
}
