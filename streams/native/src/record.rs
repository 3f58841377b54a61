//! A link record taken apart where it lies. What is not plain JSON is declined, never guessed: Python's codec, which is the
//! specification, reads that. So this may decline anything, and must agree wherever it doesn't.

use crate::time::rfc3339_ms;
use crate::url::URL_BYTES_MAX;

pub const RECORD_BYTES_MAX: usize = 65_536;
const NAME_CHARS_MAX: usize = 200;
const TEXT_CHARS_MAX: usize = 10_000;
const REST_BYTES_MAX: usize = 1_024;
const DEPTH_MAX: usize = 8;

/// The text around a link.
#[derive(Debug)]
pub enum Context<'a> {
    /// Without escapes, and its length in characters.
    Plain { text: &'a [u8], chars: usize },
    /// Any other value, as JSON.
    Raw(&'a [u8]),
}

/// The members of an event that have a value of their own in almost every record.
#[derive(Debug, Default)]
pub struct Members<'a> {
    pub url_from: &'a [u8],
    pub url_to: &'a [u8],
    pub occurred_ms: Option<i64>,
    pub observed_ms: Option<i64>,
    /// As JSON.
    pub anchor: Option<&'a [u8]>,
    pub page: Option<&'a [u8]>,
    pub context: Option<Context<'a>>,
}

/// Take a record apart; None where the codec has to.
///
/// `rest` gets the other members that the contract knows, as JSON with a comma before each; `known` are their names.
pub fn parse<'a>(value: &'a [u8], known: &[Vec<u8>], rest: &mut Vec<u8>) -> Option<Members<'a>> {
    if value.len() > RECORD_BYTES_MAX || std::str::from_utf8(value).is_err() {
        return None;
    }
    let mut scanner = Scanner { bytes: value, at: 0 };
    let mut members = Members::default();
    let mut seen = 0_u8;
    rest.clear();
    scanner.eat(b'{')?;
    loop {
        let name = scanner.text()?.bytes;
        scanner.eat(b':')?;
        match name {
            b"url_from" => {
                once(&mut seen, 0)?;
                members.url_from = scanner.text_of(URL_BYTES_MAX)?;
            }
            b"url_to" => {
                once(&mut seen, 1)?;
                members.url_to = scanner.text_of(URL_BYTES_MAX)?;
            }
            b"occurred_at" => {
                once(&mut seen, 2)?;
                scanner.instant_ms(&mut members.occurred_ms)?;
            }
            b"observed_at" => {
                once(&mut seen, 3)?;
                scanner.instant_ms(&mut members.observed_ms)?;
            }
            b"anchor" => {
                once(&mut seen, 4)?;
                members.anchor = Some(scanner.value()?);
            }
            b"page" => {
                once(&mut seen, 5)?;
                members.page = Some(scanner.value()?);
            }
            b"context" => {
                once(&mut seen, 6)?;
                members.context = Some(scanner.context()?);
            }
            b"id" => {
                once(&mut seen, 7)?;
                scanner.id()?;
            }
            _ if known.iter().any(|each| each == name) => {
                rest.extend_from_slice(b",\"");
                rest.extend_from_slice(name);
                rest.extend_from_slice(b"\":");
                rest.extend_from_slice(scanner.value()?);
            }
            _ => scanner.skip_scalar()?,
        }
        if scanner.eat(b',').is_none() {
            break;
        }
    }
    scanner.eat(b'}')?;
    let is_whole = seen & 3 == 3 && rest.len() <= REST_BYTES_MAX && scanner.peek().is_none();
    is_whole.then_some(members)
}

/// Decline a member that comes twice.
fn once(seen: &mut u8, number: u8) -> Option<()> {
    let bit = 1 << number;
    let is_first = *seen & bit == 0;
    *seen |= bit;
    is_first.then_some(())
}

/// A string without escapes, and its length in characters.
struct Text<'a> {
    bytes: &'a [u8],
    chars: usize,
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        let is_there = self.peek()? == byte;
        self.at += usize::from(is_there);
        is_there.then_some(())
    }

    fn eat_word(&mut self, word: &[u8]) -> Option<()> {
        self.peek();
        self.bytes[self.at..].starts_with(word).then(|| self.at += word.len())
    }

    /// Read a string without escapes.
    fn text(&mut self) -> Option<Text<'a>> {
        self.eat(b'"')?;
        let rest = &self.bytes[self.at..];
        let end = memchr::memchr2(b'"', b'\\', rest)?;
        let bytes = &rest[..end];
        if rest[end] == b'\\' || has_control(bytes) {
            return None;
        }
        self.at += end + 1;
        Some(Text {
            bytes,
            chars: chars_in(bytes),
        })
    }

    fn text_of(&mut self, chars_max: usize) -> Option<&'a [u8]> {
        let text = self.text()?;
        (1..=chars_max).contains(&text.chars).then_some(text.bytes)
    }

    fn id(&mut self) -> Option<()> {
        self.eat_word(b"null")
            .or_else(|| self.text_of(NAME_CHARS_MAX).map(|_| ()))
    }

    /// Read an instant, or null, which leaves it out.
    fn instant_ms(&mut self, into: &mut Option<i64>) -> Option<()> {
        if self.eat_word(b"null").is_none() {
            *into = Some(rfc3339_ms(self.text()?.bytes)?);
        }
        Some(())
    }

    fn context(&mut self) -> Option<Context<'a>> {
        if self.peek()? == b'"' {
            let begin = self.at;
            if let Some(text) = self.text() {
                return (text.chars <= TEXT_CHARS_MAX).then_some(Context::Plain {
                    text: text.bytes,
                    chars: text.chars,
                });
            }
            self.at = begin;
        }
        self.value().map(Context::Raw)
    }

    /// Find the end of any value, which the domain decodes. What is none there, is declined by it.
    fn value(&mut self) -> Option<&'a [u8]> {
        self.peek()?;
        let begin = self.at;
        let mut depth = 0;
        loop {
            match self.peek()? {
                b'"' => self.skip_string()?,
                b'[' | b'{' => {
                    depth += 1;
                    self.at += 1;
                }
                b']' | b'}' => {
                    depth = usize::checked_sub(depth, 1)?;
                    self.at += 1;
                }
                b',' | b':' if depth > 0 => self.at += 1,
                _ => self.skip_word()?,
            }
            if depth == 0 {
                return Some(&self.bytes[begin..self.at]);
            }
            if depth > DEPTH_MAX {
                return None;
            }
        }
    }

    fn skip_string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            let rest = &self.bytes[self.at..];
            let end = memchr::memchr2(b'"', b'\\', rest)?;
            self.at += end + 1;
            if rest[end] == b'"' {
                return Some(());
            }
            self.at += 1; // what is escaped
            self.bytes.get(self.at)?;
        }
    }

    /// Skip a number, or a word such as null.
    fn skip_word(&mut self) -> Option<()> {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let length = self.bytes[self.at..].iter().take_while(|byte| is_part(byte)).count();
        self.at += length;
        (length > 0).then_some(())
    }

    /// Skip the value of a member that nobody knows, if it is plainly valid.
    fn skip_scalar(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => self.text().map(|_| ()),
            b'0'..=b'9' => {
                let begin = self.at;
                self.skip_word()?;
                let number = &self.bytes[begin..self.at];
                let is_plain = number.iter().all(u8::is_ascii_digit) && (number[0] != b'0' || number.len() == 1);
                (is_plain && number.len() < 19).then_some(())
            }
            _ => [&b"null"[..], b"true", b"false"]
                .iter()
                .find_map(|word| self.eat_word(word)),
        }
    }
}

fn has_control(text: &[u8]) -> bool {
    text.iter().filter(|&&byte| byte < 0x20).count() > 0 // all of them, as then the processor's vectors do it
}

/// Count the characters of UTF-8: all bytes but those that continue one.
fn chars_in(text: &[u8]) -> usize {
    text.iter().filter(|&&byte| byte & 0xC0 != 0x80).count()
}
