//! JSON: binary documents and texts.

use binlog::value::json;

use super::Verdict;
use crate::made;
use crate::seeds::Seed;

/// Takes bytes as a binary document.
pub fn binary(input: &[u8]) -> Verdict {
    let text = json::to_text(input);
    let Ok(tree) = json::decode(input) else {
        assert!(text.is_err(), "a text of a document that does not decode");
        return Verdict::Refused;
    };
    if let Ok(text) = &text {
        assert_eq!(
            text,
            &tree.to_string(),
            "the walker and the tree print differently"
        );
    }
    if let Ok(first) = json::encode(&tree) {
        let again = json::decode(&first).expect("what was encoded decodes");
        let second = json::encode(&again).expect("what was encoded encodes again");
        assert!(first == second, "{tree:?} encodes in two ways");
        assert_eq!(again.to_string(), tree.to_string());
    }
    Verdict::Decoded
}

/// Takes bytes as a document, behind its length in 2 bytes, and changes to apply to it.
pub fn diffs(input: &[u8]) -> Verdict {
    let Some((len, rest)) = input.split_first_chunk::<2>() else {
        return Verdict::Refused;
    };
    let len = usize::from(u16::from_le_bytes(*len)).min(rest.len());
    let (before, changes) = rest.split_at_checked(len).unwrap_or((rest, &[]));
    let read = json::diffs(changes).filter(Result::is_ok).count();
    assert!(read <= changes.len(), "more changes than bytes");
    let Ok(after) = json::apply_diffs(before, changes) else {
        return Verdict::Refused;
    };
    // Without a change nobody looks at the document.
    if read > 0 {
        json::decode(&after).expect("a changed document decodes");
    }
    Verdict::Decoded
}

/// Takes bytes as the text of a document.
pub fn text(input: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(input) else {
        return Verdict::Refused;
    };
    let Ok(binary) = json::from_text(text) else {
        return Verdict::Refused;
    };
    let printed = json::to_text(&binary).expect("what was encoded decodes");
    let again = json::from_text(&printed).expect("what was printed parses");
    let reprinted = json::to_text(&again).expect("what was encoded decodes");
    assert_eq!(printed, reprinted);
    Verdict::Decoded
}

/// The text seeds in binary form.
#[must_use]
pub fn binary_seeds() -> Vec<Seed> {
    let mut seeds = made::json_documents();
    for seed in made::json_texts() {
        let text = String::from_utf8(seed.input()).unwrap_or_default();
        seeds.extend(json::from_text(&text).map(|binary| Seed::bytes("document", binary)));
    }
    seeds
}
