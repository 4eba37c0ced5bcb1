//! Balls: the proof that a unit and all before it are final.

use alloc::string::{String, ToString};

use super::hash::Hash;

/// The hash of a unit's ball, from the balls of its parents and of its skip list.
pub fn ball_hash(unit: &Hash, parent_balls: &[Hash], skiplist_balls: &[Hash], is_nonserial: bool) -> Hash {
    // The source string of the ball, whose keys stand in this order.
    let mut source = String::with_capacity(256);
    if is_nonserial {
        source.push_str("is_nonserial\0b\0true\0");
    }
    push_list(&mut source, "parent_balls", parent_balls);
    push_list(&mut source, "skiplist_balls", skiplist_balls);
    source.push_str("unit\0s\0");
    source.push_str(&unit.to_string());
    Hash::of(source.as_bytes())
}

fn push_list(source: &mut String, key: &str, balls: &[Hash]) {
    if balls.is_empty() {
        return;
    }
    source.push_str(key);
    source.push_str("\0[\0");
    for ball in balls {
        source.push_str("s\0");
        source.push_str(&ball.to_string());
        source.push('\0');
    }
    source.push_str("]\0");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::obyte::source::source_string;

    #[test]
    fn a_ball_is_hashed_by_its_source_string() {
        let [unit, one, two] = [b"u", b"1", b"2"].map(|seed| Hash::of(seed));
        let ball =
            json!({"unit": unit, "parent_balls": [one, two], "skiplist_balls": [two], "is_nonserial": true});

        let expected = Hash::of(source_string(&ball).unwrap().as_bytes());

        assert_eq!(ball_hash(&unit, &[one, two], &[two], true), expected);
        let bare = Hash::of(source_string(&json!({"unit": unit})).unwrap().as_bytes());
        assert_eq!(ball_hash(&unit, &[], &[], false), bare);
    }
}
