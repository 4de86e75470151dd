//! Collations that have the servers' order, asked about random texts.

use std::fmt::Write as _;

use integration::chance::Chance;
use integration::failure::{Failure, ensure};
use integration::{Client, Peer, RealServer, Result, Weir};

/// Letters in both cases, with accents of their own and behind them, ligatures, what other scripts have,
/// and what weighs nothing. Scripts whose letters are weighed in pairs are left out.
const ALPHABET: &str = "aAbBzZ019 _-~áÁäÄÅåøØœŒßsSeEéÉêñÑçÇłŁđĐþÞæÆİıiIĳǆ\u{301}\u{308}ΑαάΣσςЖжЁёйЙїЇ中文日本語ァアあかガ가각힣ｱＡａ\u{0}\u{7f}\t\u{a0}\u{200b}₤€½①😀😁𝒜豈";

/// Pairs of texts asked of each collation.
const PAIRS: usize = 120;

/// Texts of a few characters; the second is often the first with one other.
fn pair(chance: &mut Chance, alphabet: &[char]) -> [String; 2] {
    let mut character = || {
        let at = usize::try_from(chance.below(alphabet.len() as u64)).unwrap_or(0);
        alphabet.get(at).copied().unwrap_or('a')
    };
    let first: Vec<char> = (0..4).map(|_| character()).collect();
    let mut second = first.clone();
    for place in [0, 2] {
        let other = character();
        if let Some(there) = second.get_mut(place) {
            *there = other;
        }
    }
    if character() > 'z' {
        second.push(' ');
    }
    if character() > 'z' {
        second = first.clone();
        second.push(' ');
    }
    [first, second].map(|text| text.into_iter().collect())
}

/// What a server says of the pairs; `None` for a collation that it has not.
async fn order(
    client: &mut Client,
    charset: &str,
    collation: &str,
    pairs: &[[String; 2]],
) -> Result<Option<Vec<String>>> {
    let mut query = String::from("SELECT ");
    for (number, texts) in pairs.iter().enumerate() {
        let sides = texts.each_ref().map(|text| {
            let hex = super::hex(text.as_bytes());
            format!("CONVERT(_utf8mb4 X'{hex}' USING {charset}) COLLATE {collation}")
        });
        let comma = if number == 0 { "" } else { ", " };
        write!(query, "{comma}STRCMP({})", sides.join(", "))?;
    }
    match client.attempt(&query).await? {
        Ok(_) => {}
        Err(refused) if refused.code == 1273 => return Ok(None),
        Err(refused) => return Err(Failure::new(refused.message)),
    }
    let rows = client.rows(&query).await?;
    Ok(rows
        .first()
        .map(|row| row.iter().map(ToString::to_string).collect()))
}

/// Asks both about every collation of the peer.
async fn compare(peer: Peer, listed: &str, least: usize) -> Result {
    let server = RealServer::start(peer, 1, &[]).await?;
    let weir = Weir::primary(2, &[]).await?;
    let mut theirs = server.client().await?;
    let mut ours = weir.client().await?;
    let mut chance = Chance::from_environment();
    let alphabet: Vec<char> = ALPHABET.chars().collect();
    let mut kept = 0;
    for row in theirs.rows(listed).await? {
        let words: Vec<String> = row.iter().map(ToString::to_string).collect();
        let [collation, charset] = words.as_slice() else {
            return Err(Failure::new(format!("{words:?}")));
        };
        let pairs: Vec<_> = (0..PAIRS).map(|_| pair(&mut chance, &alphabet)).collect();
        let Some(found) = order(&mut ours, charset, collation, &pairs).await? else {
            continue;
        };
        kept += 1;
        let wanted = order(&mut theirs, charset, collation, &pairs).await?;
        let wanted = wanted.unwrap_or_default();
        for ((texts, wanted), found) in pairs.iter().zip(&wanted).zip(&found) {
            ensure(wanted == found, || {
                format!("{collation}: {texts:?} is {wanted}, not {found}")
            })?;
        }
    }
    ensure(kept >= least, || format!("{kept} collations"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_are_ordered_as_mysql_orders_them() -> Result {
    let listed = "SELECT COLLATION_NAME, CHARACTER_SET_NAME FROM information_schema.COLLATIONS \
                  WHERE CHARACTER_SET_NAME <> 'binary' ORDER BY 1";
    compare(Peer::MySql97, listed, 110).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_are_ordered_as_mariadb_orders_them() -> Result {
    let listed = "SELECT FULL_COLLATION_NAME, CHARACTER_SET_NAME \
                  FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY \
                  WHERE CHARACTER_SET_NAME <> 'binary' AND FULL_COLLATION_NAME NOT LIKE '%0900%' ORDER BY 1";
    compare(Peer::MariaDb118, listed, 230).await
}
