//! What the two HTTP services share.
