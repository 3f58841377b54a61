//! From the parts of a record to what its article takes: `events.observation.observation_of` of the domain, for records of
//! which nothing is odd.

use crate::answers::Answers;
use crate::record::{parse, Context, Members};
use crate::url::{plain, Names, Plain, URL_BYTES_MAX};
use memchr::memmem::Finder;
use pyo3::types::{PyBytes, PyString};
use pyo3::{FromPyObject, Py, PyResult};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// Fingerprints.
pub type Page = [u8; 8];
pub type Domain = [u8; 6];

/// Figures and words of the domain's rules: see `agents.link_questions.parameters`.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Parameters {
    /// Names of all members of an event.
    members: Vec<Vec<u8>>,
    earliest_ms: i64,
    latest_ms: i64,
    seen_within_ms: i64,
    prose_chars_min: usize,
    prose: u64,
    bare_chars_max: usize,
    bare: u64,
    /// The flags and traits of which the highest counts.
    reading: u64,
    telling_names: Vec<Vec<u8>>,
    listing_names: Vec<Vec<u8>>,
    /// Parts of URLs and of contexts that more is to be said of than can be said here.
    declined_in_urls: Vec<Vec<u8>>,
    declined_in_contexts: Vec<Vec<u8>>,
}

/// An article by one of its URLs.
pub struct Article {
    pub key: Py<PyBytes>,
    /// Its own, which is no backlink.
    pub page: Page,
    /// Its own domain, unless links from there count.
    pub ignored: Option<Domain>,
    pub partition: i32,
}

/// What the members say that have few values.
#[derive(FromPyObject)]
pub struct Rest {
    pub is_gain: bool,
    pub flags_and_traits: u64,
    pub source: Option<Py<PyString>>,
    pub lost_reason: u64,
    pub is_floor: bool,
    pub is_import: bool,
    pub says_moment: bool,
}

/// A host in canonical form, and the fingerprint of its domain.
pub struct Host {
    name: Box<[u8]>,
    domain: Domain,
}

/// Asks the domain. None: it has to see the whole record.
pub trait Ask {
    fn article(&self, url: &[u8]) -> PyResult<Option<Arc<Article>>>;
    fn host(&self, host: &[u8]) -> PyResult<Option<(Vec<u8>, Domain)>>;
    /// Flags and traits that an event with this URL has of its folders.
    fn folders(&self, folders: &[u8]) -> PyResult<Option<u64>>;
    /// Flags and traits that an event with this member has of it.
    fn member(&self, name: &str, value: &[u8]) -> PyResult<Option<u64>>;
    fn rest(&self, members: &[u8]) -> PyResult<Option<Arc<Rest>>>;
}

/// What an event says of its link.
pub struct Observation {
    pub article: Arc<Article>,
    pub page: Page,
    pub domain: Domain,
    pub at_ms: i64,
    pub is_clamped: bool,
    pub looked_ms: i64,
    pub flags_and_traits: u64,
    pub rest: Arc<Rest>,
    /// Whether its source says when it was gained.
    pub is_dated: bool,
}

/// The fingerprint of a page by its canonical URL.
pub fn page_of(canonical: &[u8]) -> Page {
    xxh3_64(canonical).to_be_bytes()
}

pub struct Reader {
    parameters: Parameters,
    rest_names: Vec<Vec<u8>>,
    telling: Names,
    listing: Names,
    leap_second: Finder<'static>,
    odd_urls: Vec<Finder<'static>>,
    odd_contexts: Vec<Finder<'static>>,
    articles: Answers<Arc<Article>>,
    hosts: Answers<Arc<Host>>,
    folders: Answers<u64>,
    anchors: Answers<u64>,
    pages: Answers<u64>,
    contexts: Answers<u64>,
    rests: Answers<Arc<Rest>>,
    scratch: Vec<u8>,
}

impl Reader {
    pub fn new(parameters: Parameters) -> Self {
        let finders = |words: &[Vec<u8>]| words.iter().map(|word| Finder::new(word).into_owned()).collect();
        Reader {
            rest_names: parameters.members.clone(),
            telling: Names::new(parameters.telling_names.clone()),
            listing: Names::new(parameters.listing_names.clone()),
            leap_second: Finder::new(b":60"),
            odd_urls: finders(&parameters.declined_in_urls),
            odd_contexts: finders(&parameters.declined_in_contexts),
            articles: Answers::default(),
            hosts: Answers::default(),
            folders: Answers::default(),
            anchors: Answers::default(),
            pages: Answers::default(),
            contexts: Answers::default(),
            rests: Answers::default(),
            scratch: Vec::new(),
            parameters,
        }
    }

    /// Read a record of this partition; None where Python has to.
    pub fn read(
        &mut self,
        value: &[u8],
        recorded_ms: i64,
        partition: i32,
        ask: &impl Ask,
    ) -> PyResult<Option<Observation>> {
        if recorded_ms < self.parameters.earliest_ms || self.leap_second.find(value).is_some() {
            return Ok(None);
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let members = parse(value, &self.rest_names, &mut scratch);
        let rest = match members {
            Some(_) => self.rests.get(&scratch, || ask.rest(&scratch)),
            None => Ok(None),
        };
        self.scratch = scratch;
        let (Some(members), Some(rest)) = (members, rest?) else {
            return Ok(None);
        };
        let Some((page, domain)) = self.referrer(members.url_from, ask)? else {
            return Ok(None);
        };
        let Some(article) = self.articles.get(members.url_to, || ask.article(members.url_to))? else {
            return Ok(None);
        };
        if article.page == page || article.ignored == Some(domain) || article.partition != partition {
            return Ok(None);
        }
        let Some(of_texts) = self.flags_of_texts(&members, ask)? else {
            return Ok(None);
        };
        let Some(time) = self.time(&members, recorded_ms) else {
            return Ok(None);
        };
        let flags_and_traits = rest.flags_and_traits | if rest.is_gain { of_texts } else { 0 };
        let is_dated = members.occurred_ms.is_some();
        let (at_ms, is_clamped, looked_ms) = time;
        Ok(Some(Observation {
            article,
            page,
            domain,
            at_ms,
            is_clamped,
            looked_ms,
            flags_and_traits,
            rest,
            is_dated,
        }))
    }

    /// The fingerprints of a referring page and of its domain.
    fn referrer(&mut self, url: &[u8], ask: &impl Ask) -> PyResult<Option<(Page, Domain)>> {
        if self.listing.are_in(url) {
            return Ok(None); // a page that may list others
        }
        let Some(Plain { host, path }) = plain(url) else {
            return Ok(None);
        };
        let answer = self.hosts.get(host, || {
            let found = ask.host(host)?;
            Ok::<_, pyo3::PyErr>(found.map(|(name, domain)| {
                Arc::new(Host {
                    name: name.into(),
                    domain,
                })
            }))
        })?;
        let Some(host) = answer else {
            return Ok(None);
        };
        let scratch = &mut self.scratch;
        scratch.clear();
        scratch.extend_from_slice(b"https://");
        scratch.extend_from_slice(&host.name);
        scratch.extend_from_slice(path);
        let is_short = scratch.len() <= URL_BYTES_MAX;
        Ok(is_short.then(|| (page_of(scratch), host.domain)))
    }

    /// Flags and traits by the anchor, the text around it, and the page.
    fn flags_of_texts(&mut self, members: &Members<'_>, ask: &impl Ask) -> PyResult<Option<u64>> {
        let Some(of_url) = self.flags_of_url(members.url_from, ask)? else {
            return Ok(None);
        };
        let of_page = match members.page {
            Some(page) => self.pages.get(page, || ask.member("page", page))?,
            None => Some(0),
        };
        let of_anchor = match members.anchor {
            Some(anchor) => self.anchors.get(anchor, || ask.member("anchor", anchor))?,
            None => Some(0),
        };
        let of_context = match members.context {
            Some(Context::Plain { text, chars }) => self.flags_of_context(text, chars),
            Some(Context::Raw(context)) => self.contexts.get(context, || ask.member("context", context))?,
            None => Some(0),
        };
        let (Some(of_page), Some(of_anchor), Some(of_context)) = (of_page, of_anchor, of_context) else {
            return Ok(None);
        };
        let parts = [of_url, of_page, of_anchor, of_context];
        let reading = parts
            .into_iter()
            .map(|part| part & self.parameters.reading)
            .max()
            .unwrap_or(0);
        Ok(Some(
            parts
                .into_iter()
                .fold(reading, |all, part| all | part & !self.parameters.reading),
        ))
    }

    fn flags_of_url(&mut self, url: &[u8], ask: &impl Ask) -> PyResult<Option<u64>> {
        if self.odd_urls.iter().any(|word| word.find(url).is_some()) {
            return Ok(None);
        }
        if !self.telling.are_in(url) {
            return Ok(Some(0));
        }
        let Some(folders) = memchr::memrchr(b'/', url)
            .map(|slash| &url[..=slash])
            .filter(|each| !each.ends_with(b"//"))
        else {
            return Ok(None); // a host and nothing else
        };
        self.folders.get(folders, || ask.folders(folders))
    }

    fn flags_of_context(&self, text: &[u8], chars: usize) -> Option<u64> {
        let parameters = &self.parameters;
        if chars <= parameters.bare_chars_max {
            return Some(parameters.bare);
        }
        if chars < parameters.prose_chars_min {
            return Some(0);
        }
        let is_odd = self.odd_contexts.iter().any(|word| word.find(text).is_some());
        (!is_odd).then_some(parameters.prose)
    }

    /// When it happened, whether that is another time than the stated one, and when the link looked like that: 0 at once.
    fn time(&self, members: &Members<'_>, recorded_ms: i64) -> Option<(i64, bool, i64)> {
        let Parameters {
            earliest_ms,
            latest_ms,
            seen_within_ms,
            ..
        } = self.parameters;
        let (occurred, observed) = (members.occurred_ms, members.observed_ms);
        if occurred
            .into_iter()
            .chain(observed)
            .any(|stated_ms| stated_ms < earliest_ms)
        {
            return None;
        }
        let clamped = |stated_ms: i64| stated_ms.min(recorded_ms).min(latest_ms);
        let stated_ms = occurred.or(observed).unwrap_or(recorded_ms);
        let is_clamped = stated_ms > recorded_ms || recorded_ms > latest_ms;
        let at_ms = clamped(stated_ms);
        let looked_ms = occurred.and(observed).map_or(0, clamped);
        Some((
            at_ms,
            is_clamped,
            if looked_ms > at_ms + seen_within_ms {
                looked_ms
            } else {
                0
            },
        ))
    }
}
