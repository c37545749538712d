"""An RTSP server nobody here wrote: GStreamer's, with H.264 and H.265 test pictures.

Prints the port it took and serves until its standard input is closed.
"""

import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

CAPS = "video/x-raw,width=640,height=360,framerate=25/1"
# Coding H.265 takes a whole processor core at 25 a second, and tests have other uses for it.
SLOW_CAPS = CAPS.replace("25/1", "10/1")
STREAMS = {
    "/h264": f"videotestsrc is-live=true ! {CAPS} ! x264enc tune=zerolatency speed-preset=ultrafast "
    "key-int-max=25 ! rtph264pay name=pay0 pt=96 config-interval=1",
    "/h265": f"videotestsrc is-live=true pattern=ball ! {SLOW_CAPS} ! x265enc tune=zerolatency speed-preset=ultrafast "
    "key-int-max=10 ! rtph265pay name=pay0 pt=96 config-interval=1",
    "/bframes": f"videotestsrc is-live=true ! {CAPS} ! x264enc speed-preset=ultrafast bframes=2 b-adapt=false "
    "key-int-max=25 ! rtph264pay name=pay0 pt=96 config-interval=1",
}


def main():
    Gst.init(None)
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service("0")
    for path, launch in STREAMS.items():
        factory = GstRtspServer.RTSPMediaFactory.new()
        factory.set_launch(f"( {launch} )")
        factory.set_shared(True)
        server.get_mount_points().add_factory(path, factory)
    if server.attach(None) == 0:
        sys.exit("cannot listen")
    loop = GLib.MainLoop()

    def watch_parent():
        sys.stdin.read()
        loop.quit()

    threading.Thread(target=watch_parent, daemon=True).start()
    print(server.get_bound_port(), flush=True)
    loop.run()


main()
