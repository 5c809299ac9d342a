//! Platforms: each file verifies one platform's signature over raw bytes and translates its payload.
