//! `flatline_core`: reads link records for Flatline's worker. It knows the form of a record, and asks Python about the rest.

mod answers;
mod reader;
mod record;
mod time;
mod url;

use crate::reader::{page_of, Article, Ask, Domain, Observation, Parameters, Reader, Rest};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyInt, PyList, PySet};
use std::sync::Arc;

/// What Python expects of this module: raised with every change of what is passed between both.
const INTERFACE: u32 = 2;

const DAY_MS: i64 = 86_400_000;

/// Reads link records, as `agents.read_links` says.
#[pyclass]
struct LinkReader {
    reader: Box<Reader>, // on Rust's heap: Python's does not align what the processor's vectors need
    questions: Py<PyAny>,
    observation: Py<PyAny>,
}

#[pymethods]
impl LinkReader {
    /// `observation`: the class that is made of what is read.
    #[new]
    fn new(questions: Py<PyAny>, observation: Py<PyAny>, parameters: Parameters) -> Self {
        LinkReader {
            reader: Box::new(Reader::new(parameters)),
            questions,
            observation,
        }
    }

    /// Read records from the one at `at` on, up to the first that Python has to read, and return where that is.
    ///
    /// Adds what they say to `said`, which is a `ReadLinks`.
    fn read<'py>(
        &mut self,
        records: &Bound<'py, PyList>,
        at: usize,
        partition: i32,
        said: &Bound<'py, PyAny>,
    ) -> PyResult<usize> {
        let mut into = Into::of(said)?;
        let py = records.py();
        for (place, record) in records.iter().enumerate().skip(at) {
            let recorded_ms: i64 = record.getattr(intern!(py, "timestamp"))?.extract()?;
            let value = record.getattr(intern!(py, "value"))?;
            let Ok(value) = value.cast::<PyBytes>() else {
                return Ok(place); // no value
            };
            if recorded_ms >= into.day_ends_ms {
                return Ok(place);
            }
            let asked = Asked {
                questions: self.questions.bind(py),
            };
            let Some(seen) = self.reader.read(value.as_bytes(), recorded_ms, partition, &asked)? else {
                return Ok(place);
            };
            into.add(&seen, &record, self.observation.bind(py))?;
        }
        Ok(records.len())
    }
}

/// The parts of a `ReadLinks`.
struct Into<'py> {
    observations: Bound<'py, PyDict>,
    clamped: Bound<'py, PyDict>,
    recent: Bound<'py, PyList>,
    newest: Bound<'py, PyDict>,
    labelling: Bound<'py, PySet>,
    day_ends_ms: i64,
}

impl<'py> Into<'py> {
    fn of(said: &Bound<'py, PyAny>) -> PyResult<Self> {
        let py = said.py();
        Ok(Into {
            observations: said.getattr(intern!(py, "observations"))?.cast_into()?,
            clamped: said.getattr(intern!(py, "clamped"))?.cast_into()?,
            recent: said.getattr(intern!(py, "recent"))?.cast_into()?,
            newest: said.getattr(intern!(py, "newest"))?.cast_into()?,
            labelling: said.getattr(intern!(py, "labelling"))?.cast_into()?,
            // The last day that records can have ends beyond what their times can be.
            day_ends_ms: said.getattr(intern!(py, "day_ends_ms"))?.extract().unwrap_or(i64::MAX),
        })
    }

    fn add(&mut self, seen: &Observation, record: &Bound<'py, PyAny>, class: &Bound<'py, PyAny>) -> PyResult<()> {
        let (py, rest) = (record.py(), &seen.rest);
        let (key, page) = (seen.article.key.bind(py), PyBytes::new(py, &seen.page));
        let (source, at_ms) = (
            rest.source.as_ref().map(|name| name.bind(py)),
            PyInt::new(py, seen.at_ms),
        );
        let observation = class.call1((
            key,
            &page,
            PyBytes::new(py, &seen.domain),
            rest.is_gain,
            &at_ms,
            seen.flags_and_traits,
            source,
            seen.is_clamped,
            seen.looked_ms,
            rest.lost_reason,
            rest.is_floor,
        ))?;
        append(&self.observations, key.as_any(), &observation)?;
        if seen.is_clamped {
            let known = self
                .clamped
                .get_item(source)?
                .map_or(Ok(0), |count| count.extract::<u64>())?;
            self.clamped.set_item(source, known + 1)?;
        } else if rest.says_moment && seen.is_dated && seen.at_ms % DAY_MS != 0 {
            self.recent.append((source, &at_ms, key, &page))?;
        }
        if rest.is_import {
            self.labelling.add(source)
        } else {
            self.newest.set_item(source, record)
        }
    }
}

/// Append to the list that a dictionary has under a key.
fn append<'py>(lists: &Bound<'py, PyDict>, key: &Bound<'py, PyAny>, value: &Bound<'py, PyAny>) -> PyResult<()> {
    match lists.get_item(key)? {
        Some(list) => list.cast::<PyList>()?.append(value),
        None => lists.set_item(key, PyList::new(key.py(), [value])?),
    }
}

/// Asks Python.
struct Asked<'a, 'py> {
    questions: &'a Bound<'py, PyAny>,
}

impl Ask for Asked<'_, '_> {
    fn article(&self, url: &[u8]) -> PyResult<Option<Arc<Article>>> {
        let py = self.questions.py();
        let answer = self.questions.call_method1(intern!(py, "article"), (text(url)?,))?;
        let found: Option<(Py<PyBytes>, Option<Domain>, i32)> = answer.extract()?;
        Ok(found.map(|(key, ignored, partition)| {
            let page = page_of(key.as_bytes(py));
            Arc::new(Article {
                key,
                page,
                ignored,
                partition,
            })
        }))
    }

    fn host(&self, host: &[u8]) -> PyResult<Option<(Vec<u8>, Domain)>> {
        let name = intern!(self.questions.py(), "host");
        self.questions.call_method1(name, (text(host)?,))?.extract()
    }

    fn folders(&self, folders: &[u8]) -> PyResult<Option<u64>> {
        let name = intern!(self.questions.py(), "folders");
        self.questions.call_method1(name, (text(folders)?,))?.extract()
    }

    fn member(&self, name: &str, value: &[u8]) -> PyResult<Option<u64>> {
        let py = self.questions.py();
        self.questions
            .call_method1(intern!(py, "member"), (name, PyBytes::new(py, value)))?
            .extract()
    }

    fn rest(&self, members: &[u8]) -> PyResult<Option<Arc<Rest>>> {
        let py = self.questions.py();
        let answer = self
            .questions
            .call_method1(intern!(py, "rest"), (PyBytes::new(py, members),))?;
        Ok(answer.extract::<Option<Rest>>()?.map(Arc::new))
    }
}

fn text(bytes: &[u8]) -> PyResult<&str> {
    std::str::from_utf8(bytes).map_err(|error| PyValueError::new_err(error.to_string()))
}

#[pymodule]
fn flatline_core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("INTERFACE", INTERFACE)?;
    module.add_class::<LinkReader>()
}
