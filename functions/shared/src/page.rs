//! Pages of lists: `limit` and `cursor` in, `{"data":[…],"next_cursor":…}` out.
//!
//! A cursor is a place in one list, written so that people do not read meaning into it. It carries the list's
//! name and its filters, and is refused in any other; it holds no more than what the caller could read
//! anyway.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Rows in a page when the caller does not say.
pub const DEFAULT_LIMIT: usize = 25;
/// Most rows in a page.
pub const MAX_LIMIT: usize = 100;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Where to go on; null at the end.
    pub next_cursor: Option<String>,
}

/// A cursor that was not made by this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this cursor was not given by this list with these filters")]
pub struct InvalidCursor;

#[derive(Serialize, Deserialize)]
struct Cursor<P> {
    list: String,
    at: P,
}

/// Writes a place in the list named `list`. The name should hold mode and filters too.
pub fn write_cursor<P: Serialize>(list: &str, at: P) -> String {
    // A place is text and numbers: it always serializes.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&Cursor { list: list.to_owned(), at }).unwrap_or_default())
}

/// Reads a place in the list named `list`.
///
/// # Errors
/// If it was made for another list, or not by us.
pub fn read_cursor<P: DeserializeOwned>(list: &str, cursor: &str) -> Result<P, InvalidCursor> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| InvalidCursor)?;
    let cursor: Cursor<P> = serde_json::from_slice(&bytes).map_err(|_| InvalidCursor)?;
    if cursor.list == list { Ok(cursor.at) } else { Err(InvalidCursor) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_works_in_its_own_list_only() {
        let cursor = write_cursor("test events state=dead", 7);
        assert_eq!(read_cursor("test events state=dead", &cursor), Ok(7));
        assert_eq!(read_cursor::<i32>("live events state=dead", &cursor), Err(InvalidCursor));
        assert_eq!(read_cursor::<String>("test events state=dead", &cursor), Err(InvalidCursor));
        for cursor in ["", "7", "!", "bm90IGpzb24"] {
            assert_eq!(read_cursor::<i32>("x", cursor), Err(InvalidCursor));
        }
    }
}
