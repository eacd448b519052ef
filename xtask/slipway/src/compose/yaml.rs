//! YAML with the line of every value, which error messages need and serde does not keep.

use std::{collections::HashMap, path::Path, sync::Arc};

use anyhow::{Context, Result, anyhow, bail};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) tag: MergeTag,
    pub(super) value: Value,
}

#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) file: Arc<Path>,
    /// Counted from 1.
    pub(crate) line: usize,
}

/// How a value behaves where a later file or service is laid over an earlier one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum MergeTag {
    Merge,
    Reset,
    Override,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) line: usize,
}

impl Node {
    /// An error that begins with the place of this value.
    pub(super) fn error(&self, message: impl std::fmt::Display) -> anyhow::Error {
        self.place.error(message)
    }

    /// A value that stands where this one does.
    pub(super) fn with(&self, value: Value) -> Node {
        Node { place: self.place.clone(), tag: self.tag, value }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(found, _)| found.text == key).map(|(_, node)| node),
            _ => None,
        }
    }

    /// The place of a key of this mapping.
    pub(super) fn place_of(&self, key: &Key) -> Place {
        Place { file: Arc::clone(&self.place.file), line: key.line }
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        match &mut self.value {
            Value::Map(entries) => entries.iter_mut().find(|(found, _)| found.text == key).map(|(_, node)| node),
            _ => None,
        }
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<Node> {
        match &mut self.value {
            Value::Map(entries) => {
                let index = entries.iter().position(|(found, _)| found.text == key)?;
                Some(entries.remove(index).1)
            }
            _ => None,
        }
    }

    /// The entries of a mapping; `what` names it in the error.
    pub(super) fn entries(&self, what: &str) -> Result<&[(Key, Node)]> {
        match &self.value {
            Value::Map(entries) => Ok(entries),
            Value::Null => Ok(&[]),
            _ => Err(self.error(format!("{what} must be a mapping"))),
        }
    }
}

impl Place {
    pub(super) fn error(&self, message: impl std::fmt::Display) -> anyhow::Error {
        anyhow!("{}:{}: {message}", self.file.display(), self.line)
    }
}

/// Parses the first document of a file.
pub(super) fn parse(path: &Path) -> Result<Node> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("the compose file {} cannot be read", path.display()))?;
    let mut loader = Loader { file: Arc::from(path), events: Parser::new_from_str(&text), anchors: HashMap::new() };
    loader.document()
}

struct Loader<'input> {
    file: Arc<Path>,
    events: Parser<'input, saphyr_parser::StrInput<'input>>,
    anchors: HashMap<usize, Node>,
}

impl<'input> Loader<'input> {
    fn document(&mut self) -> Result<Node> {
        loop {
            let (event, at) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
                Event::StreamEnd | Event::DocumentEnd => bail!(self.place(at).error("the file is empty")),
                first => return self.node(first, at),
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'input>, Marker)> {
        match self.events.next_event() {
            Some(Ok((event, span))) => Ok((event, span.start)),
            Some(Err(error)) => Err(self.place(*error.marker()).error(error.info())),
            None => bail!("{}: the file ends too early", self.file.display()),
        }
    }

    fn place(&self, at: Marker) -> Place {
        Place { file: Arc::clone(&self.file), line: at.line() }
    }

    fn node(&mut self, event: Event<'input>, at: Marker) -> Result<Node> {
        let place = self.place(at);
        let (anchor, tag, value) = match event {
            Event::Alias(anchor) => {
                let target = self.anchors.get(&anchor).cloned();
                return target.ok_or_else(|| place.error("this alias refers to something that contains it"));
            }
            Event::Scalar(text, style, anchor, tag) => {
                let is_null = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null");
                (anchor, tag, if is_null { Value::Null } else { Value::Scalar(text.into_owned()) })
            }
            Event::SequenceStart(anchor, tag) => (anchor, tag, Value::List(self.items()?)),
            Event::MappingStart(anchor, tag) => (anchor, tag, Value::Map(self.pairs()?)),
            other => return Err(place.error(format!("unexpected {other:?}"))),
        };
        let tag = match tag.as_ref().map(|tag| tag.suffix.as_str()) {
            Some("reset") => MergeTag::Reset,
            Some("override") => MergeTag::Override,
            _ => MergeTag::Merge,
        };
        let node = Node { place, tag, value };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn items(&mut self) -> Result<Vec<Node>> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, at) => items.push(self.node(event, at)?),
            }
        }
    }

    fn pairs(&mut self) -> Result<Vec<(Key, Node)>> {
        let mut pairs: Vec<(Key, Node)> = Vec::new();
        let mut merged = Vec::new();
        loop {
            let (key, line) = match self.next()? {
                (Event::MappingEnd, _) => break,
                (Event::Scalar(text, ..), at) => (text.into_owned(), at.line()),
                (_, at) => bail!(self.place(at).error("a key must be plain text")),
            };
            let (event, at) = self.next()?;
            let node = self.node(event, at)?;
            if key == "<<" {
                merged.push(node);
            } else if pairs.iter().any(|(known, _)| known.text == key) {
                bail!(Place { file: Arc::clone(&self.file), line }.error(format!("`{key}` stands here twice")));
            } else {
                pairs.push((Key { text: key, line }, node));
            }
        }
        merged.into_iter().try_for_each(|node| merge_into(&mut pairs, node))?;
        Ok(pairs)
    }
}

/// YAML's `<<`: what the mapping says itself wins.
fn merge_into(pairs: &mut Vec<(Key, Node)>, source: Node) -> Result<()> {
    match source.value {
        Value::Map(entries) => {
            for (key, node) in entries {
                if !pairs.iter().any(|(known, _)| known.text == key.text) {
                    pairs.push((key, node));
                }
            }
            Ok(())
        }
        Value::List(nodes) => nodes.into_iter().try_for_each(|node| merge_into(pairs, node)),
        _ => Err(source.error("`<<` must name a mapping")),
    }
}
