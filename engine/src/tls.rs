//! The one choice of a TLS implementation: ring, for it builds with a C compiler alone.

/// Makes ring the process's TLS provider. Harmless when repeated; to be called before a client is built.
pub fn install_provider() {
    // The error only says that a provider is installed already, which is all that is asked.
    drop(rustls::crypto::ring::default_provider().install_default());
}
