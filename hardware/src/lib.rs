//! Boards, the guard and simulated plants of coinop.
