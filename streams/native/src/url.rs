//! The shape of most URLs of pages: `urls.canonical.PLAIN` of the domain, also with http and with slashes at the end.

use memchr::memchr;

pub const URL_BYTES_MAX: usize = 4_096;

/// A URL that says no more than a host and folders, split after its host.
#[derive(Debug, PartialEq)]
pub struct Plain<'a> {
    pub host: &'a [u8],
    /// In canonical form.
    pub path: &'a [u8],
}

/// Return the parts of a URL of this shape; None where only the domain can tell.
pub fn plain(url: &[u8]) -> Option<Plain<'_>> {
    if url.len() > URL_BYTES_MAX {
        return None;
    }
    let address = url.strip_prefix(b"https://").or_else(|| url.strip_prefix(b"http://"))?;
    let (host, path) = address.split_at(memchr(b'/', address).unwrap_or(address.len()));
    if host.is_empty() || !host.iter().all(|&byte| HOST[usize::from(byte)]) {
        return None;
    }
    let end = path.iter().rposition(|&byte| byte != b'/').map_or(0, |last| last + 1);
    if end == 0 {
        return Some(Plain { host, path: b"/" });
    }
    let path = &path[..end];
    let last = path.rsplit(|&byte| byte == b'/').next()?;
    let is_amp = last == b"amp"
        || [&b".amp"[..], b".amp.htm", b".amp.html"]
            .iter()
            .any(|end| last.ends_with(end));
    (!is_amp && path[1..].split(|&byte| byte == b'/').all(is_plain_folder)).then_some(Plain { host, path })
}

fn is_plain_folder(folder: &[u8]) -> bool {
    let begins_with = |name: &[u8]| {
        folder
            .get(..name.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(name))
    };
    folder.first().is_some_and(|&first| first != b'.' && first != b'(')
        && folder.iter().all(|&byte| FOLDER[usize::from(byte)])
        && !begins_with(b"index.")
        && !begins_with(b"default.")
}

const fn table(marks: &[u8], has_capitals: bool) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        #[allow(clippy::cast_possible_truncation)] // it is below 256
        let letter = byte as u8;
        table[byte] =
            letter.is_ascii_lowercase() || letter.is_ascii_digit() || (has_capitals && letter.is_ascii_uppercase());
        byte += 1;
    }
    let mut at = 0;
    while at < marks.len() {
        table[marks[at] as usize] = true;
        at += 1;
    }
    table
}

static HOST: [bool; 256] = table(b".-", false);
static FOLDER: [bool; 256] = table(b"._~!$&'()*+,=:@-", true);

/// Names that tell something where they stand after a slash, or after what else begins a part of a URL.
pub struct Names {
    by_first: Vec<Vec<Box<[u8]>>>,
}

impl Names {
    pub fn new(names: Vec<Vec<u8>>) -> Self {
        let mut by_first = vec![Vec::new(); 256];
        for name in names {
            if let Some(&first) = name.first() {
                by_first[usize::from(first)].push(name.into_boxed_slice());
            }
        }
        Names { by_first }
    }

    /// Whether a part of a URL begins with one of the names.
    pub fn are_in(&self, url: &[u8]) -> bool {
        memchr::memchr3_iter(b'/', b'?', b'&', url).any(|at| {
            let part = &url[at + 1..];
            part.first().is_some_and(|&first| {
                self.by_first[usize::from(first)]
                    .iter()
                    .any(|name| part.starts_with(name))
            })
        })
    }
}
