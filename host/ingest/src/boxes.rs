//! Object detection: `images/` and `annotations/`, a Pascal VOC file for each image.
//!
//! VOC counts pixels from 1 and includes both ends. A box is stored as x0 = xmin − 1, y0 = ymin − 1, x1 = xmax, y1 = ymax:
//! the corners of the area that its pixels cover.

use quick_xml::Reader;
use quick_xml::events::Event;
use thimble_datasets::{Classes, DType, Field, TaskKind, Values};

use crate::finding::{At, Findings, Place};
use crate::input::{Input, Listed};
use crate::limits;
use crate::listing::{Root, files};
use crate::names::{Names, Numbered, Room};
use crate::options::{Options, Size};
use crate::pairs::{self, Annotated};
use crate::picture::scaled;
use crate::problem::Problem;
use crate::sink::Push;
use crate::wording::{Quoted, SizeRemedy};
use crate::{IngestError, Outcome, Work};

pub(crate) fn ingest(work: &mut Work<'_>) -> Result<Outcome, IngestError> {
    let names = Names::declared("name", &work.options.classes);
    pairs::ingest(work, Voc { names, room: Room::default(), numbered: Numbered::default() })
}

struct Voc {
    names: Names,
    room: Room,
    numbered: Numbered,
}

/// An object as in the file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Object {
    name: String,
    /// xmin, ymin, xmax, ymax, from 1.
    corners: [f64; 4],
    line: u64,
}

/// Where the annotation of an image is.
fn annotation_of(root: &Root, image: &Listed) -> String {
    root.below(&format!("annotations/{}.xml", image.stem().0))
}

impl Annotated for Voc {
    type Annotation = Vec<Object>;

    fn orphans(&self, input: &Input, root: &Root, images: &[Listed], findings: &mut Findings) {
        let folder = root.below("annotations");
        let stems: std::collections::BTreeSet<&str> = images.iter().map(|image| image.stem().0).collect();
        for file in files(input, &folder, |name| name.ends_with(".xml"), ".xml", findings) {
            if !stems.contains(file.stem().0) {
                findings.error(Place::file(&file.path), Problem::Orphan { by: root.below("images") });
            }
        }
    }

    fn read(
        &mut self,
        input: &Input,
        root: &Root,
        image: &Listed,
        size: Size,
        findings: &mut Findings,
    ) -> Option<Vec<Object>> {
        let path = annotation_of(root, image);
        let text = match input.read(&path, limits::XML_BYTES) {
            Ok(text) => text,
            Err(Problem::FileMissing) => {
                findings.error(Place::file(&image.path), Problem::NotPaired { what: "annotation", file: path });
                return None;
            }
            // Found when the directory was read.
            Err(Problem::ZeroBytes) => return None,
            Err(problem) => {
                findings.error(Place::file(path), problem);
                return None;
            }
        };
        let found = findings.errors.len();
        match parse(&text) {
            Ok((declared, objects)) => {
                check(&path, declared, &objects, size, findings);
                (findings.errors.len() == found).then_some(objects)
            }
            Err((line, problem)) => {
                findings.error(Place::line(path, line), problem);
                None
            }
        }
    }

    fn see(&mut self, objects: &Vec<Object>, place: Place, findings: &mut Findings) {
        for object in objects {
            let place = || Place { at: At::Line(object.line), ..place.clone() };
            self.names.see(&object.name, &mut self.room, place, findings);
        }
    }

    fn task(&mut self, _: &Options, findings: &mut Findings) -> TaskKind {
        self.numbered = std::mem::take(&mut self.names).number();
        if self.numbered.rows.iter().sum::<u64>() == 0 && findings.is_clean() {
            findings.error(Place::file("annotations"), Problem::NoObjects);
        }
        TaskKind::ObjectDetection(Classes::named(self.numbered.names.clone()))
    }

    fn targets(&self, _: Size) -> Vec<Field> {
        vec![
            Field::target("counts", DType::S32, &[]),
            Field::target("boxes", DType::F32, &[4]).ragged(),
            Field::target("labels", DType::S64, &[]).ragged(),
        ]
    }

    fn fill(&self, objects: Vec<Object>, original: Size, size: Size, targets: &mut [Values]) -> bool {
        let [counts, boxes, labels] = targets else { return false };
        counts.push(i32::try_from(objects.len()).unwrap_or(i32::MAX));
        let x = |place| scaled(place, original.width, size.width);
        let y = |place| scaled(place, original.height, size.height);
        for Object { name, corners: [x0, y0, x1, y1], .. } in &objects {
            let Some((class, _)) = self.numbered.get(name) else { return false };
            boxes.push(&[x(x0 - 1.0), y(y0 - 1.0), x(*x1), y(*y1)][..]);
            labels.push(i64::from(class));
        }
        true
    }
}

/// Compares what the file says with the image.
fn check(path: &str, declared: Option<(u32, u32)>, objects: &[Object], size: Size, findings: &mut Findings) {
    let Size { height, width } = size;
    if let Some((declared_height, declared_width)) = declared
        && (declared_height, declared_width) != (height, width)
    {
        let swapped = SizeRemedy::of((declared_height, declared_width), (height, width), SizeRemedy::Again);
        let (found_height, found_width) = (height, width);
        let problem =
            Problem::XmlSize { height: declared_height, width: declared_width, found_height, found_width, swapped };
        findings.error(Place::file(path), problem);
        return;
    }
    for (index, Object { corners, line, .. }) in objects.iter().enumerate() {
        let (object, place) = (index + 1, Place::line(path, *line));
        let [x0, y0, x1, y1] = *corners;
        let text = || format!("xmin {x0}, ymin {y0}, xmax {x1}, ymax {y1}");
        if x0 > x1 || y0 > y1 {
            findings.error(place, Problem::BoxDegenerate { object, corners: text() });
        } else if x0 < 1.0 || y0 < 1.0 || x1 > f64::from(width) || y1 > f64::from(height) {
            findings.error(place, Problem::BoxOutside { object, corners: text(), height, width });
        }
    }
    if objects.len() > limits::OBJECTS {
        findings.error(Place::file(path), Problem::TooManyObjects { found: objects.len(), limit: limits::OBJECTS });
    }
}

/// Height and width of the file, and its objects.
type Parsed = (Option<(u32, u32)>, Vec<Object>);

/// What is known of the object that is being read.
#[derive(Default)]
struct Partial {
    name: Option<String>,
    corners: [Option<f64>; 4],
    line: u64,
}

const CORNERS: [&str; 4] = ["xmin", "ymin", "xmax", "ymax"];

/// Reads the elements that count; the rest (parts, poses, sources) is passed over. No entity but the five of XML is known, and
/// no document type is accepted: nothing in the file can grow.
fn parse(bytes: &[u8]) -> Result<Parsed, (u64, Problem)> {
    let text = std::str::from_utf8(bytes).map_err(|error| (1, Problem::TextNotUtf8 { byte: error.valid_up_to() }))?;
    let mut reader = Reader::from_str(text);
    let mut lines = Lines { text: bytes, at: 0, line: 1 };
    let mut path: Vec<String> = Vec::new();
    let (mut objects, mut object, mut content) = (Vec::new(), Partial::default(), String::new());
    let mut size: [Option<f64>; 2] = [None, None];
    let mut seen = false;
    loop {
        let at = lines.of(reader.buffer_position());
        let fault = |reason: String| (at, Problem::Xml { reason });
        match reader.read_event().map_err(|error| fault(error.to_string()))? {
            Event::Start(start) => {
                if path.len() >= limits::XML_DEPTH {
                    return Err((at, Problem::XmlDepth { limit: limits::XML_DEPTH }));
                }
                path.push(String::from_utf8_lossy(start.name().as_ref()).into_owned());
                content.clear();
                seen = true;
                if path == ["annotation", "object"] {
                    object = Partial { line: at, ..Partial::default() };
                }
            }
            Event::Text(text) => content += &text.decode().map_err(|error| fault(error.to_string()))?,
            Event::CData(text) => content += &text.decode().map_err(|error| fault(error.to_string()))?,
            Event::GeneralRef(entity) => {
                let name = entity.decode().map_err(|error| fault(error.to_string()))?;
                let known = quick_xml::escape::resolve_predefined_entity(&name);
                content += known.ok_or_else(|| fault(format!("the entity &{name}; is not known")))?;
            }
            Event::End(_) => {
                let steps: Vec<&str> = path.iter().map(String::as_str).collect();
                let number = objects.len() + 1;
                match steps[..] {
                    ["annotation", "size", "height"] => size[0] = content.trim().parse().ok(),
                    ["annotation", "size", "width"] => size[1] = content.trim().parse().ok(),
                    ["annotation", "object", "name"] => object.name = Some(content.trim().to_owned()),
                    ["annotation", "object", "bndbox", corner] => {
                        object.corner(corner, &content, number).map_err(|problem| (at, problem))?
                    }
                    ["annotation", "object"] => {
                        let partial = std::mem::take(&mut object);
                        let line = partial.line;
                        objects.push(partial.whole(number).map_err(|problem| (line, problem))?);
                    }
                    _ => {}
                }
                path.pop();
            }
            Event::DocType(_) => return Err((at, Problem::XmlDoctype)),
            Event::Eof if seen && path.is_empty() => break,
            Event::Eof => return Err(fault("it ends before its elements do".into())),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, and is compared with an image"
    )]
    let whole = |value: f64| value as u32;
    let size = size[0].zip(size[1]).map(|(height, width)| (whole(height), whole(width)));
    Ok((size.filter(|&(height, width)| height > 0 && width > 0), objects))
}

impl Partial {
    fn corner(&mut self, name: &str, content: &str, object: usize) -> Result<(), Problem> {
        let Some(index) = CORNERS.iter().position(|corner| *corner == name) else { return Ok(()) };
        let value = content.trim();
        let number = value.parse::<f64>().ok().filter(|value| value.is_finite());
        let number =
            number.ok_or_else(|| Problem::XmlNumber { object, element: CORNERS[index], value: Quoted::new(value) })?;
        self.corners[index] = Some(number);
        Ok(())
    }

    fn whole(self, object: usize) -> Result<Object, Problem> {
        let missing = |element| Problem::XmlElement { object, element };
        let name = self.name.filter(|name| !name.is_empty()).ok_or(missing("name"))?;
        let mut corners = [0.0; 4];
        for ((corner, found), element) in corners.iter_mut().zip(self.corners).zip(CORNERS) {
            *corner = found.ok_or(missing(element))?;
        }
        Ok(Object { name, corners, line: self.line })
    }
}

/// Lines of places in a text, asked for in ascending order.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    fn of(&mut self, position: u64) -> u64 {
        let position = usize::try_from(position).unwrap_or(usize::MAX).min(self.text.len());
        let passed = self.text.get(self.at..position).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at = self.at.max(position);
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: &str = "<object><name>a &amp; b</name><part><name>x</name><bndbox><xmin>9</xmin></bndbox></part>\n\
                          <bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3.5</xmax><ymax>4</ymax></bndbox></object>";

    #[test]
    fn only_the_boxes_of_objects_count() -> Result<(), String> {
        let text = format!("<annotation><size><width>5</width>\n<height>6</height></size>\n{OBJECT}</annotation>");
        let (size, objects) = parse(text.as_bytes()).map_err(|(_, problem)| problem.to_string())?;
        assert_eq!(size, Some((6, 5)));
        assert_eq!(objects, [Object { name: "a & b".into(), corners: [1.0, 2.0, 3.5, 4.0], line: 3 }]);
        Ok(())
    }

    #[test]
    fn deep_or_defined_elements_are_refused() {
        let deep = |depth: usize| parse(format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth)).as_bytes());
        assert!(deep(limits::XML_DEPTH).is_ok());
        assert_eq!(deep(limits::XML_DEPTH + 1).err(), Some((1, Problem::XmlDepth { limit: limits::XML_DEPTH })));
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbb\">]>\n<annotation>&b;</annotation>";
        assert_eq!(parse(bomb.as_bytes()).err(), Some((1, Problem::XmlDoctype)));
        assert!(matches!(parse(b"<annotation>&b;</annotation>"), Err((1, Problem::Xml { .. }))));
    }
}
