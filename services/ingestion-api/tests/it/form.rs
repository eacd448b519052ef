//! Forms as clients send them.

const BOUNDARY: &str = "longhand-test";

/// A body of the type [`kind`].
pub(crate) struct Form(Vec<u8>);

impl Form {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn text(self, name: &str, value: &str) -> Self {
        self.part(&format!("name=\"{name}\""), value.as_bytes())
    }

    pub(crate) fn file(self, bytes: &[u8]) -> Self {
        self.part("name=\"file\"; filename=\"a.flac\"", bytes)
    }

    /// A part with whatever disposition.
    pub(crate) fn part(mut self, disposition: &str, bytes: &[u8]) -> Self {
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n");
        self.0.extend_from_slice(head.as_bytes());
        self.0.extend_from_slice(bytes);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    pub(crate) fn end(mut self) -> Vec<u8> {
        self.0.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        self.0
    }

    /// Without its end.
    pub(crate) fn torn(self) -> Vec<u8> {
        self.0
    }
}

pub(crate) fn kind() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

/// The sample's bytes.
pub(crate) fn recording() -> Vec<u8> {
    std::fs::read(test_stack::sample()).unwrap()
}
