//! Rust source as tokens and comments, so that a check reads code and not what strings or comments say.

/// A token of Rust code. Literals keep no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// An identifier or a keyword; `r#type` is `type`.
    Ident(String),
    /// One character of punctuation.
    Punct(char),
    /// A string, a character or a number.
    Literal,
    /// `'a`
    Lifetime,
}

impl Token {
    pub(crate) fn is_text(&self, text: &str) -> bool {
        match self {
            Self::Ident(ident) => ident == text,
            Self::Punct(punct) => text.chars().eq([*punct]),
            Self::Literal | Self::Lifetime => false,
        }
    }

    pub(crate) fn ident(&self) -> Option<&str> {
        match self {
            Self::Ident(ident) => Some(ident),
            Self::Punct(_) | Self::Literal | Self::Lifetime => None,
        }
    }
}

/// A token with its line, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) token: Token,
    pub(crate) line: usize,
}

/// A comment on one line, or one line of a block comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comment {
    /// The text with its `//`, `///` or `//!`.
    pub(crate) text: String,
    pub(crate) line: usize,
}

impl Comment {
    /// Returns the text of a doc comment, without its marker.
    pub(crate) fn doc(&self) -> Option<&str> {
        let is_plain = self.text.starts_with("////");
        let text = self.text.strip_prefix("///").or_else(|| self.text.strip_prefix("//!"));
        text.filter(|_| !is_plain)
    }
}

/// A source file, taken apart.
#[derive(Debug, Default)]
pub(crate) struct Source {
    pub(crate) tokens: Vec<Placed>,
    pub(crate) comments: Vec<Comment>,
}

impl Source {
    pub(crate) fn parse(text: &str) -> Self {
        let mut lexer = Lexer { chars: text.chars().collect(), at: 0, line: 1, source: Self::default() };
        while lexer.step() {}
        lexer.source
    }

    /// Returns the identifiers with their lines.
    pub(crate) fn idents(&self) -> impl Iterator<Item = (&str, usize)> {
        self.tokens.iter().filter_map(|placed| Some((placed.token.ident()?, placed.line)))
    }

    /// Returns the tokens without the items under `#[cfg(test)]`.
    pub(crate) fn without_tests(&self) -> Vec<Placed> {
        let cfg_test = ["#", "[", "cfg", "(", "test", ")", "]"];
        let mut kept = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            let rest = &self.tokens[at..];
            if rest.len() >= cfg_test.len()
                && rest.iter().zip(cfg_test).all(|(placed, text)| placed.token.is_text(text))
            {
                at += cfg_test.len() + item_length(&rest[cfg_test.len()..]);
            } else {
                kept.push(self.tokens[at].clone());
                at += 1;
            }
        }
        kept
    }
}

/// Returns the number of tokens of an item: until its `;`, or until the end of its block.
fn item_length(tokens: &[Placed]) -> usize {
    let (mut braces, mut others) = (0_usize, 0_usize);
    for (at, placed) in tokens.iter().enumerate() {
        match placed.token {
            Token::Punct('{') => braces += 1,
            Token::Punct('}') => {
                braces = braces.saturating_sub(1);
                // `use a::{b, c};` goes on after its braces.
                let goes_on = tokens.get(at + 1).is_some_and(|next| next.token.is_text(";"));
                if braces == 0 && others == 0 && !goes_on {
                    return at + 1;
                }
            }
            Token::Punct('(' | '[') => others += 1,
            Token::Punct(')' | ']') => others = others.saturating_sub(1),
            Token::Punct(';') if braces == 0 && others == 0 => return at + 1,
            Token::Punct(_) | Token::Ident(_) | Token::Literal | Token::Lifetime => {}
        }
    }
    tokens.len()
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    source: Source,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn advance(&mut self) -> Option<char> {
        let next = self.peek(0)?;
        self.at += 1;
        if next == '\n' {
            self.line += 1;
        }
        Some(next)
    }

    fn push(&mut self, token: Token, line: usize) {
        self.source.tokens.push(Placed { token, line });
    }

    fn step(&mut self) -> bool {
        let line = self.line;
        let Some(next) = self.peek(0) else { return false };
        if next.is_whitespace() {
            self.advance();
        } else if next == '/' && self.peek(1) == Some('/') {
            self.line_comment();
        } else if next == '/' && self.peek(1) == Some('*') {
            self.block_comment();
        } else if let Some(hashes) = self.raw_string() {
            self.skip_raw_string(hashes);
            self.push(Token::Literal, line);
        } else if let Some(prefix) = self.quoted() {
            self.at += prefix;
            self.skip_quoted();
            self.push(Token::Literal, line);
        } else if next == '\'' {
            self.advance();
            self.take_while(is_ident);
            self.push(Token::Lifetime, line);
        } else if next == 'r' && self.peek(1) == Some('#') && self.peek(2).is_some_and(is_ident_start) {
            self.at += 2;
            let ident = self.take_while(is_ident);
            self.push(Token::Ident(ident), line);
        } else if is_ident_start(next) {
            let ident = self.take_while(is_ident);
            self.push(Token::Ident(ident), line);
        } else if next.is_ascii_digit() {
            self.take_while(is_ident);
            self.push(Token::Literal, line);
        } else {
            self.advance();
            self.push(Token::Punct(next), line);
        }
        true
    }

    fn take_while(&mut self, matches: impl Fn(char) -> bool) -> String {
        let mut text = String::new();
        while let Some(next) = self.peek(0).filter(|next| matches(*next)) {
            text.push(next);
            self.advance();
        }
        text
    }

    fn line_comment(&mut self) {
        let line = self.line;
        let text = self.take_while(|next| next != '\n');
        self.source.comments.push(Comment { text, line });
    }

    fn block_comment(&mut self) {
        let (mut depth, mut text, mut line) = (0, String::new(), self.line);
        while let Some(next) = self.peek(0) {
            match (next, self.peek(1)) {
                ('/', Some('*')) => depth += 1,
                ('*', Some('/')) => depth -= 1,
                ('\n', _) => {
                    self.source.comments.push(Comment { text: std::mem::take(&mut text), line });
                    line = self.line + 1;
                }
                _ => {
                    text.extend(self.advance());
                    continue;
                }
            }
            if next == '\n' {
                self.advance();
                continue;
            }
            text.extend(self.advance());
            text.extend(self.advance());
            if depth == 0 {
                break;
            }
        }
        self.source.comments.push(Comment { text, line });
    }

    /// Returns the number of `#` if a raw string begins here.
    fn raw_string(&self) -> Option<usize> {
        let prefix = match (self.peek(0)?, self.peek(1)) {
            ('r', _) => 1,
            ('b' | 'c', Some('r')) => 2,
            _ => return None,
        };
        let hashes = (0..).take_while(|ahead| self.peek(prefix + ahead) == Some('#')).count();
        (self.peek(prefix + hashes) == Some('"')).then_some(hashes)
    }

    fn skip_raw_string(&mut self, hashes: usize) {
        self.take_while(|next| next != '"');
        self.advance();
        while let Some(next) = self.advance() {
            if next == '"' && (0..hashes).all(|ahead| self.peek(ahead) == Some('#')) {
                self.at += hashes;
                return;
            }
        }
    }

    /// Returns the length of the prefix if a string or a character begins here.
    fn quoted(&self) -> Option<usize> {
        let prefix = match (self.peek(0)?, self.peek(1)) {
            ('b' | 'c', Some('"')) | ('b', Some('\'')) => 1,
            _ => 0,
        };
        let is_char = match (self.peek(prefix + 1), self.peek(prefix + 2)) {
            (Some('\\'), _) => true,
            (Some(_), after) => after == Some('\''),
            (None, _) => false,
        };
        match self.peek(prefix)? {
            '"' => Some(prefix),
            '\'' if is_char => Some(prefix),
            _ => None,
        }
    }

    fn skip_quoted(&mut self) {
        let quote = self.advance();
        while let Some(next) = self.advance() {
            if next == '\\' {
                self.advance();
            } else if Some(next) == quote {
                return;
            }
        }
    }
}

fn is_ident_start(next: char) -> bool {
    next.is_alphabetic() || next == '_'
}

fn is_ident(next: char) -> bool {
    next.is_alphanumeric() || next == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idents(text: &str) -> Vec<String> {
        Source::parse(text).idents().map(|(ident, _)| ident.to_owned()).collect()
    }

    #[test]
    fn strings_characters_and_comments_are_no_identifiers() {
        let text = r###"
            let a = "told \" told"; let b = r#"told "told" "#; let c = br"told"; let d = 'x'; let e = '\'';
            // told
            /* told /* told */ told */
            fn f<'told>(g: &'told str) -> u8 { b'x' + 1_u8 }
        "###;
        assert_eq!(
            idents(text),
            ["let", "a", "let", "b", "let", "c", "let", "d", "let", "e", "fn", "f", "g", "str", "u8"]
        );
    }

    #[test]
    fn identifiers_have_their_lines_and_raw_ones_no_prefix() {
        let source = Source::parse("struct A;\n\nlet r#type = \"\n\";\nB");
        let found: Vec<_> = source.idents().collect();
        assert_eq!(found, [("struct", 1), ("A", 1), ("let", 3), ("type", 3), ("B", 5)]);
    }

    #[test]
    fn comments_have_their_lines_and_only_docs_are_docs() {
        let source = Source::parse("//! a\nlet x = \"// no\"; // b\n/// c\n/* d\ne */");
        let found: Vec<_> = source.comments.iter().map(|one| (one.text.as_str(), one.line)).collect();
        assert_eq!(found, [("//! a", 1), ("// b", 2), ("/// c", 3), ("/* d", 4), ("e */", 5)]);
        let docs: Vec<_> = source.comments.iter().filter_map(Comment::doc).collect();
        assert_eq!(docs, [" a", " c"]);
    }

    #[test]
    fn items_under_cfg_test_are_left_out() {
        let text = "use a::b; #[cfg(test)] use c::{d, e}; #[cfg(test)] mod tests { fn f() { {} } } #[cfg(test)]\n\
                    mod g; #[cfg(test)] #[path = \"x\"] mod h; fn i([u8; 2]: j) {}";
        let kept: Vec<_> = Source::parse(text)
            .without_tests()
            .iter()
            .filter_map(|placed| placed.token.ident().map(str::to_owned))
            .collect();
        assert_eq!(kept, ["use", "a", "b", "fn", "i", "u8", "j"]);
    }
}
