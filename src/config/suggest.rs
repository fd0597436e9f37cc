//! Guesses what somebody meant to write.

use super::message::{Message, say};

/// The choice that looks most like `given`, if one looks like it at all.
pub(super) fn closest<'a>(given: &str, choices: &[&'a str]) -> Option<&'a str> {
    let plain = normal(given);
    if plain.is_empty() {
        return None;
    }
    let distance = |choice: &&&str| strsim::osa_distance(&plain, &normal(choice));
    let nearest = choices.iter().min_by_key(distance)?;
    if distance(&nearest) <= allowed(&plain) {
        return Some(nearest);
    }
    // Half of a name, or a name with something around it: `secret`, `request_body_max`.
    let holds = |choice: &&&str| {
        let choice = normal(choice);
        plain.len().min(choice.len()) >= 4 && (choice.contains(&plain) || plain.contains(&choice))
    };
    choices.iter().find(holds).copied()
}

/// `did you mean "upstream"?`
pub(super) fn did_you_mean(word: &str) -> Message {
    say!("是否想写 \"{word}\"？", "did you mean \"{word}\"?")
}

/// `write "512MiB"`
pub(super) fn write(text: &str) -> Message {
    say!("请写 {text}", "write {text}")
}

/// `one of "a", "b"`
pub(super) fn one_of(choices: &[&str]) -> Message {
    let list = choices.iter().map(|c| format!("\"{c}\"")).collect::<Vec<_>>().join(", ");
    say!("可选：{list}", "one of {list}")
}

/// Case and separators are the first things people mix up: `appId`, `body-max`.
fn normal(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

/// One wrong letter in each three, and one in a word of two: more would be guessing.
fn allowed(word: &str) -> usize {
    (word.chars().count() / 3).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_word_is_found_and_a_far_one_is_not() {
        let choices = ["upstream", "app_secret", "app_id", "body_max", "token"];
        for (given, meant) in [
            ("upstrem", Some("upstream")),
            ("appId", Some("app_id")),
            ("body-max", Some("body_max")),
            ("secret", Some("app_secret")),
            ("tokne", Some("token")),
            ("colour", None),
            ("", None),
            ("_", None),
        ] {
            assert_eq!(closest(given, &choices), meant, "{given}");
        }
        assert_eq!(closest("x", &[]), None);
    }
}
