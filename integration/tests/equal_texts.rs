//! What real servers call equal has one key here, in every collation whose rule is known: workers that
//! go by the rows of transactions depend on it.

use std::collections::BTreeMap;

use engine::collation::{Collation, known, shared_key};
use integration::chance::announce;
use integration::failure::ensure;
use integration::{Client, Peer, RealServer, Result};

/// Letters, ligatures, marks, contractions, and what weighs nothing.
const TEXTS: [&str; 76] = [
    "a",
    "A",
    "á",
    "Á",
    "à",
    "å",
    "ä",
    "a\u{301}",
    "A\u{30a}",
    "æ",
    "ae",
    "AE",
    "b",
    "B",
    "ß",
    "ss",
    "SS",
    "ẞ",
    "ﬁ",
    "fi",
    "ñ",
    "n",
    "n\u{303}",
    "ø",
    "o",
    "i",
    "ı",
    "İ",
    "I",
    "l·",
    "ŀ",
    "L·",
    "й",
    "и\u{306}",
    "Й",
    "и",
    "е",
    "ё",
    "ж",
    "Ж",
    "ς",
    "σ",
    "Σ",
    "Ω",
    "\u{2126}",
    "K",
    "\u{212a}",
    "か",
    "ガ",
    "が",
    "カ",
    "ｶ",
    "한",
    "\u{1112}\u{1161}\u{11ab}",
    "日",
    "⽇",
    "\u{9cb}",
    "\u{9c7}\u{9be}",
    "เก",
    "กเ",
    "\u{627}\u{653}",
    "\u{622}",
    "½",
    "1⁄2",
    "①",
    "1",
    "²",
    "2",
    "😀",
    "😁",
    "𝐀",
    "é",
    "e\u{301}",
    "-",
    "",
    "\u{200d}",
];

/// What may stand behind them.
const ENDS: [&str; 5] = ["", " ", "  ", "x", "\t"];

fn texts() -> impl Iterator<Item = String> {
    TEXTS
        .iter()
        .flat_map(|text| ENDS.map(|end| format!("{text}{end}")))
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits = hexadecimal.as_bytes().chunks(2);
    let number = |pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.filter_map(number).collect()
}

/// The texts as the server keeps them in a character set, by number; `None` if it has none such.
async fn kept(client: &mut Client, charset: &str) -> Result<Option<BTreeMap<usize, Vec<u8>>>> {
    let table =
        format!("CREATE TABLE t_{charset} (id INT PRIMARY KEY, s VARCHAR(20)) CHARSET {charset}");
    if client.attempt(&table).await?.is_err() {
        return Ok(None);
    }
    let rows: Vec<String> = texts()
        .enumerate()
        .map(|(number, text)| {
            let digits: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            format!("({number}, CONVERT(X'{digits}' USING utf8mb4))")
        })
        .collect();
    // What the character set lacks becomes a question mark.
    let rows = format!("INSERT IGNORE INTO t_{charset} VALUES {}", rows.join(","));
    client.execute(&rows).await?;
    let rows = client
        .rows(&format!("SELECT id, HEX(s) FROM t_{charset}"))
        .await?;
    let mut kept = BTreeMap::new();
    for row in rows {
        if let [id, text] = row.as_slice() {
            kept.insert(id.to_string().parse()?, bytes(&text.to_string()));
        }
    }
    Ok(Some(kept))
}

/// How many pairs the server calls equal, and how many of these have no key; `None` if it has no such
/// collation.
async fn check(
    client: &mut Client,
    collation: &Collation,
    kept: &BTreeMap<usize, Vec<u8>>,
) -> Result<Option<[usize; 2]>> {
    let (name, charset) = (collation.name, collation.charset.name());
    let sql = format!(
        "CREATE OR REPLACE VIEW pairs AS SELECT a.id AS one, b.id AS other FROM t_{charset} a JOIN \
         t_{charset} b ON a.id < b.id AND a.s COLLATE {name} = b.s COLLATE {name}"
    );
    if client.attempt(&sql).await?.is_err() {
        return Ok(None);
    }
    let mut counts = [0, 0];
    for pair in client.rows("SELECT one, other FROM pairs").await? {
        let mut keys = Vec::new();
        for id in &pair {
            let text = kept.get(&id.to_string().parse()?);
            let text = text.map(Vec::as_slice).unwrap_or_default();
            keys.push(shared_key(collation, text, None));
        }
        let is_unknown = keys.contains(&None);
        keys.dedup();
        ensure(is_unknown || keys.len() == 1, || {
            format!("{name}: texts {pair:?} have keys {keys:?}")
        })?;
        let [all, unknown] = &mut counts;
        *all += 1;
        *unknown += usize::from(is_unknown);
    }
    Ok(Some(counts))
}

async fn equal_texts(peer: Peer, least: usize) -> Result {
    let server = RealServer::start(peer, 1, &[]).await?;
    let mut client = server.client().await?;
    client.run(&["CREATE DATABASE d", "USE d"]).await?;
    let mut charsets = BTreeMap::new();
    let (mut collations, mut pairs, mut unknown) = (0, 0, 0);
    for collation in known() {
        if collation.not_kept().is_some() || collation.is_binary() {
            continue;
        }
        // What they name there is among the others.
        if peer.is_mariadb() && collation.name.contains("_0900_") {
            continue;
        }
        let charset = collation.charset.name();
        if !charsets.contains_key(charset) {
            let kept = kept(&mut client, charset).await?;
            charsets.insert(charset, kept);
        }
        let Some(Some(kept)) = charsets.get(charset) else {
            continue;
        };
        if let Some([all, without]) = check(&mut client, collation, kept).await? {
            collations += 1;
            pairs += all;
            unknown += without;
        }
    }
    ensure(collations >= least && pairs > 100 * collations, || {
        format!("{collations} collations, {pairs} pairs")
    })?;
    announce(&format!(
        "{}: {collations} collations, {pairs} pairs of equal texts, {unknown} of them without a key",
        peer.folder()
    ));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_mysql_calls_equal_has_one_key() -> Result {
    equal_texts(Peer::MySql97, 60).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_mariadb_calls_equal_has_one_key() -> Result {
    equal_texts(Peer::MariaDb118, 60).await
}
