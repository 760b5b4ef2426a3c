//! The words and the edges that two or more functions use.
