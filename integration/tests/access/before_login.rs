//! What costs a server memory or time before anybody has logged in.
