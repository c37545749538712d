//! Words of camera tiles (画面): their states, why they are in them, what is left out.

table! {
    connecting_bar(): "连接中", "connecting";
    live(): "实时", "live";
    live_delay(delay): "实时 {delay} 秒", "live {delay} s";
    delayed(delay): "延迟 {delay}", "delayed {delay}";
    key_frames(): "关键帧", "key frames";
    key_frames_every(every): "关键帧 每 {every} 秒", "key frames, every {every} s";
    no_picture(): "无画面", "no picture";
    last_picture(time): "末帧 {time}", "last frame {time}";
    left(bar, shown, sent, by): "{bar} · 每秒 {shown}/{sent} 幅 {by}", "{bar} · {shown}/{sent} pictures/s, {by}";
    by_computer(): "本机慢", "slow computer";
    by_way(): "网络慢", "slow network";

    connecting(): "正在连接", "Connecting";
    waited(wait): "已等 {wait}", "waited {wait}";
    since(time): "{time} 起", "since {time}";
    retry_in(wait): "{wait}后重试", "retry in {wait}";
    trying(): "正在重试", "trying again";
    no_server(): "与服务器断开", "Server not reached";
    no_engine(): "本页播放中断", "Player of this page stopped";
    undecodable(): "无法解码", "Cannot be decoded";
    lost(): "信号中断", "Signal lost";
    refused(): "拒绝访问", "Access refused";
    unsupported(): "编码不支持", "Codec not supported";
    gone(): "无此摄像机", "No such camera";
    gone_why(): "已不在名录或可见范围内", "no longer in the registry, or out of your sight";

    tile_limit(): "本页画面数已满", "this page shows as many cameras as it may";
    no_answer(): "摄像机无应答", "no answer";
    connection_refused(): "摄像机拒绝连接", "connection refused";
    credentials(): "用户名或密码不符", "wrong user name or password";
    not_found(): "摄像机上无此路径", "no such path on the camera";
    session_limit(): "摄像机连接数已满", "the camera has no session left";
    host_limit(): "等待同一设备的连接", "waiting for the same device";
    no_video(): "没有视频流", "no video in the stream";
    codec(): "摄像机编码无法使用", "the camera's codec is not usable";
    stalled(): "画面停止更新", "the picture stopped";
    closed(): "摄像机断开连接", "closed by the camera";
    no_key_frame(): "没有关键帧", "no key frame";
    protocol(): "摄像机应答有误", "wrong answer from the camera";
    transcode_budget(): "转码路数已满", "no transcoder free";
    no_decoder(): "服务器不能解码", "the server cannot decode it";
    picture_undecodable(): "画面无法解码", "the picture cannot be decoded";
    unknown_camera(): "名录中没有", "not in the registry";
    shutting_down(): "服务正在停止", "the server is stopping";

    seconds(number): "{number} 秒", "{number} s";
    minutes(number): "{number} 分", "{number} min";
    hours(number): "{number} 小时", "{number} h";
}
