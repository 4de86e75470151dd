//! Every statement asks for every privilege of every table that it touches.
