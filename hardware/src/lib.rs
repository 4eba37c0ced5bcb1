//! Boards, the guard and simulated plants of coinop.
//!
//! A [board](coinop_core::board::Board) gives named lines; the [`guard`] alone drives its outputs, and only
//! under a lease; a [`plant`] is the simulated world behind the lines. No code outside this crate knows a
//! pin number, and nothing in it knows what money is.

pub mod board_file;
pub mod contract;
pub mod driver;
#[cfg(target_os = "linux")]
pub mod gpiochip;
pub mod guard;
#[cfg(target_os = "linux")]
pub mod hal;
#[cfg(target_os = "linux")]
pub mod linux;
pub mod meter;
pub mod plant;
#[cfg(target_os = "linux")]
pub mod rpi;
pub mod sim;
pub mod survey;
pub mod wiring;
