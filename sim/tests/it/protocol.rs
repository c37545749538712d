//! RTSP by hand: answers to what good clients do not send, and the control port.

use std::sync::Arc;
use std::time::Duration;

use sim::camera::{CameraSpec, Fault, Profile, Simulator, SimulatorError, control};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::client::{Bare, one};

#[tokio::test]
async fn each_wrong_step_has_its_status() {
    let (simulator, _handle) = one(CameraSpec::looped("C1", 1)).await;
    let url = simulator.url("C1", Profile::Sub);
    let udp = "Transport: RTP/AVP;unicast;client_port=5000-5001\r\n";
    let tcp = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
    for (method, url, headers, status) in [
        ("DESCRIBE", "rtsp://h/cam/none/sub", "", "404"),
        ("DESCRIBE", "rtsp://h/cam/C1/middle", "", "404"),
        ("DESCRIBE", "rtsp://h/", "", "404"),
        ("SETUP", url.as_str(), udp, "461"),
        ("SETUP", &format!("{url}/track7"), tcp, "404"),
        ("SETUP", &format!("{url}/track1"), tcp, "404"),
        ("PLAY", url.as_str(), "", "454"),
        ("PLAY", url.as_str(), "Session: other\r\n", "454"),
        ("RECORD", url.as_str(), "", "454"),
    ] {
        let answer = Bare::connect(&simulator).await.ask(method, url, headers).await;
        // Without a camera known, there is none; a request for one that is known fails for its own reason.
        let first = answer.lines().next().unwrap();
        assert!(first.contains(status), "{method} {url}: {first}");
    }
}

#[tokio::test]
async fn nonsense_and_giant_requests_close_the_connection() {
    let (simulator, handle) = one(CameraSpec::looped("C1", 1)).await;
    for request in [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![b'A'; 40_000],
        b"A B RTSP/1.0\r\nContent-Length: 99999\r\n\r\n".to_vec(),
    ] {
        let mut bare = Bare::connect(&simulator).await;
        bare.stream.write_all(&request).await.unwrap();
        assert_eq!(bare.bytes_within(Duration::from_secs(3)).await, None);
    }
    assert!(crate::client::pull(&simulator, &handle).await.frame().await.is_ok());
}

#[tokio::test]
async fn codes_are_checked_at_the_start() {
    let start = |codes: &[&str]| {
        let specs = codes.iter().map(|code| CameraSpec::looped(code, 1)).collect();
        Simulator::start("127.0.0.1:0".parse().unwrap(), specs)
    };
    assert!(matches!(start(&["a/b"]).await, Err(SimulatorError::BadCode(_))));
    assert!(matches!(start(&[""]).await, Err(SimulatorError::BadCode(_))));
    assert!(matches!(start(&["a", "a"]).await, Err(SimulatorError::TwiceCode(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_control_port_switches_faults_and_tells_the_state() {
    let (simulator, handle) = one(CameraSpec::looped("C1", 1)).await;
    let simulator = Arc::new(simulator);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move { axum::serve(listener, control::router(simulator)).await });
    let put = |path: &str| ureq::put(format!("{base}{path}")).send_empty();
    let mut told = put("/cameras/C1/faults/stall").unwrap();
    assert!(told.body_mut().read_to_string().unwrap().contains("\"faults\":[\"stall\"]"));
    put("/cameras/C1/faults/session-limit:3").unwrap();
    assert_eq!(handle.faults(), [Fault::Stall, Fault::SessionLimit(3)]);
    assert!(matches!(put("/cameras/C1/faults/none"), Err(ureq::Error::StatusCode(400))));
    assert!(matches!(put("/cameras/C2/faults/stall"), Err(ureq::Error::StatusCode(404))));
    ureq::delete(format!("{base}/cameras/C1/faults/stall")).call().unwrap();
    assert_eq!(handle.faults(), [Fault::SessionLimit(3)]);
    ureq::delete(format!("{base}/cameras/C1/faults")).call().unwrap();
    assert_eq!(handle.faults(), []);
    let list = ureq::get(format!("{base}/cameras")).call().unwrap().body_mut().read_to_string().unwrap();
    assert!(list.contains("\"code\":\"C1\"") && list.contains("/cam/C1/sub"), "{list}");
    serving.abort();
}
