//! Cameras: the registry, one upstream per camera and profile, and who watches what.
